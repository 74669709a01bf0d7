"""What contracts logged, to compare with."""


def event(contract, name: str, **fields) -> tuple:
    """An event of a contract as `events` gives it."""
    return str(contract.address), name, fields


def events(contract) -> list[tuple]:
    """All events of the last transaction sent to a contract, in order, those of contracts that it called included."""
    return [
        (str(e.address), type(e).__name__, {name: value for name, value in e._asdict().items() if name != "address"})
        for e in contract.get_logs()
    ]
