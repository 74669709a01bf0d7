"""A devnet: what it begins with (contracts, people, markets, stakes, events), and where one runs.

Needs the compiler (group `ops`).
"""

import json
from pathlib import Path

from web3 import Web3

from tessera.chain import EUR, WAD, ChainError, Deployment, NodeError, Outcome, Terms, Tessera, Wallet, connect
from tessera.chain.blocks import block_at
from tessera.chain.embedded import ACCOUNTS, known_account
from tessera.chain.lmsr_markets import MarketCreated
from tessera.chain.panels import PanelCreated, ascending
from tessera.chain.prediction_events import EventCreated
from tessera.deployment.deploy import deploy
from tessera.local.chain import DAY, HOUR, UNITS, LocalChain

RECORD = "deployments/devnet.json"
PAGE = "frontend-abi/devnet.json"  # what it tells pages
SHORTEST_WINDOW = 60
BLOCKS_PER_HOUR = 2  # a week is 336 blocks, mined in seconds
DAY_BLOCKS = 24 * BLOCKS_PER_HOUR
TICKETS = {
    "blocks_per_hour": BLOCKS_PER_HOUR,
    "min_blocks": DAY_BLOCKS,
    "bet_cap": 10_000_000 * WAD,
    "bet_per_block": 2 * WAD,
    "mining": [200, 200 + 5 * 365 * DAY_BLOCKS],
    "delay": 60,
}
PURSE = 20_000  # test dollars of each asset
PANEL = range(ACCOUNTS - 3, ACCOUNTS)  # accounts that say what happened, two of three
STAKES = (("USDC", 5_000), ("DAI", 8_000))  # of the first two members
EVENTS = (
    ("Who wins the cup match?", ("home", "draw", "away"), 10, 250, 100),
    ("Does the bill pass?", ("no", "yes"), 24, 400, 300),
)


def populate(web3: Web3, members: int, path: Path) -> Tessera:
    """Deploys all. Accounts 1 to `members` join the club, the next one is invited; all of them have test dollars.
    There are two markets with a bet each, and two events with stakers who predict."""
    owner, *friends = (Wallet(web3, known_account(index)) for index in range(members + 2))
    deploy(owner, "friends", {"shortest_window": SHORTEST_WINDOW}, network="devnet", path=path)
    deploy(owner, "hosted", {"first_index": 1}, network="devnet", path=path)
    tessera = Tessera(web3, deploy(owner, "tickets", TICKETS, network="devnet", path=path))
    _begin_club(tessera, owner, friends)
    _begin_tickets(tessera, owner, friends)
    return tessera


def running(into: Path) -> Tessera:
    """The devnet that runs, by the files it wrote. Raises ChainError where there is none."""
    try:
        url = json.loads((into / PAGE).read_text(encoding="utf-8"))["rpcUrl"]
    except FileNotFoundError:
        raise ChainError(f"no devnet is running: {into / PAGE} is not there. Start one with `make devnet`") from None
    web3 = connect(url)
    try:
        web3.eth.chain_id  # noqa: B018  whether it answers at all, before its record is read
        return Tessera(web3, Deployment.load(into / RECORD))
    except NodeError:
        raise ChainError(
            f"no devnet answers at {url}, where {into / PAGE} has it. Start one with `make devnet`"
        ) from None


def report(tessera: Tessera, event_id: int, outcome: int) -> None:
    """Lets as many members of the event's panel as decide say what happened. Raises Reverted where it is too early."""
    panels, info = tessera.panels, tessera.events.event_info(event_id)
    wallets = [Wallet(tessera.web3, known_account(index)) for index in PANEL]
    members: dict[str, Wallet] = {wallet.address: wallet for wallet in wallets}
    for address in panels.members_of(info.panel_id)[: panels.threshold_of(info.panel_id)]:
        panels.report(members[address], info.panel_id, tessera.events.question(event_id), outcome)


def _begin_club(tessera: Tessera, owner: Wallet, friends: list[Wallet]) -> None:
    tessera.play_euro.invite(owner, [friend.address for friend in friends])
    for friend in friends[:-1]:
        tessera.play_euro.join(friend, consent=1)
    now = block_at(tessera.web3).timestamp
    for creator, bettor, question, p0, hours in (
        (friends[0], friends[1], "Will it rain in Vienna tomorrow?", WAD * 62 // 100, 24),
        (friends[1], friends[0], "Will the home team win on Saturday?", WAD * 30 // 100, 7 * 24),
    ):
        terms = Terms(
            question, "It does.", "It does not.", "As reported by the source.", "The newspaper of the day after."
        )
        created = tessera.markets.create_market(
            creator, terms, p0=p0, expected_result_at=now + hours * HOUR, dispute_window=SHORTEST_WINDOW
        )
        tessera.markets.bet(bettor, created.event(MarketCreated).market_id, Outcome.YES, min_shares=WAD)


def _begin_tickets(tessera: Tessera, owner: Wallet, friends: list[Wallet]) -> None:
    """The owner manages events and may buy back."""
    chain = LocalChain(tessera, owner)
    chain.open_markets()
    judges = ascending(known_account(index).address for index in PANEL)
    panel_id = tessera.panels.create_panel(owner, judges, 2).event(PanelCreated).panel_id
    tessera.events.approve_panel(owner, panel_id, True)
    tessera.events.set_manager(owner, owner.address, True)
    tessera.prizes.set_keeper(owner, owner.address, True)
    for friend in friends:
        for asset, unit in UNITS.items():
            chain.give(friend.address, asset, PURSE * unit)
    for staker, (asset, dollars) in zip(friends, STAKES, strict=False):
        chain.token(asset).approve(staker, tessera.staking.address, dollars * UNITS[asset])
        tessera.staking.stake(staker, chain.token(asset).address, dollars * UNITS[asset])
    for title, outcomes, days, e0, weight in EVENTS:
        created = tessera.events.create_event(
            owner,
            title,
            outcomes,
            stop_block=tessera.web3.eth.block_number + 1 + days * DAY_BLOCKS,
            e0=e0,
            weight=weight,
            panel_id=panel_id,
            result_deadline=chain.now() + (days + 14) * DAY,
        )
        for outcome, (staker, _) in enumerate(zip(friends, STAKES, strict=False)):
            tessera.events.predict(staker, created.event(EventCreated).event_id, outcome)


def purse(tessera: Tessera, account: str) -> str:
    """What an account has, in words."""
    chain = LocalChain(tessera, Wallet(tessera.web3, known_account(0)))
    dollars = ", ".join(f"{chain.token(asset).balance_of(account) // unit:,} {asset}" for asset, unit in UNITS.items())
    stake = tessera.staking.stake_of(account) // 10**6
    return f"{tessera.escrow.balance_of(account) / EUR:.2f} EUR, {dollars}{f', {stake:,} USD staked' if stake else ''}"
