"""A friends' market as on a real chain (chain id 1, dispute windows of 12 h or more), and who gained what in the end.

The truth is YES in every story. Money is in units of 1e-6 EUR.
"""

from collections import Counter
from pathlib import Path

import boa

from tests.club import BET_INTERVAL, NO, YES, Club, at, now
from tests.custody import EUR
from tests.prize_system import load

ROOT = Path(__file__).parents[2]
PEOPLE = 20
PURSE = 50 * EUR


class Friends(Club):
    """Twenty members, `people`, of whom the first creates; each has 50 EUR. `contracts`: where the sources are."""

    def __init__(self, contracts: Path = ROOT / "contracts"):
        play_euro = load("contracts/PlayEuro.vy").deploy()
        escrow = load("contracts/Escrow.vy").deploy(play_euro, True)
        play_euro.set_escrow(escrow)
        markets = boa.load_partial(str(contracts / "LmsrMarkets.vy")).deploy(escrow, True, self.window)
        escrow.register_product(markets)
        self.people = [boa.env.generate_address() for _ in range(PEOPLE)]
        play_euro.invite(self.people)
        for person in self.people:
            play_euro.join(1, sender=person)
        super().__init__(markets, escrow, self.people)

    def place(self, market_id: int, bets: dict, side=YES) -> None:
        """Each account bets so many EUR on a side."""
        for account, count in bets.items():
            for _ in range(count):
                self.bet(market_id, account, side)

    def dispute(self, market_id: int, votes: dict) -> None:
        """Vote in order; the first who is against the proposal complains first. Nothing where nobody is."""
        proposed = self.markets.market(market_id).outcome
        complainer = next((account for account, outcome in votes.items() if outcome != proposed), None)
        if complainer is not None:
            self.complain(market_id, votes[complainer], sender=complainer)
            self.vote(market_id, {account: vote for account, vote in votes.items() if account != complainer})

    def end(self, market_id: int) -> Counter:
        """Everybody waits, somebody settles and pays everybody: what each person has more or less than before."""
        at(max(now(), self.markets.tally(market_id).ends_at))
        self.markets.finalize(market_id)
        return self.gains(market_id)

    def gains(self, market_id: int) -> Counter:
        """What each person has more or less than the purse once all of a settled market is paid."""
        self.markets.claim_many(market_id, self.people)
        assert self.pot(market_id) == 0
        gains = Counter({person: self.escrow.balance_of(person) - PURSE for person in self.people})
        assert sum(gains.values()) == 0
        return gains


# The table of docs/markets.md: who wins a vote, by how many collude and how many honest people are awake.

COLLUDERS = range(7)
HONEST = range(9)
TRUTH, REFUND, LIE = "truth", "refund", "LIE"
LOSERS = "k losers against an honest creator"  # who bet 1 EUR each and want the truth that was proposed changed
LIAR = "a lying creator with k helpers"  # who bet 1 EUR each on the lie that was proposed
WHALES = "k whales against an honest creator"  # as the first, with 4 EUR each
SYBILS = "k late accounts against an honest creator"  # 1 EUR each at the last moment, in a market of 40 EUR
STORIES = (LOSERS, LIAR, WHALES, SYBILS)


def rows(friends: Friends, story: str) -> list[tuple[int, list[tuple[str, int]]]]:
    """For each k, and h from 0 to 8: what is settled and what the coalition gains."""
    table = []
    for k in COLLUDERS:
        with boa.env.anchor():
            table.append((k, _row(friends, story, k)))
    return table


def _row(friends: Friends, story: str, k: int) -> list[tuple[str, int]]:
    honest, colluders, rich = friends.people[1:9], friends.people[9 : 9 + k], friends.people[16]
    lies = story == LIAR
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys(honest, 1))
    if story == SYBILS:
        friends.place(market_id, {rich: 32})  # asleep
        at(friends.closes_at - BET_INTERVAL * (k + 1))
    friends.place(market_id, dict.fromkeys(colluders, 4 if story == WHALES else 1), NO)
    friends.propose(market_id, NO if lies else YES)
    coalition = [friends.creator, *colluders] if lies else colluders
    cells = []
    for h in HONEST:
        with boa.env.anchor():
            votes = dict.fromkeys(honest[:h], YES) | dict.fromkeys(colluders, NO)
            friends.dispute(market_id, votes)
            gains = friends.end(market_id)
            settled = {YES: TRUTH, NO: LIE}.get(friends.markets.market(market_id).outcome, REFUND)
            cells.append((settled, sum(gains[person] for person in coalition)))
    return cells


def markdown(friends: Friends, story: str) -> list[str]:
    """The table of a story as lines of Markdown: what is settled and what the coalition gains, EUR."""
    lines = ["| k \\ h | " + " | ".join(map(str, HONEST)) + " |", "|---|" + "---|" * len(HONEST)]
    for k, cells in rows(friends, story):
        texts = (f"{settled} {gain / EUR:+.2f}".replace("+0.00", "0").replace("-0.00", "0") for settled, gain in cells)
        lines.append(f"| {k} | " + " | ".join(texts) + " |")
    return lines
