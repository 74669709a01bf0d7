# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title ProrataBets
@author Tessera
@license AGPL-3.0-only
@notice Pool bets. Whoever was right gets the stake back and a share, by stake, of
        what the others lost, less the commissions of the host and of the
        validators who decided. Where nobody was right, everybody was on one
        side, or the outcome is INVALID or missing, every stake goes back.
@dev Invariants, for each bet, to the unit: the pot holds all stakes until it is
     settled; payouts + commissions + residue = stakes; the pot ends at 0.
     Rounding: commissions and payouts down. What payouts leave goes to the host
     with the last claim, what validators leave at once.
     No call changes anything outside but those to Escrow, which calls nobody back.
@custom:halt Nobody can. Whoever withdraws consent in Escrow bets no more, a host
             can end a bet's placing; settling and claims always work.
"""


from snekmate.utils import eip712_domain_separator

from .interfaces import IEscrow
from .interfaces import IHostedBets
from .interfaces import IProrataBets
from .modules import hosting
from .modules import pool_word
from .modules import relayed
from .modules import rules_word
from .modules import terms_word


implements: IHostedBets
implements: IProrataBets
initializes: eip712_domain_separator
initializes: hosting[eip712_domain_separator := eip712_domain_separator]
initializes: relayed[eip712_domain_separator := eip712_domain_separator]


exports: (
    eip712_domain_separator.eip712Domain,
    hosting.__interface__,
    relayed.__interface__,
)


MAX_BETS: constant(uint256) = 64
MAX_BATCH: constant(uint256) = 256
MAX_PREDICTIONS: constant(uint256) = 16


staked: public(HashMap[bytes32, HashMap[uint256, uint256]])  # bet id -> prediction -> all stakes on it
_stakes: HashMap[bytes32, uint256]  # hash of bet id, prediction and account -> its stake, until it is claimed
_pools: HashMap[bytes32, uint256]  # bet id -> its word of `pool_word`


@deploy
def __init__(escrow: address, panels: address):
    """
    @param escrow Custody of the collateral.
    @param panels Who says what happened.
    """
    eip712_domain_separator.__init__("Tessera ProrataBets", "1")
    hosting.__init__(escrow, panels)


@external
def list_bet(listing: IHostedBets.Listing, offer: IHostedBets.HostSignature) -> bytes32:
    """
    @notice Lists a bet of the caller, or one that its host offers by signature. If
            the very same is listed already, nothing changes.
    @param listing What people bet on; without profits.
    @param offer The host's, where the caller is somebody else.
    @return The bet's id.
    """
    return self._list(listing, offer)


@external
def list_and_place(
    listing: IHostedBets.Listing,
    offer: IHostedBets.HostSignature,
    prediction: uint256,
    amount: uint256,
    voucher: IHostedBets.HostSignature,
) -> bytes32:
    """
    @notice Lists a bet that its host offers, unless somebody was faster, and stakes
            on it.
    @param listing What people bet on; without profits.
    @param offer The host's.
    @param prediction Index of the prediction.
    @param amount Stake, in the token's smallest unit.
    @param voucher The host's, for a private bet.
    @return The bet's id.
    """
    bet_id: bytes32 = self._list(listing, offer)
    self._place(bet_id, prediction, amount, voucher)
    return bet_id


@external
def place(bet_id: bytes32, prediction: uint256, amount: uint256, voucher: IHostedBets.HostSignature):
    """
    @notice Stakes of the caller's Escrow balance on a prediction, for good.
    @param bet_id Of an open bet.
    @param prediction Index of the prediction.
    @param amount Stake, in the token's smallest unit. The position it makes, with
           what was staked before, lies in the bet's range.
    @param voucher The host's, for a private bet that does not list the caller.
    """
    self._place(bet_id, prediction, amount, voucher)


@external
def place_signed(
    bet_id: bytes32, bet: IHostedBets.Bet, signature: Bytes[1024], voucher: IHostedBets.HostSignature
):
    """
    @notice Lands a bet that an account signed for the caller as relayer. Contract
            wallets sign by EIP-1271, with 100,000 gas.
    @param bet_id Of an open bet.
    @param bet What was signed. All of it is confirmed.
    @param signature 65 bytes of a key, or whatever the account's code takes.
    @param voucher The host's, for a private bet that does not list the account,
           unless the caller is the host.
    """
    word: uint256 = hosting._open_terms(bet_id)
    relayed._check(bet_id, bet, signature)
    hosting._check_admitted(bet_id, word, bet.account, voucher)
    self._stake(bet_id, word, bet.account, bet.prediction, bet.amount)


@external
def place_many(
    bet_id: bytes32,
    bets: DynArray[IHostedBets.Bet, MAX_BETS],
    bet_signatures: DynArray[IHostedBets.Signature, MAX_BETS],
) -> uint256:
    """
    @notice Lands many bets of one listing that accounts signed, with their keys, for
            the caller as relayer. One that does not count is skipped and logged
            as BetSkipped, and harms no other.
    @param bet_id Of an open bet. A private one takes accounts of its list, or all
           where the caller is the host.
    @param bets What was signed, at most 64.
    @param bet_signatures One for each.
    @return Number of bets placed.
    """
    assert len(bets) == len(bet_signatures), "prorata: lengths differ"
    word: uint256 = hosting._open_terms(bet_id)
    placed: uint256 = 0
    for i: uint256 in range(len(bets), bound=MAX_BETS):
        bet: IHostedBets.Bet = bets[i]
        refusal: String[32] = self._relayed_refusal(bet_id, word, bet, bet_signatures[i])
        if len(refusal) == 0:
            if hosting._debit(bet_id, bet.account, bet.amount):
                self._log_placed(bet_id, bet.account, bet.prediction, bet.amount)
                placed += 1
                continue
            self._remove(bet_id, bet.account, bet.prediction, bet.amount)
            relayed._give_back(msg.sender, bet.account, bet.nonce)
            refusal = "prorata: debit refused"
        log IHostedBets.BetSkipped(bet_id=bet_id, account=bet.account, nonce=bet.nonce, reason=refusal)
    return placed


@external
def settle(bet_id: bytes32):
    """
    @notice Settles a bet whose panel has decided, or whose result deadline is over:
            pays the commissions and opens the claims. Anyone.
    @param bet_id Of a bet that is not settled.
    """
    word: uint256 = hosting._known_terms(bet_id)
    assert self._pools[bet_id] == 0, "prorata: already settled"
    rules: uint256 = hosting._rules[bet_id]
    outcome: uint256 = hosting._outcome(bet_id, word, rules)
    lost: uint256 = 0
    for prediction: uint256 in range(terms_word._count(word), bound=MAX_PREDICTIONS):
        if prediction != outcome:
            lost += self.staked[bet_id][prediction]
    won: uint256 = 0
    if outcome != hosting.INVALID:
        won = self.staked[bet_id][outcome]
    if won == 0 or lost == 0:
        self._pools[bet_id] = pool_word.REFUNDED
        log IProrataBets.BetSettled(
            bet_id=bet_id,
            outcome=outcome,
            refunded=True,
            won=won,
            lost=lost,
            host_commission=0,
            validator_commission=0,
        )
        return

    host_commission: uint256 = lost * rules_word._host_bps(rules) // 10_000
    validator_commission: uint256 = lost * rules_word._validator_bps(rules) // 10_000
    self._pools[bet_id] = pool_word._pack(outcome, won, lost - host_commission - validator_commission)
    log IProrataBets.BetSettled(
        bet_id=bet_id,
        outcome=outcome,
        refunded=False,
        won=won,
        lost=lost,
        host_commission=host_commission,
        validator_commission=validator_commission,
    )
    rest: uint256 = validator_commission - hosting._pay_validators(bet_id, rules, validator_commission)
    hosting._pay(bet_id, rules_word._host(rules), host_commission + rest, IEscrow.Kind.COMMISSION)


@external
def claim(bet_id: bytes32, account: address) -> uint256:
    """
    @notice Pays an account what a settled bet owes it, into its Escrow balance.
            Anyone may call it.
    @param bet_id Of a settled bet.
    @param account Who is paid.
    @return Money paid: stake and share, rounded down, or all stakes where refunded.
    """
    pool: uint256 = self._settled(bet_id)
    amount: uint256 = 0
    kind: IEscrow.Kind = IEscrow.Kind.PAYOUT
    if pool_word._is_refunded(pool):
        kind = IEscrow.Kind.REFUND
        amount = self._take_all(bet_id, account)
    else:
        stake: uint256 = self._take(bet_id, pool_word._outcome(pool), account)
        amount = pool_word._payout_down(pool, stake)
        pool = pool_word._after_claim(pool, stake)
        self._pools[bet_id] = pool
    assert amount != 0, "prorata: nothing to claim"
    extcall IEscrow(hosting.ESCROW).pay(bet_id, account, amount, kind, skip_contract_check=True)
    if pool_word._unclaimed(pool) == 0:
        self._sweep(bet_id)
    return amount


@external
def claim_many(bet_id: bytes32, accounts: DynArray[address, MAX_BATCH]) -> uint256:
    """
    @notice Pays many accounts what they would claim. Anyone. One that has nothing to
            claim is skipped and logged as ClaimSkipped.
    @param bet_id Of a settled bet.
    @param accounts Whom to pay, at most 256.
    @return Number of accounts paid.
    """
    pool: uint256 = self._settled(bet_id)
    refunded: bool = pool_word._is_refunded(pool)
    paid: DynArray[address, MAX_BATCH] = []
    amounts: DynArray[uint256, MAX_BATCH] = []
    for account: address in accounts:
        amount: uint256 = 0
        if refunded:
            amount = self._take_all(bet_id, account)
        else:
            stake: uint256 = self._take(bet_id, pool_word._outcome(pool), account)
            amount = pool_word._payout_down(pool, stake)
            pool = pool_word._after_claim(pool, stake)
        if amount == 0:
            log IProrataBets.ClaimSkipped(bet_id=bet_id, account=account, reason="prorata: nothing to claim")
            continue
        paid.append(account)
        amounts.append(amount)
    if len(paid) == 0:
        return 0
    self._pools[bet_id] = pool
    extcall IEscrow(hosting.ESCROW).pay_many(
        bet_id, paid, amounts, IEscrow.Kind.REFUND if refunded else IEscrow.Kind.PAYOUT
    )
    if pool_word._unclaimed(pool) == 0:
        self._sweep(bet_id)
    return len(paid)


@external
@view
def stake_of(bet_id: bytes32, prediction: uint256, account: address) -> uint256:
    """
    @notice What an account has staked on a prediction and not claimed.
    @param bet_id Of any bet.
    @param prediction Index of the prediction.
    @param account Whose position.
    @return In the token's smallest unit.
    """
    return self._stakes[self._key(bet_id, prediction, account)]


@external
@view
def settlement(bet_id: bytes32) -> IProrataBets.Settlement:
    """
    @notice How a bet was settled.
    @param bet_id Of any bet.
    @return See IProrataBets.Settlement; all zero where it is not settled.
    """
    pool: uint256 = self._pools[bet_id]
    if pool == 0:
        return empty(IProrataBets.Settlement)
    if pool_word._is_refunded(pool):
        return IProrataBets.Settlement(settled=True, refunded=True, outcome=0, won=0, winnings=0, unclaimed=0)
    return IProrataBets.Settlement(
        settled=True,
        refunded=False,
        outcome=pool_word._outcome(pool),
        won=pool_word._won(pool),
        winnings=pool_word._winnings(pool),
        unclaimed=pool_word._unclaimed(pool),
    )


@internal
def _list(listing: IHostedBets.Listing, offer: IHostedBets.HostSignature) -> bytes32:
    assert len(listing.profits) == 0, "prorata: odds are not fixed"
    return hosting._list(listing, offer)


@internal
def _place(bet_id: bytes32, prediction: uint256, amount: uint256, voucher: IHostedBets.HostSignature):
    word: uint256 = hosting._open_terms(bet_id)
    hosting._check_admitted(bet_id, word, msg.sender, voucher)
    self._stake(bet_id, word, msg.sender, prediction, amount)


@internal
def _stake(bet_id: bytes32, word: uint256, account: address, prediction: uint256, amount: uint256):
    """
    @notice Places a bet of an account that is admitted, or reverts.
    """
    refusal: String[32] = self._add(bet_id, word, account, prediction, amount)
    assert len(refusal) == 0, refusal
    self._log_placed(bet_id, account, prediction, amount)
    extcall IEscrow(hosting.ESCROW).collect(
        account, bet_id, amount, IEscrow.Kind.BET_DEBIT, skip_contract_check=True
    )


@internal
def _relayed_refusal(
    bet_id: bytes32, word: uint256, bet: IHostedBets.Bet, signature: IHostedBets.Signature
) -> String[32]:
    """
    @notice Why a signed bet is not placed. Where that is empty, its nonce is used
            and its stake recorded, and only the debit is missing.
    """
    refusal: String[32] = relayed._refusal(bet)
    if len(refusal) != 0:
        return refusal
    if not relayed._is_signed(bet_id, bet, signature):
        return relayed.NOT_SIGNED
    if not hosting._admits(bet_id, word, bet.account):
        return hosting.NOT_ADMITTED
    if not relayed._take(msg.sender, bet.account, bet.nonce):
        return relayed.USED
    refusal = self._add(bet_id, word, bet.account, bet.prediction, bet.amount)
    if len(refusal) != 0:
        relayed._give_back(msg.sender, bet.account, bet.nonce)
    return refusal


@internal
def _add(bet_id: bytes32, word: uint256, account: address, prediction: uint256, amount: uint256) -> String[32]:
    """
    @notice Adds a stake to an account's position if it may; else says why not.
    """
    refusal: String[32] = hosting._refusal(bet_id, word, account, prediction)
    if len(refusal) != 0:
        return refusal
    key: bytes32 = self._key(bet_id, prediction, account)
    stake: uint256 = self._stakes[key]
    # A position is never above the range, nor then is what may be added: no sum below overflows.
    if amount > terms_word._max_stake(word) - stake:
        return "prorata: stake above range"
    if stake + amount < terms_word._min_stake(word):
        return "prorata: stake below range"
    total: uint256 = self.staked[bet_id][prediction] + amount
    if total > pool_word.MAX_POT // terms_word._count(word):
        return "prorata: prediction is full"
    self._stakes[key] = stake + amount
    self.staked[bet_id][prediction] = total
    return ""


@internal
def _remove(bet_id: bytes32, account: address, prediction: uint256, amount: uint256):
    """
    @notice Undoes `_add`, for a bet that could not be paid for.
    """
    self._stakes[self._key(bet_id, prediction, account)] -= amount
    self.staked[bet_id][prediction] -= amount


@internal
def _log_placed(bet_id: bytes32, account: address, prediction: uint256, amount: uint256):
    log IHostedBets.BetPlaced(bet_id=bet_id, account=account, prediction=prediction, amount=amount)


@internal
@view
def _settled(bet_id: bytes32) -> uint256:
    pool: uint256 = self._pools[bet_id]
    assert pool != 0, "prorata: not settled"
    return pool


@internal
def _take_all(bet_id: bytes32, account: address) -> uint256:
    """
    @notice Empties all positions of an account in a bet.
    @return Its stakes together.
    """
    amount: uint256 = 0
    for prediction: uint256 in range(terms_word._count(hosting._terms[bet_id]), bound=MAX_PREDICTIONS):
        amount += self._take(bet_id, prediction, account)
    return amount


@internal
def _take(bet_id: bytes32, prediction: uint256, account: address) -> uint256:
    """
    @notice Empties a position.
    @return Its stake.
    """
    key: bytes32 = self._key(bet_id, prediction, account)
    stake: uint256 = self._stakes[key]
    if stake != 0:
        self._stakes[key] = 0
    return stake


@internal
@pure
def _key(bet_id: bytes32, prediction: uint256, account: address) -> bytes32:
    return keccak256(abi_encode(bet_id, prediction, account))


@internal
def _sweep(bet_id: bytes32):
    """
    @notice Pays the host what rounding left, once every winner is paid.
    """
    dust: uint256 = staticcall IEscrow(hosting.ESCROW).pot_balance(self, bet_id)
    hosting._pay(bet_id, hosting._host(bet_id), dust, IEscrow.Kind.RESIDUE)
