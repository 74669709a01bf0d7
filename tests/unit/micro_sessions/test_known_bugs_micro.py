"""What went wrong in other bets off chain, channels and batches, harmless with sessions.

Cases that cannot apply, and why:

- prices, feeds, vaults, swaps, rewards, shares: a session holds one token, reads no price and divides nothing.
- claims and code called for winners: a session's end credits Escrow and calls nobody.
- permits, fees on transfer, tokens that re-enter: Escrow's, tests/unit/escrow.
- quorum of half or less, silent or bribed reporters: panels', tests/unit/test_known_bugs_panels.py.
- betting on what is known (Omen #905): the lock is signed with each bet, and a receipt after its lock line convicts the
  house, tests/unit/test_audit_stream.py; whether a bet came in time is not for the contract to know.
"""

from dataclasses import replace

import boa
import pytest

from tessera.model.sessions.typed import State
from tests.panels import SECP256K1_N
from tests.sessions import EUR, NO_BOOK, NO_POST, NO_RECEIPT, NO_SIGNATURE, events_of, fund, key
from tests.unit.conftest import HOUR, NOW

DAY = 24 * HOUR
INVALID = 2**256 - 1


@pytest.fixture
def question(house):
    return house.question()


@pytest.fixture
def state(desk, question):
    return desk.state([question])


def ends(desk, house, question, state, outcome, evm, money) -> int:
    """The panel says an outcome, a stranger finalizes: what the player has against the 79 EUR that were not put in."""
    evm.patch.timestamp = max(evm.patch.timestamp, NOW + 60)
    house.result(question, outcome)
    evm.patch.timestamp = NOW + 3 * DAY
    desk.finalize(state)
    return money()[0] - 79 * EUR


def test_polymarket_ghost_fills_neither_side_can_move_what_a_bet_stands_on(
    desk, house, question, state, coin_escrow, wallet, micro, money, evm
):
    """There: matched off chain, then the maker moves the money. Here both sides' money is in the pot."""
    coin_escrow.withdraw(79 * EUR, wallet.address, sender=wallet.address)
    coin_escrow.set_consent(0, sender=wallet.address)
    micro.exclude_self(NOW + DAY, sender=wallet.address)
    micro.withdraw_bankroll(house.stream_id, micro.stream(house.stream_id)[1], sender=house.operator.address)
    desk.exit(state, house.operator)
    desk.challenge(state, wallet)
    evm.patch.timestamp = NOW + 60
    house.result(question, 0)
    evm.patch.timestamp = NOW + 3 * DAY
    desk.finalize(state)
    assert money()[0] == 20 * EUR + 800_000


def test_batch_poisoning_one_bad_agreement_holds_up_no_other(desk, house, offer, micro, wallet, session_key, money):
    """There: one bad item reverts the others. Here: a forged, an expired and a worthless one among two good ones."""
    offers = [offer, *(house.offer(wallet.address, session_key.address, salt=i, activation=0) for i in range(1, 5))]
    for one in offers[1:]:
        house.open(replace(one, deposit=15 * EUR) if one is offers[3] else one)
    offers[3] = replace(offers[3], deposit=15 * EUR)
    sessions = [house.domain.digest(one) for one in offers]
    terms = [(0, False, NOW), (0, False, NOW - 1), (0, False, NOW), (-15 * EUR, True, NOW), (EUR, True, NOW)]
    signers = [session_key, session_key, key("thief"), session_key, session_key]
    items = [
        (one.words, (net, earned, until), house.close(by, session, net, earned, until))
        for one, session, (net, earned, until), by in zip(offers, sessions, terms, signers, strict=True)
    ]
    before = money()[0]
    assert micro.close_many(house.stream_id, items, sender=house.operator.address) == 3
    assert len(events_of(micro, "CloseSkipped")) == 2
    assert money()[0] - before == 21 * EUR + 0 + 21 * EUR


def test_lone_loser_where_none_of_the_choices_wins_nothing_is_stuck(
    desk, house, question, state, evm, money, coin_escrow, micro
):
    """There: money that nobody could claim. Here the house won, and the pot holds its bankroll alone."""
    desk.exit(state)
    assert ends(desk, house, question, state, 16, evm, money) == 19 * EUR
    assert coin_escrow.pot_balance(micro, house.stream_id.to_bytes(32)) == micro.stream(house.stream_id)[1]


def test_tie_what_nobody_could_see_goes_back_to_both(desk, house, question, state, evm, money):
    """There the house took it."""
    desk.exit(state)
    assert ends(desk, house, question, state, INVALID, evm, money) == 20 * EUR
    assert money()[1] == 1_001 * EUR  # the activation cost was earned


def test_silent_reporters_hold_nothing_up(desk, state, evm, money):
    """Azuro SafeOracle, SX Bet: no time limit. Here the stake is back after `report_by`."""
    desk.exit(state)
    evm.patch.timestamp = NOW + HOUR + 11
    desk.finalize(state)
    assert money()[0] == 99 * EUR


def test_manifold_203_negative_payout_no_net_makes_one(desk, evm, money):
    """There: a payout below zero. Here a net below the deposit pays what the loss cap leaves."""
    state = State(2, 1, -(2**255), True)
    desk.exit(state)
    evm.patch.timestamp = NOW + HOUR
    desk.finalize(state)
    assert money()[0] == 79 * EUR + 5 * EUR


def test_manifold_538_creators_who_vanish_leave_the_player_the_newest_state(desk, house, question, state, evm, money):
    """Manifold #538: nobody settles. Here the player exits alone, and is paid by the panel."""
    desk.exit(state)
    assert ends(desk, house, question, state, 0, evm, money) == 20 * EUR + 800_000 - EUR + EUR


def test_overtime_nobody_takes_the_money_of_an_expired_session(desk, house, offer, micro, evm, money):
    """There the owner took it. Here, years later, a stranger ends the session and its player is paid."""
    evm.patch.timestamp = offer.expires_at + 1_000 * DAY
    with boa.reverts("micro: more than is free"):
        micro.withdraw_bankroll(house.stream_id, 970 * EUR + 1, sender=house.operator.address)
    stranger = key("stranger").address
    empty = (offer.words, State().fields, NO_SIGNATURE, NO_RECEIPT, NO_BOOK, NO_POST)
    micro.start_exit(*empty, sender=stranger)
    evm.patch.timestamp += DAY
    micro.finalize(offer.words, State().fields, sender=stranger)
    assert money()[0] == 100 * EUR


def test_pooltogether_28_142_no_second_is_of_two_stages_or_of_none(desk, evm, house):
    """PoolTogether #28, #142: view and action disagree. Here a challenge ends as finalize begins."""
    desk.exit(State())
    later = desk.state([])
    end = desk.stored.end
    for second, challenged in [(end - 1, True), (end, False)]:
        evm.patch.timestamp = second
        with boa.env.anchor():
            if challenged:
                with boa.reverts("micro: too early to finalize"):
                    desk.finalize(State())
                desk.challenge(later)
            else:
                with boa.reverts("micro: challenge is over"):
                    desk.challenge(later)
                desk.finalize(State())
    assert end == NOW + HOUR


def test_pooltogether_141_a_late_transaction_meets_a_deadline(house, desk, offer, micro, wallet, session_key, evm):
    """PoolTogether #141: it acts on another state. Here offers and agreements say until when they are good."""
    until = NOW + 60
    signatures = [house.close(by, desk.session, 0, True, until) for by in (session_key, house.house_key)]
    other = replace(offer, salt=9)
    evm.patch.timestamp = other.valid_until + 1
    with boa.reverts("micro: offer has expired"):
        house.open(other)
    with boa.reverts("micro: agreement has expired"):
        micro.close(offer.words, 0, True, until, *signatures, sender=wallet.address)


def test_malleability_the_twin_of_a_signature_is_void(desk, state, house):
    """The same signature with n - s counts for nobody, so each has one form."""

    def twin(signature):
        r, vs = signature
        s = vs & 2**255 - 1
        return r, (SECP256K1_N - s) % 2**255 | (1 - (vs >> 255)) << 255

    arguments = list(desk.arguments(state))
    good = arguments[2]
    arguments[2] = twin(good)
    with boa.reverts("micro: not signed by player"):
        house.micro.start_exit(*arguments, sender=desk.wallet.address)
    arguments[2] = good
    n, epoch, head, signature = arguments[3]
    with boa.reverts("micro: no receipt"):
        house.micro.start_exit(
            *arguments[:3], (n, epoch, head, twin(signature)), *arguments[4:], sender=desk.wallet.address
        )
    house.micro.start_exit(*arguments, sender=desk.wallet.address)


def test_coinbase_wallet_sdk_1379_stablecoin_evm_470_wallets_without_a_key_play_by_their_session_key(
    house, coin, coin_escrow, owner, session_key, micro, evm
):
    """coinbase-wallet-sdk #1379: signatures of smart wallets have another form. Here a wallet sends and never signs."""
    wallet = boa.env.generate_address("smart wallet")
    fund(coin, coin_escrow, owner, wallet, 50 * EUR)
    offer = house.offer(wallet, session_key.address)
    session = house.open(offer)
    micro.top_up(offer.words, EUR, sender=wallet)
    agreed = house.close(session_key, session, 2 * EUR, True, NOW)
    micro.close(offer.words, 2 * EUR, True, NOW, agreed, NO_SIGNATURE, sender=house.operator.address)
    assert coin_escrow.balance_of(wallet) == 51 * EUR
