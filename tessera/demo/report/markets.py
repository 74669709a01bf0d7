"""The friends' markets on the page: who won what, what a goal is worth, what it all costs, and every match."""

from datetime import UTC, datetime
from html import escape

from tessera.chain import EUR, WAD, Outcome
from tessera.demo.friends import FRIENDS
from tessera.demo.plan import Ending
from tessera.demo.play import Played
from tessera.demo.record import Bet, Game, Record, Standing, by_information, price_brier, unpriced
from tessera.demo.report.page import Head, Section, cents, gain, money, percent
from tessera.observe.matches import BREAK, HALF, MINUTE, load

HABITS = {friend.name: friend.habit for friend in FRIENDS}
KINDS = {
    Ending.PLAIN: "plain",
    Ending.VOTED: "disputed",
    Ending.RULED: "disputed",
    Ending.UNCLEAR: "invalid",
    Ending.DOUBTED: "disputed invalid",
    Ending.UNRULED: "disputed silent invalid",
    Ending.EARLY: "early",
    Ending.SILENT: "silent",
    Ending.EXPIRED: "silent invalid",
}
PRODUCT = "Friends’ markets"
CHIPS = {
    "all": "All",
    "disputed": "Disputed",
    "early": "Early result",
    "silent": "Somebody silent",
    "invalid": "Ended INVALID",
}


def head(played: Played) -> Head:
    """The season in a sentence and five figures."""
    record = played.record
    goals = sum(len(game.fixture.match.goals) for game in record.games)
    paid = sum(standing.paid for standing in record.standings)
    return Head(
        "A season of friends’ markets",
        f"{len(record.standings)} friends with 50 EUR of play money each bet on {len(record.games)} matches of"
        " Euro 2024, one euro at a time, before and during the match. Every market was a contract, and every cent is"
        " accounted for.",
        [
            (str(len(record.games)), "markets, all finalized"),
            (f"{len(record.bets):,}", "bets of 1 EUR"),
            (str(goals), "goals"),
            (money(paid), "EUR paid to bettors"),
            ("0.000000", "EUR left in the pots"),
        ],
    )


def sections(played: Played) -> list[Section]:
    """All that the page says of friends’ markets."""
    record = played.record
    return [
        Section(PRODUCT, "friends", "Who won what", _friends(record)),
        Section(PRODUCT, "goals", "The minute after a goal", _goals(record)),
        Section(PRODUCT, "cost", "What it costs", _cost(record)),
        Section(PRODUCT, "matches", "Every match", _matches(record)),
        Section(PRODUCT, "books", "Do the books close?", _books(played)),
    ]


def data(played: Played) -> dict:
    """What page.js draws. Times in unix seconds, money in EUR, prices and chances of YES from 0 to 1."""
    record = played.record
    ended = sorted(record.games, key=lambda game: game.decided_at)
    return {
        "games": [_drawn(game) for game in record.games],
        "race": {
            "labels": [f"{game.fixture.match.home}–{game.fixture.match.away}" for game in ended],
            "curves": [
                {"name": standing.name, "curve": [round(gained / EUR, 2) for gained in standing.curve]}
                for standing in record.standings
            ],
        },
        "unpriced": [[after, round(gap, 4)] for after, gap in unpriced(record.games)],
        "delays": [[friend.name, friend.delay] for friend in FRIENDS if friend.hands],
        "books": [
            {"creator": game.creator, "gain": game.creator_gain / EUR, "match": _title(game)}
            for game in sorted(record.games, key=lambda game: game.creator_gain)
        ],
    }


def _drawn(game: Game) -> dict:
    fixture, match = game.fixture, game.fixture.match
    return {
        "opened": game.opened_at,
        "kickoff": match.kickoff,
        "closes": fixture.closes_at,
        "end": match.full_time,
        "p0": fixture.p0,
        "goals": [
            {"at": goal.at, "minute": goal.minute, "team": goal.team, "score": match.score(goal.at)}
            for goal in match.goals
        ],
        "fair": [[at, round(fixture.fair(at), 4)] for at in _fair_times(game)],
        "bets": [
            {
                "at": bet.at,
                "who": bet.who,
                "side": bet.side.name,
                "odds": round(bet.shares / WAD, 3),
                "before": round(bet.before, 4),
                "after": round(bet.after, 4),
                "when": _when(game, bet),
            }
            for bet in game.bets
        ],
    }


def _fair_times(game: Game) -> list[int]:
    match = game.fixture.match
    even = range(match.kickoff, match.full_time, 3 * MINUTE)
    jumps = [at for goal in match.goals for at in (goal.at - 1, goal.at)]
    return sorted({game.opened_at, *even, *jumps, match.full_time})


def _when(game: Game, bet: Bet) -> str:
    match = game.fixture.match
    if bet.at < match.kickoff:
        hours = (match.kickoff - bet.at) / 3600
        return f"{hours:.0f} h before kick-off" if hours >= 1.5 else f"{hours * 60:.0f} min before kick-off"
    if bet.since_goal is not None and bet.since_goal <= 3 * MINUTE:
        return f"{bet.since_goal} s after {match.score(bet.at)}"
    played = bet.at - match.kickoff
    if HALF + 3 * MINUTE < played < HALF + BREAK:
        return "half-time"
    minute = played // MINUTE + 1 if played < HALF + BREAK else (played - BREAK) // MINUTE + 1
    return f"minute {minute}, {match.score(bet.at)}"


def _friends(record: Record) -> str:
    best, worst = record.standings[0], record.standings[-1]
    widest = max(max(abs(standing.total) for standing in record.standings), 1)
    rows = "".join(_friend(standing, widest) for standing in record.standings)
    totals = [sum(getattr(standing, name) for standing in record.standings) for name in ("bets", "staked", "paid")]
    sums = [sum(getattr(standing, name) for standing in record.standings) for name in ("gain", "creator_gain", "total")]
    return f"""
<p class="lead"><b>{best.name}</b>, who {escape(HABITS[best.name])}, ended {gain(best.total)} EUR;
<b>{worst.name}</b>, who {escape(HABITS[worst.name])}, {gain(worst.total)} EUR. What one gains the others lose.</p>
<div class="card"><h3>Gains and losses, market by market, in EUR</h3><figure data-draw="race"
 aria-label="Cumulative gain of each friend after each decided market"></figure></div>
<div class="card"><table class="friends"><thead><tr><th>Friend</th><th>Bets</th><th>Stake</th><th>Payout</th>
<th>As bettor</th><th>As creator</th><th>Brier</th><td></td><td></td><th>Together</th></tr></thead><tbody>{rows}
<tr class="total"><td>All</td><td data-label="Bets">{totals[0]:,}</td><td data-label="Stake">{money(totals[1])}</td>
<td data-label="Payout">{money(totals[2])}</td><td data-label="As bettor">{gain(sums[0])}</td>
<td data-label="As creator">{gain(sums[1])}</td><td></td><td class="spark"></td><td class="bar"></td>
<td class="together">{gain(sums[2])}</td></tr></tbody></table></div>
<p class="note">In EUR. As creator: what came back of the 10 EUR seeds, less the seeds. The Brier score is of the
probability at which each bet breaks even, stake over shares: by betting one says “at least that”. 0 is perfect, 0.250
is what a coin gets. It scores the odds that were taken and not the gain: who backs outsiders at long odds can score
well and lose. Bets in markets that ended INVALID do not count; their stakes came back in full.</p>"""


def _friend(standing: Standing, widest: int) -> str:
    brier = "–" if standing.brier is None else f"{standing.brier:.3f}"
    return (
        f"<tr><td><b>{standing.name}</b><small>{escape(HABITS[standing.name])}</small></td>"
        f'<td data-label="Bets">{standing.bets}</td><td data-label="Stake">{money(standing.staked)}</td>'
        f'<td data-label="Payout">{money(standing.paid)}</td><td data-label="As bettor">{gain(standing.gain)}</td>'
        f'<td data-label="As creator">{gain(standing.creator_gain)}</td><td data-label="Brier">{brier}</td>'
        f'<td class="spark">{_spark(standing.curve)}</td><td class="bar">{_bar(standing.total / widest)}</td>'
        f'<td class="together" data-label="Together">{gain(standing.total)}</td></tr>'
    )


def _spark(curve: list[int]) -> str:
    low, high = min(curve), max(curve)
    points = " ".join(
        f"{96 * index / max(1, len(curve) - 1):.1f},{26 - 24 * (value - low) / (high - low or 1):.1f}"
        for index, value in enumerate(curve)
    )
    zero = 26 - 24 * (0 - low) / (high - low or 1)
    return (
        f'<svg viewBox="0 0 96 28" aria-hidden="true"><line x1="0" x2="96" y1="{zero:.1f}" y2="{zero:.1f}"/>'
        f'<path d="M{points}"/></svg>'
    )


def _bar(share: float) -> str:
    width = abs(share) * 68
    x = 70 if share >= 0 else 70 - width
    return (
        f'<svg viewBox="0 0 140 16" aria-hidden="true"><rect class="{"pos" if share >= 0 else "neg"}" x="{x:.1f}" y="2"'
        f' width="{width:.1f}" height="12" rx="2"/><line x1="70" x2="70" y1="0" y2="16"/></svg>'
    )


def _goals(record: Record) -> str:
    groups = by_information(record)
    cards = "".join(
        f'<div class="card"><h3>{group.count:,} bets {kind}</h3><p class="big">{cents(group.realised)}</p>'
        f'<p class="note">gained per euro staked; the ratings expected {cents(group.expected)}</p></div>'
        for kind, group in groups.items()
        if group.count
    )
    return f"""
<p class="lead">Nobody moves the price when a goal falls. The first who bets does, and is paid for it: that is how news
gets into the price, and the creator of the market is who pays.</p>
<div class="three">{cards}</div>
<div class="card"><h3>How far the price is off after a goal, on average, in percentage points</h3>
<figure data-draw="unpriced" aria-label="Distance of the price from the fair chance by seconds after a goal"></figure>
<p class="note">Measured against the ratings’ chance with the new score and the time left. The lines are the moments at
which the friends who react see the goal: one bet per market every five seconds, so they queue. Goals count after which
betting stays open for three minutes without another goal.</p></div>"""


def _cost(record: Record) -> str:
    bets = [bet for _, bet in record.bets]
    moving = sum(bet.price_paid_for_moving for bet in bets) / max(1, len(bets))
    creators = sum(game.creator_gain for game in record.games)
    worst = min(record.games, key=lambda game: game.creator_gain)
    lost = sum(game.creator_gain < 0 for game in record.games)
    scores = price_brier(record.games)
    learned = (
        f"""<div class="card"><h3>Did the prices learn?</h3><p class="big">{scores[0]:.3f} → {scores[1]:.3f}</p>
<p class="note">mean Brier score of the first prices and of the prices at kick-off. Lower is better, a coin gets 0.250.
So few matches say little: the first prices are a crude rating on purpose.</p></div>"""
        if scores
        else ""
    )
    broke = (
        f"<p class='note'>{record.skipped_for_money} times a friend wanted to bet and had no euro left just then.</p>"
        if record.skipped_for_money
        else ""
    )
    return f"""
<p class="lead">There is no commission, and the house is one of the friends: the creator of each market puts in 10 EUR,
takes every bet, and can lose those 10 EUR at most.</p>
<div class="three">
<div class="card"><h3>A bettor’s price</h3><p class="big">{cents(-moving)}</p><p class="note">per euro for whoever knows
no more than the price, because each bet moves the price against itself. A loss on average, in every market, however
long one plays.</p></div>
<div class="card"><h3>All creators together</h3><p class="big">{gain(creators)} EUR</p><p class="note">{lost} of
{len(record.games)} markets cost their creator money; the dearest {gain(worst.creator_gain)} EUR,
{escape(_title(worst))}. Ignorant bets pay the creators, informed bets cost them more: the price of having a market at
all.</p></div>
{learned}
</div>
<div class="card"><h3>What each market brought its creator, in EUR</h3><figure data-draw="books"
 aria-label="Gain of the creator of each market, from the worst to the best"></figure>
<p class="note">From the worst to the best. The axis ends at −10 EUR: no market can cost more.</p></div>{broke}"""


def _matches(record: Record) -> str:
    dates = {match.number: match.kickoff for match in load()}
    counts = {kind: sum(kind in KINDS[game.fixture.ending].split() for game in record.games) for kind in CHIPS}
    counts["all"] = len(record.games)
    chips = "".join(
        f'<button data-kind="{kind}" aria-pressed="{str(kind == "all").lower()}">{label} · {counts[kind]}</button>'
        for kind, label in CHIPS.items()
        if counts[kind]
    )
    cards = "".join(_card(index, game, dates[game.fixture.match.number]) for index, game in enumerate(record.games))
    return f"""
<p class="lead">The price of YES is what the friends’ money says the favourite’s chance is. A share pays 1 EUR if its
side is right. Point at a mark, or touch it, to see whose bet it was.</p>
<ul class="key">
<li><svg viewBox="0 0 16 12"><path class="price" d="M0 9H8V3H16"/></svg>price of YES</li>
<li><svg viewBox="0 0 16 12"><path class="fair" d="M0 6H16"/></svg>the ratings’ chance, given the score</li>
<li><svg viewBox="0 0 16 12"><path class="yes" d="M3 10H13L8 2Z"/></svg>a bet on YES</li>
<li><svg viewBox="0 0 16 12"><path class="no" d="M3 2H13L8 10Z"/></svg>a bet on NO</li>
<li><svg viewBox="0 0 16 12"><path class="goal" d="M8 0V12"/><circle class="ball" cx="8" cy="9" r="3"/></svg>a goal</li>
<li><svg viewBox="0 0 16 12"><path class="closed" d="M8 0V12"/></svg>betting ends</li>
</ul>
<div class="chips">{chips}</div><div class="matches">{cards}</div>"""


def _card(index: int, game: Game, true_kickoff: int) -> str:
    fixture, match = game.fixture, game.fixture.match
    later = "" if match.decided_in == "90 minutes" else f" · {escape(match.winner)} won {_later(match.decided_in)}"
    odd = "" if fixture.ending is Ending.PLAIN else f'<span class="badge odd">{escape(fixture.ending.value)}</span>'
    best = max(game.gains.items(), key=lambda item: item[1], default=None)
    facts = [
        f"opened at {percent(fixture.p0)}",
        f"{len(game.bets)} bets",
        f"creator {game.creator} {gain(game.creator_gain)}",
    ]
    if best and best[1] > 0:
        facts.append(f"best bettor {best[0]} {gain(best[1])}")
    return f"""<article class="card match" data-kinds="{KINDS[fixture.ending]}">
<div class="teams">{escape(match.home)} <span class="score">{match.score(match.full_time)}</span>
{escape(match.away)}</div>
<p class="meta">{escape(match.round)}{later} · played {_date(true_kickoff)}, here {_date(match.kickoff)}</p>
<p class="question">{escape(fixture.terms()["question"])}
<span class="badge {_name(game.outcome)}">{_name(game.outcome)}</span>{odd}</p>
<figure data-draw="match" data-game="{index}" aria-label="Price of YES in {escape(_title(game))}"></figure>
<p class="facts">{"".join(f"<span>{fact}</span>" for fact in facts)}</p>{_steps(game)}</article>"""


def _name(outcome: Outcome | None) -> str:
    return "" if outcome is None else str(outcome.name)


def _steps(game: Game) -> str:
    """The way to the outcome where it was not the plain one; votes are counted, not listed."""
    if game.fixture.ending is Ending.PLAIN:
        return ""
    lines = []
    for step in game.steps:
        if step.verb == "proposed":
            role = "the creator" if step.who == game.creator else "a bettor"
            lines.append((step.at, f"{step.who}, {role}, proposed {_name(step.outcome)}"))
        elif step.verb == "disputed":
            lines.append((step.at, f"{step.who} disputed: “{escape(step.reason)}”"))
        elif step.verb == "ruled":
            lines.append((step.at, f"{step.who}, the referee, ruled {_name(step.outcome)}"))
        elif step.verb == "final":
            votes = list({each.who: each.outcome for each in game.steps if each.verb == "voted"}.values())
            if votes:
                count = ", ".join(
                    f"{votes.count(outcome)} {outcome.name}" for outcome in Outcome if votes.count(outcome)
                )
                lines.append((step.at, f"the bettors had voted: {count}"))
            if game.fixture.ending is Ending.EXPIRED:
                lines.append((step.at, "nobody had proposed an outcome for seven days"))
            back = ": every stake and the seed went back" if step.outcome is Outcome.INVALID else ""
            lines.append((step.at, f"final: {_name(step.outcome)}{back}"))
    items = "".join(f"<li><time>{_clock(at)}</time><span>{text}</span></li>" for at, text in lines)
    return f'<ol class="steps">{items}</ol>'


def _books(played: Played) -> str:
    lines = "".join(f"<li>{escape(line[0].upper() + line[1:])}.</li>" for line in played.findings)
    return f"""<div class="card"><p class="lead">Yes. Before this page was written the demo asked the chain, rebuilt
everything from the logs a second time, and compared to the last unit of a millionth of a euro. Had one differed, there
would be no page.</p><ul>{lines}</ul></div>"""


def _title(game: Game) -> str:
    match = game.fixture.match
    return f"{match.home} {match.score(match.full_time)} {match.away}"


def _later(decided_in: str) -> str:
    return {"extra time": "after extra time", "penalties": "on penalties"}[decided_in]


def _date(at: int) -> str:
    when = datetime.fromtimestamp(at, UTC)
    return f"{when.day} {when:%B %Y}"


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%a %d %b %H:%M}"
