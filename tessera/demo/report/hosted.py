"""Hosted bets on the page: the host's file, what was bet, what players were shown, and that everybody was paid."""

from html import escape

from tessera.demo.hosted import HOST, PLAYERS, VALIDATORS
from tessera.demo.hosted_record import STATUSES, EveningPlayed, gains, hosted_bets
from tessera.demo.report.page import Section, gain, money

PRODUCT = "Hosted bets"


def sections(played: EveningPlayed) -> list[Section]:
    """All that the page says of hosted bets."""
    return [
        Section(PRODUCT, "hosted", "An evening with a host", _bets(played)),
        Section(PRODUCT, "paid", "Who was paid", _people(played)),
    ]


def _bets(played: EveningPlayed) -> str:
    rows = "".join(
        f"<tr><td><b>{escape(line.description)}</b><small>{'fixed odds' if line.has_odds else 'a pool'} · "
        f'{escape(line.outcome)}</small></td><td data-label="Stakes">{line.stakes}</td>'
        f'<td class="together" data-label="Staked">{money(line.staked)}</td></tr>'
        for line in hosted_bets(played)
    )
    shown = "".join(
        f"<tr><td><b>{escape(when)}</b></td>"
        + "".join(f'<td data-label="{status}">{counted[status]}</td>' for status in STATUSES)
        + "</tr>"
        for when, counted in played.shown
    )
    heads = "".join(f"<th>{status}</th>" for status in STATUSES)
    return f"""
<p class="lead">{HOST} offers the bets of a file. {len(PLAYERS)} people connect to the node over WebSocket, prove their
addresses, check the host’s signature of each bet and bet against it or against each other: by bets that they sign and
the host lands, or by transactions of their own. {len(VALIDATORS)} validators say what happened.</p>
<div class="card"><h3>What was bet, in EUR</h3><table class="friends"><thead><tr><th>Bet</th><th>Stakes</th>
<th>Staked</th></tr></thead><tbody>{rows}</tbody></table></div>
<div class="card"><h3>What players’ clients showed, in stakes</h3><table class="friends"><thead><tr><th>When</th>{heads}
</tr></thead><tbody>{shown}</tbody></table>
<p class="note">Pending: at odds that nothing covers yet. Refunded: the validators said nothing in time, so every stake
went back.</p></div>
<div class="card"><h3>bets.ini</h3><pre>{escape(played.file)}</pre></div>"""


def _people(played: EveningPlayed) -> str:
    rows = "".join(
        f"<tr><td><b>{escape(person.name)}</b><small>{_role(person.name)}</small></td>"
        f'<td data-label="Staked">{money(person.staked)}</td><td data-label="Paid">{money(person.paid)}</td>'
        f'<td data-label="Commission or rest">{money(person.earned)}</td>'
        f'<td class="together" data-label="Together">{gain(person.gain)}</td></tr>'
        for person in gains(played)
    )
    lines = "".join(f"<li>{escape(line[0].upper() + line[1:])}.</li>" for line in played.findings)
    return f"""
<div class="card"><table class="friends"><thead><tr><th>Person</th><th>Staked</th><th>Paid</th>
<th>Commission or rest</th><th>Together</th></tr></thead><tbody>{rows}</tbody></table>
<p class="note">In EUR. The host’s stake is the bankroll behind the odds, of which the rest comes back.</p></div>
<div class="card"><h3>Does it add up?</h3><ul>{lines}</ul></div>"""


def _role(name: str) -> str:
    return "host" if name == HOST else "validator" if name in VALIDATORS else "player"
