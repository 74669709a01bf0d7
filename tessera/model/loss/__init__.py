"""What micro-bets cost their players: expected loss and its speed, a simulation, and limits that players set.

It exists to show and bound loss. Nothing here looks at a player to choose odds or questions. Pure: no chain, no clock,
no files. See docs/live.md.
"""
