"""Staked tickets on the page: each week's prize, who won, and that all principal came back."""

from html import escape

from tessera.chain import WAD
from tessera.chain.staking_pool import USD
from tessera.demo.report.page import Section, percent
from tessera.demo.stakers_audit import sums
from tessera.demo.stakers_plan import BET_PER_BLOCK, LENDING, STAKERS, WEEKS
from tessera.demo.stakers_record import WeeksPlayed, bought_back, events, people, weeks, yields
from tessera.local.chain import UNITS
from tessera.model.apy import ASSUMPTIONS

PRODUCT = "Staked tickets"
PARTS = {"yes": "events", "no": "buyback", "ball": "carried"}  # of a week's prize, by the colour of its bar


def sections(played: WeeksPlayed) -> list[Section]:
    """All that the page says of staked tickets."""
    return [
        Section(PRODUCT, "weeks", "Six weeks of prizes", _weeks(played)),
        Section(PRODUCT, "stakers", "Who won the prizes", _people(played)),
        Section(PRODUCT, "yield", "What staking yields", _yields(played)),
    ]


def _weeks(played: WeeksPlayed) -> str:
    closed = weeks(played)
    widest = max(week.closed.pool for week in closed)
    rows = "".join(
        f"<tr><td><b>Week {week.number}</b><small>closed {'a week late' if week.late else 'on time'}</small></td>"
        f'<td data-label="Revenue">{_usdc(week.closed.revenue)}</td>'
        f'<td data-label="Events, 90 %">{_usdc(week.closed.to_events)}</td>'
        f'<td data-label="Buyback, 3 %">{_usdc(week.closed.buyback)}</td>'
        f'<td data-label="Carried, 7 %">{_usdc(week.closed.carried)}</td>'
        f'<td class="bar split">{_split(week.closed, widest)}</td>'
        f'<td class="together" data-label="P">{_usdc(week.closed.pool)}</td></tr>'
        for week in closed
    )
    key = "".join(
        f'<li><svg viewBox="0 0 16 12"><rect class="{colour}" y="2" width="16" height="8"/></svg>{part}</li>'
        for colour, part in PARTS.items()
    )
    total = sums(played)
    remainder = f"{total.remainder} millionths of a USDC are" if total.remainder else "nothing is"
    spent, bought = bought_back(played)
    return f"""
<p class="lead">Another product, without bets: {len(STAKERS)} people stake stablecoins for {WEEKS} weeks, the stakes
earn interest in lending vaults, and the interest is the weekly prize. A wrong prediction costs nothing.</p>
<div class="card"><h3>Each week’s prize P, in USDC</h3>
<ul class="key">{key}</ul><table class="friends"><thead><tr><th>Week</th><th>Revenue</th>
<th>Events, 90 %</th><th>Buyback, 3 %</th><th>Carried, 7 %</th><td></td><th>P</th></tr></thead><tbody>{rows}
</tbody></table>
<p class="note">P is the week’s revenue and what the week before carried. Revenue is harvested interest, prizes of
events that nobody won or that ended INVALID, and rounding of less than a millionth of a dollar per winner. The two
weeks closed together shared equally what waited.</p></div>
<div class="card"><h3>Where {_usdc(total.revenue)} USDC of interest went</h3><ul>
<li>{_usdc(total.prizes)} to winners</li>
<li>{_usdc(spent)} bought {bought / WAD:,.2f} BET for the treasury, which is a timelock</li>
<li>{_usdc(total.carried + total.waiting)} are carried to the next week,
{_usdc(total.bucket)} wait for a buyback</li>
<li>{remainder} left over from divisions by weight, for the next week to share</li></ul></div>
<div class="card"><h3>Events and their prizes, in USDC</h3>
<table class="friends"><thead><tr><th>Event</th><th>Weight</th>
<th>First multiplier</th><th>Winners</th><th>Prize</th></tr></thead><tbody>
{"".join(map(_event, events(played)))}</tbody></table>
<p class="note">An event shares in the prize of every week it lives in, by weight. Nobody right, or INVALID: its
prize is revenue again. Results are two of three signatures of a panel.</p></div>"""


def _split(closed, widest: int) -> str:
    x, rects = 0.0, ""
    for name, amount in zip(PARTS, (closed.to_events, closed.buyback, closed.carried), strict=True):
        width = 140 * amount / widest
        rects += f'<rect class="{name}" x="{x:.1f}" y="2" width="{width:.1f}" height="12"/>'
        x += width
    return f'<svg viewBox="0 0 140 16" aria-hidden="true">{rects}</svg>'


def _event(event) -> str:
    shares = sorted(event.paid.items(), key=lambda item: -item[1])
    won = f"{shares[0][0]} won most, {_usdc(shares[0][1])}" if shares else "back to the pool"
    return (
        f"<tr><td><b>{escape(event.created.description)}</b><small>{escape(event.outcome)} · {won}</small></td>"
        f'<td data-label="Weight">{event.created.weight}</td>'
        f'<td data-label="First multiplier">{event.created.e0 / 100:.2f}</td>'
        f'<td data-label="Winners">{len(event.paid)}</td>'
        f'<td class="together" data-label="Prize">{_usdc(event.prize)}</td></tr>'
    )


def _people(played: WeeksPlayed) -> str:
    rows = "".join(
        f"<tr><td><b>{staker.name}</b><small>{escape(staker.habit)}</small></td>"
        f'<td data-label="Staked">{_amounts(staker, 0)}</td><td data-label="Paid back">{_amounts(staker, 1)}</td>'
        f'<td data-label="Tickets">{staker.tickets:,}</td><td data-label="Wins">{staker.wins}</td>'
        f'<td data-label="BET mined">{staker.bet / WAD:,.1f}</td>'
        f'<td data-label="A year">{percent(float(staker.rate), 1)}</td>'
        f'<td class="together" data-label="Prizes">{_usdc(staker.prizes)}</td></tr>'
        for staker in people(played)
    )
    lost = played.lost / UNITS["DAI"]
    share = played.fair[0] / played.fair[1]
    return f"""
<p class="lead">Everybody left in the end. Every USDC came back to the unit. The DAI vault lost {lost:,.2f} DAI in the
last week, and whoever was in it got the same {percent(share, 4)} back: nobody gains by running first.</p>
<div class="card"><table class="friends"><thead><tr><th>Staker</th><th>Staked</th><th>Paid back</th><th>Tickets</th>
<th>Wins</th><th>BET mined</th><th>A year</th><th>Prizes</th></tr></thead><tbody>{rows}</tbody></table></div>
<p class="note">Prizes in USDC. Tickets: dollars times hours staked while an event was open, over all events; early
predictions count for more on top. A year: prizes as a yearly share of the time-weighted stake, in these six weeks and
with these six events, which is luck more than yield. Staked is all that was ever put in, so who came back counts
twice.</p>"""


def _amounts(staker, index: int) -> str:
    return "<br>".join(f"{_short(both[index] / UNITS[asset])} {asset}" for asset, both in staker.principal.items())


def _short(amount: float) -> str:
    return f"{amount:,.2f}".removesuffix(".00")


def _yields(played: WeeksPlayed) -> str:
    apy1, apy1_net, apy2, apy = (percent(float(each), 2) for each in yields(played))
    usdc, bet = played.bet_price
    price = (usdc / USD) / (bet / WAD)
    lending = ", ".join(f"{asset} {percent(rate / of, 1)}" for asset, (rate, of) in LENDING.items())
    assumed = "".join(f"<li>{escape(each)}</li>" for each in ASSUMPTIONS)
    lines = "".join(f"<li>{escape(line[0].upper() + line[1:])}.</li>" for line in played.findings)
    return f"""
<div class="three">
<div class="card"><h3>APY1, from prizes</h3><p class="big">{apy1}</p><p class="note">1.6 times the
lending yield under the assumptions below; <b>{apy1_net}</b> net of what the buyback takes.</p></div>
<div class="card"><h3>APY2, from mining</h3><p class="big">{apy2}</p><p class="note">
{BET_PER_BLOCK // WAD} BET a block at {price:.4f} USDC, the price in this demo’s own market: an invented one.</p></div>
<div class="card"><h3>Together</h3><p class="big">{apy}</p><p class="note">at the stakes of the last
week. Not a promise: read what is assumed.</p></div>
</div>
<div class="card"><h3>What the figures assume of a person</h3><ul>{assumed}</ul><p class="note">
Lending yields of this demo, a year: {lending}.
Who is right less often than the others gets less than that, down to nothing; the stake comes back all the
same.</p></div>
<div class="card"><h3>Does it add up?</h3><ul>{lines}</ul></div>"""


def _usdc(amount: int) -> str:
    return f"{amount / USD:,.2f}"
