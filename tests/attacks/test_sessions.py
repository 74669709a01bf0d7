"""Attacks on MicroSessions itself, and what each dishonest side gains by them: nothing but what its bets earned.

The player has 200 EUR in Escrow and a session of 20 EUR against 30, of which 15 may be lost. The panel is two of three
observers: one of them may be dishonest. Gains are of wallet, and of the stream's bankroll, against before the session.
`WEAKER` takes one rule after another out of a copy of the contracts: there the same attack must gain.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import boa
import pytest
from eth_utils import keccak

from tessera.model.sessions import record, states
from tessera.model.sessions.typed import Domain, State
from tests.sessions import (
    EUR,
    EXITING,
    NO_RECEIPT,
    ROOT,
    House,
    deployed_house,
    key,
    sign,
)
from tests.unit.micro_sessions.conftest import Desk

START, HOUR, DAY = 1_800_000_000, 3_600, 86_400
WALLET, SESSION_KEY, OTHER, THIEF = key("wallet"), key("session key"), key("another player"), key("thief")
PURSE = 200 * EUR
WON, LOST = 0, 1  # results, for bets on choice 0
WORTH = 800_000  # what a won bet of 1 EUR pays


@pytest.fixture(scope="module")
def houses(evm):
    """Two streams of one contract. Players have 200 EUR each, and so has a thief."""
    return deployed_house([WALLET, OTHER, THIEF], PURSE, streams=2)


@pytest.fixture
def scene(houses, evm_clock):
    at(START)
    return Scene(*houses)


def at(seconds: int) -> None:
    boa.env.evm.patch.timestamp = seconds


def wait(seconds: int) -> None:
    boa.env.evm.patch.timestamp += seconds


class Scene:
    """A player's open session, the stream's house, and another stream of the same contract."""

    def __init__(self, house: House, other_house: House):
        self.house, self.other_house = house, other_house
        self.micro, self.escrow = house.micro, house.escrow
        self.before = {name: self.has(name) for name in (WALLET, OTHER, THIEF)}
        self.bankroll_before = self.bankroll()
        self.desk = self.opens(WALLET)
        self.question = house.question()

    def opens(self, player, house=None, **more) -> Desk:
        """A player's open session."""
        house = house or self.house
        offer = house.offer(player.address, SESSION_KEY.address, **more)
        return Desk(house, offer, house.open(offer), SESSION_KEY, player)

    def has(self, account) -> int:
        return self.escrow.balance_of(account.address)

    def bankroll(self, house=None) -> int:
        house = house or self.house
        return self.micro.stream(house.stream_id)[1]

    def gain(self, account=WALLET) -> int:
        """What somebody has more than before."""
        return self.has(account) - self.before[account]

    def house_gain(self) -> int:
        return self.bankroll() - self.bankroll_before

    def bet(self, number: int = 1, base: State | None = None) -> tuple:
        """A question that locks in 10 s and is due an hour later, and the state that bets 1 EUR on its choice 0."""
        question = self.house.question(f"question {number}")
        return question, self.desk.state([question], base)

    def result(self, question, outcome: int) -> None:
        """After its lock, the panel says what won."""
        at(max(boa.env.evm.patch.timestamp, question.lock // 1_000 + 60))
        self.house.result(question, outcome)

    def proof(self, question, state, desk=None) -> tuple:
        """The panel confirms a book that holds a state; its proof."""
        leaf = self.house.state_hash((desk or self.desk).session, state)
        return self.house.book(question, [keccak(text="another leaf"), leaf], leaf)

    def finalize(self, state, seconds: int = 4 * DAY) -> None:
        """Long after everything a stranger ends the session."""
        wait(seconds)
        self.desk.finalize(state)

    def closes(self, desk: Desk, net: int, sender=None, activated=True) -> None:
        """Both agree to close at a net."""
        until = boa.env.evm.patch.timestamp + 60
        signatures = [
            self.house.close(who, desk.session, net, activated, until) for who in (SESSION_KEY, self.house.house_key)
        ]
        self.micro.close(desk.offer.words, net, activated, until, *signatures, sender=(sender or desk.wallet).address)


# Each attack, and what the attacker gains. The same runs where a rule is missing.


def closing_twice(scene: Scene) -> int:
    """One agreement for a win of 3 EUR, and the same offer opened again and again."""
    desk, until = scene.desk, START + 100
    signatures = [
        scene.house.close(who, desk.session, 3 * EUR, True, until) for who in (SESSION_KEY, scene.house.house_key)
    ]
    close = (desk.offer.words, 3 * EUR, True, until, *signatures)
    scene.micro.close(*close, sender=WALLET.address)
    for _ in range(3):
        try:
            scene.house.open(desk.offer)
        except boa.BoaError:
            break
        scene.micro.close(*close, sender=WALLET.address)
    return scene.gain() - (3 * EUR - desk.offer.activation)


def opening_with_the_house_key(scene: Scene) -> int:
    """A thief of the house key offers himself a session of all that is free, and signs both sides of its loss."""
    lock = 400 * EUR
    offer = scene.house.offer(THIEF.address, SESSION_KEY.address, house_lock=lock, activation=0)
    session = scene.house.domain.digest(offer)
    try:
        scene.micro.open_session(offer.words, sign(scene.house.house_key, session), sender=THIEF.address)
    except boa.BoaError:
        return scene.gain(THIEF)
    scene.closes(Desk(scene.house, offer, session, SESSION_KEY, THIEF), lock)
    return scene.gain(THIEF)


def completing_once_it_has_lost(scene: Scene) -> int:
    """The house answers no bet; once it has lost, it signs the receipt and posts the state by itself."""
    question, state = scene.bet()
    scene.result(question, LOST)
    scene.desk.exit(state, scene.house.operator)
    scene.finalize(state)
    return scene.house_gain() - scene.desk.offer.activation


def booking_once_it_has_lost(scene: Scene) -> int:
    """The same, and the house proves it by a root of its own. The panel has confirmed the question's real book, under a
    key with its root and, as observers would where that were the rule, under one without."""
    question, state = scene.bet()
    scene.result(question, LOST)
    scene.house.book(question, [keccak(text="leaf a"), keccak(text="leaf b")], keccak(text="leaf a"))
    rootless = keccak(b"book" + scene.house.domain.digest(question))
    scene.house.report(rootless, question.lock, question.report_by, 1)
    scene.desk.exit(state, scene.house.operator)
    leaf = scene.house.state_hash(scene.desk.session, state)
    with suppress(boa.BoaError):
        scene.micro.prove(scene.desk.offer.words, state.fields, (leaf, []))
    scene.finalize(state)
    return scene.house_gain() - scene.desk.offer.activation


def proving_a_book_that_the_panel_denies(scene: Scene) -> int:
    """The same, and the panel has said of the root that it is no book: outcome 0."""
    question, state = scene.bet()
    scene.result(question, LOST)
    leaf = scene.house.state_hash(scene.desk.session, state)
    scene.house.report(record.book_key(scene.house.domain.digest(question), leaf), question.lock, question.report_by, 0)
    scene.desk.exit(state, scene.house.operator)
    with suppress(boa.BoaError):
        scene.micro.prove(scene.desk.offer.words, state.fields, (leaf, []))
    scene.finalize(state)
    return scene.house_gain() - scene.desk.offer.activation


def challenging_in_the_last_second(scene: Scene) -> int:
    """The player's helper posts an old state. The house answers in the last second with the newest, whose won bet is in
    no book, so that it would go back; the player answers within the hour, where there is one."""
    old = states.activation(State())
    question, state = scene.bet()
    scene.desk.exit(old)
    scene.result(question, WON)
    at(START + HOUR - 1)
    scene.desk.challenge(state)
    wait(HOUR // 2)
    with suppress(boa.BoaError):
        scene.desk.challenge(state, WALLET)
    scene.finalize(state)
    return WORTH - scene.gain() - scene.desk.offer.activation


def challenging_without_end(scene: Scene) -> int:
    """The house shows one later state after another, each in the last second. Hours beyond two."""
    questions = [scene.house.question(f"question {i}") for i in range(8)]
    chain = [scene.desk.state(questions[:i]) for i in range(1, 9)]
    scene.desk.exit(chain[0])
    for state in chain[1:]:
        at(scene.desk.stored.end - 1)
        try:
            scene.desk.challenge(state)
        except boa.BoaError:
            break
    return (scene.desk.stored.end - START) // HOUR - 1


def finalizing_before_the_proof(scene: Scene) -> int:
    """The player posts the state before a lost bet; the house answers; the player finalizes before the proof."""
    question, state = scene.bet()
    scene.desk.exit(states.activation(State()))
    wait(HOUR // 2)
    scene.desk.challenge(state)
    scene.house.result(question, LOST)
    proof = scene.proof(question, state)
    at(question.report_by // 1_000 + 1 + HOUR)
    try:
        scene.desk.finalize(state)
    except boa.BoaError:
        scene.micro.prove(scene.desk.offer.words, state.fields, proof)
        scene.desk.finalize(state)
    return scene.gain() + EUR + scene.desk.offer.activation


def posting_an_old_state(scene: Scene) -> int:
    """Once the bet has lost, the player exits at seq 0; the house answers, and shows the book."""
    question, state = scene.bet()
    scene.result(question, LOST)
    scene.desk.exit(State())
    try:
        scene.desk.challenge(state)
        posted = state
        scene.micro.prove(scene.desk.offer.words, state.fields, scene.proof(question, state))
    except boa.BoaError:
        posted = State()
    scene.finalize(posted)
    return scene.gain() + EUR + scene.desk.offer.activation


def excluding_once_it_has_lost(scene: Scene) -> int:
    """Once the bet has lost, the player keeps himself out."""
    question, state = scene.bet()
    scene.result(question, LOST)
    scene.micro.exclude_self(START + DAY, sender=WALLET.address)
    scene.desk.exit(state)
    scene.finalize(state)
    return scene.gain() + EUR + scene.desk.offer.activation


def opening_for_somebody_who_is_excluded(scene: Scene) -> int:
    """A second account, which is not excluded, opens a session in the name of a player who is; what is at stake."""
    scene.micro.exclude_self(START + DAY, sender=WALLET.address)
    offer = scene.house.offer(WALLET.address, SESSION_KEY.address, deposit=10 * EUR)
    signature = sign(scene.house.operator, scene.house.domain.digest(offer))
    try:
        scene.micro.open_session(offer.words, signature, sender=OTHER.address)
    except boa.BoaError:
        return 0
    return offer.deposit


def topping_up_for_somebody_who_is_excluded(scene: Scene) -> int:
    """A second account tops up the session of a player who is excluded; what is added to the stakes."""
    scene.micro.exclude_self(START + DAY, sender=WALLET.address)
    try:
        scene.micro.top_up(scene.desk.offer.words, 3 * EUR, sender=OTHER.address)
    except boa.BoaError:
        return 0
    return 3 * EUR


# Sets of rules that touch no attack of each other, so that a copy of the contract can lack them all.
# Rule: the attack, a file, what stands there, and what stands in the copy.
WEAKER: list[dict[str, tuple[Callable, str, str, str]]] = [
    {
        "a session stays marked until its offer is void": (
            closing_twice,
            "modules/sessions.vy",
            "session_word.NO_SESSION if is_void else session_word.CLOSED",
            "session_word.NO_SESSION",
        ),
        "offers are signed by the operator, whose address is beside the bankroll": (
            opening_with_the_house_key,
            "MicroSessions.vy",
            "assert signer == stream_word._operator(word),",
            "assert signer == stream_word._operator(word) or signer == terms.house_key,",
        ),
        "a book's key names its root": (
            booking_once_it_has_lost,
            "modules/exits.vy",
            'keccak256(concat(b"book", newest.question, book.root))',
            'keccak256(concat(b"book", newest.question))',
        ),
        "the hour after the house's last challenge is the player's": (
            challenging_in_the_last_second,
            "modules/exits.vy",
            "end = max(end, block.timestamp + SHORT_WINDOW)",
            "end = max(end, block.timestamp + 1)",
        ),
        "finalize waits a day for the proof": (
            finalizing_before_the_proof,
            "modules/exits.vy",
            "ready_at += PROOF_WAIT",
            "ready_at += 0",
        ),
        "a self-exclusion touches no bet that runs": (
            excluding_once_it_has_lost,
            "modules/exits.vy",
            "lock > exclusion_word._start(exclusion) + EXCLUSION_GRACE and",
            "lock < exclusion_word._start(exclusion) and",
        ),
    },
    {
        "a book is outcome 1": (
            proving_a_book_that_the_panel_denies,
            "modules/exits.vy",
            "assert final and outcome == 1,",
            "assert final,",
        ),
        "the house may challenge only in the first window": (
            challenging_without_end,
            "modules/exits.vy",
            'assert block.timestamp < first_end, "micro: only the player now"',
            "assert block.timestamp < end",
        ),
    },
    {
        "posted by the player means that the player sends, or signed a Post": (
            completing_once_it_has_lost,
            "modules/exits.vy",
            "return poster == terms.player or poster == terms.session_key",
            "return poster != empty(address)",
        ),
        "a later state replaces the posted one": (
            posting_an_old_state,
            "modules/exits.vy",
            "assert state.seq > session_word._seq(word),",
            "assert state.seq < session_word._seq(word),",
        ),
        "a session is opened by its player": (
            opening_for_somebody_who_is_excluded,
            "MicroSessions.vy",
            'assert msg.sender == terms.player, "micro: not your offer"',
            "assert terms.player != empty(address)",
        ),
        "a session is topped up by its player": (
            topping_up_for_somebody_who_is_excluded,
            "MicroSessions.vy",
            'assert msg.sender == terms.player, "micro: not your session"',
            "assert terms.player != empty(address)",
        ),
    },
]
ATTACKS = {rule: weaker[0] for rules in WEAKER for rule, weaker in rules.items()}


@pytest.mark.parametrize("rule", ATTACKS)
def test_it_gains_nothing(scene, rule):
    assert ATTACKS[rule](scene) <= 0


@pytest.mark.parametrize("rules", WEAKER, ids=lambda rules: f"{len(rules)} rules")
def test_it_gains_where_the_rule_is_missing(tmp_path, rules, evm_clock):
    shutil.copytree(ROOT / "contracts", tmp_path / "contracts")
    for _, file, stands, instead in rules.values():
        path = tmp_path / "contracts" / file
        source = path.read_text()
        assert source.count(stands) == 1
        path.write_text(source.replace(stands, instead))
    at(START)
    weak = deployed_house([WALLET, OTHER, THIEF], PURSE, 2, tmp_path / "contracts" / "MicroSessions.vy")
    for rule, (attack, *_) in rules.items():
        with boa.env.anchor():
            at(START)
            assert attack(Scene(*weak)) > 0, rule


# More of the list: what has no rule of its own to lack.


def test_what_is_signed_for_one_session_is_void_in_another(scene, evm):
    """Session, contract and chain are in every digest: the same keys, another session."""
    other = scene.opens(WALLET, salt=1)
    _, state = scene.bet()
    own = scene.desk.arguments(state)
    with boa.reverts("micro: not signed by player"):
        scene.micro.start_exit(other.offer.words, *own[1:], sender=WALLET.address)
    until = START + 60
    agreed = [
        scene.house.close(who, scene.desk.session, 5 * EUR, True, until) for who in (SESSION_KEY, scene.house.house_key)
    ]
    with boa.reverts("micro: player did not agree"):
        scene.micro.close(other.offer.words, 5 * EUR, True, until, *agreed, sender=WALLET.address)
    for domain in (Domain(1, scene.micro.address), Domain(31_337, scene.escrow.address)):
        foreign = replace(scene.house, domain=domain)
        session = domain.digest(scene.desk.offer)
        with boa.reverts("micro: not by operator"):
            scene.micro.open_session(
                replace(scene.desk.offer, salt=7).words, sign(scene.house.operator, session), sender=WALLET.address
            )
        with boa.reverts("micro: no receipt"):
            scene.desk.exit(state, receipt=foreign.receipt(scene.desk.session, state))
    receipt = scene.other_house.receipt(scene.desk.session, state)
    with boa.reverts("micro: no receipt"):
        scene.desk.exit(state, receipt=receipt)
    assert scene.gain() == -2 * (20 * EUR + scene.desk.offer.activation)  # it all waits in the two sessions


def test_a_session_key_s_thief_costs_no_more_than_the_loss_cap(scene):
    """With the house's help all of it is lost at once; the balance and the rest of the deposit are out of reach."""
    scene.closes(scene.desk, -(2**255), THIEF)
    assert scene.gain() == -scene.desk.offer.loss_cap - scene.desk.offer.activation
    offer = scene.house.offer(WALLET.address, SESSION_KEY.address, salt=3)
    with boa.reverts("micro: not your offer"):
        scene.micro.open_session(
            offer.words, sign(scene.house.operator, scene.house.domain.digest(offer)), sender=SESSION_KEY.address
        )
    with boa.reverts("micro: not your session"):
        scene.micro.top_up(scene.desk.offer.words, EUR, sender=SESSION_KEY.address)


def test_a_house_key_s_thief_costs_no_more_than_the_locks(scene):
    """With a player's help: each open session pays its lock, and the free bankroll stays."""
    second = scene.opens(OTHER)
    for desk in (scene.desk, second):
        scene.closes(desk, 2**255 - 1, THIEF, activated=False)
    assert (scene.gain(), scene.gain(OTHER)) == (30 * EUR, 30 * EUR)
    assert scene.house_gain() == -60 * EUR
    with boa.reverts("micro: not the operator"):
        scene.micro.withdraw_bankroll(scene.house.stream_id, 1, sender=scene.house.house_key.address)


def test_an_operator_s_thief_takes_the_free_bankroll_and_no_lock_or_deposit(scene):
    operator = scene.house.operator.address
    scene.micro.withdraw_bankroll(scene.house.stream_id, scene.bankroll(), sender=operator)
    with boa.reverts("micro: more than is free"):
        scene.micro.withdraw_bankroll(scene.house.stream_id, 1, sender=operator)
    question, state = scene.bet()
    scene.desk.exit(state)
    scene.result(question, WON)
    scene.finalize(state)
    assert scene.gain() == WORTH - scene.desk.offer.activation


def test_player_and_house_together_take_nothing_of_another_stream(scene):
    """Whatever both sign, the pot of their own stream pays, and no more than their session holds."""
    other, pot = scene.bankroll(scene.other_house), scene.escrow.pot_balance
    state = State(9, 1, 2**255 - 1, True, (replace(scene.house.bet(scene.question), liability=2**256 - 1),))
    scene.desk.exit(state)
    scene.result(scene.question, WON)
    scene.finalize(state)
    assert scene.gain() + scene.house_gain() == 0
    assert scene.bankroll(scene.other_house) == other == pot(scene.micro, scene.other_house.stream_id.to_bytes(32))


@pytest.mark.parametrize("partner", ["player", "house"])
def test_a_side_and_one_observer_of_three_make_no_result_and_no_book(scene, partner):
    question, state = scene.bet()
    at(question.lock // 1_000 + 60)
    liar, own = scene.house.observers[:1], WON if partner == "player" else LOST
    digest = scene.house.domain.digest(question)
    scene.house.report(digest, question.lock, question.report_by, own, liar)
    root = scene.house.state_hash(scene.desk.session, state)
    scene.house.report(record.book_key(digest, root), question.lock, question.report_by, 1, liar)
    scene.house.report(digest, question.lock, question.report_by, 1 - own, scene.house.observers[1:])
    scene.desk.exit(state)
    with boa.reverts("micro: no such book"):
        scene.micro.prove(scene.desk.offer.words, state.fields, (root, []))
    scene.finalize(state)
    assert scene.gain() == (-EUR if partner == "player" else WORTH) - scene.desk.offer.activation


def test_two_signed_books_of_one_question_confirm_at_most_one(scene):
    """The house signs two; each honest observer signs the one whose lines it holds."""
    question, state = scene.bet()
    at(question.lock // 1_000 + 60)
    digest, leaf = scene.house.domain.digest(question), scene.house.state_hash(scene.desk.session, state)
    fork = record.book_root([leaf, keccak(text="a state of the fork")])
    scene.house.report(record.book_key(digest, fork), question.lock, question.report_by, 1, scene.house.observers[:1])
    proof = scene.proof(question, state)
    scene.desk.exit(state, scene.house.operator)
    with boa.reverts("micro: no such book"):
        scene.micro.prove(scene.desk.offer.words, state.fields, (fork, [keccak(text="a state of the fork")]))
    scene.micro.prove(scene.desk.offer.words, state.fields, proof)
    scene.house.result(question, WON)
    scene.finalize(state)
    assert scene.gain() == WORTH - scene.desk.offer.activation


def test_a_booked_bet_without_a_receipt_is_the_player_s_to_post(scene):
    """The house gives no receipt and books the bet: so the book stands for the receipt, and the bet counts."""
    question, state = scene.bet()
    scene.result(question, WON)
    scene.desk.exit(state, book=scene.proof(question, state), receipt=NO_RECEIPT)
    scene.finalize(state)
    assert scene.gain() == WORTH - scene.desk.offer.activation


def test_a_receipted_bet_that_is_left_out_of_the_book_counts(scene):
    question, state = scene.bet()
    scene.result(question, WON)
    scene.desk.exit(State(), scene.house.operator)
    wait(HOUR)
    scene.desk.challenge(state, WALLET)
    scene.finalize(state)
    assert scene.gain() == WORTH - scene.desk.offer.activation


@pytest.mark.parametrize("moment", ["early", "late", "never", "twice"])
def test_reports_at_other_times_pay_nobody(scene, moment):
    """Early and late ones are skipped; of two by the same observers the first counts; without any, stakes go back."""
    question, state = scene.bet()
    digest, times = scene.house.domain.digest(question), (question.lock, question.report_by)
    scene.desk.exit(state)
    if moment == "early":
        at(question.lock // 1_000 - 1)
        scene.house.report(digest, *times, WON)
    elif moment == "late":
        at(question.report_by // 1_000 + 1)
        scene.house.report(digest, *times, WON)
    elif moment == "twice":
        at(question.lock // 1_000)
        scene.house.report(digest, *times, LOST)
        scene.house.report(digest, *times, WON)
    scene.finalize(state)
    assert scene.gain() == (-EUR if moment == "twice" else 0) - scene.desk.offer.activation


def test_topping_up_in_the_middle_voids_no_state_and_changes_no_bet(scene):
    question, state = scene.bet()
    scene.micro.top_up(scene.desk.offer.words, 50 * EUR, sender=WALLET.address)
    scene.desk.exit(state)
    scene.result(question, LOST)
    scene.finalize(state)
    assert scene.gain() == -EUR - scene.desk.offer.activation


def test_sixteen_open_bets_of_which_the_house_answers_with_the_last_but_one(scene):
    """A house that posts an older state of a player with 16 open bets: the player answers, and every bet counts."""
    questions = [scene.house.question(f"question {i}") for i in range(16)]
    fifteen, sixteen = (scene.desk.state(questions[:n], stake=EUR // 2) for n in (15, 16))
    scene.desk.exit(fifteen, scene.house.operator)
    at(START + 60)
    for question in questions:
        scene.house.result(question, WON)
    wait(HOUR)
    scene.desk.challenge(sixteen, WALLET)
    assert scene.desk.stored.stage == EXITING
    scene.finalize(sixteen)
    assert scene.gain() == 16 * WORTH // 2 - scene.desk.offer.activation
