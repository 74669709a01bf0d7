"""Tessera: a prediction platform whose money lives in Vyper contracts and whose operation is Python."""
