"""The node of a club of friends: one origin with page, chain, invitations, gas and names. Phones need no more."""
