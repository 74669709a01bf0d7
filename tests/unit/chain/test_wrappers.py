"""A contract's functions under their own names: arguments in the order of the ABI, and the receipt comes back."""

import inspect
from types import SimpleNamespace

import pytest

import tessera.chain as package
from tessera.chain.contract import Contract, abi_of

assert package  # every wrapper is known once the package is imported

VALUES = {int: range(1, 20), str: [f"0x{number:040x}" for number in range(1, 20)], bool: [True, False] * 9}
VALUES |= {bytes: [number.to_bytes(32, "big") for number in range(1, 20)]}


def plain_functions() -> list:
    """Transactions whose wrapper takes what the contract takes, under the same names; the others have own tests."""
    functions = []
    for contract in Contract.KNOWN:
        inputs = {
            item["name"]: [field["name"] for field in item["inputs"]]
            for item in abi_of(contract.NAME)
            if item["type"] == "function" and item["stateMutability"] == "nonpayable"
        }
        for name, function in inspect.getmembers(contract, inspect.isfunction):
            _, *parameters = inspect.signature(function).parameters.values()
            names, kinds = [each.name for each in parameters], [each.annotation for each in parameters]
            if names == ["sender", *inputs.get(name, "-")] and set(kinds[1:]) <= set(VALUES):
                functions.append(pytest.param(contract, name, kinds[1:], id=f"{contract.NAME}.{name}"))
    return functions


def test_most_transactions_are_plain():
    """Else the test below would test little."""
    assert len(plain_functions()) >= 50


@pytest.mark.parametrize(("contract", "name", "kinds"), plain_functions())
def test_a_transaction_has_its_arguments_in_order_and_gives_its_receipt(contract, name, kinds, monkeypatch):
    left = {kind: iter(values) for kind, values in VALUES.items()}
    values, sent, receipt, sender = [next(left[kind]) for kind in kinds], [], object(), SimpleNamespace()

    def write(self, *arguments):
        sent.append(arguments)
        return receipt

    monkeypatch.setattr(Contract, "write", write)
    assert getattr(contract, name)(object.__new__(contract), sender, *values) is receipt
    assert sent == [(sender, name, *values)]
