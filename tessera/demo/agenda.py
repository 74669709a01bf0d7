"""A season as a list of appointments: whoever puts on a product adds its actions, and time does the rest."""

from collections.abc import Callable, Iterator
from heapq import heappop, heappush


class Agenda:
    """Actions by the second at which they are due; those of one second in the order they were added."""

    def __init__(self):
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self.added = 0

    def at(self, when: int, action: Callable[[], None]) -> None:
        """Add an action, also while the agenda runs."""
        heappush(self._heap, (when, self.added, action))
        self.added += 1

    def run(self) -> Iterator[int]:
        """Yield the time of the next action, then carry it out, until none is left."""
        while self._heap:
            when, _, action = heappop(self._heap)
            yield when
            action()
