"""Messages to where a group talks already: a new market, a proposed result, a dispute, a result, and why gas money does
not come. By Apprise.

They say what is on the chain and nothing more: no names, no accounts. How far it has come is in the club's database, so
that of several nodes the one that sends transactions sends these, too, and one that is started again goes on there: a
message may come twice where the process is killed, and none is left out. While the database cannot be written to, each
comes once, and those after it wait.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import apprise

from tessera.chain.accounts import text_of
from tessera.chain.contract import EventLog
from tessera.chain.errors import ChainError
from tessera.chain.lmsr_markets import MarketCreated, MarketFinalized, OutcomeDisputed, OutcomeProposed
from tessera.club.gas import TROUBLES
from tessera.club.sender import Sender
from tessera.club.settings import Settings
from tessera.club.store import Store
from tessera.index.index import Index
from tessera.model.dates import utc
from tessera.model.text import visible

log = logging.getLogger(__name__)

KINDS = {"market": MarketCreated, "proposal": OutcomeProposed, "dispute": OutcomeDisputed, "result": MarketFinalized}
GAS = "gas"  # that it does not come
LOOK_SECONDS = 5
# Signs that some service takes for markup, a link under other words, or a call to people (@everyone, <!channel>), and
# the same signs as wide as letters of Chinese. Two have narrow twins: X takes the wide ones for calls and topics, too.
TWINS = {ord(sign): ord(sign) + 0xFEE0 for sign in "<>[]`*_~|\\&"} | {ord("@"): 0xFE6B, ord("#"): 0xFE5F}
MOST_AT_ONCE = 10  # of a look: what is more waits for the next
Notify = Callable[[str, str], bool]  # title and text; whether somebody took it


class Messenger:
    """Sends messages about what is new. One thread's."""

    def __init__(self, settings: Settings, index: Index, store: Store, notify: Notify):
        self._settings, self._index, self._store, self._notify = settings, index, store, notify
        self._kinds = tuple(KINDS[name] for name in settings.messages if name in KINDS)
        self._announced = (-1, -1)  # block and place in it, which the database has unless it could not be written to
        self._told: set[str] = set()  # kinds of trouble, of which that is so, too
        self._stopping, self._thread = Event(), None

    def start(self, sender: Sender) -> None:
        """Begins to look, as long as this node is the one that sends."""

        def run() -> None:
            while not self._stopping.wait(LOOK_SECONDS):
                try:
                    if sender.leads:
                        self.look()
                except Exception as error:  # whatever a service answers: the next look tries again
                    log.warning("%s", error)

        self._thread = Thread(target=run, name="club messages", daemon=True)  # a service may never answer
        self._thread.start()

    def stop(self) -> None:
        """Ends it; a message that is under way is not waited for."""
        self._stopping.set()

    def look(self) -> int:
        """Sends what is new; how many messages that was. What nobody takes is tried again at the next look."""
        return self._look_at_gas() + self._look_at_chain()

    def _look_at_gas(self) -> int:
        """Says why gas money does not come: each kind of trouble once, as long as it lasts."""
        if GAS not in self._settings.messages:
            return 0
        kinds, sent = [kind for kind in self._store.untold_troubles() if kind in TROUBLES], 0
        self._told &= set(kinds)
        for kind in kinds:
            if kind not in self._told:
                if not self._notify(self._settings.name, TROUBLES[kind]):
                    log.warning("a message was not taken, trying again: %s", TROUBLES[kind])
                    return sent
                self._told.add(kind)
                sent += 1
            self._store.note_told(kind)
        return sent

    def _look_at_chain(self) -> int:
        with self._index.snapshot() as snapshot:
            since = self._store.announced()
            if since is None:  # what was before is no news
                self._store.note_announced(snapshot.head.number, -1)
                return 0
            if since < self._announced:
                self._store.note_announced(*self._announced)
                since = self._announced
            rows = [
                row for row in snapshot.rows_after(since[0] - 1, *self._kinds) if (row.block, row.log_index) > since
            ][:MOST_AT_ONCE]
            questions = {
                row.market_id: inert(row.terms.question)
                for row in snapshot.rows(MarketCreated, market_id=[vars(row)["market_id"] for row in rows])
            }
        for count, row in enumerate(rows):
            market_id = vars(row)["market_id"]
            text = f"{_sentence(row)}\n{questions[market_id]}\n{self._settings.market_link(market_id)}"
            if not self._notify(self._settings.name, text):
                log.warning("a message was not taken, trying again: %s", text.partition("\n")[0])
                return count
            self._announced = row.block, row.log_index
            self._store.note_announced(*self._announced)
        return len(rows)


def inert(text: str) -> str:
    """A member's words as every service shows them as they are: none of them is markup, a link under other words, or a
    call to people, whatever the service's format. They look nearly the same."""
    return visible(text).translate(TWINS)


def notifier(path: Path) -> Notify:
    """What sends to the services of a file, one of Apprise's URLs a line. Raises ChainError where one is none."""
    services = apprise.Apprise()
    for number, line in enumerate(text_of(path).splitlines(), start=1):
        url = line.strip()
        if url and not url.startswith("#") and not services.add(url):
            raise ChainError(f"{path}, line {number}: no address that Apprise knows")
    # A question is a member's words: unless it is said to be text, some services would take it for HTML.
    return lambda title, text: bool(services.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT))


def _sentence(row: EventLog) -> str:
    match row:
        case MarketCreated():
            return f"A new market, open until {utc(row.closes_at)}:"
        case OutcomeProposed():
            return (
                f"It ended {row.outcome.name}, it is said; who thinks otherwise disputes it until {utc(row.ends_at)}:"
            )
        case OutcomeDisputed():
            return f"A result is disputed; it was {row.outcome.name}, it is said:"
        case MarketFinalized():
            return f"It ended {row.outcome.name}:"
    raise TypeError(row)
