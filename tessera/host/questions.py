"""What hosted bets ask a validator: the questions that wait for a report."""

from dataclasses import dataclass

from tessera.chain.deployments import Tessera
from tessera.chain.errors import NotFoundError
from tessera.chain.hosted_bets import BetListed, Listing
from tessera.chain.panels import INVALID, OutcomeReported, Question
from tessera.index.snapshot import Snapshot

INVALID_NAME = "invalid"


@dataclass(frozen=True)
class Awaited:
    """A bet whose panel has not decided. `opens_at` is when reports begin to count, unix seconds."""

    bet_id: bytes
    listing: Listing
    question: Question
    question_id: bytes

    @property
    def opens_at(self) -> int:
        return self.question.not_before

    def outcome(self, name: str) -> int:
        """The number of an outcome by its name; `invalid` gives every stake back. Raises NotFoundError, also where a
        prediction has that name: who says the one would mean the other."""
        if name == INVALID_NAME:
            if name in self.listing.predictions:
                raise NotFoundError(
                    f"a prediction of this bet is called {name!r}, so that nobody can tell it from giving all stakes "
                    "back: report nothing, and every stake goes back after the result deadline"
                )
            return INVALID
        if name not in self.listing.predictions:
            names = ", ".join([*self.listing.predictions, INVALID_NAME])
            raise NotFoundError(f"there is no outcome {name!r}: {names}")
        return self.listing.predictions.index(name)


def awaited(tessera: Tessera, snapshot: Snapshot, member: str, now: int) -> list[Awaited]:
    """What a member of panels can report now and has not, the first deadline first."""
    panels = tessera.panels
    reported = {row.question_id for row in snapshot.rows(OutcomeReported) if member in row.members}
    on_panel: dict[int, bool] = {}
    waiting = []
    for row in snapshot.rows(BetListed):
        listing = row.listing
        question = listing.question(row.contract)
        if not question.not_before <= now <= question.deadline:
            continue
        if listing.panel_id not in on_panel:
            on_panel[listing.panel_id] = member in panels.members_of(listing.panel_id)
        if not on_panel[listing.panel_id]:
            continue
        question_id = panels.question_id(question)
        if question_id not in reported and not panels.result(listing.panel_id, question_id)[0]:
            waiting.append(Awaited(row.bet_id, listing, question, question_id))
    return sorted(waiting, key=lambda one: one.question.deadline)


def of_bet(tessera: Tessera, snapshot: Snapshot, bet_id: bytes) -> Awaited:
    """The question of a listed bet. Raises NotFoundError."""
    row = next(snapshot.rows(BetListed, bet_id=bet_id), None)
    if row is None:
        raise NotFoundError(f"there is no bet 0x{bet_id.hex()}")
    question = row.listing.question(row.contract)
    return Awaited(bet_id, row.listing, question, tessera.panels.question_id(question))
