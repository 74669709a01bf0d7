"""What a contract logged, as rows to compare with."""


def events(contract) -> list[dict]:
    """All logs of a contract's last transaction, whoever logged them: `{"event": name, **fields}` each."""
    return [
        {"event": type(log).__name__} | {name: value for name, value in log._asdict().items() if name != "address"}
        for log in contract.get_logs()
    ]
