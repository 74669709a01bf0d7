"""A street that is rendered: the same frames for the same seed, and the truth of what happens in them.

Cars come from the left and go on to the right, or turn left into a side street; people cross, a bus passes its stop.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tessera.observe.witness import Sighting

WIDTH, HEIGHT, FPS = 320, 240, 10
FRAME_MS = 1_000 // FPS
EMPTY_SECONDS = 2  # at the beginning, for whoever compares with an empty street
ROAD_Y, ROAD_HALF = 150, 20  # the main street's middle, and half its width
SIDE_X, SIDE_HALF = 230, 20  # the side street's
CROSSING_X, STOP_X = 70, 160
TURNED_Y, ENTERED_X, CROSSED_Y = 100, 40, 118  # where an observer counts a turn, a car, a person
CAR_SPEED, WALK_SPEED = 60, 30  # pixels a second
GAP_SECONDS = 3.0  # between two vehicles, at least
ROAD, GRASS = (
    (90, 90, 90),
    (112, 120, 112),
)  # of little colour, unlike all that moves; blue, green, red as OpenCV has it
COLOURS = {"red": (40, 40, 220), "blue": (220, 60, 40), "bus": (30, 210, 230), "person": (60, 200, 60)}
SIZES = {"red": (26, 14), "blue": (26, 14), "bus": (60, 20), "person": (6, 12)}


@dataclass(frozen=True)
class Mover:
    """A vehicle or person: when it sets out, in seconds, what it is, and whether it turns left."""

    at: float
    kind: str
    turns: bool = False

    def place(self, seconds: float) -> tuple[float, float] | None:
        """Where its middle is, in pixels; None where it is out of sight."""
        gone = seconds - self.at
        if gone < 0:
            return None
        if self.kind == "person":
            y = HEIGHT - WALK_SPEED * gone
            return (CROSSING_X, y) if y > 0 else None
        x = CAR_SPEED * gone
        if self.turns and x > SIDE_X:
            y = ROAD_Y - (x - SIDE_X)
            return (SIDE_X, y) if y > 0 else None
        return (x, ROAD_Y) if x < WIDTH else None

    def reaches(self, distance: float) -> float:
        """When it has gone so many pixels, in seconds."""
        return self.at + distance / (WALK_SPEED if self.kind == "person" else CAR_SPEED)


def scene(seed: int, seconds: int) -> list[Mover]:
    """What moves in a street of so many seconds. People cross between two vehicles, so that nothing hides anything."""
    chance = random.Random(seed)  # noqa: S311  a picture
    movers, at = [], float(EMPTY_SECONDS)
    while at < seconds:
        kind = chance.choices(["red", "blue", "bus"], [4, 4, 1])[0]
        movers.append(Mover(at, kind, turns=kind != "bus" and chance.random() < 0.4))
        gap = GAP_SECONDS + 2 * chance.random()
        if chance.random() < 0.5:
            # Half-way between two vehicles at the crossing, in the middle of the road.
            middle = at + CROSSING_X / CAR_SPEED + gap / 2
            movers.append(Mover(middle - (HEIGHT - ROAD_Y) / WALK_SPEED, "person"))
        at += gap
    return sorted((mover for mover in movers if mover.at >= 0), key=lambda mover: mover.at)


def truth(movers: list[Mover], begin: int) -> list[Sighting]:
    """What happens, for a street that begins at a time, unix milliseconds."""
    sightings, before = [], ""
    for mover in movers:
        if mover.kind == "person":
            sightings.append(Sighting(_ms(begin, mover.reaches(HEIGHT - CROSSED_Y)), "person"))
            continue
        if mover.kind == "bus":
            sightings.append(Sighting(_ms(begin, mover.reaches(STOP_X)), "bus"))
            continue
        entered = _ms(begin, mover.reaches(ENTERED_X))
        sightings.append(Sighting(entered, "car", mover.kind[0].upper()))
        if (before, mover.kind) == ("red", "blue"):
            sightings.append(Sighting(entered, "blue after red"))
        before = mover.kind
        if mover.turns:
            sightings.append(Sighting(_ms(begin, mover.reaches(SIDE_X + ROAD_Y - TURNED_Y)), "left turn"))
    return sorted(sightings)


def _ms(begin: int, seconds: float) -> int:
    return begin + round(seconds * 1_000)


def frames(movers: list[Mover], seconds: int) -> Iterator[np.ndarray]:
    """The pictures, FPS a second: HEIGHT x WIDTH x 3 bytes, blue, green, red."""
    street = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    street[:] = GRASS
    street[ROAD_Y - ROAD_HALF : ROAD_Y + ROAD_HALF] = ROAD
    street[:ROAD_Y, SIDE_X - SIDE_HALF : SIDE_X + SIDE_HALF] = ROAD
    for number in range(seconds * FPS):
        frame = street.copy()
        for mover in movers:
            place = mover.place(number / FPS)
            if place is None:
                continue
            width, height = SIZES[mover.kind]
            if mover.turns and place[1] < ROAD_Y:
                width, height = height, width
            left, top = round(place[0] - width / 2), round(place[1] - height / 2)
            frame[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)] = COLOURS[mover.kind]
        yield frame
