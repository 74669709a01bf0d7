"""What went wrong with those who report outcomes, harmless with panels: here with a prize that depends on them.

The panel of the staking product: three reporters of whom two decide, and another whose keys the tests hold. Signatures
one by one (malleable, void, replayed, of a fork): panels/test_submit_reports.py. Nobody posts a bond or is paid by the
staked tickets, so nothing can be kept or slashed.
"""

import boa
import pytest

from tessera.model.prizes import PrizeWeeks, period_of, start_of
from tests.panels import SECP256K1_N, Question, accounts, sign
from tests.prize_system import INVALID, USD

REVENUE = 1_000 * USD
HOUR, DAY = 3600, 86_400
SIGNERS = accounts(3)


@pytest.fixture
def event(system, staker, rival):
    """Staker predicts 0 and rival 1, with 1,000 USDC each; 1,000 USDC are in the running week."""
    return system.contested(staker, rival)


@pytest.fixture
def signed_panel(system):
    """A panel of three accounts that sign, of whom two decide, approved for events."""
    system.panel_id, usual = system.panels.create_panel([s.address for s in SIGNERS], 2), system.panel_id
    system.events.approve_panel(system.panel_id, sender=system.owner)
    yield system.panel_id
    system.panel_id = usual


def question(system, event):
    return Question(*system.question(event))


def signature(system, signer, event, outcome, panel_id=None, **changes):
    asked = question(system, event)._replace(**changes)
    panel_id = system.panel_id if panel_id is None else panel_id
    return sign(signer, system.panels.address, boa.env.evm.patch.chain_id, panel_id, asked, outcome)


def end(system, event):
    """To where only a result or the deadline is missing."""
    info = system.events.event_info(event)
    system.wait_until(start_of(period_of(info.not_before) + 1))
    system.mine(24 * system.blocks_per_hour)
    system.close()
    return info


def decided(system, event):
    return system.panels.result(system.panel_id, question(system, event).id)


def test_degens_two_outcomes_cannot_both_have_a_quorum(system, staker, rival, event):
    """There: two of four signed one outcome and two the other; the first transaction took the pot."""
    four = sorted((boa.env.generate_address() for _ in range(4)), key=lambda account: int(account, 16))
    with boa.reverts("panels: bad threshold"):
        system.panels.create_panel(four, 2)
    end(system, event)
    first, second, third = system.reporters
    for reporter, outcome in ((first, 0), (second, 1)):
        system.panels.report(system.panel_id, system.question(event), outcome, sender=reporter)
    with boa.reverts("panels: reported otherwise"):
        system.panels.report(system.panel_id, system.question(event), 1, sender=first)
    with boa.reverts("events: no result yet"):
        system.events.settle(event)
    system.panels.report(system.panel_id, system.question(event), 1, sender=third)
    system.events.settle(event)
    assert system.events.prize_of(event, rival) == system.prizes.event_prize(event) >= 900 * USD
    assert system.events.prize_of(event, staker) == 0


def test_azuro_safe_oracle_sx_bet_one_reporter_and_silence_hold_no_money(system, staker, rival, event):
    """There: one reporter without a deadline, or one who was paid for silence. Here: INVALID after the deadline, by
    anybody; the prize is shared again, to the unit, and every stake comes back.
    """
    weeks = PrizeWeeks(system.prizes.period())
    weeks.open_event(event, 1, period_of(system.events.event_info(event).not_before))
    weeks.add_revenue(REVENUE)
    info = end(system, event)
    weeks.close(period_of(boa.env.timestamp))
    system.panels.report(system.panel_id, system.question(event), 0, sender=system.reporters[0])
    boa.env.timestamp = info.result_deadline
    with boa.reverts("events: no result yet"):
        system.events.settle(event)
    boa.env.timestamp += 1
    with boa.reverts("panels: too late"):
        system.panels.report(system.panel_id, system.question(event), 0, sender=system.reporters[1])
    waiting = system.prizes.waiting_revenue()
    system.events.settle(event)
    assert system.events.result_of(event) == (True, INVALID, 0, 0)
    # A floor a period in the share and in what is carried.
    assert abs(system.prizes.waiting_revenue() - waiting - weeks.prize(event)) <= 1 + 2 * len(weeks.closed)
    for account in (staker, rival):
        assert system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=account) == 1_000 * USD
        assert system.usdc.balanceOf(account) == 10_000 * USD


@pytest.mark.parametrize("colluding", [1, 2])
def test_collusion_below_the_threshold_decides_nothing_and_at_it_moves_the_prize_but_no_stake(
    system, staker, rival, event, colluding
):
    """The bound of trust: one liar of three changes nothing, two give the prize to whom they like and no principal."""
    end(system, event)
    for reporter in system.reporters[:colluding]:
        system.panels.report(system.panel_id, system.question(event), 1, sender=reporter)
    if colluding < 2:
        for reporter in system.reporters[1:]:
            system.panels.report(system.panel_id, system.question(event), 0, sender=reporter)
    else:
        with boa.reverts("panels: already final"):
            system.panels.report(system.panel_id, system.question(event), 0, sender=system.reporters[2])
    system.events.settle(event)
    prize = system.prizes.event_prize(event)
    won = [system.events.prize_of(event, account) for account in (staker, rival)]
    assert won == ([prize, 0] if colluding < 2 else [0, prize])
    assert system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker) == 1_000 * USD


def test_reporters_who_agree_early_decide_nothing_while_somebody_can_still_predict(system, staker, event):
    """A result before the predictions are over would sell tickets on a known outcome."""
    info = system.events.event_info(event)
    system.wait_until(info.not_before - 1)
    with boa.reverts("panels: too early"):
        system.panels.report(system.panel_id, system.question(event), 1, sender=system.reporters[0])
    boa.env.timestamp += 1
    system.report(event, 1)
    with boa.reverts("events: result may be known"):
        system.events.predict(event, 1, sender=staker)


def test_batch_poisoning_one_bad_signature_holds_up_no_prize(system, signed_panel, staker, event):
    """There: one bad item reverted the others. Here: void, doubled and foreign signatures among two good ones."""
    event = system.create_event()
    system.events.predict(event, 0, sender=staker)
    end(system, event)
    good = [signature(system, signer, event, 0) for signer in SIGNERS[:2]]
    foreign = signature(system, accounts(4)[3], event, 0)
    batch = [(0, 0), (1, 2**256 - 1), foreign, good[0], good[0], good[1]]
    system.panels.submit_reports(signed_panel, [(question(system, event), 0, len(batch))], batch)
    assert decided(system, event) == (True, 0)
    system.events.settle(event)
    assert system.events.prize_of(event, staker) == system.prizes.event_prize(event) > 0


def test_replay_and_malleability_a_signature_is_one_vote_for_one_question(system, signed_panel, staker, event):
    """A member's vote in one event, or its twin with n - s, makes no second vote in another: the prize stays open."""
    first, second = system.create_event(), system.create_event()
    for number in (first, second):
        system.events.predict(number, 0, sender=staker)
    end(system, first)
    one = signature(system, SIGNERS[0], first, 0)
    r, vs = one
    s = vs & 2**255 - 1
    twin = r, (SECP256K1_N - s) % 2**255 | (1 - (vs >> 255)) << 255
    system.panels.submit_reports(signed_panel, [(question(system, first), 0, 3)], [one, one, twin])
    assert decided(system, first) == (False, 0)
    # For another event, of another panel of the same people, and of a question with other times.
    other = system.panels.create_panel([signer.address for signer in SIGNERS], 3)
    forged = [
        signature(system, SIGNERS[1], second, 0),
        signature(system, SIGNERS[1], first, 0, panel_id=other),
        signature(system, SIGNERS[1], first, 0, deadline=system.events.event_info(first).result_deadline + DAY),
    ]
    system.panels.submit_reports(signed_panel, [(question(system, first), 0, 3)], forged)
    assert decided(system, first) == decided(system, second) == (False, 0)
    system.panels.submit_reports(
        signed_panel, [(question(system, first), 0, 1)], [signature(system, SIGNERS[1], first, 0)]
    )
    assert decided(system, first) == (True, 0)


def test_equivocation_a_member_who_signs_both_outcomes_has_one_vote(system, signed_panel, staker, event):
    """Both sides submit the same member's signature: the first counts, and the other side still needs two."""
    event = system.create_event()
    end(system, event)
    reports = [(question(system, event), 0, 1), (question(system, event), 1, 2)]
    both = [signature(system, SIGNERS[0], event, 0)] + [signature(system, s, event, 1) for s in SIGNERS[:2]]
    system.panels.submit_reports(signed_panel, reports, both)
    assert decided(system, event) == (False, 0)
    system.panels.submit_reports(
        signed_panel, [(question(system, event), 1, 1)], [signature(system, SIGNERS[2], event, 1)]
    )
    assert decided(system, event) == (True, 1)
