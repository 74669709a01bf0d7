"""What an exit pays, and when: by results, by whom the state was posted, and what broke the session's terms."""

from dataclasses import replace

import boa
import pytest

from tessera.model.sessions import states
from tessera.model.sessions.states import Exclusion
from tessera.model.sessions.typed import State
from tests.sessions import EUR, NONE, events_of, key
from tests.unit.conftest import HOUR, NOW

DAY = 24 * HOUR
INVALID = 2**256 - 1
NEVER = Exclusion()


@pytest.fixture
def question(house):
    return house.question()


@pytest.fixture
def state(desk, question):
    return desk.state([question])


def ends(desk, money, micro, state, outcomes, newest_counts=True, exclusion=NEVER):
    """Finalizes, and compares money with the model. `outcomes`: question hash to what the panel said."""
    player, free, _ = money()
    expected = states.finalized(
        desk.offer,
        state,
        lambda bet: outcomes.get(bet.question),
        newest_counts,
        desk.stored.top_ups,
        exclusion,
    )
    desk.finalize(state)
    (logged,) = events_of(micro, "SessionClosed")
    assert (logged.net, logged.activated) == (expected.net, state.activated)
    assert money() == (player + expected.paid, free + expected.house, free + expected.house)
    assert micro.session(desk.session)[0] == NONE
    assert micro.posted(desk.session) == bytes(32)
    assert micro.stream(desk.house.stream_id)[2] == 500
    return expected


@pytest.mark.parametrize(
    ("outcome", "net"), [(0, 800_000), (1, -EUR), (15, -EUR), (16, -EUR), (17, 0), (125, 0), (INVALID, 0), (None, 0)]
)
def test_a_bet_pays_by_the_panel_s_result(desk, house, question, state, money, micro, evm, outcome, net):
    desk.exit(state)
    evm.patch.timestamp = NOW + 60
    outcomes = {}
    if outcome is not None:
        house.result(question, outcome)
        outcomes[house.domain.digest(question)] = outcome
    evm.patch.timestamp = NOW + HOUR + 11
    assert ends(desk, money, micro, state, outcomes).net == net


def test_a_bet_on_none_of_the_choices_never_wins(desk, house, question, money, micro, evm):
    bet = replace(house.bet(question), choice=16)
    state = State(2, 1, 0, True, (bet,))
    desk.exit(state)
    evm.patch.timestamp = NOW + 60
    house.result(question, 16)
    evm.patch.timestamp = NOW + 2 * HOUR
    assert ends(desk, money, micro, state, {bet.question: 16}).net == -EUR


def test_waits_for_the_window_and_the_last_second_of_the_latest_result(desk, house, state, evm):
    desk.exit(state)
    # Due 3,600 s after a lock 10 s after NOW: the panel takes reports in that second.
    evm.patch.timestamp = NOW + HOUR + 10
    with boa.reverts("micro: too early to finalize"):
        desk.finalize(state)
    evm.patch.timestamp = NOW + HOUR + 11
    desk.finalize(state)


def test_without_bets_it_waits_for_the_window_alone(desk, evm, money, micro):
    desk.exit(State())
    evm.patch.timestamp = NOW + HOUR - 1
    with boa.reverts("micro: too early to finalize"):
        desk.finalize(State())
    evm.patch.timestamp = NOW + HOUR
    assert ends(desk, money, micro, State(), {}).net == 0
    assert money()[0] == 100 * EUR


def test_a_newest_bet_that_nobody_answers_for_goes_back_a_day_later(desk, house, question, state, money, micro, evm):
    desk.exit(state, house.operator)
    evm.patch.timestamp = NOW + 60
    house.result(question, 0)
    evm.patch.timestamp = NOW + 2 * DAY - 1
    with boa.reverts("micro: too early to finalize"):
        desk.finalize(state)
    evm.patch.timestamp = NOW + 2 * DAY
    assert ends(desk, money, micro, state, {house.domain.digest(question): 0}, newest_counts=False).net == 0


def test_an_older_bet_counts_whoever_posted(desk, house, money, micro, evm):
    older, newest = house.question("older"), house.question("newest")
    state = desk.state([older, newest])
    desk.exit(state, house.operator)
    evm.patch.timestamp = NOW + 60
    house.result(older, 0)
    house.result(newest, 0)
    evm.patch.timestamp = NOW + 2 * DAY
    outcomes = {house.domain.digest(one): 0 for one in (older, newest)}
    assert ends(desk, money, micro, state, outcomes, newest_counts=False).net == 800_000


def test_a_proven_newest_bet_counts_and_nobody_waits(desk, house, question, state, money, micro, evm):
    desk.exit(state, house.operator)
    evm.patch.timestamp = NOW + 60
    house.result(question, 1)
    leaf = house.state_hash(desk.session, state)
    micro.prove(desk.offer.words, state.fields, house.book(question, [leaf], leaf))
    evm.patch.timestamp = NOW + DAY
    assert ends(desk, money, micro, state, {house.domain.digest(question): 1}).net == -EUR


def test_a_newest_bet_proven_on_the_last_day_counts(desk, house, question, state, money, micro, evm):
    desk.exit(state, house.operator)
    evm.patch.timestamp = NOW + 60
    house.result(question, 0)
    leaf = house.state_hash(desk.session, state)
    book = house.book(question, [leaf], leaf)
    evm.patch.timestamp = NOW + 2 * DAY - 1
    with boa.reverts("micro: too early to finalize"):
        desk.finalize(state)
    micro.prove(desk.offer.words, state.fields, book)
    assert ends(desk, money, micro, state, {house.domain.digest(question): 0}).net == 800_000


@pytest.mark.parametrize(
    ("change", "seconds"),
    [
        ({"stake": 5 * EUR + 1}, HOUR),
        ({"lock": (NOW + 86_400) * 1_000 + 1}, HOUR),
        ({"report_by": (NOW + 2 * 86_400 + 1) * 1_000}, HOUR),
        ({"report_by": 2**256 - 1}, HOUR),
        ({"lock": 2**256 - 1}, HOUR),
        ({"stake": 2**256 - 1}, HOUR),
    ],
)
def test_what_broke_the_terms_goes_back_alone_and_nobody_waits_for_it(
    desk, house, question, state, money, micro, evm, change, seconds
):
    bad = replace(state.open_bets[0], **change)
    both = replace(state, open_bets=(bad, *state.open_bets))
    desk.exit(both)
    evm.patch.timestamp = NOW + 60
    house.result(question, 1)
    evm.patch.timestamp = NOW + HOUR + 11
    assert ends(desk, money, micro, both, {house.domain.digest(question): 1}).net == -EUR


def test_at_the_edge_of_the_terms_a_bet_counts(desk, house, money, micro, evm, offer):
    lock = offer.expires_at * 1_000
    question = house.question(lock=lock, start=lock + 3_000, end=lock + 9_000, report_by=lock + DAY * 1_000 + 999)
    state = desk.state([question], stake=5 * EUR)
    desk.exit(state)
    evm.patch.timestamp = offer.expires_at + DAY
    house.result(question, 1)
    with boa.reverts("micro: too early to finalize"):
        desk.finalize(state)
    evm.patch.timestamp = offer.expires_at + DAY + 1
    assert ends(desk, money, micro, state, {house.domain.digest(question): 1}).net == -5 * EUR


@pytest.mark.parametrize(("lock_in", "counts"), [(60, True), (61, False), (899, False), (900, True)])
def test_a_bet_locked_in_a_self_exclusion_goes_back(desk, house, money, micro, evm, wallet, lock_in, counts):
    question = house.question(lock_in=lock_in)
    state = desk.state([question])
    micro.exclude_self(NOW + 900, sender=wallet.address)
    desk.exit(state)
    evm.patch.timestamp = NOW + 1_000
    house.result(question, 1)
    evm.patch.timestamp = NOW + 2 * HOUR
    outcomes = {house.domain.digest(question): 1}
    paid = ends(desk, money, micro, state, outcomes, exclusion=Exclusion(NOW, NOW + 900))
    assert paid.net == (-EUR if counts else 0)


@pytest.mark.parametrize("net", [2**255 - 1, -(2**255), 31 * EUR, -16 * EUR])
def test_no_co_signed_net_holds_the_money_up(desk, money, micro, evm, net, question, house):
    bets = (replace(house.bet(question), liability=2**256 - 1), replace(house.bet(question), liability=2**255))
    state = State(9, 8, net, True, bets)
    desk.exit(state)
    evm.patch.timestamp = NOW + 60
    house.result(question, 0)
    evm.patch.timestamp = NOW + 2 * HOUR
    expected = ends(desk, money, micro, state, {bets[0].question: 0}).net
    assert -15 * EUR <= expected <= 30 * EUR


def test_sixteen_open_bets(desk, house, money, micro, evm):
    questions = [house.question(f"question {i}") for i in range(16)]
    state = desk.state(questions, stake=EUR // 2)
    desk.exit(state)
    evm.patch.timestamp = NOW + 60
    outcomes = {}
    for i, question in enumerate(questions):
        house.result(question, i % 3)
        outcomes[house.domain.digest(question)] = i % 3
    evm.patch.timestamp = NOW + 2 * HOUR
    assert ends(desk, money, micro, state, outcomes).net == 6 * 400_000 - 10 * 500_000


def test_reverts_when_it_is_not_the_posted_state(desk, state, evm):
    desk.exit(state)
    evm.patch.timestamp = NOW + 2 * DAY
    for other in (State(), replace(state, net=1), replace(state, activated=False), replace(state, open_bets=())):
        with boa.reverts("micro: not the posted state"):
            desk.finalize(other)


def test_reverts_when_no_exit_has_begun_or_it_is_over(desk, state, evm):
    with boa.reverts("micro: no exit has begun"):
        desk.finalize(state)
    desk.exit(state)
    evm.patch.timestamp = NOW + 2 * DAY
    desk.finalize(state)
    with boa.reverts("micro: no exit has begun"):
        desk.finalize(state)


def test_anybody_may(desk, state, evm, micro, money):
    desk.exit(state)
    evm.patch.timestamp = NOW + 2 * DAY
    micro.finalize(desk.offer.words, state.fields, sender=key("stranger").address)
    assert money()[0] == 99 * EUR


def test_top_ups_come_back(desk, evm, micro, money, wallet):
    micro.top_up(desk.offer.words, 7 * EUR, sender=wallet.address)
    desk.exit(State())
    evm.patch.timestamp = NOW + HOUR
    assert ends(desk, money, micro, State(), {}).paid == 28 * EUR
