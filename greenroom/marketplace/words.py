"""What the marketplace is made of, read from the package's data: kinds of lessons, names, phrases."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

_DATA: Final = files("greenroom") / "data"


class _Words(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Origin(_Words):
    """Names that go together, and the languages that those who have them may teach."""

    name: str
    weight: int
    languages: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]


class Group(_Words):
    """How lessons of a group of kinds are usually given.

    Attributes:
        popularity: how many teach it, against other groups.
        hour_cents: what an hour costs in a city of price factor 1.
        online: share that is to be had online.
        minutes: lengths of a lesson.
        together: share of further services that are of the same group.
    """

    popularity: int
    hour_cents: int
    online: float
    minutes: tuple[int, ...]
    together: float


class _Kinds(_Words):
    groups: dict[str, Group]
    popular: dict[str, int]
    ages: dict[str, tuple[int, int | None]]
    related: dict[str, tuple[str, ...]]
    proper: frozenset[str]
    local: dict[str, dict[str, str]]


class Phrases(_Words):
    """Pieces of sentences: by group of kinds, ``any`` for all; by audience; by where lessons are given."""

    titles: dict[str, dict[str, tuple[str, ...]]]
    openings: dict[str, tuple[str, ...]]
    contents: tuple[str, ...]
    audiences: dict[str, tuple[str, ...]]
    practicals: dict[str, tuple[str, ...]]
    bios: tuple[str, ...]
    pasts: tuple[str, ...]


class Kind(_Words):
    """A kind of lesson.

    Attributes:
        name: as at the beginning of a sentence; ``spoken`` within one.
        wording: what lessons are about, with commas.
        ages: whom it can be taught to; no upper bound if None.
        related: slugs of what the same person often teaches too.
    """

    slug: str
    name: str
    spoken: str
    wording: str
    group: str
    weight: int
    ages: tuple[int, int | None]
    related: tuple[str, ...]


@cache
def origins() -> tuple[Origin, ...]:
    return tuple(Origin.model_validate(origin) for origin in _read("marketplace/names.json")["origins"])


@cache
def phrases() -> Phrases:
    return Phrases.model_validate(_read("marketplace/phrases.json"))


@cache
def groups() -> dict[str, Group]:
    return _kinds().groups


@cache
def kinds() -> dict[str, Kind]:
    """Every kind of the taxonomy, by slug."""
    more = _kinds()
    return {
        entry["slug"]: Kind(
            slug=entry["slug"],
            name=entry["name"],
            spoken=_spoken(entry["name"], is_proper=entry["group"] == "languages" or entry["name"] in more.proper),
            wording=entry["wording"],
            group=entry["group"],
            weight=more.popular.get(entry["slug"], 1),
            ages=more.ages.get(entry["slug"], (4, None)),
            related=more.related.get(entry["slug"], ()),
        )
        for entry in _read("taxonomy.json")["kinds"]
    }


def kind_in(city: str, kind: Kind) -> Kind:
    """What is taught in a city in place of a kind that is of no use there: nobody sits New York's exams in London."""
    local = _kinds().local
    return kinds()[local.get(city, local["*"]).get(kind.slug, kind.slug)]


@cache
def _kinds() -> _Kinds:
    return _Kinds.model_validate(_read("marketplace/kinds.json"))


def _spoken(name: str, *, is_proper: bool) -> str:
    keeps_its_capitals = is_proper or name[1:] != name[1:].lower()
    return name if keeps_its_capitals else name[0].lower() + name[1:]


def _read(path: str) -> Any:
    return json.loads((_DATA / path).read_text(encoding="utf-8"))
