"""A road drawn as text, a row a lane and a mark every METRES metres, in any editor:

    ; after a semicolon comes a comment
    v = temper 0.9, speed 21       ; a driver of one's own: a letter, and what is known of it
    -----h----------o------------v----------    ; - free road   E your own car
    --o------E----------c-----------------x-    ; c calm   o ordinary   h hasty   t truck   x stands
    ----t------------------o----------------

It is driven from left to right and is a ring: what leaves at the right comes in at the left. A driver
has temper (0 calm to 1 hasty), speed and wants (the speed it would like, both m/s), length (m); E may have
a speed. `loose 2` lets everybody begin up to 2 m off. By task there also belong to it
  LanesMerge      a last row, the slip road: _ road, / its mouth, g whoever comes in there
  LanesAmbulance  A, the ambulance
  LanesCrossing   a column of Z through all lanes, the zebra; `people 2` wait there (else as it happens)
It must be possible to drive there: no two overlap, nobody is too near to stop, and cars that stand leave
a way round.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from envs.lanes.ambulance import SIREN_LENGTH, SIREN_SPEED
from envs.lanes.crosswalk import LINE
from envs.lanes.lanes_layout_checks import AWAKE, BRAKES, METRES, Car, Driver, check_gaps, first_blocked_cell
from envs.lanes.lanes_state_layout import AMBULANCE, CROSSING, MERGE
from envs.lanes.merging import FAST, MEAN_TEMPER, SLOW
from envs.lanes.reset import DRIVER, STANDS
from envs.layout_text import LayoutError, read_layout_text

FREE, OWN, SIREN, ZEBRA, SLIP, MOUTH, COMMENT = "-", "E", "A", "Z", "_", "/", ";"
FEWEST_LANES, MOST_LANES = 2, 5
SHORTEST, LONGEST = 40, 160  # of a road [marks]
MOST_CARS = 40
WATCH = 2.0  # room kept to a line that one must be able to stop at [m]


DRIVERS: Mapping[str, Driver] = {
    OWN: Driver(speed=13.0, wants=22.0),
    "c": Driver(0.15),
    "o": Driver(0.5),
    "h": Driver(0.85),
    "t": Driver(0.15, 12.0, 12.5, 11.0),
    "x": Driver(0.5, 0.0, 0.0),
    "g": Driver(MEAN_TEMPER, SLOW, FAST + 1.0),
    SIREN: Driver(1.0, 20.0, SIREN_SPEED, SIREN_LENGTH),
}
_BOUNDS = {"temper": (0.0, 1.0), "speed": (0.0, 30.0), "wants": (0.0, 30.0), "length": (3.0, 14.0)}
_SETTINGS = {"loose": (0.0, 2.0), "people": (0.0, 3.0)}
_DEFINITION = re.compile(r"\s*(\S)\s*=\s*(.*)")
_SETTING = re.compile(r"\s*([a-z]{2,})\s+(\S+)\s*")


@dataclass(frozen=True)
class Road:
    """A road as drawn. numbers: what reset.py reads (DRAWN in lanes_state_layout.py), the drivers among
    them."""

    lanes: int
    cars: int
    ring: float
    numbers: tuple[float, ...]
    text: str  # the drawing without comments: drawn again it is the same road


def parse_road(layout: str, *, task: str, kind: int, limit: float) -> Road:
    """The road drawn in `layout`, a text or the path of a file (a text has a line break).

    task and kind say who asks, limit is its speed limit [m/s]. Raises LayoutError.
    """
    return _Drawing(layout, task, kind, limit).road()


class _Drawing:
    """A drawing on its way to a road."""

    def __init__(self, layout: str, task: str, kind: int, limit: float) -> None:
        self.task, self.kind, self.limit = task, kind, limit
        self.name, text = read_layout_text(layout, "road")
        self.drivers = dict(DRIVERS)
        self.settings: dict[str, float] = {}
        self.rows: list[tuple[int, str]] = []  # line, row with its indentation
        self._blank = 0  # the last line with nothing on it
        kept = []
        for number, whole in enumerate(text.split("\n"), 1):
            line = whole.split(COMMENT)[0].rstrip()
            self._read_line(number, line, whole)
            kept += [line] if line else []
        self.text = "\n".join(kept) + "\n"
        if not self.rows:
            raise LayoutError(f"{self.name} draws no lane: begin with a row of '{FREE}' and an '{OWN}'")
        self._lay_out()

    def _refuse(self, line: int, column: int, why: str) -> NoReturn:
        raise LayoutError(f"line {line}, column {column} of {self.name}: {why}")

    def _read_line(self, number: int, line: str, whole: str) -> None:
        if definition := _DEFINITION.fullmatch(line):
            self._define(number, definition)
        elif setting := _SETTING.fullmatch(line):
            name, column = setting[1], setting.start(1) + 1
            if name not in _SETTINGS:
                self._refuse(number, column, f"{name!r} is unknown: use {' or '.join(_SETTINGS)}")
            self.settings[name] = self._number(number, setting.start(2) + 1, name, setting[2], _SETTINGS)
        elif line:
            if self.rows and self.rows[-1][0] < self._blank:
                self._refuse(self._blank, 1, "an empty line in the middle of the road: take it out")
            self.rows.append((number, line))
        elif not whole.strip():
            self._blank = number

    def _number(
        self, line: int, column: int, name: str, text: str, bounds: Mapping[str, tuple[float, float]]
    ) -> float:
        low, high = bounds[name]
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            self._refuse(line, column, f"{name} {text!r} is no number from {low:g} to {high:g}")
        return value

    def _define(self, line: int, found: re.Match[str]) -> None:
        """`v = temper 0.9, speed 21`."""
        mark = found[1]
        if not mark.isalpha() or mark in (SIREN, ZEBRA):
            self._refuse(line, found.start(1) + 1, f"{mark!r} can't be a driver: use another letter")
        driver = self.drivers.get(mark, Driver())
        at = found.start(2)
        for part in found[2].split(","):
            words, column = part.split(), at + len(part) - len(part.lstrip()) + 1
            if len(words) != 2 or words[0] not in _BOUNDS:
                known = ", ".join(_BOUNDS)
                self._refuse(line, column, f"{part.strip()!r} says nothing of a driver: use {known}")
            value = self._number(line, column + part.strip().index(words[1]), words[0], words[1], _BOUNDS)
            driver = replace(driver, **{words[0]: value})
            at += len(part) + 1
        self.drivers[mark] = driver

    def _lay_out(self) -> None:
        """Lanes, cars, zebra and slip road from the rows."""
        slip = set(self.rows[-1][1]) & {SLIP, MOUTH}
        lanes = self.rows[:-1] if slip else self.rows
        if not FEWEST_LANES <= len(lanes) <= MOST_LANES:
            raise LayoutError(
                f"{self.name} has {len(lanes)} lanes: draw {FEWEST_LANES} to {MOST_LANES}, a row each"
            )
        left = min(len(row) - len(row.lstrip()) for _, row in lanes)
        self.lanes, self.columns = len(lanes), max(len(row) - left for _, row in lanes)
        if not SHORTEST <= self.columns <= LONGEST:
            raise LayoutError(
                f"{self.name} is {self.columns} marks long: draw {SHORTEST} to {LONGEST} of {METRES:g} m each"
            )
        self.ring = METRES * self.columns
        self.cars: list[Car] = []
        self.zebra: dict[int, list[int]] = {}  # by column: the lanes that have a mark there
        self.mouth: tuple[int, int, int] | None = None  # column of the road, line, column of the text
        for lane, (line, row) in enumerate(self.rows):
            for at, mark in enumerate(row):
                if at >= left or mark != " ":
                    self._place(lane, at - left, line, at + 1, mark)

    def _place(self, lane: int, x: int, line: int, column: int, mark: str) -> None:
        aside = lane == self.lanes
        if mark in ((SLIP, " ") if aside else (FREE,)):
            return
        if mark == ZEBRA and not aside and self.kind == CROSSING:
            self.zebra.setdefault(x, []).append(lane)
        elif mark == MOUTH and aside:
            self.mouth = (x, line, column)
        elif mark in self.drivers and not (aside and mark == OWN):
            if mark == SIREN and self.kind != AMBULANCE:
                self._refuse(line, column, f"{self.task} knows no ambulance: take it out")
            town = self.limit / 20.0
            driver = self.drivers[mark]
            usual = 13.0 + 4.0 * (self.lanes - 1 - lane) / (self.lanes - 1) + 3.0 * driver.temper
            wants = driver.wants if driver.wants is not None else driver.speed
            speed = driver.speed if driver.speed is not None else min(0.95 * usual * town, wants or 99.0)
            driver = replace(driver, speed=speed, wants=usual * town if wants is None else wants)
            self.cars.append(Car(mark, lane, METRES * (x + 0.5), driver, line, column))
        else:
            elsewhere = {"g", *(SIREN if self.kind != AMBULANCE else "")}
            known = [FREE, *(one for one in self.drivers if one not in elsewhere)]
            known += [ZEBRA] if self.kind == CROSSING else []
            marks = f"{SLIP} {MOUTH} g" if aside else " ".join(known)
            self._refuse(line, column, f"{mark!r} is no mark here: use {marks}")

    def road(self) -> Road:
        """The road, checked."""
        if len(self.cars) > MOST_CARS:
            last = self.cars[MOST_CARS]
            self._refuse(last.line, last.column, f"more than {MOST_CARS} cars: draw fewer")
        own = self._the_one(OWN, "own car")
        others = [car for car in self.cars if car is not own]
        if self.kind == AMBULANCE:
            siren = self._the_one(SIREN, "ambulance")
            others = [siren, *(car for car in others if car is not siren)]
        site, guest = self._site(own, others)
        ordered = [own, *others]
        check_gaps(ordered, self.lanes, self.ring, self.settings.get("loose", 0.0), self._refuse)
        bar = first_blocked_cell(ordered, self.lanes, self.columns, own)
        if bar is not None:
            lane, mark = bar
            column = mark + own.column - int(own.x / METRES)
            self._refuse(self.rows[lane][0], column, "cars that stand leave no way past here: move one away")
        head = (self.settings.get("loose", 0.0), site, self.settings.get("people", -1.0), float(guest))
        cars = [number for car in ordered for number in self._numbers(car, own, site)]
        assert len(cars) == DRIVER * len(ordered)
        return Road(self.lanes, len(ordered), self.ring, (*head, *cars), self.text)

    def _the_one(self, mark: str, name: str) -> Car:
        found = [car for car in self.cars if car.mark == mark]
        if not found:
            raise LayoutError(f"{self.name} has no {name}: put an '{mark}' into a lane for {self.task}")
        if len(found) > 1:
            self._refuse(
                found[1].line, found[1].column, f"a second {name}, the first is in line {found[0].line}"
            )
        return found[0]

    def _numbers(self, car: Car, own: Car, site: float) -> tuple[float, ...]:
        """(X from the own car's, lane, speed, temper, speed wanted, length); DRIVER numbers."""
        d = car.x - own.x
        if car.lane == self.lanes and self.mouth is not None:
            d = site - (METRES * (self.mouth[0] + 0.5) - car.x)
        wants = max(STANDS / 2, car.driver.wants or 0.0)
        return d, float(car.lane), car.v, car.driver.temper, wants, car.driver.length

    def _site(self, own: Car, others: list[Car]) -> tuple[float, int]:
        """(how far ahead of the own car mouth or zebra is [m], index of the guest)."""
        if self.kind == MERGE:
            return self._slip(own, others)
        if self.mouth is not None or any(car.lane == self.lanes for car in others):
            self._refuse(self.rows[-1][0], 1, f"{self.task} knows no slip road: take the row out")
        if self.kind != CROSSING:
            return 0.0, 1 if self.kind == AMBULANCE else 0
        if not self.zebra:
            raise LayoutError(f"{self.name} has no zebra: put a '{ZEBRA}' below another through all lanes")
        first, *more = self.zebra
        indent = own.column - 1 - int(own.x / METRES)
        if more:
            self._refuse(self.rows[self.zebra[more[0]][0]][0], more[0] + indent + 1, "a second zebra")
        gone = sorted(set(range(self.lanes)) - set(self.zebra[first]))
        if gone:
            self._refuse(self.rows[gone[0]][0], first + indent + 1, f"the zebra needs a '{ZEBRA}' here too")
        ahead = (METRES * (first + 0.5) - own.x) % self.ring
        if ahead - LINE - own.driver.length / 2 < own.v**2 / (2 * BRAKES) + AWAKE * own.v + WATCH:
            self._refuse(own.line, own.column, f"at {own.v:g} m/s it can't stop at the zebra any more")
        return ahead, 0

    def _slip(self, own: Car, others: list[Car]) -> tuple[float, int]:
        guests = [car for car in others if car.lane == self.lanes]
        if self.mouth is None or not guests:
            raise LayoutError(
                f"{self.name} has no slip road for {self.task}: draw one as its last row, like "
                f"{SLIP}{SLIP}g{SLIP}{SLIP}{MOUTH}{SLIP}"
            )
        if len(guests) > 1:
            self._refuse(guests[1].line, guests[1].column, "a second car on the slip road")
        x, line, column = self.mouth
        if METRES * (x + 0.5) <= guests[0].x:
            self._refuse(line, column, "the mouth is not ahead of who comes in there: draw it to the right")
        return (METRES * (x + 0.5) - own.x) % self.ring, 1 + others.index(guests[0])
