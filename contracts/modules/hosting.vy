# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Listings of hosted bets
@author Tessera
@license AGPL-3.0-only
@notice Who may list a bet, until when and by whom it can be placed, and what its
        panel said.
@dev A listing is stored in the words of `terms_word` and `rules_word` and the
     panel's number; its texts are logged.
"""


from snekmate.utils import eip712_domain_separator

from ..interfaces import IEscrow
from ..interfaces import IHostedBets
from ..interfaces import IPanels
from . import checks
from . import rules_word
from . import signatures
from . import terms_word


uses: eip712_domain_separator


MAX_TERM: constant(uint256) = 365 * 86_400
MIN_VOTING: constant(uint256) = 3_600
MAX_VOTING: constant(uint256) = 30 * 86_400
MAX_BPS: constant(uint256) = 1_000
MAX_ADMITTED: constant(uint256) = 256
MAX_MEMBERS: constant(uint256) = 32
INVALID: constant(uint256) = max_value(uint256)
TAKEN: constant(String[32]) = "hosting: salt is taken"
NOT_ADMITTED: constant(String[32]) = "hosting: not admitted"
REVOKED: constant(bytes32) = 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
OFFER_TYPE_HASH: constant(bytes32) = keccak256("Offer(bytes32 bet_id,uint256 expires_at)")
VOUCHER_TYPE_HASH: constant(bytes32) = keccak256("Voucher(bytes32 bet_id,address account,uint256 expires_at)")


ESCROW: public(immutable(address))
PANELS: public(immutable(address))


bet_of: public(HashMap[address, HashMap[bytes32, bytes32]])  # host -> salt -> bet id; all ones: revoked
is_admitted: public(HashMap[bytes32, HashMap[address, bool]])  # by list; a voucher is not stored
_terms: HashMap[bytes32, uint256]
_rules: HashMap[bytes32, uint256]
_panels: HashMap[bytes32, uint256]


@deploy
def __init__(escrow: address, panels: address):
    assert escrow.is_contract, "hosting: escrow has no code"
    assert panels.is_contract, "hosting: panels has no code"
    ESCROW = escrow
    PANELS = panels


@external
def revoke(salt: bytes32):
    """
    @notice Burns a salt of the caller, so that no offer under it can be listed.
    @param salt Not listed yet.
    """
    checks._check(self.bet_of[msg.sender][salt] == empty(bytes32), TAKEN)
    self.bet_of[msg.sender][salt] = REVOKED
    log IHostedBets.SaltRevoked(host=msg.sender, salt=salt)


@external
def close(bet_id: bytes32):
    """
    @notice Ends placing and confirming now. Host only. The question to the panel
            keeps its times, and pending tickets can still be cancelled.
    @param bet_id Of an open bet.
    """
    word: uint256 = self._open_terms(bet_id)
    self._check_host(bet_id)
    self._terms[bet_id] = terms_word._with_closes_at(word, block.timestamp)
    log IHostedBets.BetClosed(bet_id=bet_id, closes_at=block.timestamp)


@external
def admit(bet_id: bytes32, accounts: DynArray[address, MAX_ADMITTED]):
    """
    @notice Adds accounts to those who may bet in a private bet. Host only.
    @param bet_id Of an open private bet.
    @param accounts Whom to admit, for good.
    """
    word: uint256 = self._open_terms(bet_id)
    self._check_host(bet_id)
    checks._check(terms_word._is_private(word), "hosting: bet is not private")
    for account: address in accounts:
        self.is_admitted[bet_id][account] = True
    log IHostedBets.AccountsAdmitted(bet_id=bet_id, accounts=accounts)


@external
@view
def terms(bet_id: bytes32) -> IHostedBets.Terms:
    """
    @notice What is stored of a bet's listing.
    @param bet_id Of a listed bet.
    @return See IHostedBets.Terms.
    """
    word: uint256 = self._known_terms(bet_id)
    rules: uint256 = self._rules[bet_id]
    return IHostedBets.Terms(
        host=rules_word._host(rules),
        panel_id=self._panels[bet_id],
        predictions=terms_word._count(word),
        min_stake=terms_word._min_stake(word),
        max_stake=terms_word._max_stake(word),
        closes_at=terms_word._closes_at(word),
        listed_closes_at=rules_word._closes_at(rules),
        result_deadline=rules_word._result_deadline(rules),
        host_bps=rules_word._host_bps(rules),
        validator_bps=rules_word._validator_bps(rules),
        is_private=terms_word._is_private(word),
    )


@internal
def _list(listing: IHostedBets.Listing, offer: IHostedBets.HostSignature) -> bytes32:
    """
    @notice Lists a bet of the caller, or one that its host offers. Where the very
            same is listed already nothing changes.
    """
    bet_id: bytes32 = keccak256(abi_encode(listing))
    known: bytes32 = self.bet_of[listing.host][listing.salt]
    if known == bet_id:
        return bet_id
    checks._check(known == empty(bytes32), TAKEN)
    if msg.sender != listing.host:
        checks._check(offer.expires_at >= block.timestamp, "hosting: offer expired")
        digest: bytes32 = eip712_domain_separator._hash_typed_data_v4(
            keccak256(abi_encode(OFFER_TYPE_HASH, bet_id, offer.expires_at))
        )
        checks._check(
            signatures._is_signed_by(listing.host, digest, offer.signature), "hosting: not offered by the host"
        )

    has_texts: bool = len(listing.description) != 0 and len(listing.predictions) >= 2
    for prediction: String[64] in listing.predictions:
        has_texts = has_texts and len(prediction) != 0
    checks._check(has_texts, "hosting: text is missing")
    checks._check(
        listing.min_stake != 0
        and listing.min_stake <= listing.max_stake
        and listing.max_stake <= terms_word.STAKE_MASK,
        "hosting: bad range of stakes",
    )
    checks._check(
        listing.closes_at > block.timestamp and listing.closes_at <= block.timestamp + MAX_TERM,
        "hosting: bad closing time",
    )
    checks._check(
        listing.result_deadline >= listing.closes_at + MIN_VOTING
        and listing.result_deadline <= listing.closes_at + MAX_VOTING,
        "hosting: bad result deadline",
    )
    checks._check(listing.host_bps <= MAX_BPS and listing.validator_bps <= MAX_BPS, "hosting: commission over 10 %")
    members: DynArray[address, MAX_MEMBERS] = staticcall IPanels(PANELS).members_of(listing.panel_id)
    checks._check(len(members) != 0, "hosting: no such panel")
    members_filter: uint256 = terms_word._bit_of(listing.host)
    for member: address in members:
        checks._check(member != listing.host, "hosting: host on the panel")
        members_filter |= terms_word._bit_of(member)

    self.bet_of[listing.host][listing.salt] = bet_id
    self._terms[bet_id] = terms_word._pack(
        members_filter,
        listing.closes_at,
        listing.min_stake,
        listing.max_stake,
        len(listing.predictions),
        listing.is_private,
    )
    self._rules[bet_id] = rules_word._pack(
        listing.host, listing.closes_at, listing.result_deadline, listing.host_bps, listing.validator_bps
    )
    self._panels[bet_id] = listing.panel_id
    log IHostedBets.BetListed(bet_id=bet_id, host=listing.host, listing=listing)
    return bet_id


@internal
@view
def _known_terms(bet_id: bytes32) -> uint256:
    word: uint256 = self._terms[bet_id]
    assert word != 0, "hosting: unknown bet"
    return word


@internal
@view
def _open_terms(bet_id: bytes32) -> uint256:
    word: uint256 = self._known_terms(bet_id)
    assert block.timestamp < terms_word._closes_at(word), "hosting: bet is closed"
    return word


@internal
@view
def _host(bet_id: bytes32) -> address:
    return rules_word._host(self._rules[bet_id])


@internal
@view
def _check_host(bet_id: bytes32):
    checks._check(msg.sender == self._host(bet_id), "hosting: not the host")


@internal
@view
def _refusal(bet_id: bytes32, word: uint256, account: address, prediction: uint256) -> String[32]:
    """
    @notice Why an account may not bet, whatever the amount; empty where it may.
            Admission to private bets is checked apart.
    """
    if prediction >= terms_word._count(word):
        return "hosting: unknown prediction"
    if terms_word._is_filtered(word, account):
        if account == self._host(bet_id):
            return "hosting: host cannot bet"
        if staticcall IPanels(PANELS).is_member(self._panels[bet_id], account):
            return "hosting: member cannot bet"
    return ""


@internal
@view
def _admits(bet_id: bytes32, word: uint256, account: address) -> bool:
    """
    @notice Whether an account may bet without a voucher: the bet is open to all,
            the account is on the list, or the host itself lands the bet.
    """
    return (
        not terms_word._is_private(word) or self.is_admitted[bet_id][account] or msg.sender == self._host(bet_id)
    )


@internal
@view
def _check_admitted(bet_id: bytes32, word: uint256, account: address, voucher: IHostedBets.HostSignature):
    if self._admits(bet_id, word, account):
        return
    checks._check(voucher.expires_at >= block.timestamp, NOT_ADMITTED)
    digest: bytes32 = eip712_domain_separator._hash_typed_data_v4(
        keccak256(abi_encode(VOUCHER_TYPE_HASH, bet_id, account, voucher.expires_at))
    )
    checks._check(
        signatures._is_signed_by(self._host(bet_id), digest, voucher.signature), "hosting: not the host's voucher"
    )


@internal
@view
def _question_id(bet_id: bytes32, rules: uint256) -> bytes32:
    return keccak256(
        abi_encode(self, bet_id, rules_word._closes_at(rules), rules_word._result_deadline(rules))
    )


@internal
@view
def _outcome(bet_id: bytes32, word: uint256, rules: uint256) -> uint256:
    """
    @notice The index of the prediction that came true. INVALID where the panel
            says so, or was silent until after the deadline. Reverts before.
    """
    final: bool = False
    outcome: uint256 = 0
    final, outcome = staticcall IPanels(PANELS).result(self._panels[bet_id], self._question_id(bet_id, rules))
    checks._check(final or block.timestamp > rules_word._result_deadline(rules), "hosting: no result yet")
    return outcome if final and outcome < terms_word._count(word) else INVALID


@internal
def _pay_validators(bet_id: bytes32, rules: uint256, commission: uint256) -> uint256:
    """
    @notice Shares a commission among the members who decided the outcome, equally
            and rounded down.
    @return What was paid, up to the commission.
    """
    members: DynArray[address, MAX_MEMBERS] = staticcall IPanels(PANELS).deciding_members(
        self._panels[bet_id], self._question_id(bet_id, rules)
    )
    share: uint256 = commission // len(members)
    if share == 0:
        return 0
    amounts: DynArray[uint256, MAX_MEMBERS] = []
    for _: address in members:
        amounts.append(share)
    extcall IEscrow(ESCROW).pay_many(bet_id, members, amounts, IEscrow.Kind.COMMISSION)
    return share * len(members)


@internal
def _pay(bet_id: bytes32, account: address, amount: uint256, kind: IEscrow.Kind):
    # Escrow refuses amounts of 0; one that rounds to it must not hold up the others.
    if amount != 0:
        extcall IEscrow(ESCROW).pay(bet_id, account, amount, kind, skip_contract_check=True)


@internal
def _debit(bet_id: bytes32, account: address, amount: uint256) -> bool:
    """
    @notice Moves a stake into the bet's pot; False where Escrow refuses.
    """
    return raw_call(
        ESCROW,
        abi_encode(
            account,
            bet_id,
            amount,
            IEscrow.Kind.BET_DEBIT,
            method_id=method_id("collect(address,bytes32,uint256,uint256)"),
        ),
        revert_on_failure=False,
    )
