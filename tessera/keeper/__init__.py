"""The keeper: closes prize weeks, settles events and pays winners, from what the chain says alone. See
docs/operations.md."""
