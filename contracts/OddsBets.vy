# pragma version 0.4.3
# pragma nonreentrancy on
# pragma optimize codesize
"""
@title OddsBets
@author Tessera
@license AGPL-3.0-only
@notice Bets at odds that a host fixes and backs with a bankroll. A winning stake
        returns itself and its profit. What is covered is confirmed; what is not yet
        waits in a queue, where its owner can cancel it.
@dev Invariants, for each bet: the pot is bankroll + confirmed stakes + what waits,
     until it is settled; every outcome, and a full refund, can be paid at all times
     (see `odds`); within a prediction stakes are confirmed in the order they came.
     Rounding: payouts and the validators' shares down, what must be covered up. What
     is left goes to the host.
     No call changes anything outside but those to Escrow, which calls nobody back.
@custom:halt Nobody can. Whoever withdraws consent in Escrow bets no more, a host
             can end a bet's placing; cancelling, settling and claims always work.
"""


from snekmate.utils import eip712_domain_separator

from .interfaces import IEscrow
from .interfaces import IHostedBets
from .interfaces import IOddsBets
from .modules import checks
from .modules import cover_word
from .modules import hosting
from .modules import line_word
from .modules import odds
from .modules import queues
from .modules import relayed
from .modules import rules_word
from .modules import signatures
from .modules import terms_word
from .modules import ticket_word
from .modules import verdict_word


implements: IHostedBets
implements: IOddsBets
initializes: eip712_domain_separator
initializes: hosting[eip712_domain_separator := eip712_domain_separator]
initializes: relayed[eip712_domain_separator := eip712_domain_separator]
initializes: queues


exports: (
    hosting.ESCROW,
    hosting.PANELS,
    hosting.bet_of,
    hosting.is_admitted,
    hosting.revoke,
    hosting.close,
    hosting.admit,
    relayed.__interface__,
)


MAX_BETS: constant(uint256) = 64
MAX_PREDICTIONS: constant(uint256) = 16
MAX_TICKETS: constant(uint256) = 64
UNEVEN: constant(String[32]) = "odds: groups do not add up"
CANCEL_TYPE_HASH: constant(bytes32) = keccak256("Cancel(bytes32 bet_id,uint256 ticket_id)")


_odds: HashMap[bytes32, uint256]  # bet id -> a profit for each prediction, as in `odds`
_books: HashMap[bytes32, uint256]  # bet id -> its word of `cover_word`
_stakes: HashMap[bytes32, uint256]  # hash of bet id, prediction and account -> confirmed outside tickets, until claimed
_verdicts: HashMap[bytes32, uint256]  # bet id -> its word of `verdict_word`


@deploy
def __init__(escrow: address, panels: address):
    """
    @param escrow Custody of the collateral.
    @param panels Who says what happened.
    """
    eip712_domain_separator.__init__("Tessera OddsBets", "1")
    hosting.__init__(escrow, panels)


@external
def list_bet(listing: IHostedBets.Listing, offer: IHostedBets.HostSignature) -> bytes32:
    """
    @notice Lists a bet of the caller, or one that its host offers by signature. If
            the very same is listed already, nothing changes.
    @param listing What people bet on, with a profit for each prediction.
    @param offer The host's, where the caller is somebody else.
    @return The bet's id.
    """
    bet_id: bytes32 = hosting._list(listing, offer)
    if self._odds[bet_id] == 0:
        checks._check(listing.host_bps == 0, "odds: the host keeps the rest")
        checks._check(len(listing.profits) == len(listing.predictions), "odds: one profit a prediction")
        word: uint256 = 0
        for k: uint256 in range(len(listing.profits), bound=MAX_PREDICTIONS):
            profit: uint256 = listing.profits[k]
            checks._check(profit != 0 and profit <= odds.MAX_PROFIT, "odds: profit out of range")
            word |= profit << (16 * k)
        self._odds[bet_id] = word
        self._books[bet_id] = cover_word._pack(0, 0, listing.validator_bps)
    return bet_id


@external
def place(
    bet_id: bytes32,
    prediction: uint256,
    amount: uint256,
    min_confirmed: uint256,
    voucher: IHostedBets.HostSignature,
) -> uint256:
    """
    @notice Stakes of the caller's Escrow balance on a prediction. What is covered is
            confirmed at once if nobody waits on it; the rest waits.
    @param bet_id Of an open bet.
    @param prediction Index of the prediction.
    @param amount Stake in the bet's range, in the token's smallest unit.
    @param min_confirmed Least that must be confirmed at once.
    @param voucher The host's, for a private bet that does not list the caller.
    @return Id of the ticket that waits; 0 where all is confirmed.
    """
    word: uint256 = hosting._open_terms(bet_id)
    hosting._check_admitted(bet_id, word, msg.sender, voucher)
    return self._stake(bet_id, word, msg.sender, prediction, amount, min_confirmed)


@external
def place_signed(
    bet_id: bytes32, bet: IHostedBets.Bet, signature: Bytes[1024], voucher: IHostedBets.HostSignature
) -> uint256:
    """
    @notice Lands a bet that an account signed for the caller as relayer, as `place`
            does. Contract wallets sign by EIP-1271, with 100,000 gas.
    @param bet_id Of an open bet.
    @param bet What was signed.
    @param signature 65 bytes of a key, or whatever the account's code takes.
    @param voucher The host's, for a private bet that does not list the account,
           unless the caller is the host.
    @return Id of the ticket that waits; 0 where all is confirmed.
    """
    word: uint256 = hosting._open_terms(bet_id)
    relayed._check(bet_id, bet, signature)
    hosting._check_admitted(bet_id, word, bet.account, voucher)
    return self._stake(bet_id, word, bet.account, bet.prediction, bet.amount, bet.min_confirmed)


@external
def place_many(
    bet_id: bytes32,
    group_sizes: DynArray[uint256, MAX_BETS],
    bets: DynArray[IHostedBets.Bet, MAX_BETS],
    bet_signatures: DynArray[IHostedBets.Signature, MAX_BETS],
) -> uint256:
    """
    @notice Lands groups of bets of one listing that accounts signed, with their keys,
            for the caller as relayer. A group is confirmed whole, or skipped whole
            and each of its bets logged as BetSkipped; nothing of it waits. Where
            somebody waits on a prediction, a group may only make more room there.
    @param bet_id Of an open bet. A private one takes accounts of its list, or all
           where the caller is the host.
    @param group_sizes How many of the bets are in each group, in order.
    @param bets What was signed, at most 64.
    @param bet_signatures One for each bet.
    @return Number of bets confirmed.
    """
    checks._check(len(bets) == len(bet_signatures), "odds: lengths differ")
    word: uint256 = hosting._open_terms(bet_id)
    book: uint256 = self._books[bet_id]
    lines: uint256[MAX_PREDICTIONS] = self._lines(bet_id, terms_word._count(word))
    first: uint256 = 0
    confirmed: uint256 = 0
    for size: uint256 in group_sizes:
        end: uint256 = first + size
        checks._check(size <= MAX_BETS and end <= len(bets), UNEVEN)
        added: uint256[MAX_PREDICTIONS] = empty(uint256[MAX_PREDICTIONS])
        total: uint256 = 0
        refusal: String[32] = ""
        checked: uint256 = first
        for i: uint256 in range(first, end, bound=MAX_BETS):
            bet: IHostedBets.Bet = bets[i]
            refusal = self._relayed_refusal(bet_id, word, bet, bet_signatures[i])
            if len(refusal) != 0:
                break
            checked += 1
            added[bet.prediction] += bet.amount
            total += bet.amount
        if len(refusal) == 0:
            refusal = self._group_refusal(self._odds[bet_id], book, lines, added, total)
        paid: uint256 = first
        for i: uint256 in range(first, end, bound=MAX_BETS):
            if len(refusal) == 0:
                if hosting._debit(bet_id, bets[i].account, bets[i].amount):
                    paid += 1
                else:
                    refusal = "odds: debit refused"
        for i: uint256 in range(first, end, bound=MAX_BETS):
            bet: IHostedBets.Bet = bets[i]
            if len(refusal) == 0:
                # Escrow calls nobody back: what is written after the debits is written in time.
                lines[bet.prediction] = line_word._plus(lines[bet.prediction], bet.amount)
                self._record(bet_id, bet.account, bet.prediction, bet.amount)
                continue
            if i < checked:
                relayed._give_back(msg.sender, bet.account, bet.nonce)
            if i < paid:
                hosting._pay(bet_id, bet.account, bet.amount, IEscrow.Kind.REFUND)
            log IHostedBets.BetSkipped(bet_id=bet_id, account=bet.account, nonce=bet.nonce, reason=refusal)
        if len(refusal) == 0:
            book = cover_word._plus(book, total)
            confirmed += size
        first = end
    checks._check(first == len(bets), UNEVEN)
    self._books[bet_id] = book
    self._store(bet_id, lines, terms_word._count(word))
    return confirmed


@external
def fund(bet_id: bytes32, amount: uint256):
    """
    @notice Adds to the bankroll. Host only.
    @param bet_id Of an open bet.
    @param amount Of the host's Escrow balance, in the token's smallest unit.
    """
    hosting._open_terms(bet_id)
    hosting._check_host(bet_id)
    book: uint256 = self._books[bet_id]
    checks._check(amount <= cover_word.MAX_BANKROLL - cover_word._bankroll(book), "odds: bankroll too large")
    self._set_bankroll(bet_id, book, cover_word._bankroll(book) + amount)
    extcall IEscrow(hosting.ESCROW).collect(
        msg.sender, bet_id, amount, IEscrow.Kind.FUNDING, skip_contract_check=True
    )


@external
def defund(bet_id: bytes32, amount: uint256):
    """
    @notice Takes back of the bankroll what no outcome needs. Host only.
    @param bet_id Of a bet that is not settled.
    @param amount In the token's smallest unit.
    """
    word: uint256 = hosting._known_terms(bet_id)
    hosting._check_host(bet_id)
    checks._check(self._verdicts[bet_id] == 0, "odds: already settled")
    book: uint256 = self._books[bet_id]
    spare: uint256 = cover_word._bankroll(book) - self._needed(bet_id, book, terms_word._count(word))
    checks._check(amount <= spare, "odds: bankroll is needed")
    self._set_bankroll(bet_id, book, cover_word._bankroll(book) - amount)
    extcall IEscrow(hosting.ESCROW).pay(bet_id, msg.sender, amount, IEscrow.Kind.REFUND, skip_contract_check=True)


@external
def confirm(bet_id: bytes32, totals: DynArray[uint256, MAX_PREDICTIONS]):
    """
    @notice Raises what is confirmed on each prediction to a total, in the order in
            which tickets came, the last of them in part if need be. Anyone.
    @param bet_id Of an open bet.
    @param totals One for each prediction; one that is reached already changes nothing.
           All of them have to be covered, and at most 256 tickets are passed.
    """
    word: uint256 = hosting._open_terms(bet_id)
    count: uint256 = terms_word._count(word)
    checks._check(len(totals) == count, "odds: one total a prediction")
    book: uint256 = self._books[bet_id]
    lines: uint256[MAX_PREDICTIONS] = self._lines(bet_id, count)
    reached: DynArray[uint256, MAX_PREDICTIONS] = []
    passes: uint256 = queues.MAX_PASSED
    for k: uint256 in range(count, bound=MAX_PREDICTIONS):
        staked: uint256 = line_word._staked(lines[k])
        more: uint256 = max(totals[k], staked) - staked
        lines[k], passes = queues._advance(bet_id, k, lines[k], more, passes)
        book = cover_word._plus(book, more)
        reached.append(staked + more)
    odds_word: uint256 = self._odds[bet_id]
    for k: uint256 in range(count, bound=MAX_PREDICTIONS):
        checks._check(odds._covers(book, 0, reached[k], odds._profit(odds_word, k)), "odds: totals not covered")
    self._books[bet_id] = book
    self._store(bet_id, lines, count)
    log IOddsBets.StakesConfirmed(bet_id=bet_id, totals=reached)


@external
def cancel(bet_id: bytes32, ticket_id: uint256):
    """
    @notice Takes back what waits of a ticket of the caller, at any time.
    @param bet_id Of any bet.
    @param ticket_id As placing returned it.
    """
    checks._check(msg.sender == self._owner_of(bet_id, ticket_id), "odds: not your ticket")
    self._cancel(bet_id, ticket_id, msg.sender)


@external
def cancel_signed(bet_id: bytes32, ticket_id: uint256, signature: Bytes[1024]):
    """
    @notice Takes back what waits of a ticket whose owner signed so. Anyone.
    @param bet_id Of any bet.
    @param ticket_id As placing returned it.
    @param signature 65 bytes of a key, or whatever the owner's code takes.
    """
    account: address = self._owner_of(bet_id, ticket_id)
    digest: bytes32 = eip712_domain_separator._hash_typed_data_v4(
        keccak256(abi_encode(CANCEL_TYPE_HASH, bet_id, ticket_id))
    )
    checks._check(signatures._is_signed_by(account, digest, signature), "odds: not signed by owner")
    self._cancel(bet_id, ticket_id, account)


@external
def settle(bet_id: bytes32):
    """
    @notice Settles a bet whose panel has decided, or whose result deadline is over:
            pays validators and host, keeps what winners are owed. Anyone.
    @param bet_id Of a bet that is not settled.
    """
    word: uint256 = hosting._known_terms(bet_id)
    checks._check(self._verdicts[bet_id] == 0, "odds: already settled")
    rules: uint256 = hosting._rules[bet_id]
    outcome: uint256 = hosting._outcome(bet_id, word, rules)
    book: uint256 = self._books[bet_id]
    self._set_bankroll(bet_id, book, 0)
    rest: uint256 = cover_word._bankroll(book)
    stakes: uint256 = 0
    owed: uint256 = 0
    commission: uint256 = 0
    kind: IEscrow.Kind = IEscrow.Kind.REFUND
    self._verdicts[bet_id] = verdict_word.REFUNDED
    if outcome != hosting.INVALID:
        stakes = line_word._staked(queues.lines[bet_id][outcome])
        owed = odds._liability_up(stakes, odds._profit(self._odds[bet_id], outcome))
        staked: uint256 = cover_word._staked(book)
        commission = hosting._pay_validators(bet_id, rules, staked * rules_word._validator_bps(rules) // odds.BPS)
        # Cannot be less than 0: the outcome was covered, with the commission rounded up.
        rest = rest + staked - owed - commission
        kind = IEscrow.Kind.RESIDUE
        self._verdicts[bet_id] = verdict_word._pack(outcome, stakes, owed)
    log IOddsBets.BetSettled(
        bet_id=bet_id,
        outcome=outcome,
        stakes=stakes,
        owed=owed,
        host_amount=rest,
        validator_commission=commission,
    )
    hosting._pay(bet_id, rules_word._host(rules), rest, kind)


@external
def claim(
    bet_id: bytes32,
    account: address,
    predictions: DynArray[uint256, MAX_PREDICTIONS],
    ticket_ids: DynArray[uint256, MAX_TICKETS],
) -> uint256:
    """
    @notice Pays an account what a settled bet owes it for the positions and tickets
            named, into its Escrow balance. Anyone. Those that are not the account's
            or owe nothing are left alone.
    @param bet_id Of a settled bet.
    @param account Who is paid.
    @param predictions Indices of predictions on which stakes were confirmed at once.
    @param ticket_ids Ids of tickets.
    @return Money paid: payouts, each rounded down, and refunds of what waited.
    """
    verdict: uint256 = self._verdicts[bet_id]
    assert verdict != 0, "odds: not settled"
    refunded: bool = verdict_word._is_refunded(verdict)
    outcome: uint256 = verdict_word._outcome(verdict)
    profit: uint256 = odds._profit(self._odds[bet_id], outcome)
    won: uint256 = 0
    payout: uint256 = 0
    refund: uint256 = 0
    for prediction: uint256 in predictions:
        if refunded or prediction == outcome:
            key: bytes32 = self._key(bet_id, prediction, account)
            stake: uint256 = self._stakes[key]
            self._stakes[key] = 0
            if refunded:
                refund += stake
            else:
                won += stake
                payout += odds._payout_down(stake, profit)
    for ticket_id: uint256 in ticket_ids:
        if self._owner_of(bet_id, ticket_id) != account:
            continue
        confirmed: uint256 = 0
        open: uint256 = 0
        confirmed, open = queues._take(bet_id, ticket_id)
        refund += open
        if refunded:
            refund += confirmed
        elif queues._prediction_of(ticket_id) == outcome:
            won += confirmed
            payout += odds._payout_down(confirmed, profit)
    assert payout + refund != 0, "odds: nothing to claim"
    hosting._pay(bet_id, account, refund, IEscrow.Kind.REFUND)
    if won != 0:
        verdict = verdict_word._after_claim(verdict, won, payout)
        self._verdicts[bet_id] = verdict
        hosting._pay(bet_id, account, payout, IEscrow.Kind.PAYOUT)
        if verdict_word._unclaimed(verdict) == 0:
            # What rounding left of what was kept for winners.
            hosting._pay(bet_id, hosting._host(bet_id), verdict_word._owed(verdict), IEscrow.Kind.RESIDUE)
    return payout + refund


@external
@view
def words(bet_id: bytes32, prediction: uint256, ticket_id: uint256) -> IOddsBets.Words:
    """
    @notice What is stored of a bet, a prediction and a ticket. OddsLens says what it
            means.
    @param bet_id Of any bet.
    @param prediction Index of the prediction.
    @param ticket_id As placing returned it.
    @return See IOddsBets.Words.
    """
    return IOddsBets.Words(
        terms=hosting._terms[bet_id],
        rules=hosting._rules[bet_id],
        panel_id=hosting._panels[bet_id],
        odds=self._odds[bet_id],
        book=self._books[bet_id],
        line=queues.lines[bet_id][prediction],
        ticket=queues.tickets[bet_id][ticket_id],
        verdict=self._verdicts[bet_id],
    )


@external
@view
def stake_of(bet_id: bytes32, prediction: uint256, account: address) -> uint256:
    """
    @notice What an account has confirmed on a prediction outside of its tickets, and
            not claimed.
    @param bet_id Of any bet.
    @param prediction Index of the prediction.
    @param account Whose position.
    @return In the token's smallest unit.
    """
    return self._stakes[self._key(bet_id, prediction, account)]


@internal
def _stake(
    bet_id: bytes32, word: uint256, account: address, prediction: uint256, amount: uint256, min_confirmed: uint256
) -> uint256:
    """
    @notice Places a bet of an account that is admitted, or reverts.
    @return Id of the ticket that waits, or 0.
    """
    refusal: String[32] = self._refusal(bet_id, word, account, prediction, amount)
    assert len(refusal) == 0, refusal
    line: uint256 = queues.lines[bet_id][prediction]
    book: uint256 = self._books[bet_id]
    confirmed: uint256 = 0
    if line_word._waiting(line) == 0:
        confirmed = odds._greatest(
            book, line_word._staked(line), odds._profit(self._odds[bet_id], prediction), amount
        )
    assert confirmed >= min_confirmed, "odds: less is confirmed"
    if confirmed != 0:
        line = line_word._plus(line, confirmed)
        self._books[bet_id] = cover_word._plus(book, confirmed)
        self._record(bet_id, account, prediction, confirmed)
    ticket_id: uint256 = 0
    if confirmed != amount:
        ticket_id = queues._append(bet_id, prediction, line, account, amount - confirmed)
        line = line_word._with_ticket(line)
        log IOddsBets.TicketQueued(bet_id=bet_id, account=account, ticket_id=ticket_id, amount=amount - confirmed)
    queues.lines[bet_id][prediction] = line
    extcall IEscrow(hosting.ESCROW).collect(
        account, bet_id, amount, IEscrow.Kind.BET_DEBIT, skip_contract_check=True
    )
    return ticket_id


@internal
@view
def _refusal(bet_id: bytes32, word: uint256, account: address, prediction: uint256, amount: uint256) -> String[32]:
    """
    @notice Why an account may not stake an amount; empty where it may.
    """
    refusal: String[32] = hosting._refusal(bet_id, word, account, prediction)
    if len(refusal) == 0 and (amount < terms_word._min_stake(word) or amount > terms_word._max_stake(word)):
        return "odds: stake out of range"
    return refusal


@internal
def _relayed_refusal(
    bet_id: bytes32, word: uint256, bet: IHostedBets.Bet, signature: IHostedBets.Signature
) -> String[32]:
    """
    @notice Why a signed bet is not placed; empty where it may be, and then its nonce
            is used.
    """
    refusal: String[32] = relayed._refusal(bet)
    if len(refusal) != 0:
        return refusal
    if not relayed._is_signed(bet_id, bet, signature):
        return relayed.NOT_SIGNED
    if not hosting._admits(bet_id, word, bet.account):
        return hosting.NOT_ADMITTED
    refusal = self._refusal(bet_id, word, bet.account, bet.prediction, bet.amount)
    if len(refusal) == 0 and not relayed._take(msg.sender, bet.account, bet.nonce):
        return relayed.USED
    return refusal


@internal
@pure
def _group_refusal(
    odds_word: uint256,
    book: uint256,
    lines: uint256[MAX_PREDICTIONS],
    added: uint256[MAX_PREDICTIONS],
    total: uint256,
) -> String[32]:
    """
    @notice Why a group of stakes is not confirmed; empty where it may be. What it does
            not stake on is covered as before, with as much room or more.
    """
    for k: uint256 in range(MAX_PREDICTIONS):
        if added[k] == 0:
            continue
        profit: uint256 = odds._profit(odds_word, k)
        if not odds._covers(book, total, line_word._staked(lines[k]) + added[k], profit):
            return "odds: group is not covered"
        if line_word._waiting(lines[k]) != 0:
            fee: uint256 = odds._fee_up(total, cover_word._validator_bps(book))
            if odds._liability_up(added[k], profit) + fee > total:
                return "odds: others wait before"
    return ""


@internal
def _record(bet_id: bytes32, account: address, prediction: uint256, amount: uint256):
    self._stakes[self._key(bet_id, prediction, account)] += amount
    log IHostedBets.BetPlaced(bet_id=bet_id, account=account, prediction=prediction, amount=amount)


@internal
def _set_bankroll(bet_id: bytes32, book: uint256, bankroll: uint256):
    self._books[bet_id] = cover_word._pack(cover_word._staked(book), bankroll, cover_word._validator_bps(book))
    log IOddsBets.BankrollChanged(bet_id=bet_id, bankroll=bankroll)


@internal
@view
def _needed(bet_id: bytes32, book: uint256, count: uint256) -> uint256:
    """
    @notice The least bankroll that covers every outcome; a full refund needs none.
    """
    odds_word: uint256 = self._odds[bet_id]
    needed: uint256 = 0
    for k: uint256 in range(count, bound=MAX_PREDICTIONS):
        stake: uint256 = line_word._staked(queues.lines[bet_id][k])
        needed = max(needed, odds._needed(book, stake, odds._profit(odds_word, k)))
    return needed


@internal
@view
def _lines(bet_id: bytes32, count: uint256) -> uint256[MAX_PREDICTIONS]:
    lines: uint256[MAX_PREDICTIONS] = empty(uint256[MAX_PREDICTIONS])
    for k: uint256 in range(count, bound=MAX_PREDICTIONS):
        lines[k] = queues.lines[bet_id][k]
    return lines


@internal
def _store(bet_id: bytes32, lines: uint256[MAX_PREDICTIONS], count: uint256):
    for k: uint256 in range(count, bound=MAX_PREDICTIONS):
        queues.lines[bet_id][k] = lines[k]


@internal
@view
def _owner_of(bet_id: bytes32, ticket_id: uint256) -> address:
    return ticket_word._account(queues.tickets[bet_id][ticket_id])


@internal
def _cancel(bet_id: bytes32, ticket_id: uint256, account: address):
    amount: uint256 = queues._cancel(bet_id, ticket_id, account)
    log IOddsBets.TicketCancelled(bet_id=bet_id, account=account, ticket_id=ticket_id, amount=amount)
    hosting._pay(bet_id, account, amount, IEscrow.Kind.REFUND)


@internal
@pure
def _key(bet_id: bytes32, prediction: uint256, account: address) -> bytes32:
    return keccak256(abi_encode(bet_id, prediction, account))
