"""What an observer has seen, and what that says about a question."""

import re
from bisect import bisect_right, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tessera.model.sessions.questions import NEVER, Kind, pattern
from tessera.model.sessions.typed import Question

SETTLE_MS = 500  # after a question's end, for what is seen late


@dataclass(frozen=True, order=True)
class Sighting:
    """Something that happened: unix milliseconds of the source, what, and its symbol in pattern questions."""

    at: int
    what: str
    symbol: str = ""


@dataclass(frozen=True)
class Topic:
    """Questions whose text has `words` (a regular expression, any case) are about what is called `what`."""

    words: str
    what: str

    def is_of(self, question: Question) -> bool:
        """Whether a question is about it."""
        return re.search(self.words, question.text, re.IGNORECASE) is not None


class Witness:
    """An observer's memory: all that could be seen from `known_from` until `known_until`, unix milliseconds.

    It is what `tessera.live.client.Observer` asks as its source.
    """

    def __init__(
        self,
        topics: Iterable[Topic],
        sightings: Iterable[Sighting] = (),
        known_until: Callable[[], int] | None = None,
        known_from: int = 0,
    ):
        """Without `known_until` it is the last time that `look` was given."""
        self.topics = tuple(topics)
        self._sightings = sorted(sightings)
        self._known_until = known_until or (lambda: self._looked)
        self._known_from, self._looked = known_from, 0

    def look(self, at: int, sightings: Iterable[Sighting] = ()) -> None:
        """Notes what was seen up to a time."""
        for sighting in sightings:
            insort(self._sightings, sighting)
        self._looked = max(self._looked, at)

    async def __call__(self, question: Question) -> int | None:
        """What was observed, as `questions.winning_choice` takes it; None: nothing yet, or no topic of its own."""
        return self.observed(question) if self.has_seen(question) else None

    def has_seen(self, question: Question) -> bool:
        """Whether a question is about one of its topics, and it has watched from the question's start to its end."""
        is_whole = self._known_from <= question.start and self._known_until() >= question.end + SETTLE_MS
        return is_whole and self.topic_of(question) is not None

    def topic_of(self, question: Question) -> Topic | None:
        """What a question is about, if that is one of its topics."""
        return next((topic for topic in self.topics if topic.is_of(question)), None)

    def observed(self, question: Question) -> int | None:
        """The same of what has been noted so far."""
        topic = self.topic_of(question)
        if topic is None:
            return None
        first = bisect_right(self._sightings, Sighting(question.start, ""))
        window = [
            sighting
            for sighting in self._sightings[first:]
            if sighting.what == topic.what and sighting.at <= question.end
        ]
        match Kind(question.kind):
            case Kind.BINARY:
                return int(bool(window))
            case Kind.QUANTITY:
                return len(window)
            case Kind.TIMING:
                return window[0].at - question.start if window else NEVER
            case Kind.PATTERN:
                symbols = "".join(sighting.symbol for sighting in window)[: question.symbols]
                return pattern(symbols.encode())
