"""A session from opening to close: what each side has, to the unit."""

import boa

from tessera.model.sessions import states
from tessera.model.sessions.typed import State
from tests.sessions import EUR, NO_BOOK, NO_POST, sign
from tests.unit.conftest import HOUR, NOW


def test_opening_locks_both_sides(house, session, money, offer):
    assert session == house.domain.digest(offer)
    assert money() == (79 * EUR, 970 * EUR, 1_021 * EUR)


def test_both_close_together(house, session, money, offer, session_key):
    net = 3 * EUR
    signature = house.close(session_key, session, net, True, NOW + 60)
    house.micro.close(
        offer.words, net, True, NOW + 60, signature, house.close(house.house_key, session, net, True, NOW + 60)
    )
    assert money() == (102 * EUR, 998 * EUR, 998 * EUR)


def test_four_open_bets_exit_alone(house, session, money, offer, session_key, wallet):
    state = states.activation(State())
    questions = [house.question(f"question {i}") for i in range(4)]
    for i, question in enumerate(questions):
        state = states.successor(offer, state, house.bet(question, stake=EUR, number=i), {}, state.seq + 1)
    signature = sign(session_key, house.state_hash(session, state))
    house.micro.start_exit(
        offer.words, state.fields, signature, house.receipt(session, state), NO_BOOK, NO_POST, sender=wallet.address
    )
    boa.env.evm.patch.timestamp = NOW + 60
    for question, outcome in zip(questions, [0, 1, 16, 2**256 - 1], strict=True):
        house.result(question, outcome)
    with boa.reverts("micro: too early to finalize"):
        house.micro.finalize(offer.words, state.fields)
    boa.env.evm.patch.timestamp = NOW + HOUR + 11
    house.micro.finalize(offer.words, state.fields)
    # Won 0.8, lost 1 and 1, one void; the activation cost is earned.
    assert money() == (97_800_000, 1_002_200_000, 1_002_200_000)
