"""What others do on the devnet while somebody looks at the page."""

from tessera.chain import WAD, Outcome, Terms, Wallet
from tessera.chain.lmsr_markets import MarketCreated
from tessera.chain.prediction_events import EventCreated
from tessera.local.chain import DAY, HOUR, UNITS
from tessera.model.prizes import period_of


def new_market(tessera, creator: Wallet, question: str, **options) -> int:
    """A market of a day at one half; its number."""
    now = tessera.web3.eth.get_block("latest")["timestamp"]
    terms = Terms(question, "Yes.", "No.", "As the source says.", "The news.")
    choices = {"p0": WAD // 2, "expected_result_at": now + DAY, "dispute_window": HOUR, **options}
    return tessera.markets.create_market(creator, terms, **choices).event(MarketCreated).market_id


def bet(tessera, bettor: Wallet, market: int, side: Outcome) -> None:
    tessera.markets.bet(bettor, market, side, min_shares=1)


def open_event(tessera, local) -> int:
    """Two days of predicting, by the devnet's own panel."""
    if tessera.prizes.period() < period_of(local.now()):
        keep(tessera, local)  # weeks that are over are closed before an event is created
    info = tessera.events.event_info(1)
    created = tessera.events.create_event(
        local.owner,
        "Will the newcomer win?",
        ("yes", "no"),
        stop_block=tessera.web3.eth.block_number + 1 + 2 * 24 * local.blocks_per_hour,
        e0=200,
        weight=500,
        panel_id=info.panel_id,
        result_deadline=local.now() + 30 * DAY,
    )
    return created.event(EventCreated).event_id


def keep(tessera, local) -> None:
    """What a keeper does on Friday."""
    for asset in UNITS:
        tessera.staking.harvest(local.owner, local.token(asset).address)
    tessera.prizes.close_periods(local.owner, tessera.prizes.period(), 10)
