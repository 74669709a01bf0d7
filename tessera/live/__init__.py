"""The live engine of one stream: takes bets of micro-bet sessions in milliseconds, and answers for every receipt.

What is legal is `tessera.model.sessions`' to say. See docs/live.md.
"""
