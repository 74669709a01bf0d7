"""`tessera live`: sessions on live streams from a terminal: open, play, close, and end alone (docs/live.md)."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tessera.cli.failures import Refused
from tessera.cli.inputs import YES_TO_ALL, Money
from tessera.cli.limits import check_limit
from tessera.cli.session import Session
from tessera.cli.show import Amount, Moment, Percent, Said, ask, card, eur, panel_of, rows
from tessera.model.text import visible
from tessera.model.units import EUR, WAD

if TYPE_CHECKING:
    from tessera.live.client import Connection, Player
    from tessera.live.keys import Key

T = TypeVar("T")
PPM = 1_000_000
CLOSED_SECONDS = 120  # for the operator to bring an agreement to the chain
QUOTE_SECONDS = 180  # for a question to be asked
PASSING = (
    "too_soon",
    "open_bets",
    "quote_expired",
    "locked",
    "odds_moved",
    "chain_stale",
    "lock_too_far",
    "books_missing",
)
LIMITS = ("session_loss", "day_loss", "week_loss", "stake", "session_minutes")
ENGINE = click.option(
    "--engine",
    "url",
    metavar="URL",
    default="ws://127.0.0.1:8800/ws",
    show_default=True,
    envvar="TESSERA_ENGINE",
    help="The stream's engine; several addresses with spaces between, of which it goes on at the next.",
)


@click.group()
def live():
    """Sessions on live streams: two transactions, and bets of seconds between them.

    What an end without the engine needs is kept under ~/.tessera, before it is sent or relied on. Look in once in 24
    hours while a session is open (`tessera live exit --look`).
    """


@live.command()
@click.pass_obj
def streams(session: Session):
    """All streams on the chain: who operates them, their free bankroll, who decides."""
    from tessera.chain.micro_sessions import StreamOpened

    tessera, lines = session.tessera, []
    for opened in session.logs(StreamOpened):
        stream = tessera.sessions.stream(opened.stream_id)
        lines.append(
            {
                "stream": opened.stream_id,
                "operator": stream.operator,
                "free_bankroll": eur(stream.free),
                "panel": panel_of(session, stream.panel_id),
            }
        )
    rows(session, "Streams", lines, "there are no streams on this chain")


@live.command()
@ENGINE
@click.pass_obj
def questions(session: Session, url: str):
    """What a stream asks now: each choice's odds, what it loses on average, and by how much the picture is late."""

    async def look(connection: "Connection") -> list[dict]:
        await connection.until(lambda: bool(connection.quotes), QUOTE_SECONDS)
        return [_question(connection, digest) for digest in connection.quotes]

    rows(session, f"Questions at {url}", connected(session, url, look), "no question is open")


@live.command("open")
@click.argument("deposit", type=Money())
@click.option(
    "--loss-cap",
    metavar="AMOUNT",
    type=Money(),
    help="The most that the session may lose, top-ups included. Default: DEPOSIT.",
)
@ENGINE
@YES_TO_ALL
@click.pass_obj
def open_(session: Session, deposit: int, loss_cap: int | None, url: str, yes: bool):
    """Opens a session with DEPOSIT to bet with; the activation cost is apart from it and never bet.

    A session that is open on chain and was not begun is begun.
    """

    async def begin(connection: "Connection") -> dict:
        activation = connection.about.activation
        check_limit(session, deposit + activation)
        with ExitStack() as stack:
            player = _player(session, connection, stack)
            if player.offer is not None and not _is_over(player):
                if player.state.activated or player.frozen is not None:
                    raise Refused("reverted", "your session is not over: `tessera live close`, or `tessera live exit`")
                ask(
                    session,
                    "Begin the session that is open",
                    {"activation cost, earned then": eur(player.offer.activation)},
                    yes,
                )
                if session.dry_run:
                    return {**_state(session, player), "dry_run": True}
                await player.begin()
                return {"session": f"0x{player.session.hex()}", **_state(session, player)}
            if player.offer is not None:
                player = _another(session, connection, player)
            own = {
                "betting balance": eur(deposit),
                "activation cost, earned once access has started": eur(activation),
                "leaves your balance now": eur(deposit + activation),
                "most that you can lose by bets, top-ups included": eur(loss_cap or deposit),
                "stream": connection.about.stream_id,
            }
            ask(session, "Open a session", own, yes)
            await player.open(deposit, activation, loss_cap)
            return {"session": f"0x{player.session.hex()}", **_state(session, player)}

    card(session, "Session", connected(session, url, begin))


@live.command("top-up")
@click.argument("amount", type=Money())
@ENGINE
@YES_TO_ALL
@click.pass_obj
def top_up(session: Session, amount: int, url: str, yes: bool):
    """Adds AMOUNT to your open session's betting balance, up to its loss cap; you can bet it once it is confirmed."""

    async def add(connection: "Connection") -> dict:
        player = await _following(session, connection)
        room = player.room
        if amount > room:
            raise Refused("refused", f"at most {eur(room)}: what goes beyond the session's loss cap could never be bet")
        check_limit(session, amount)
        own = {"leaves your balance now": eur(amount), "can be topped up after it": eur(room - amount)}
        ask(session, "Top up", {**own, **_state(session, player)}, yes)
        player.top_up(amount)
        return {"session": f"0x{player.session.hex()}", **_state(session, player)}

    card(session, "Topped up", connected(session, url, add))


@live.command()
@click.option("--stake", type=Money(), required=True, help="Of each bet.")
@click.option("--choice", type=click.IntRange(1, 16), default=1, show_default=True, help="Which choice, from 1 on.")
@click.option("--bets", type=click.IntRange(1, 100_000), default=1, show_default=True, help="How many bets.")
@click.option("--text", default="", help="Only on questions with this in their text.")
@ENGINE
@YES_TO_ALL
@click.pass_obj
def play(session: Session, stake: int, choice: int, bets: int, text: str, url: str, yes: bool):
    """Bets on the newest questions, one at a time, and waits for all results.

    House edge and expected loss are shown before.
    """
    from tessera.live.client import EngineRefused

    async def bet(connection: "Connection") -> dict:
        player = await _following(session, connection)

        def fitting() -> list[bytes]:
            now = player.now()
            return [
                digest
                for digest, (_, quote, _) in connection.quotes.items()
                if now < quote.valid_until
                and text.lower() in connection.questions[digest].text.lower()
                and choice <= len(quote.odds)
            ]

        await connection.until(lambda: bool(fitting()), QUOTE_SECONDS)
        shown = _question(connection, fitting()[-1], stake)
        loss = connection.quotes[fitting()[-1]][2]["loss_ppm"][choice - 1]
        whole = Amount(-(-stake * bets * int(loss) // PPM), EUR, "EUR", 4)
        ask(session, f"{bets} bets", {**shown, f"{bets} of them lose on average": whole}, yes)
        if session.dry_run:
            return {**shown, "dry_run": True}
        placed = 0
        while placed < bets:
            await connection.until(lambda: bool(fitting()), QUOTE_SECONDS)
            question = fitting()[-1]
            try:
                placed_bet = await player.bet(question, choice - 1, stake)
            except EngineRefused as error:
                if error.name not in PASSING:
                    raise
                await asyncio.sleep(0.3)
                continue
            placed += 1
            about = connection.questions[question].text
            click.echo(placed_line(placed, stake, about, placed_bet.liability), err=True)
        await _settled(connection, player)
        return {"bets": placed, **_state(session, player)}

    card(session, "Played", connected(session, url, bet))


@live.command()
@click.argument("kind", type=click.Choice([*LIMITS, "cool_off"]), required=False)
@click.argument("value", required=False)
@ENGINE
@click.pass_obj
def limits(session: Session, kind: str | None, value: str | None, url: str):
    """Shows or sets your own limits on a stream: KIND to VALUE in EUR (or minutes), `none` for no limit, 0 for nothing.

    A tighter limit counts at once, a looser one after 24 hours. cool_off takes hours: no bets for so long.
    """
    from tessera.live.accounts import COOL_OFF, limit_text

    async def change(connection: "Connection") -> dict:
        if kind is None:
            return _limits((await _following(session, connection)).view)
        units, now = _limit_value(kind, value), connection.now()
        name = COOL_OFF if kind == "cool_off" else kind
        if name == COOL_OFF:
            units = now + (units or 0)
        if session.dry_run:
            return {"kind": kind, "value": value, "dry_run": True}
        about = connection.about
        signed = session.account.sign_message(limit_text(about.domain, about.stream_id, name, units, now))
        body = {"player": session.account.address, "kind": name, "value": units, "at": now}
        return _limits(await connection.ask("limit", **body, signature=bytes(signed.signature)))

    card(session, "Your limits on this stream", connected(session, url, change))


@live.command()
@ENGINE
@YES_TO_ALL
@click.pass_obj
def close(session: Session, url: str, yes: bool):
    """Ends your session together with the house, which brings the end to the chain; waits for results and for that."""

    async def end(connection: "Connection") -> dict:
        player = await _following(session, connection)
        await _settled(connection, player)
        ask(session, "Close", _state(session, player), yes)
        if session.dry_run:
            return {**_state(session, player), "dry_run": True}
        agreement = await player.close()
        for _ in range(CLOSED_SECONDS):
            if _is_over(player):
                break
            await asyncio.sleep(1)
        else:
            raise Refused("engine", "you agreed, and the house has not brought it to the chain: `tessera live exit`")
        balance = eur(session.tessera.escrow.balance_of(session.wallet.address))
        return {"session": f"0x{player.session.hex()}", "net": eur(agreement.net), "balance": balance}

    card(session, "Closed", connected(session, url, end))


@live.command()
@click.argument("stream_id", metavar="STREAM", type=click.IntRange(0))
@click.pass_obj
def receipts(session: Session, stream_id: int):
    """Prints what the house of STREAM has signed to you, receipts and refusals, a line each, also without its engine.

    `tessera live receipts 3 > signed.jsonl` makes the file by which `python scripts/audit_stream.py URL signed.jsonl`
    shows whether the house's public record agrees with it.
    """
    from tessera.live.client import Notebook, signed_by_house
    from tessera.live.wire import decode
    from tessera.model.sessions.typed import Offer

    for path in sorted(_folder(session).glob("*.jsonl")):
        lines = Notebook(path).lines()
        offers = [decode(Offer, line["offer"]) for line in lines if line["what"] == "offer"]
        if offers and offers[0].stream_id == stream_id:
            for item in signed_by_house(lines, session.tessera.sessions.domain):
                click.echo(json.dumps(item))


@live.command("exit")
@click.option("--look", is_flag=True, help="Do what is due on the chain; begin no exit.")
@YES_TO_ALL
@click.pass_obj
def exit_(session: Session, look: bool, yes: bool):
    """Ends your session alone, without the engine: begins the exit, or does what is due in it.

    Run it again until you are paid.
    """
    from tessera.chain.micro_sessions import Stage
    from tessera.live.client import Connection

    with ExitStack() as stack:
        player = _player(session, Connection("", session.tessera), stack)
        if player.offer is None:
            raise Refused("not_found", "you have no session here")
        known = session.tessera.sessions.session(player.session)
        if known.stage is Stage.OPEN and not look:
            ask(session, "End the session alone", {"then": "it takes no more bets", **_state(session, player)}, yes)
            player.exit()
            done = "began the exit"
        else:
            done = player.watch()
        known = session.tessera.sessions.session(player.session)
        values = {
            "session": f"0x{player.session.hex()}",
            "stage": (Stage.CLOSED if _is_over(player) else known.stage).name.lower(),
            "did": done or "nothing: nothing is due",
            "can_be_answered_until": Moment(known.end),
            "balance": eur(session.tessera.escrow.balance_of(session.wallet.address)),
        }
        card(session, "Exit", values)


def connected(session: Session, url: str, work: "Callable[[Connection], Awaitable[T]]") -> T:
    """Runs something with a connection to an engine. Raises Refused where it does not answer."""
    from tessera.live.client import Connection

    async def run() -> T:
        try:
            connection = Connection(url.split() or url, session.tessera)
            await connection.__aenter__()
        except (OSError, TimeoutError):
            raise Refused("engine", f"no engine answers at {url}: say --engine URL") from None
        try:
            return await work(connection)
        except TimeoutError:
            raise Refused("engine", f"{url} said nothing of what was waited for: try again") from None
        finally:
            await connection.__aexit__(None, None, None)

    return asyncio.run(run())


def _folder(session: Session) -> Path:
    contract = session.tessera.sessions.address
    return session.home.expanduser() / "live" / f"{session.web3.eth.chain_id}-{contract}-{session.wallet.address}"


def _player(session: Session, connection: "Connection", stack: ExitStack) -> "Player":
    """The account's session as its notebook has it; a dry run works on a copy."""
    from tessera.live.client import Notebook, Player

    path = _folder(session) / "session.jsonl"
    if session.dry_run:
        copy = Path(stack.enter_context(TemporaryDirectory())) / path.name
        if path.exists():
            copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
        path = copy
    return Player(connection, session.wallet, _session_key(session), Notebook(path))


def _another(session: Session, connection: "Connection", old: "Player") -> "Player":
    """A player with an empty notebook; the old one stays under its session's name, for its receipts."""
    from tessera.live.client import Notebook, Player

    old.notebook.path.rename(old.notebook.path.with_name(f"{old.session.hex()}.jsonl"))
    return Player(connection, session.wallet, old.key, Notebook(old.notebook.path))


def _session_key(session: Session) -> "Key":
    """The key that signs bets: made of the account's own, so that it is in no file."""
    from eth_account.messages import encode_defunct
    from eth_utils.crypto import keccak

    from tessera.live.keys import Key

    domain = session.tessera.sessions.domain
    text = f"My key for live sessions.\nContract: {domain.contract.lower()}\nChain: {domain.chain_id}"
    return Key(keccak(bytes(session.account.sign_message(encode_defunct(text=text)).signature)))


async def _following(session: Session, connection: "Connection") -> "Player":
    """The account's session, which its engine tells of. Raises Refused where there is none."""
    with ExitStack() as stack:
        player = _player(session, connection, stack)
        if player.offer is None:
            raise Refused("not_found", "you have no session here: `tessera live open`")
        if player.offer.stream_id != connection.about.stream_id:
            raise Refused("not_found", f"your session is on stream {player.offer.stream_id}: name its engine")
        await player.follow()
        return player


async def _settled(connection: "Connection", player: "Player") -> None:
    """Waits for the results of all open bets."""
    open_bets = player.state.open_bets
    if open_bets:
        longest = max(bet.report_by for bet in open_bets) - player.now()
        click.echo(f"waiting for the results of open bets: {len(open_bets)}", err=True)
        await connection.until(lambda: all(bet.question in connection.results for bet in open_bets), longest / 1_000)


def _is_over(player: "Player") -> bool:
    """Whether the session has ended, or cannot begin any more: an end is marked while its offer could be used."""
    from tessera.chain.blocks import block_at
    from tessera.chain.micro_sessions import Stage

    assert player.offer is not None
    tessera = player.connection.tessera
    stage = tessera.sessions.session(player.session).stage
    return stage is Stage.CLOSED or (
        stage is Stage.NONE and block_at(tessera.web3).timestamp > player.offer.valid_until
    )


def _state(session: Session, player: "Player") -> dict[str, Any]:
    from tessera.model.sessions import states

    assert player.offer is not None
    net, waiting = states.fold(player.state, dict(player.connection.results))
    deposit = player.offer.deposit + session.tessera.sessions.session(player.session).top_ups
    staked = sum(bet.stake for bet in waiting)
    return {
        "balance_to_bet_with": eur(deposit + net - staked),
        "net": eur(net),
        "open_bets": len(waiting),
        "open_stakes": eur(staked),
        "velocity_per_minute": _velocity(player),
    }


def _velocity(player: "Player") -> Amount | None:
    view = player.connection.sessions.get(player.session)
    return None if view is None else eur(int(view["velocity_per_minute"]))


def _question(connection: "Connection", digest: bytes, stake: int = EUR) -> dict[str, Any]:
    """A question as it is shown before a bet: never without edge, losses and delay."""
    question = connection.questions[digest]
    _, quote, shown = connection.quotes[digest]
    choices = [
        {
            "choice": number + 1,
            "low": choice.low,
            "high": choice.high,
            "pays": eur(stake * odds // 1_000),
            "expected_loss": Amount(-(-stake * int(shown["loss_ppm"][number]) // PPM), EUR, "EUR", 4),
        }
        for number, (choice, odds) in enumerate(zip(question.choices, quote.odds, strict=True))
    ]
    margin = shown["margin_ppm"]
    return {
        "question": question.text,
        "betting_ends": Moment(question.lock // 1_000),
        "house_edge": None if margin is None else Percent(int(margin) * WAD // PPM),
        "choices": Said(choices, *map(_sentence, choices)),
        "picture_is_late_by_ms": int(shown["picture_delay_ms"]),
    }


def _sentence(choice: dict[str, Any]) -> str:
    covered = reach(choice["low"], choice["high"])
    return f"{choice['choice']} ({covered}): pays {choice['pays']}, loses {choice['expected_loss']} on average"


def placed_line(number: int, stake: int, question: str, liability: int) -> str:
    """What a bet is said to be. The question's text is the house's."""
    return f"bet {number}: {eur(stake)} on {visible(question)}, pays {eur(stake + liability)}"


def reach(low: int, high: int) -> str:
    """What a choice covers, in words."""
    return "never" if low == 2**256 - 1 else str(low) if low == high else f"{low} to {high}"


def _limit_value(kind: str, value: str | None) -> int | None:
    """A limit as it is signed; None for no limit."""
    if value is None:
        raise click.UsageError(f"say what {kind} is to be: an amount, 0, or none")
    if value == "none" and kind != "cool_off":
        return None
    if kind in ("cool_off", "session_minutes"):
        if not value.isdecimal():
            raise click.UsageError(f"{value}: a whole number of {'hours' if kind == 'cool_off' else 'minutes'}")
        return int(value) * (3_600_000 if kind == "cool_off" else 1)
    return Money(zero=True).convert(value, None, None)


def _limits(message: dict[str, Any]) -> dict[str, Any]:
    def shown(kind: str, units: str | None) -> Any:
        return None if units is None else int(units) if kind == "session_minutes" else eur(int(units))

    values: dict[str, Any] = {}
    for kind, units in message["limits"].items():
        looser = message["limits_later"].get(kind)
        value, later = shown(kind, units), None
        words = "none" if value is None else str(value)
        if looser is not None:
            later = {"value": shown(kind, looser["value"]), "from": Moment(int(looser["at"]) // 1_000)}
            words += f"; {'none' if later['value'] is None else later['value']} from {later['from']} on"
        values[kind] = Said({"now": value, "later": later}, words)
    return {**values, "cool_off_until": Moment(int(message["cool_off_until"]) // 1_000)}
