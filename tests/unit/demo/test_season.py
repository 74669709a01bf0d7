"""A season of six matches, end to end on the embedded chain: each way in which a market is decided but silence."""

from dataclasses import replace
from itertools import pairwise
from random import Random
from types import SimpleNamespace

import pytest

from tessera.accounting.ledger import LedgerError
from tessera.chain import EUR, Outcome, Terms
from tessera.chain.embedded import embedded_web3
from tessera.chain.escrow import Entry, Kind
from tessera.chain.lmsr_markets import ClaimSkipped, VoteCast
from tessera.demo.agenda import Agenda
from tessera.demo.audit import AuditError, audit
from tessera.demo.friends import FRIENDS
from tessera.demo.markets import BrokeError, Game, Season
from tessera.demo.plan import Ending, plan
from tessera.demo.play import Watcher, play
from tessera.demo.report import write
from tessera.observe.matches import DAY, HOUR
from tests.undo import undone

YES, NO, INVALID = Outcome.YES, Outcome.NO, Outcome.INVALID


class Listener(Watcher):
    def __init__(self):
        self.stages, self.steps, self.told = [], [], []

    def stage(self, text):
        self.stages.append(text)

    def step(self, done, of, at):
        self.steps.append((done, of, at))

    def tell(self, text):
        self.told.append(text)


@pytest.fixture(scope="module")
def listener():
    return Listener()


@pytest.fixture(scope="module")
def played(listener):
    return play(embedded_web3(), 6, watcher=listener)


def bets_of(played):
    game = played.record.games[0]
    return [(bet.who, bet.side, bet.at - game.fixture.match.kickoff, bet.shares) for bet in game.bets]


def test_every_market_ends_as_planned(played):
    games = {game.fixture.ending: game for game in played.record.games}
    assert set(games) == set(Ending) - {Ending.PLAIN, Ending.SILENT, Ending.EXPIRED}
    for ending in (Ending.VOTED, Ending.RULED):
        game = games[ending]
        truth = YES if game.fixture.happened else NO
        assert [step.outcome for step in game.steps if step.verb == "proposed"] == [truth.other]
        assert game.outcome is truth
    assert [step.who for step in games[Ending.RULED].steps if step.verb == "ruled"] == [games[Ending.RULED].referee]
    assert games[Ending.RULED].referee not in games[Ending.RULED].gains
    for ending in (Ending.UNCLEAR, Ending.DOUBTED, Ending.UNRULED):
        assert games[ending].outcome is INVALID
        assert games[ending].gains
        assert all(amount == 0 for amount in games[ending].gains.values())
    assert games[Ending.UNRULED].referee not in games[Ending.UNRULED].gains
    assert "ruled" not in [step.verb for step in games[Ending.UNRULED].steps]


def test_a_flip_has_two_thirds_of_the_heads_and_a_quarter_of_the_stakes(played):
    (game,) = [game for game in played.record.games if game.fixture.ending is Ending.VOTED]
    tally = played.club.markets.tally(game.market_id)
    truth = YES if game.fixture.happened else NO
    assert tally.heads[truth.other] == 1  # the creator's word
    assert 3 * tally.heads[truth] > 2 * sum(tally.heads.values())
    assert 4 * tally.stakes[truth] > tally.staked


def test_an_early_result_is_proposed_before_it_is_due_and_waits_for_a_day(played):
    (game,) = [game for game in played.record.games if game.fixture.ending is Ending.EARLY]
    market = played.club.markets.market(game.market_id)
    assert market.proposed_at < market.expected_result_at
    assert market.window_ends_at - market.proposed_at == DAY
    assert game.outcome is (YES if game.fixture.happened else NO)


def test_people_bet_before_and_during_every_match(played):
    for game in played.record.games:
        match = game.fixture.match
        times = [bet.at for bet in game.bets]
        assert min(times) < match.kickoff < max(times) < game.fixture.closes_at
        assert all(later - sooner >= 5 for sooner, later in pairwise(times))
        assert game.creator not in game.gains


def test_the_fast_bet_before_the_price_has_moved(played):
    fresh = [bet for _, bet in played.record.bets if bet.since_goal is not None and bet.since_goal <= 15]
    assert {bet.who for bet in fresh} <= {"Bruno", "Chiara"} | {one.name for one in FRIENDS if one.live or one.late}
    assert {"Bruno", "Chiara"} <= {bet.who for bet in fresh}
    fast = [bet for bet in fresh if bet.who in ("Bruno", "Chiara")]
    assert all(bet.expected_gain > 0 for bet in fast)


def test_losers_in_a_batch_are_skipped_and_logged(played):
    assert any(isinstance(row, ClaimSkipped) for row in played.rows)
    assert any(isinstance(row, VoteCast) for row in played.rows)


def test_somebody_looking_on_sees_progress(played, listener):
    assert len(listener.stages) == 4
    assert [done for done, _, _ in listener.steps] == list(range(len(listener.steps)))
    assert all(done < of for done, of, _ in listener.steps)
    assert listener.steps[-1][0] == listener.steps[-1][1] - 1
    assert sum(" final " in text for text in listener.told) == 6


def test_everything_adds_up(played):
    assert len(played.findings) == 4
    assert sum(one.total for one in played.record.standings) == 0
    assert sum(played.club.balances.values()) == 12 * 50 * EUR


def test_audit_fails_over_a_missing_log(played):
    rows = list(played.rows)
    rows.remove(next(row for row in rows if isinstance(row, Entry) and row.kind is Kind.BET_DEBIT))
    with pytest.raises(LedgerError):
        audit(played.club, rows, played.record)


def test_audit_fails_over_a_unit_of_gain(played):
    best, *others = played.record.standings
    wrong = replace(played.record, standings=[replace(best, paid=best.paid + 1), *others])
    with pytest.raises(AuditError, match=f"{best.name} holds .*\ngains and losses add up to 1"):
        audit(played.club, played.rows, wrong)


def test_audit_fails_over_a_claim_paid_wrong(played):
    games = played.record.games
    who = next(iter(games[0].gains))
    wrong = replace(games[0], paid=games[0].paid | {who: games[0].paid.get(who, 0) + 1})
    with pytest.raises(AuditError, match=f"{who} in market 1: .* paid, .* due"):
        audit(played.club, played.rows, replace(played.record, games=[wrong, *games[1:]]))


def test_page_of_the_season_is_written(played, tmp_path):
    page = write(played, tmp_path).read_text(encoding="utf-8")
    assert page.count('data-draw="match"') == 6
    assert "the referee, ruled" in page
    assert "every stake and the seed went back" in page


def test_audit_fails_over_an_open_market(played):
    club = played.club
    name = max(club.balances, key=club.balances.get)
    with undone(club.web3):
        club.wait_until(played.club.now + DAY)
        times = {"expected_result_at": club.now + DAY, "closes_at": 0, "event_start_at": 0, "dispute_window": 12 * HOUR}
        club.create_market(name, Terms("?", "yes", "no", "rules", "source")._asdict(), p0=0.5, referee=None, **times)
        with pytest.raises(AuditError) as failed:
            audit(club, played.rows, played.record)
        assert "market 7 is not finalized" in str(failed.value)
        assert "pot 7 still holds 10000000" in str(failed.value)
        with pytest.raises(AuditError, match="the logs leave 10000000 in pot"):
            audit(club, club.rows(), played.record)


def test_same_seed_gives_the_same_bets_on_another_day():
    now, later = embedded_web3(), embedded_web3()
    later.provider.ethereum_tester.time_travel(later.eth.get_block("latest")["timestamp"] + 40 * DAY + 1234)
    one, two = (play(web3, 1) for web3 in (now, later))
    assert len(bets_of(one)) > 10
    assert bets_of(one) == bets_of(two)
    assert one.fixtures[0].match.kickoff != two.fixtures[0].match.kickoff


def test_creators_take_turns_and_the_poor_are_passed_over():
    club = SimpleNamespace(balances={friend.name: 10 * EUR for friend in FRIENDS})
    club.balances["Bruno"] -= 1
    season = Season(club, Agenda(), [], 0, lambda _: None)
    assert [season.next_creator().name for _ in range(3)] == ["Ada", "Chiara", "Dev"]


def test_a_season_without_a_seed_says_so():
    club = SimpleNamespace(balances={friend.name: 10 * EUR - 1 for friend in FRIENDS})
    with pytest.raises(BrokeError, match="nobody has 10 EUR left"):
        Season(club, Agenda(), [], 0, lambda _: None).next_creator()


def test_who_has_no_euro_left_is_counted():
    (fixture,) = plan(1, 0)
    greta = next(friend for friend in FRIENDS if friend.name == "Greta")
    club = SimpleNamespace(balances={"Greta": EUR - 1}, prices={1: 0.5}, now=fixture.match.kickoff)
    season = Season(club, Agenda(), [], 0, lambda _: None)
    game = Game(season, fixture, Random(0))
    game.market_id = 1
    game.look(greta)
    assert season.skipped_for_money == 1
    assert game.positions == {}
