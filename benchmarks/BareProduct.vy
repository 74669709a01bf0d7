# pragma version 0.4.3
"""
@title A product that does what it is told, to measure Escrow without one of ours around it
@license AGPL-3.0-only
"""

from contracts.interfaces import IEscrow


ESCROW: immutable(address)


@deploy
def __init__(escrow: address):
    ESCROW = escrow


@external
def collect(account: address, pot_id: bytes32, amount: uint256):
    extcall IEscrow(ESCROW).collect(account, pot_id, amount, IEscrow.Kind.BET_DEBIT)


@external
def pay(pot_id: bytes32, account: address, amount: uint256):
    extcall IEscrow(ESCROW).pay(pot_id, account, amount, IEscrow.Kind.PAYOUT)


@external
def pay_many(pot_id: bytes32, accounts: DynArray[address, 256], amounts: DynArray[uint256, 256]):
    extcall IEscrow(ESCROW).pay_many(pot_id, accounts, amounts, IEscrow.Kind.PAYOUT)


@external
def move(from_pot: bytes32, to_pot: bytes32, amount: uint256):
    extcall IEscrow(ESCROW).move(from_pot, to_pot, amount)
