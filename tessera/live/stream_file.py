"""stream.toml: what a house offers, and the questions that it asks again and again."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tessera.chain.accounts import text_of
from tessera.live.clock import MS
from tessera.live.engine import Engine, check_asking
from tessera.live.terms import Terms, TermsError
from tessera.model.loss.expected import PPM
from tessera.model.sessions import questions
from tessera.model.sessions.questions import LOCK_AHEAD_MS, Kind
from tessera.model.sessions.typed import Choice, Question

LATEST = 10**14  # unix milliseconds: until then no question's number has more digits
RESULTS_SECONDS = 3 * 3_600  # for observers to report, where the file does not say


@dataclass(frozen=True)
class Asking:
    """A question that is asked every so many seconds; {n} in its text is its number."""

    kind: Kind
    text: str
    every: int
    open_for: int
    window: int
    choices: tuple[Choice, ...]
    chances_ppm: tuple[int, ...]
    symbols: int = 0
    results_within: int = RESULTS_SECONDS

    def question(self, stream_id: int, now: int) -> Question:
        """The question that is asked at a time, unix milliseconds."""
        lock = now + self.open_for * MS
        start = lock + LOCK_AHEAD_MS
        end = start + self.window * MS
        text = self.text.replace("{n}", str(now // MS // self.every))
        report_by = end + self.results_within * MS
        return Question(self.kind, stream_id, text, lock, start, end, report_by, self.symbols, self.choices)


class Feed:
    """Asks what is due, in each tick of an engine; the first at once."""

    def __init__(self, askings: list[Asking]):
        self._askings = askings
        self._next = dict.fromkeys(range(len(askings)), 0)

    def __call__(self, engine: Engine) -> None:
        now = engine.guard.now()
        for number, asking in enumerate(self._askings):
            if now >= self._next[number]:
                self._next[number] = now + asking.every * MS
                engine.ask(asking.question(engine.stream_id, now), asking.chances_ppm)


def read_stream(path: Path | str) -> tuple[Terms, list[Asking]]:
    """Terms and questions of a file. Raises TermsError, which names what is at fault, ChainError for no text."""
    try:
        content = tomllib.loads(text_of(path))
    except tomllib.TOMLDecodeError as error:
        raise TermsError(f"{path}: {error}") from None
    known = {field.name for field in fields(Terms)}
    terms = content.pop("terms", {})
    askings = content.pop("question", [])
    unknown = [*content, *(f"terms.{name}" for name in terms if name not in known)]
    if unknown or not askings:
        raise TermsError(f"{path}: unknown: {', '.join(unknown)}" if unknown else f"{path}: no [[question]]")
    try:
        offered = Terms(**terms)
        asked = [_asking(number, asking, offered.edge_ppm) for number, asking in enumerate(askings, 1)]
    except TypeError as error:  # of a dataclass: a field is missing
        raise TermsError(f"{path}: {str(error).partition(' ')[2]}") from None
    if len({asking.question(0, LATEST) for asking in asked}) < len(asked):
        raise TermsError(f"{path}: two of its questions are the same one")
    return offered, asked


def _asking(number: int, body: dict[str, Any], edge_ppm: int) -> Asking:
    try:
        body = dict(body)
        kind = Kind[str(body.pop("kind")).upper()]
        choices = body.pop("choices")
        symbols = len(choices[0]) if kind is Kind.PATTERN else 0
        asking = Asking(
            kind,
            str(body.pop("text")),
            int(body.pop("every")),
            int(body.pop("open_for")),
            int(body.pop("window")),
            tuple(_choice(kind, choice) for choice in choices),
            tuple(int(chance * PPM // 100) for chance in body.pop("chances")),
            symbols,
            int(body.pop("results_within", RESULTS_SECONDS)),
        )
        if body or min(asking.every, asking.open_for) <= 0:
            raise TermsError(", ".join(body) or "every and open_for are above 0")
        check_asking(asking.question(0, LATEST), asking.chances_ppm, edge_ppm)
    except (KeyError, ValueError, TypeError, IndexError, TermsError) as error:
        raise TermsError(f"question {number}: {error}") from None
    return asking


def _choice(kind: Kind, content: Any) -> Choice:
    """A choice as the file has it: a number, [low, high], "never", or a sequence of symbols."""
    if kind is Kind.PATTERN:
        number = questions.pattern(str(content).encode())
        return Choice(number, number)
    if content == "never":
        return Choice(questions.NEVER, questions.NEVER)
    low, high = content if isinstance(content, list) else (content, content)
    return Choice(int(low), int(high))
