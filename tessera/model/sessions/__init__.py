"""Sessions of micro-bets, exactly: what is signed, which states are legal, what a session pays, and a stream's record.

The reference of `contracts/MicroSessions.vy`, and what engine and players run. Pure: no chain, no clock, no files. See
docs/micro.md.
"""
