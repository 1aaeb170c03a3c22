"""Searches, and what has to hold of their answers.

A file of a city (``nyc.jsonl``) has one search a line: ``text`` and

- ``kinds``: slugs of the taxonomy. The heaviest kind that is understood is one of them; the first results are of them, and all
  that there are of them which fit the rest are found, as far as the page goes.
- ``akin``: groups and slugs that may follow after those; by default the groups of ``kinds``.
- ``place``: ids of the regions that are meant, and only they; ``near`` true where next to it does too.
- ``price``: ``"-80"``, ``"20-"`` or ``"20-80"``, both inclusive, ``/h`` behind it where it is by the hour; ``currency`` where it is told.
- ``age``: ``"8"``, ``"18-"``, ``"6-10"``; ``level``; ``online`` true or false.
- ``days``: ``["sat", "sun"]`` or dates ``["2026-11-28"]``; ``time``: ``"08:00-12:00"``, open at an end. Results are free for a whole lesson
  on one of these days within that time.
- ``from``: the city in whose middle the asker is, by default that of the file; null for nowhere.

What is missing must not have been understood either. Today is :data:`evaluation.searching.marketplace.NOW`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from greenroom.schema.search.places import RegionId
from greenroom.schema.search.understood import Level, Weekday

FOLDER: Final = Path(__file__).parent
CITIES: Final = ("nyc", "london", "chicago")
MIDNIGHT: Final = 1_440


@dataclass(frozen=True, slots=True)
class Bounds:
    """Both inclusive; None is open."""

    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Free:
    """On one of these days, if any is told, and from a minute of the day to another. ``dates`` go before ``weekdays``."""

    weekdays: frozenset[Weekday]
    dates: tuple[date, ...]
    from_minute: int
    to_minute: int


@dataclass(frozen=True, slots=True)
class SearchCase:
    """``price`` is in cents, of an hour or of a lesson. Lists that are empty and None stand for what is not asked for."""

    text: str
    asked_from: RegionId | None
    kinds: tuple[str, ...]
    akin: frozenset[str] = frozenset()
    place: tuple[RegionId, ...] = ()
    is_near: bool = False
    price: Bounds | None = None
    is_hourly: bool = False
    currency: str | None = None
    age: Bounds | None = None
    level: Level | None = None
    online: bool | None = None
    free: Free | None = None


def read_cases(city: str) -> list[SearchCase]:
    """
    Raises:
        OSError, ValueError, KeyError: there is no such file, or it is not of its form.
    """
    lines = (FOLDER / f"{city}.jsonl").read_text("utf-8").splitlines()
    return [_case(json.loads(line), city) for line in lines if line.strip()]


def _case(row: Mapping[str, object], city: str) -> SearchCase:
    asked_from = row.get("from", city)
    price = str(row["price"]) if "price" in row else None
    return SearchCase(
        text=str(row["text"]),
        asked_from=None if asked_from is None else RegionId(str(asked_from)),
        kinds=_texts(row.get("kinds")),
        akin=frozenset(_texts(row.get("akin"))),
        place=tuple(RegionId(each) for each in _texts(row.get("place"))),
        is_near=bool(row.get("near", False)),
        price=None if price is None else _bounds(price.removesuffix("/h"), times=100),
        is_hourly=price is not None and price.endswith("/h"),
        currency=str(row["currency"]) if "currency" in row else None,
        age=_bounds(str(row["age"])) if "age" in row else None,
        level=Level(str(row["level"])) if "level" in row else None,
        online=bool(row["online"]) if "online" in row else None,
        free=_free(_texts(row.get("days")), str(row.get("time", "-"))) if {"days", "time"} & row.keys() else None,
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _bounds(text: str, *, times: int = 1) -> Bounds:
    low, dash, high = text.partition("-")
    if not dash:
        high = low
    return Bounds(int(low) * times if low else None, int(high) * times if high else None)


def _free(days: Sequence[str], time: str) -> Free:
    begin, _, end = time.partition("-")
    names = {day.value for day in Weekday}
    return Free(
        weekdays=frozenset(Weekday(day) for day in days if day in names),
        dates=tuple(date.fromisoformat(day) for day in days if day not in names),
        from_minute=_minute(begin) if begin else 0,
        to_minute=_minute(end) if end else MIDNIGHT,
    )


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
