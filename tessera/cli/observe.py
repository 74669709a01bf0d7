"""`tessera live observe`: a member of a stream's panel, who watches a source and reports by its key (docs/live.md)."""

import asyncio
import signal
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tessera.cli.failures import Refused
from tessera.cli.live import ENGINE, connected, live
from tessera.cli.session import Session
from tessera.cli.show import Moment, card

if TYPE_CHECKING:
    from tessera.live.client import Connection
    from tessera.live.messages import Message
    from tessera.model.sessions.typed import Question
    from tessera.observe.witness import Witness

MS = 1_000
FIRST_SECONDS = 5  # for a dry run to be told of a question
METHODS = ("background", "difference", "colour")
TIMES = click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"])
UNTIL_OVER = click.option("--until-over", is_flag=True, help="Stop once the source is over and all of it is reported.")
NO_OPENCV = "the camera needs OpenCV: `uv sync --group vision` in the project, or `pip install opencv-python-headless`"


@dataclass(frozen=True)
class Source:
    """What is watched: in words, by whom, until when (unix ms), and what shows it to the witness until it is over."""

    text: str
    witness: "Witness"
    over_at: int
    show: Callable[[], Coroutine[Any, Any, None]]


@live.group()
def observe():
    """Watches a source as one member of a stream's panel, signs its books, and reports what happened.

    The account is a member of the panel; each member runs this by itself, on a machine of its own. It signs reports and
    sends no transaction. It runs until it is stopped: while too few members are there, the engine takes no bets.
    With `tessera --dry-run` it says what it would report, and signs nothing.
    """


@observe.command()
@click.option("--match", "number", type=click.IntRange(1, 51), default=1, show_default=True, help="Of Euro 2024.")
@click.option("--speed", type=click.FloatRange(0.1, 1_000), default=30.0, show_default=True, help="Times as fast.")
@click.option("--kickoff", type=TIMES, help="UTC; the same for all members. Default: the next minute, engine's clock.")
@click.option(
    "--late", type=click.IntRange(0, 5_000), default=0, help="Milliseconds by which it may notice a goal late."
)
@click.option("--misses", type=click.IntRange(0, 100), default=0, help="Per cent of the goals that it does not see.")
@click.option("--seed", type=int, default=0, help="Of its own lateness and misses.")
@UNTIL_OVER
@ENGINE
@click.pass_obj
def football(
    session: Session,
    number: int,
    speed: float,
    kickoff: datetime | None,
    late: int,
    misses: int,
    seed: int,
    until_over: bool,
    url: str,
):
    """Watches the replay of a match of Euro 2024: its goals, at any speed.

    It answers questions on goals or on who scores: whether, how many, when, which side next (H home, A away).
    """
    from tessera.observe import football as replayed
    from tessera.observe.matches import load
    from tessera.observe.observing import STEP_SECONDS
    from tessera.observe.witness import SETTLE_MS, Witness

    match = load()[number - 1]

    def source(connection: "Connection") -> Source:
        begin = _begin(connection, kickoff)
        goals = replayed.replay(match, begin, speed)
        noticed = replayed.with_noise(goals, seed, jitter_ms=late, missed=misses / 100)
        text = f"{match.home} v {match.away}, {speed:g} times as fast, --kickoff {_iso(begin)}"
        over_at = begin + replayed.length(match, speed)

        async def show() -> None:
            while connection.now() < over_at + SETTLE_MS:
                await asyncio.sleep(STEP_SECONDS)

        return Source(text, Witness(replayed.TOPICS, noticed, connection.now), over_at, show)

    _run(session, url, source, until_over)


@observe.command()
@click.option("--method", type=click.Choice(METHODS), default="background", show_default=True, help="How it sees.")
@click.option(
    "--clip", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A clip, 10 pictures a second."
)
@click.option("--street", type=int, default=1, show_default=True, help="Without a clip: which rendered street.")
@click.option("--seconds", type=click.IntRange(5, 86_400), default=600, show_default=True, help="Length of the street.")
@click.option(
    "--begin", type=TIMES, help="Of the first picture, UTC; the same for all members. Default: the next minute."
)
@click.option("--noise", type=click.FloatRange(0, 50), default=0.0, help="Standard deviation that pictures are off by.")
@click.option("--seed", type=int, default=0, help="Of its own noise.")
@UNTIL_OVER
@ENGINE
@click.pass_obj
def camera(
    session: Session,
    method: str,
    clip: Path | None,
    street: int,
    seconds: int,
    begin: datetime | None,
    noise: float,
    seed: int,
    until_over: bool,
    url: str,
):
    """Watches a street: cars that turn left, people, buses, a blue car behind a red one, colours in a row.

    It needs OpenCV.
    """
    try:
        import cv2  # noqa: F401

        from tessera.observe import camera as seeing
    except ImportError:
        raise Refused("not_installed", NO_OPENCV) from None
    from tessera.observe import traffic
    from tessera.observe.witness import Witness

    try:
        count = seconds * traffic.FPS if clip is None else seeing.length(clip)
    except OSError as error:
        raise Refused("source", str(error)) from None

    def source(connection: "Connection") -> Source:
        first = _begin(connection, begin)
        pictures = traffic.frames(traffic.scene(street, seconds), seconds) if clip is None else seeing.clip(clip)
        witness = Witness(seeing.TOPICS, known_from=seeing.known_from(first))
        name = f"street {street}" if clip is None else str(clip)
        return Source(
            f"{name} by {method}, --begin {_iso(first)}",
            witness,
            first + count * traffic.FRAME_MS,
            lambda: seeing.watch(seeing.noisy(pictures, noise, seed), method, witness, first, connection.now),
        )

    _run(session, url, source, until_over)


def _run(session: Session, url: str, source_of: "Callable[[Connection], Source]", until_over: bool) -> None:
    counts: Counter[str] = Counter()

    async def work(connection: "Connection") -> dict:
        source = source_of(connection)
        panel = connection.about.panel
        if session.account.address not in panel.members:
            raise Refused(
                "account",
                f"{session.account.address} is none of the {len(panel.members)} members of panel {panel.panel_id}, "
                f"which decides stream {connection.about.stream_id}: name the key of a member",
            )
        said = {
            "observer": session.account.address,
            "stream": connection.about.stream_id,
            "agree": f"{panel.threshold} of {len(panel.members)}",
            "watches": source.text,
            "over": Moment(source.over_at // MS),
        }
        if session.dry_run:
            return {**said, "would_report": await _rehearsed(connection, source), "dry_run": True}
        for name, value in said.items():
            click.echo(f"{name}: {value}", err=True)
        await _observe(session, connection, source, until_over, counts)
        return {**said, "books": counts["book"], "reports": counts["report"], "refused": counts["refused"]}

    card(session, "Observer", connected(session, url, work))


async def _observe(
    session: Session, connection: "Connection", source: Source, until_over: bool, counts: Counter[str]
) -> None:
    from tessera.live.keys import Key
    from tessera.observe.observing import observe

    stopping, over, told = asyncio.Event(), asyncio.Event(), set()
    with suppress(ValueError, RuntimeError, NotImplementedError):  # not in the main thread
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)

    def hear(what: str, body: "Message", refused: str | None) -> None:
        question = connection.questions[body["question"]]
        sentence = f"signed the book of {question.text!r}"
        if what == "report":
            sentence = f"reported {_in_words(question, body['outcome'])} on {question.text!r}"
        counts["refused" if refused else what] += 1
        click.echo(f"{sentence}; the engine refuses it: {refused}" if refused else sentence, err=True)

    def notice(_: "Message") -> None:
        for trouble in (connection.broken, "the stream has ended: its journal lost a line" * connection.has_ended):
            if trouble and trouble not in told:
                told.add(trouble)
                click.echo(f"{trouble}: no book of this stream is signed any more", err=True)

    async def show() -> None:
        await source.show()
        if until_over:
            over.set()

    connection.hear.append(notice)
    showing = asyncio.create_task(show())
    showing.add_done_callback(lambda task: task.cancelled() or task.exception() is None or stopping.set())
    try:
        await observe(connection, Key(bytes(session.account.key)), source.witness, stopping, over, hear)
    finally:
        showing.cancel()
        [error] = await asyncio.gather(showing, return_exceptions=True)
    if isinstance(error, OSError):
        raise Refused("source", f"the source failed: {error}. What was reported before stays")


async def _rehearsed(connection: "Connection", source: Source) -> list[dict]:
    """What an observer would say of the questions that there are, once they are over."""
    with suppress(TimeoutError):
        await connection.until(lambda: bool(connection.questions), FIRST_SECONDS)
    rehearsed = []
    for question in connection.questions.values():
        topic, is_seen = source.witness.topic_of(question), source.witness.has_seen(question)
        would = _in_words(question, _outcome(source, question)) if is_seen else "nothing yet" if topic else "nothing"
        rehearsed.append({"question": question.text, "about": topic and topic.what, "reports": would})
    return rehearsed


def _outcome(source: Source, question: "Question") -> int:
    from tessera.model.sessions.questions import winning_choice

    observed = source.witness.observed(question)
    assert observed is not None
    return winning_choice(question, observed)


def _in_words(question: "Question", outcome: int) -> str:
    """An outcome as people say it."""
    from tessera.cli.live import reach
    from tessera.model.sessions.questions import INVALID, NO_CHOICE, Kind

    if outcome in (INVALID, NO_CHOICE):
        return "that nobody can say" if outcome == INVALID else "none of the choices"
    choice = question.choices[outcome]
    if question.kind == Kind.PATTERN:
        return choice.low.to_bytes(question.symbols).decode("ascii", "replace")
    return ("no", "yes")[choice.low] if question.kind == Kind.BINARY else reach(choice.low, choice.high)


def _begin(connection: "Connection", named: datetime | None) -> int:
    """When a source begins, unix milliseconds: as it was named, or in the next minute by the engine's clock."""
    if named is not None:
        return round(named.replace(tzinfo=UTC).timestamp() * MS)
    return (connection.now() // 60_000 + 1) * 60_000


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at // MS, UTC).strftime("%Y-%m-%dT%H:%M:%S")
