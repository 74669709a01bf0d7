"""The rule of votes, sentence by sentence of docs/markets.md."""

import pytest

from tessera.model.lmsr import Outcome
from tessera.model.resolution import ANSWER, DAY, HOUR, LONGEST_VOTING, Dispute, TooLate, conclusion, window_end

YES, NO, INVALID = Outcome
DUE = 1_800_000_000


def heads(yes=0, no=0, invalid=0):
    return {YES: yes, NO: no, INVALID: invalid}


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        (heads(1), YES),  # nobody but the proposer
        (heads(1, 1), INVALID),  # half is not more than half
        (heads(2, 1), YES),
        (heads(1, 2), INVALID),  # two thirds are not more than two thirds
        (heads(1, 3), NO),
        (heads(2, 4), INVALID),
        (heads(2, 5), NO),
        (heads(1, 0, 3), INVALID),
        (heads(1, 3, 1), INVALID),
        (heads(3, 1, 1), YES),
        (heads(2, 1, 1), INVALID),
    ],
)
def test_half_to_stand_two_thirds_to_flip_doubt_refunds(counted, expected):
    assert conclusion(YES, counted, heads(9, 9, 9), 9) == expected


@pytest.mark.parametrize(("stake", "expected"), [(3, NO), (2, INVALID), (0, INVALID)])
def test_a_flip_takes_more_than_a_quarter_of_everything_staked(stake, expected):
    assert conclusion(YES, heads(1, 3), heads(no=stake), 8) == expected


@pytest.mark.parametrize(
    ("counted", "expected"), [(heads(1), YES), (heads(1, 1), None), (heads(1, 9), None), (heads(2, 1), YES)]
)
def test_an_early_proposal_is_accepted_or_refused(counted, expected):
    assert conclusion(YES, counted, heads(9, 9, 9), 9, early=True) == expected


@pytest.mark.parametrize("happened", [YES, NO])
def test_invalid_can_be_flipped_to_what_happened(happened):
    assert conclusion(INVALID, heads(invalid=1) | {happened: 3}, heads() | {happened: 3}, 8) == happened


@pytest.mark.parametrize(
    ("before", "by_creator", "replaces", "window"),
    [
        (0, True, False, 12 * HOUR),
        (0, True, True, DAY),
        (-2 * DAY, False, False, DAY),
        (-2 * DAY, False, True, DAY),
        (1, True, False, DAY),
        (2 * DAY, True, False, 2 * DAY + 12 * HOUR),
        (2 * DAY, True, True, 2 * DAY + 12 * HOUR),
        (30 * DAY, True, False, 7 * DAY),
    ],
)
def test_how_long_a_proposal_can_be_disputed(before, by_creator, replaces, window):
    proposed_at = DUE - before
    end = window_end(proposed_at, DUE, 12 * HOUR, by_creator=by_creator, replaces=replaces)
    assert end - proposed_at == window


def test_a_dispute_counts_the_proposer_and_the_last_vote_of_each():
    dispute = Dispute(NO, 10, DUE, proposers_stake=2)
    for voter, outcome, stake in (("a", YES, 3), ("b", INVALID, 1), ("a", NO, 3)):
        dispute.cast(voter, outcome, stake, DUE)
    assert dispute.heads == heads(no=2, invalid=1)
    assert dispute.stakes == heads(no=5, invalid=1)
    assert dispute.conclusion == NO


def test_a_vote_that_changes_the_conclusion_leaves_time_to_answer():
    dispute = Dispute(YES, 10, DUE)
    dispute.cast("a", NO, 1, DUE)
    assert dispute.ends_at == DUE + DAY
    dispute.cast("b", NO, 1, DUE + DAY - 1)  # doubt as before
    assert dispute.ends_at == DUE + DAY
    dispute.cast("c", NO, 1, DUE + DAY - 1)
    assert (dispute.conclusion, dispute.ends_at) == (NO, DUE + DAY - 1 + ANSWER)
    with pytest.raises(TooLate):
        dispute.cast("d", YES, 1, dispute.ends_at)
    assert dispute.heads == heads(1, 3)


@pytest.mark.parametrize("early", [False, True])
def test_at_the_end_of_two_days_a_vote_leads_to_doubt_only(early):
    dispute = Dispute(YES, 10, DUE, early)
    dispute.cast("a", NO, 1, DUE)
    dispute.ends_at = DUE + LONGEST_VOTING  # as votes may have extended it
    last = dispute.doubt_only_from
    dispute.cast("b", YES, 1, last - 1)
    dispute.cast("c", NO, 1, last)
    assert (dispute.conclusion, dispute.ends_at) == (dispute.doubt, DUE + LONGEST_VOTING)
    with pytest.raises(TooLate):
        dispute.cast("c", YES, 1, last)
    assert dispute.heads == heads(2, 2)
