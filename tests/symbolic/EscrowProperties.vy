# pragma version 0.4.3
"""
@title What payments of Escrow do to pots and balances, for every input
@author Tessera
@license AGPL-3.0-only
@notice The contract is Escrow itself and a product of it: each property writes any words
        into its storage, calls it, and compares all words that the call may touch.
@dev Nothing is bounded but a product's number, which Escrow keeps at 1 to 128.
"""


from contracts import Escrow
from contracts.interfaces import IEscrow
from contracts.modules import account_word
from contracts.modules import pot_word
from tests.symbolic import claims


initializes: Escrow


exports: (Escrow.collect, Escrow.pay, Escrow.move)


@deploy
def __init__(token: address):
    Escrow.__init__(token, False)


@external
def check_pay(
    number: uint256,
    pot_id: bytes32,
    held: uint256,
    account: address,
    word: uint256,
    amount: uint256,
    kind: IEscrow.Kind,
    other_pot: bytes32,
    other_account: address,
):
    """
    @notice `pay` moves `amount` from the pot to the balance, and nothing else. It is refused if and only if the
            pot holds less, or the amount, the receiver, the kind or the new balance is none that there is.
    """
    self._set_up(number, pot_id, held, account, word)
    pot: uint256 = Escrow._pots[self][pot_id]
    pot_apart: uint256 = Escrow._pots[self][other_pot]
    account_apart: uint256 = Escrow._accounts[other_account]
    paid: bool = raw_call(
        self,
        abi_encode(pot_id, account, amount, kind, method_id=method_id("pay(bytes32,address,uint256,uint256)")),
        revert_on_failure=False,
    )
    pot_after: uint256 = Escrow._pots[self][pot_id]
    word_after: uint256 = Escrow._accounts[account]
    if paid:
        claims._holds(amount != 0 and amount <= held)
        claims._holds(pot_word._balance(pot_after) == held - amount)
        claims._holds(account_word._balance(word_after) == account_word._balance(word) + amount)
        claims._holds(account_word._consent(word_after) == account_word._consent(word))
        claims._holds(pot_word._number(pot_after) == number)
        claims._reached(True)
    else:
        claims._holds(pot_after == pot and word_after == word)
        claims._holds(
            amount == 0
            or amount > held
            or account == empty(address)
            or account_word._balance(word) + amount > account_word.BALANCE_MASK
            or not self._is_pay_kind(kind)
        )
    claims._holds(other_pot == pot_id or Escrow._pots[self][other_pot] == pot_apart)
    claims._holds(other_account == account or Escrow._accounts[other_account] == account_apart)


@external
def check_collect(
    number: uint256,
    pot_id: bytes32,
    held: uint256,
    account: address,
    word: uint256,
    amount: uint256,
    kind: IEscrow.Kind,
    other_pot: bytes32,
    other_account: address,
):
    """
    @notice `collect` moves `amount` from the balance of who consented to the pot, and nothing else.
    """
    self._set_up(number, pot_id, held, account, word)
    pot: uint256 = Escrow._pots[self][pot_id]
    pot_apart: uint256 = Escrow._pots[self][other_pot]
    account_apart: uint256 = Escrow._accounts[other_account]
    collected: bool = raw_call(
        self,
        abi_encode(account, pot_id, amount, kind, method_id=method_id("collect(address,bytes32,uint256,uint256)")),
        revert_on_failure=False,
    )
    pot_after: uint256 = Escrow._pots[self][pot_id]
    word_after: uint256 = Escrow._accounts[account]
    if collected:
        claims._holds(amount != 0 and amount <= account_word._balance(word))
        claims._holds((account_word._consent(word) >> (number - 1)) & 1 == 1)
        claims._holds(pot_word._balance(pot_after) == held + amount)
        claims._holds(account_word._balance(word_after) == account_word._balance(word) - amount)
        claims._holds(account_word._consent(word_after) == account_word._consent(word))
        claims._holds(pot_word._number(pot_after) == number)
        claims._reached(True)
    else:
        claims._holds(pot_after == pot and word_after == word)
    claims._holds(other_pot == pot_id or Escrow._pots[self][other_pot] == pot_apart)
    claims._holds(other_account == account or Escrow._accounts[other_account] == account_apart)


@external
def check_move(
    number: uint256, from_pot: bytes32, held: uint256, to_pot: bytes32, there: uint256, amount: uint256, other_pot: bytes32
):
    """
    @notice `move` conserves the sum of both pots, also where they are the same, and touches no other.
    """
    self._set_up(number, from_pot, held, empty(address), 0)
    claims._assume(there <= pot_word.BALANCE_MASK)
    if to_pot != from_pot:
        Escrow._pots[self][to_pot] = pot_word._pack(number, there)
    source: uint256 = Escrow._pots[self][from_pot]
    target: uint256 = Escrow._pots[self][to_pot]
    apart: uint256 = Escrow._pots[self][other_pot]
    moved: bool = raw_call(
        self,
        abi_encode(from_pot, to_pot, amount, method_id=method_id("move(bytes32,bytes32,uint256)")),
        revert_on_failure=False,
    )
    source_after: uint256 = Escrow._pots[self][from_pot]
    target_after: uint256 = Escrow._pots[self][to_pot]
    if moved and to_pot != from_pot:
        claims._holds(amount != 0 and amount <= held)
        claims._holds(pot_word._balance(source_after) == held - amount)
        claims._holds(pot_word._balance(target_after) == there + amount)
        claims._holds(pot_word._number(source_after) == number and pot_word._number(target_after) == number)
        claims._reached(True)
    else:
        claims._holds(source_after == source and target_after == target)
    claims._holds(other_pot == from_pot or other_pot == to_pot or Escrow._pots[self][other_pot] == apart)


@external
def check_stranger(pot_id: bytes32, account: address, word: uint256, amount: uint256, kind: IEscrow.Kind):
    """
    @notice A contract that is no product moves nothing.
    """
    Escrow._accounts[account] = word
    paid: bool = raw_call(
        self,
        abi_encode(pot_id, account, amount, kind, method_id=method_id("pay(bytes32,address,uint256,uint256)")),
        revert_on_failure=False,
    )
    collected: bool = raw_call(
        self,
        abi_encode(account, pot_id, amount, kind, method_id=method_id("collect(address,bytes32,uint256,uint256)")),
        revert_on_failure=False,
    )
    claims._holds(not paid and not collected)
    claims._holds(Escrow._accounts[account] == word and Escrow._pots[self][pot_id] == 0)
    claims._reached(amount != 0)


@internal
def _set_up(number: uint256, pot_id: bytes32, held: uint256, account: address, word: uint256):
    """
    @notice This contract is product `number`, and its pot and the account have any words that there can be.
    """
    claims._assume(number >= 1 and number <= 128)
    claims._assume(held <= pot_word.BALANCE_MASK)
    Escrow._number_of[self] = number
    Escrow._pots[self][pot_id] = pot_word._pack(number, held)
    Escrow._accounts[account] = word


@internal
@view
def _is_pay_kind(kind: IEscrow.Kind) -> bool:
    return (
        kind == IEscrow.Kind.PAYOUT
        or kind == IEscrow.Kind.REFUND
        or kind == IEscrow.Kind.COMMISSION
        or kind == IEscrow.Kind.RESIDUE
    )
