"""What is seen in the pictures of a street. Three ways to find what moves, each with faults of its own.

Needs OpenCV (group `vision`).
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from tessera.observe.traffic import CROSSED_Y, ENTERED_X, FPS, FRAME_MS, HEIGHT, STOP_X, TURNED_Y, WIDTH
from tessera.observe.witness import Sighting, Topic, Witness

TOPICS = (
    Topic(r"\bturns? left\b", "left turn"),
    Topic(r"\b(people|pedestrians?|persons?)\b", "person"),
    Topic(r"\bbus\b", "bus"),
    Topic(r"\bblue\b.*\bfollows?\b.*\bred\b", "blue after red"),
    Topic(r"\bcolours?\b", "car"),
)
LEAST_AREA, LEAST_BUS, MOST_PERSON = 30, 700, 240  # pixels
FARTHEST = 24  # pixels that something goes from a picture to the next
FORGOTTEN = 5  # pictures after which something that is not seen any more is gone
LEARNING = 15  # pictures of an empty street
FAINT = 28  # a difference of brightness or colour that is noise

Masks = Callable[[np.ndarray], np.ndarray]


def by_background() -> Masks:
    """A mixture of Gaussians for each pixel, which learns what the street looks like."""
    model = cv2.createBackgroundSubtractorMOG2(history=500, varThreshold=40, detectShadows=False)

    def mask(frame: np.ndarray) -> np.ndarray:
        # What it has learned at first stays: a bus that waits is no street.
        mask.learned += 1
        return model.apply(frame, learningRate=-1 if mask.learned <= LEARNING else 0.0005)

    mask.learned = 0
    return mask


def by_difference() -> Masks:
    """The difference of each picture from the median of the first ones."""
    first: list[np.ndarray] = []
    empty: list[np.ndarray] = []

    def mask(frame: np.ndarray) -> np.ndarray:
        if len(first) < LEARNING:
            first.append(frame)
            return np.zeros(frame.shape[:2], np.uint8)
        if not empty:
            empty.append(np.median(first, axis=0).astype(np.uint8))
        difference = cv2.absdiff(cv2.GaussianBlur(frame, (3, 3), 0), empty[0]).max(axis=2)
        return (difference > FAINT).astype(np.uint8) * 255

    return mask


def by_colour() -> Masks:
    """All that is colourful, in each picture by itself: the street is grey."""

    def mask(frame: np.ndarray) -> np.ndarray:
        smooth = cv2.GaussianBlur(frame, (3, 3), 0)
        saturation = cv2.cvtColor(smooth, cv2.COLOR_BGR2HSV)[:, :, 1]
        return (saturation > 110).astype(np.uint8) * 255

    return mask


METHODS: dict[str, Callable[[], Masks]] = {
    "background": by_background,
    "difference": by_difference,
    "colour": by_colour,
}


@dataclass
class Track:
    """Something that moves: what it is, where it was last, and what was reported of it."""

    kind: str
    x: float
    y: float
    is_whole: bool = False  # it was seen away from the edges: what it is, is known
    missing: int = 0
    reported: set[str] = field(default_factory=set)


class Camera:
    """Reads pictures one after the other, by one of METHODS."""

    def __init__(self, method: str, begin: int):
        """`begin` is the time of the first picture, unix milliseconds."""
        self._mask = METHODS[method]()
        self._begin, self._number = begin, 0
        self._tracks: list[Track] = []
        self._last_colour = ""

    @property
    def at(self) -> int:
        """The time of the last picture, unix milliseconds."""
        return self._begin + max(self._number - 1, 0) * FRAME_MS

    def read(self, frame: np.ndarray) -> list[Sighting]:
        """What the next picture shows that was not reported yet."""
        mask = cv2.morphologyEx(self._mask(frame), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        self._number += 1
        for track in self._tracks:
            track.missing += 1
        if self._number > LEARNING:
            for contour in contours:
                self._follow(frame, contour)
        self._tracks = [track for track in self._tracks if track.missing <= FORGOTTEN]
        return [new for track in self._tracks if track.is_whole and track.missing == 0 for new in self._news(track)]

    def _follow(self, frame: np.ndarray, contour: np.ndarray) -> None:
        left, top, width, height = cv2.boundingRect(contour)
        if width * height < LEAST_AREA:
            return
        x, y = left + width / 2, top + height / 2
        near = [
            track
            for track in self._tracks
            if track.missing > 0 and abs(track.x - x) + abs(track.y - y) < FARTHEST * track.missing
        ]
        if near:
            track = min(near, key=lambda track: abs(track.x - x) + abs(track.y - y))
            track.x, track.y, track.missing = x, y, 0
        else:
            self._tracks.append(track := Track("", x, y))
        is_cut_off = left <= 1 or left + width >= WIDTH - 1 or top <= 1 or top + height >= HEIGHT - 1
        if not is_cut_off and not track.reported:
            track.kind, track.is_whole = _kind(frame, left, top, width, height), True

    def _news(self, track: Track) -> Iterator[Sighting]:
        if track.kind == "person":
            if track.y < CROSSED_Y:
                yield from self._once(track, "person")
        elif track.kind == "bus":
            if track.x > STOP_X:
                yield from self._once(track, "bus")
        elif track.x > ENTERED_X:
            is_new = "car" not in track.reported
            yield from self._once(track, "car", track.kind[0].upper())
            if is_new:
                if (self._last_colour, track.kind) == ("red", "blue"):
                    yield from self._once(track, "blue after red")
                self._last_colour = track.kind
            if track.y < TURNED_Y:
                yield from self._once(track, "left turn")

    def _once(self, track: Track, what: str, symbol: str = "") -> Iterator[Sighting]:
        if what not in track.reported:
            track.reported.add(what)
            yield Sighting(self.at, what, symbol)


def _kind(frame: np.ndarray, left: int, top: int, width: int, height: int) -> str:
    if width * height >= LEAST_BUS:
        return "bus"
    if width * height <= MOST_PERSON and height > width:
        return "person"
    blue, _, red = frame[top : top + height, left : left + width].reshape(-1, 3).mean(axis=0)
    return "blue" if blue > red else "red"


def watched(
    frames: Iterable[np.ndarray], method: str, begin: int, *, noise: float = 0.0, seed: int = 0
) -> list[Sighting]:
    """All that a camera sees in pictures, whose every byte is off by noise of this standard deviation."""
    camera = Camera(method, begin)
    return [sighting for frame in noisy(frames, noise, seed) for sighting in camera.read(frame)]


def known_from(begin: int) -> int:
    """From when on a camera knows what happens, unix milliseconds, where the first picture is of `begin`: it sees
    nothing while it learns the street, and what came meanwhile in the picture after that."""
    return begin + LEARNING * FRAME_MS + 1


async def watch(
    frames: Iterable[np.ndarray], method: str, witness: Witness, begin: int, now: Callable[[], int]
) -> None:
    """Shows pictures to a witness as they come: the first at `begin`, unix milliseconds, by the clock `now`."""
    camera = Camera(method, begin)
    for number, frame in enumerate(frames):
        at = begin + number * FRAME_MS
        while now() < at:
            await asyncio.sleep(min(at - now(), FRAME_MS) / 1_000)
        witness.look(at, await asyncio.to_thread(camera.read, frame))


def noisy(frames: Iterable[np.ndarray], deviation: float, seed: int) -> Iterator[np.ndarray]:
    """Pictures whose every byte is off by noise of this standard deviation."""
    chance = np.random.default_rng(seed)
    for frame in frames:
        yield np.clip(frame + chance.normal(0, deviation, frame.shape), 0, 255).astype(np.uint8) if deviation else frame


def save(frames: Iterable[np.ndarray], path: Path) -> None:
    """Writes pictures as a clip that `clip` reads. Raises OSError where it cannot."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (WIDTH, HEIGHT))
    if not writer.isOpened():
        raise OSError(f"{path} cannot be written")
    for frame in frames:
        writer.write(frame)
    writer.release()


def length(path: Path) -> int:
    """How many pictures a clip has. Raises OSError where it cannot be read."""
    return int(_reader(path).get(cv2.CAP_PROP_FRAME_COUNT))


def clip(path: Path) -> Iterator[np.ndarray]:
    """The pictures of a clip. Raises OSError where it cannot be read."""
    reader = _reader(path)
    while (read := reader.read())[0]:
        yield read[1]
    reader.release()


def _reader(path: Path) -> cv2.VideoCapture:
    reader = cv2.VideoCapture(str(path))
    if not reader.isOpened():
        raise OSError(f"{path} cannot be read as a clip")
    return reader
