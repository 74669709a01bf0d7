# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Escrow
@author Tessera
@license AGPL-3.0-only
@notice Custody of the betting balances of one token. A person deposits once,
        says which products may debit the balance, and withdraws at any time.
        Products keep stakes in pots of their own. A defect in one product can
        reach its own pots and the balances of those who consented to it, and
        nothing else.
@dev Invariant: token balance >= sum of balances + sum of pots, with equality
     unless somebody sent tokens unasked. Each movement logs one Entry or Moved:
     balances and pots can be rebuilt from logs alone, whatever a product does.
     No amount is divided here, so nothing is rounded.
@custom:halt Nothing halts it. Registering no product keeps new bets out;
             deposits, withdrawals and payouts always work.
"""


from ethereum.ercs import IERC20
from snekmate.auth import ownable
from snekmate.auth import ownable_2step

from .interfaces import IEscrow
from .modules import account_word
from .modules import permits
from .modules import pot_word


implements: IEscrow
initializes: ownable
initializes: ownable_2step[ownable := ownable]


exports: (
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
)


MAX_PRODUCTS: constant(uint256) = 128  # one consent bit each
MAX_BATCH: constant(uint256) = 256


TOKEN: public(immutable(address))
OWN_ONLY: public(immutable(bool))


products: public(DynArray[address, MAX_PRODUCTS])
_number_of: HashMap[address, uint256]  # index in `products` plus one; 0 for a stranger
_accounts: HashMap[address, uint256]  # see modules/account_word.vy
_pots: HashMap[address, HashMap[bytes32, uint256]]  # product, pot: see modules/pot_word.vy


@deploy
def __init__(token: address, own_only: bool):
    """
    @param token The one collateral, an ERC-20, chosen for good.
    @param own_only Whether balances can be filled and emptied by their owners
           alone (the token's own `join` excepted), so that members of a friends'
           club cannot pool their play money.
    """
    assert token.is_contract, "escrow: token has no code"
    TOKEN = token
    OWN_ONLY = own_only
    ownable.__init__()
    ownable_2step.__init__()


@external
def deposit(amount: uint256, receiver: address, consent: uint256):
    """
    @notice Moves tokens of the caller into the balance of `receiver`.
    @param amount In the token's smallest unit; the caller has approved it.
    @param receiver Whose balance grows. Where OWN_ONLY, the caller's own.
    @param consent Bit mask of product indices that may debit the balance from
           now on, added to those given before. Not 0 only where the caller is
           the receiver, or is the token itself.
    """
    assert receiver == msg.sender or not OWN_ONLY or msg.sender == TOKEN, "escrow: not your own"
    self._deposit(msg.sender, amount, receiver, consent)


@external
def deposit_with_permit(
    owner: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32, consent: uint256
):
    """
    @notice Permit (EIP-2612), deposit and consent in one transaction. Whoever
            sends it, the signer is credited.
    @dev A permit that somebody else submitted first does not make the owner's
         own deposit fail: the allowance it left is used. For anybody else it does.
    @param owner Signer of the permit, whose tokens move and whose balance grows.
    @param amount In the token's smallest unit.
    @param deadline Of the permit, unix seconds.
    @param v Of the signature.
    @param r Of the signature.
    @param s Of the signature.
    @param consent As in `deposit`: not 0 only where the caller is the owner.
    """
    assert owner == msg.sender or not OWN_ONLY, "escrow: not your own"
    permitted: bool = permits._permit(TOKEN, owner, amount, deadline, v, r, s)
    assert permitted or owner == msg.sender, "escrow: permit refused"
    self._deposit(owner, amount, owner, consent)


@external
def withdraw(amount: uint256, receiver: address):
    """
    @notice Moves tokens from the caller's balance to `receiver`. Nothing pauses it.
    @param amount In the token's smallest unit.
    @param receiver Where the tokens go. Where OWN_ONLY, the caller.
    """
    assert receiver == msg.sender or not OWN_ONLY, "escrow: not your own"
    assert receiver != empty(address) and receiver != self, "escrow: bad receiver"
    assert amount != 0, "escrow: zero amount"
    word: uint256 = account_word._minus(self._accounts[msg.sender], amount)
    self._accounts[msg.sender] = word
    self._log_entry(msg.sender, empty(address), empty(bytes32), IEscrow.Kind.WITHDRAWAL, amount, word)
    assert extcall IERC20(TOKEN).transfer(receiver, amount, default_return_value=True), "escrow: transfer failed"


@external
def set_consent(products: uint256):
    """
    @notice Says which products may debit the caller from now on: those named, no
            others. Bets that run are not touched.
    @param products Bit mask of product indices; 0 withdraws all consent.
    """
    self._check_known(products)
    self._accounts[msg.sender] = account_word._pack(products, account_word._balance(self._accounts[msg.sender]))
    log IEscrow.ConsentChanged(account=msg.sender, products=products)


@external
def collect(account: address, pot_id: bytes32, amount: uint256, kind: IEscrow.Kind):
    """
    @notice Moves money of a person who consented into a pot of the calling product.
    @param account Who pays.
    @param pot_id The product's own number of the pot.
    @param amount In the token's smallest unit.
    @param kind One of DEPOSIT_SEED, BET_DEBIT, ACTIVATION, FUNDING.
    """
    pot: uint256 = self._pot(pot_id)
    # The ABI decoder lets flags of none and of several bits pass.
    assert (
        kind == IEscrow.Kind.BET_DEBIT
        or kind == IEscrow.Kind.DEPOSIT_SEED
        or kind == IEscrow.Kind.ACTIVATION
        or kind == IEscrow.Kind.FUNDING
    ), "escrow: wrong kind"
    assert amount != 0, "escrow: zero amount"
    word: uint256 = account_word._minus(self._accounts[account], amount)
    assert account_word._consents(word, pot_word._number(pot)), "escrow: no consent"
    self._accounts[account] = word
    self._pots[msg.sender][pot_id] = pot_word._plus(pot, amount)
    # As `_log_entry`: a call of it would cost each bet 90 gas.
    log IEscrow.Entry(
        account=account,
        product=msg.sender,
        pot=pot_id,
        kind=kind,
        amount=amount,
        balance_after=account_word._balance(word),
        timestamp=block.timestamp,
    )


@external
def pay(pot_id: bytes32, account: address, amount: uint256, kind: IEscrow.Kind):
    """
    @notice Moves money of a pot of the calling product to a person's balance.
    @param pot_id The product's own number of the pot.
    @param account Who is paid; nobody can refuse or delay it.
    @param amount In the token's smallest unit.
    @param kind One of PAYOUT, REFUND, COMMISSION, RESIDUE.
    """
    self._check_pay_kind(kind)
    self._take(pot_id, amount)
    self._credit(account, pot_id, amount, kind)


@external
def pay_many(
    pot_id: bytes32, accounts: DynArray[address, MAX_BATCH], amounts: DynArray[uint256, MAX_BATCH], kind: IEscrow.Kind
):
    """
    @notice Moves money of one pot of the calling product to many balances.
    @param pot_id The product's own number of the pot.
    @param accounts Who is paid.
    @param amounts What each gets, in the token's smallest unit.
    @param kind One of PAYOUT, REFUND, COMMISSION, RESIDUE, for all of them.
    """
    self._check_pay_kind(kind)
    assert len(accounts) == len(amounts), "escrow: lengths differ"
    total: uint256 = 0
    for amount: uint256 in amounts:
        total += amount
    self._take(pot_id, total)
    for i: uint256 in range(len(accounts), bound=MAX_BATCH):
        assert amounts[i] != 0, "escrow: zero amount"
        self._credit(accounts[i], pot_id, amounts[i], kind)


@external
def move(from_pot: bytes32, to_pot: bytes32, amount: uint256):
    """
    @notice Moves money between two pots of the calling product.
    @param from_pot The product's own number of the pot that pays.
    @param to_pot The product's own number of the pot that gets.
    @param amount In the token's smallest unit.
    """
    self._take(from_pot, amount)
    self._pots[msg.sender][to_pot] = pot_word._plus(self._pot(to_pot), amount)
    log IEscrow.Moved(
        product=msg.sender, from_pot=from_pot, to_pot=to_pot, amount=amount, timestamp=block.timestamp
    )


@external
def register_product(product: address):
    """
    @notice Gives a contract the next product index, for good. It reaches only
            those who then consent to it. Owner only.
    @param product A contract.
    """
    ownable._check_owner()
    assert product.is_contract, "escrow: product has no code"
    assert self._number_of[product] == 0, "escrow: already registered"
    index: uint256 = len(self.products)
    assert index < MAX_PRODUCTS, "escrow: too many products"
    self.products.append(product)
    self._number_of[product] = index + 1
    log IEscrow.ProductRegistered(product=product, index=index)


@external
@view
def balance_of(account: address) -> uint256:
    """
    @notice What a person can bet or withdraw now.
    @param account Whose balance.
    @return In the token's smallest unit.
    """
    return account_word._balance(self._accounts[account])


@external
@view
def consent_of(account: address) -> uint256:
    """
    @notice Which products may debit a person.
    @param account Whose consent.
    @return Bit mask of product indices.
    """
    return account_word._consent(self._accounts[account])


@external
@view
def pot_balance(product: address, pot_id: bytes32) -> uint256:
    """
    @notice What a pot holds.
    @param product The contract that owns the pot.
    @param pot_id Its number there.
    @return In the token's smallest unit.
    """
    return pot_word._balance(self._pots[product][pot_id])


@internal
def _deposit(payer: address, amount: uint256, receiver: address, consent: uint256):
    assert amount != 0, "escrow: zero amount"
    word: uint256 = self._credited(receiver, amount)
    if consent != 0:
        assert msg.sender == receiver or msg.sender == TOKEN, "escrow: consent not yours"
        self._check_known(consent)
        word = account_word._consenting(word, consent)
        log IEscrow.ConsentChanged(account=receiver, products=account_word._consent(word))
    # The token is called first: at no moment is more owed than is held. The lock keeps everybody else out meanwhile.
    held: uint256 = staticcall IERC20(TOKEN).balanceOf(self)
    assert extcall IERC20(TOKEN).transferFrom(payer, self, amount, default_return_value=True), "escrow: transfer failed"
    assert staticcall IERC20(TOKEN).balanceOf(self) == held + amount, "escrow: token takes a fee"
    self._accounts[receiver] = word
    self._log_entry(receiver, empty(address), empty(bytes32), IEscrow.Kind.DEPOSIT, amount, word)


@internal
@view
def _check_known(products: uint256):
    # Nobody can know what will be registered under an index to come. No consent reaches above the balance's bits.
    assert products >> len(self.products) == 0, "escrow: unknown product"


@internal
@view
def _pot(pot_id: bytes32) -> uint256:
    # Only a product ever gets past this with a word of its own, and a pot's word keeps the number for good.
    word: uint256 = self._pots[msg.sender][pot_id]
    if word != 0:
        return word
    number: uint256 = self._number_of[msg.sender]
    assert number != 0, "escrow: not a product"
    return pot_word._pack(number, 0)


@internal
@view
def _check_pay_kind(kind: IEscrow.Kind):
    assert (
        kind == IEscrow.Kind.PAYOUT
        or kind == IEscrow.Kind.REFUND
        or kind == IEscrow.Kind.COMMISSION
        or kind == IEscrow.Kind.RESIDUE
    ), "escrow: wrong kind"


@internal
@view
def _credited(account: address, amount: uint256) -> uint256:
    assert account != empty(address), "escrow: zero account"
    return account_word._plus(self._accounts[account], amount)


@internal
def _take(pot_id: bytes32, amount: uint256):
    assert amount != 0, "escrow: zero amount"
    self._pots[msg.sender][pot_id] = pot_word._minus(self._pot(pot_id), amount)


@internal
def _credit(account: address, pot_id: bytes32, amount: uint256, kind: IEscrow.Kind):
    word: uint256 = self._credited(account, amount)
    self._accounts[account] = word
    self._log_entry(account, msg.sender, pot_id, kind, amount, word)


@internal
def _log_entry(
    account: address, product: address, pot_id: bytes32, kind: IEscrow.Kind, amount: uint256, word: uint256
):
    log IEscrow.Entry(
        account=account,
        product=product,
        pot=pot_id,
        kind=kind,
        amount=amount,
        balance_after=account_word._balance(word),
        timestamp=block.timestamp,
    )
