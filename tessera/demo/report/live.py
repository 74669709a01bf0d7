"""Micro-bets on the page: balances over the replay, what was asked, each session's transactions, and who lied."""

from html import escape

from tessera.chain import EUR
from tessera.demo.live import OBSERVERS, PLAYERS, THRESHOLD
from tessera.demo.live_record import Lie, QuestionLine, ReplayPlayed, SessionLine, Step, choice_text
from tessera.demo.live_record import lies as lies_of
from tessera.demo.live_record import questions as questions_of
from tessera.demo.live_record import sessions as sessions_of
from tessera.demo.report.page import Section, gain, money
from tessera.model.sessions.states import liability_of
from tessera.observe import football

PRODUCT = "Micro-bets on a live stream"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 440, 190, 44, 10, 30, 24  # of a graph, and its margins
ETHER = 10**18


def sections(played: ReplayPlayed) -> list[Section]:
    """All that the page says of micro-bets."""
    return [
        Section(PRODUCT, "replay", "A match between two signatures", _replay(played)),
        Section(PRODUCT, "sessions", "Two transactions a session", _sessions(played)),
        Section(PRODUCT, "old-states", "Two who posted an old state", _lies(played)),
    ]


def _replay(played: ReplayPlayed) -> str:
    lines, match = sessions_of(played), played.match
    graphs = "".join(_graph(played, line) for line in lines)
    rows = "".join(map(_question, questions_of(played)))
    return f"""
<p class="lead">{escape(match.home)} – {escape(match.away)} is replayed at {played.speed:.0f} times its speed, and
{len(PLAYERS)} people bet on the next minutes. A bet is two signatures, the player’s and the house’s, and takes
milliseconds; the chain sees a session when it opens and when it ends. {THRESHOLD} of {len(OBSERVERS)} observers, of
whom one sees nothing, say what happened.</p>
<div class="matches">{graphs}</div>
<p class="note">What each could still stake, in EUR, by the engine’s journal: a bet takes its stake, a result brings
stake and win. Dashed: what the session began with. The lines with scores are goals.</p>
<div class="card"><h3>What was asked</h3><table class="friends"><thead><tr><th>Question</th><th>Bets</th><th>Staked</th>
<th>Won</th></tr></thead><tbody>{rows}</tbody></table>
<p class="note">In EUR. Odds are those of a question’s first quote: what a stake of 1 brings back.</p></div>"""


def _question(line: QuestionLine) -> str:
    choices = " · ".join(
        f"{escape(choice_text(line.question, number))} at {1 + liability_of(EUR, odds) / EUR:.2f}"
        for number, odds in enumerate(line.odds)
    )
    won = sum(bet.liability for bet in line.bets if bet.choice == line.outcome)
    return (
        f"<tr><td><b>{escape(line.question.text)}</b><small>{choices}. "
        f"It was: {escape(choice_text(line.question, line.outcome))}.</small></td>"
        f'<td data-label="Bets">{len(line.bets)}</td>'
        f'<td data-label="Staked">{money(sum(bet.stake for bet in line.bets))}</td>'
        f'<td class="together" data-label="Won">{money(won)}</td></tr>'
    )


def _graph(played: ReplayPlayed, line: SessionLine) -> str:
    """A player's balance over the replay, as steps."""
    begin, last = played.begin, line.curve[-1][0]
    amounts = [balance for _, balance in line.curve]
    low, high = min(amounts), max(amounts)
    end = max(last, begin + football.length(played.match, played.speed))

    def x(at: float) -> float:
        return LEFT + (at - begin) / (end - begin) * (WIDTH - LEFT - RIGHT)

    def y(amount: int) -> float:
        return HEIGHT - BOTTOM - (amount - low) / (high - low or 1) * (HEIGHT - TOP - BOTTOM)

    path = f"M{LEFT} {y(amounts[0]):.1f}" + "".join(f"H{x(at):.1f}V{y(amount):.1f}" for at, amount in line.curve[1:])
    deposit = y(amounts[0])
    labels = "".join(
        f'<text x="{LEFT - 6}" y="{y(amount) + 4:.1f}" text-anchor="end">{money(amount)}</text>'
        for amount in sorted({low, high})
    )
    goals = "".join(
        f'<line class="goal" x1="{x(at):.1f}" x2="{x(at):.1f}" y1="{TOP - 12}" y2="{HEIGHT - BOTTOM}"/>'
        f'<text class="goal-text" x="{x(at):.1f}" y="{TOP - 16}" text-anchor="middle">{score}</text>'
        for at, score in _goals(played)
    )
    return f"""<div class="card"><h3>{escape(line.name)}: {len(line.bets)} bets, {gain(line.net)} EUR</h3><figure><svg
 viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Balance of {escape(line.name)} over the replay">
<line class="fair" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{deposit:.1f}" y2="{deposit:.1f}"/>{goals}{labels}
<path class="price" d="{path}H{WIDTH - RIGHT}"/><text x="{LEFT}" y="{HEIGHT - 6}">kick-off</text>
<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">full time</text></svg></figure></div>"""


def _goals(played: ReplayPlayed) -> list[tuple[int, str]]:
    """When each goal falls in the replay, unix milliseconds, and the score then."""
    match = played.match
    sightings = football.replay(match, played.begin, played.speed)
    return [(seen.at, match.score(goal.at)) for seen, goal in zip(sightings, match.goals, strict=True)]


def _sessions(played: ReplayPlayed) -> str:
    lines = sessions_of(played)
    together = [line for line in lines if line.is_together]
    rows = "".join(map(_session, lines))
    steps = "".join(_step(line.name, step) for line in lines for step in line.steps)
    bets = sum(len(line.bets) for line in together)
    gas = sum(line.gas for line in together)
    return f"""
<p class="lead">{" and ".join(line.name for line in together)} and the house agree on what their bets came to. Opening
and close are all that the chain sees of {bets} bets: {gas / len(together):,.0f} gas a session, {gas / bets:,.0f} a bet,
and less the more bets there are.</p>
<div class="card"><table class="friends"><thead><tr><th>Player</th><th>Began with</th><th>Bets</th>
<th>Transactions</th><th>Gas</th><th>Cost in ETH</th><th>Bets won</th><th>Together</th></tr></thead><tbody>{rows}
</tbody></table>
<p class="note">In EUR. Together: what the bets won or lost, less the activation cost, which is the house’s for its
stream.</p></div>
<div class="card"><h3>Each transaction</h3><table class="friends"><thead><tr><th>Transaction</th><th>Gas</th>
<th>Gwei a unit of gas</th><th>Cost in ETH</th></tr></thead><tbody>{steps}</tbody></table>
<p class="note">Gas and its price by the receipts of the chain inside the demo, whose price is that of a chain without
traffic. Whoever opens, posts or answers pays; the house pays the close.</p></div>"""


def _session(line: SessionLine) -> str:
    return (
        f"<tr><td><b>{escape(line.name)}</b><small>{'closed together' if line.is_together else 'ended by an exit'}"
        f'</small></td><td data-label="Began with">{money(line.session.offer.deposit)}</td>'
        f'<td data-label="Bets">{len(line.bets)}</td><td data-label="Transactions">{len(line.steps)}</td>'
        f'<td data-label="Gas">{line.gas:,}</td><td data-label="Cost in ETH">{line.wei / ETHER:.6f}</td>'
        f'<td data-label="Bets won">{gain(line.net)}</td>'
        f'<td class="together" data-label="Together">{gain(line.gain)}</td></tr>'
    )


def _step(name: str, step: Step) -> str:
    return (
        f"<tr><td><b>{escape(name)}: {escape(step.text)}</b><small>{step.transaction[:18]}…</small></td>"
        f'<td data-label="Gas">{step.gas:,}</td><td data-label="Gwei a unit">{step.price / 10**9:.2f}</td>'
        f'<td class="together" data-label="Cost in ETH">{step.wei / ETHER:.6f}</td></tr>'
    )


def _lies(played: ReplayPlayed) -> str:
    rows = "".join(map(_lie, lies_of(played)))
    findings = "".join(f"<li>{escape(line[0].upper() + line[1:])}.</li>" for line in played.findings)
    return f"""
<p class="lead">Who may end a session alone may try it by an old state. The other side has an hour or a day to post a
newer one: the engine does it by itself for the house, the client for a player, who needs no engine for that.</p>
<div class="card"><table class="friends"><thead><tr><th>Session</th><th>Posted</th><th>Answered with</th>
<th>The old state pays</th><th>Paid</th></tr></thead><tbody>{rows}</tbody></table>
<p class="note">To the player, in EUR, activation cost included where it comes back. States have numbers: each bet makes
the next.</p></div>
<div class="card"><h3>Does it add up?</h3><ul>{findings}</ul></div>"""


def _lie(lie: Lie) -> str:
    by = (
        f"{lie.name} posted an old state, the engine answered"
        if lie.by_player
        else (f"the house posted an old state, {lie.name} answered")
    )
    return (
        f"<tr><td><b>{escape(lie.name)}</b><small>{escape(by)}</small></td>"
        f'<td data-label="Posted">{lie.posted.seq}</td><td data-label="Answered with">{lie.newest.seq}</td>'
        f'<td data-label="The old state pays">{money(lie.wanted)}</td>'
        f'<td class="together" data-label="Paid">{money(lie.paid)}</td></tr>'
    )
