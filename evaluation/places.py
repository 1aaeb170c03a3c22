"""How often a text is taken for the right place, by tier, and how often for a wrong one.

Nothing of this was used to choose a threshold. Sets: typing errors made from a seed of every name in the gazetteer; cases written by
hand (``place_cases.tsv``), a check of the rules that were written beside them rather than a figure; names of other towns; and any list of others' names given as files of tab-separated
lines: name, borough, latitude, longitude, the last two optional. A region is right for such a name if it lies in that borough
and, where the list has positions, its centroid is at most 2 km away, else shares a word with the name.

    python -m evaluation.places [--show] [LIST ...]
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Final

import trio

from evaluation.typing_errors import misspelt
from greenroom.actors.search.places.by_meaning import MeaningThresholds
from greenroom.actors.search.places.embedding import embed_regions
from greenroom.actors.search.places.loading import load_gazetteer
from greenroom.actors.search.places.resolver import PlaceResolver
from greenroom.actors.search.stage_history import StageHistory
from greenroom.data.gazetteer import CITY_IDS, GazetteerCity, city_of_gazetteer
from greenroom.data.gazetteer.city_file import slug
from greenroom.data.gazetteer.geonames import MOST, Settlement, settlements
from greenroom.models.local import LocalEmbedder
from greenroom.schema.search.place_names import normal_place_name
from greenroom.schema.search.places import PlaceAnswer, PlaceOutcome, Point, Region, RegionId
from greenroom.storage.memory import memory_storage

SEED: Final = 20_270_509
TOWN_POPULATION_MIN: Final = 15_000
POSITION_KM: Final = 2.0
SHOWN_MAX: Final = 40
NYC: Final = RegionId("nyc")

IsRight = Callable[[Region], bool]


@dataclass(frozen=True, slots=True)
class Case:
    """``is_right`` None: no place of ours is meant, so only finding none is right. ``borough``: what it lies in, if that is known."""

    text: str
    cities: tuple[RegionId, ...]
    is_right: IsRight | None
    borough: RegionId | None = None


@dataclass(slots=True)
class Score:
    """
    Attributes:
        among: several regions were in question, the right one among them.
        broader: only the borough was told, and is the right one.
    """

    name: str
    total: int = 0
    right: int = 0
    among: int = 0
    broader: int = 0
    wrong: int = 0
    tiers: Counter[str] = field(default_factory=Counter)
    wrong_texts: list[str] = field(default_factory=list)
    missed_texts: list[str] = field(default_factory=list)

    def add(self, case: Case, answer: PlaceAnswer) -> None:
        self.total += 1
        found = [region for region in answer.regions if case.is_right is not None and case.is_right(region)]
        told = f"{case.text} -> {' | '.join(region.id for region in answer.regions)}"
        if answer.outcome is PlaceOutcome.UNKNOWN:
            if case.is_right is None:
                self.right += 1
            else:
                self.missed_texts.append(case.text)
        elif answer.outcome is PlaceOutcome.AMBIGUOUS and (found or case.is_right is None):
            self.among += 1
            self.missed_texts.append(told)
        elif found:
            self.right += 1
            if answer.tier is not None:
                self.tiers[answer.tier.name.lower()] += 1
        elif case.borough is not None and {region.id for region in answer.regions} == {case.borough}:
            self.broader += 1
        else:
            self.wrong += 1
            self.wrong_texts.append(f"{told} ({answer.tier.name.lower() if answer.tier else ''})")

    @property
    def abstained(self) -> int:
        return self.total - self.right - self.among - self.broader - self.wrong

    def row(self) -> str:
        tiers = ", ".join(f"{tier} {count}" for tier, count in self.tiers.most_common())
        return (
            f"{self.name:26} {self.total:6} {self.right / self.total:7.1%} {self.among / self.total:7.1%} "
            f"{self.broader / self.total:8.1%} {self.wrong / self.total:7.1%} {self.abstained / self.total:9.1%}   {tiers}"
        )


HEADER: Final = f"{'set':26} {'texts':>6} {'right':>7} {'among':>7} {'broader':>8} {'wrong':>7} {'abstained':>9}   right by tier"


@cache
def _settlements() -> tuple[Settlement, ...]:
    return tuple(settlements(MOST))


@cache
def _cities() -> dict[RegionId, GazetteerCity]:
    """As the demo has them."""
    return {city_id: city_of_gazetteer(city_id, _settlements()) for city_id in CITY_IDS}


def typing_cases(edits: int) -> Iterator[Case]:
    """Every name of the gazetteer once, misspelt; an error that makes it another of our names is left out."""
    random = Random(SEED + edits)  # noqa: S311 - no secret
    for city_id, city in _cities().items():
        names = {normal_place_name(mapped.region.name) for mapped in city.regions}
        names |= {normal_place_name(alias.name) for alias in city.aliases}
        for mapped in city.regions:
            text = misspelt(mapped.region.name, edits=edits, random=random)
            if normal_place_name(text) not in names:
                yield Case(text, (city_id,), _has_name(mapped.region.name))


def written_cases() -> Iterator[Case]:
    for line in files("evaluation").joinpath("place_cases.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            text, city, meant = line.split("\t")
            cities = () if city == "-" else (RegionId(city),)
            yield Case(text, cities, None if meant == "?" else _is_one_of(meant.split("|")))


def listed_cases(path: Path, *, with_borough: bool) -> Iterator[Case]:
    """The names of a list, as asked from New York; alone or with their borough behind them.

    Each text is asked once. A name that the list has twice is right for either of its places: nothing in it tells which is meant.
    """
    meant: dict[str, list[tuple[RegionId, IsRight]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, borough, lat, lng = [*line.split("\t"), "", ""][:4]
        text = f"{name}, {borough}" if with_borough else name
        position = Point(float(lat), float(lng)) if lat and lng else None
        lies_in = RegionId(f"nyc/{slug(borough)}")
        meant.setdefault(text, []).append((lies_in, _is_there(name, lies_in, position)))
    for text, places in meant.items():
        rules = [is_right for _, is_right in places]
        yield Case(text, (NYC,), partial(_is_any, rules), places[0][0] if len(places) == 1 else None)


def _is_any(rules: Sequence[IsRight], region: Region) -> bool:
    return any(is_right(region) for is_right in rules)


def stranger_cases(first: str, last: str) -> Iterator[Case]:
    """Places of the United States that are none of ours, asked from New York: none of them may be found.

    Args:
        first, last: initials, inclusive; those from N on were not looked at while the rules were written.
    """
    names = set()
    for city in _cities().values():
        names |= {normal_place_name(mapped.region.name) for mapped in city.regions}
        names |= {normal_place_name(alias.name) for alias in city.aliases}
    towns = {
        town.name for town in _settlements() if town.country == "US" and town.population >= TOWN_POPULATION_MIN
    }
    for name in sorted(towns):
        if first <= name[0] <= last and normal_place_name(name) not in names:
            yield Case(name, (NYC,), None)


def _has_name(name: str) -> IsRight:
    return lambda region: region.name == name


def _is_one_of(ids: Sequence[str]) -> IsRight:
    return lambda region: region.id in ids


def _is_there(name: str, borough: RegionId, position: Point | None) -> IsRight:
    words = set(normal_place_name(name).split())

    def is_right(region: Region) -> bool:
        if not (region.id == borough or region.id.startswith(f"{borough}/")):
            return False
        if position is not None:
            return region.centroid.distance_km(position) <= POSITION_KM
        return bool(words & set(normal_place_name(region.name).split()))

    return is_right


async def evaluate(sets: Iterable[tuple[str, Iterable[Case]]]) -> AsyncIterator[Score]:
    """Ask the shipped resolver, without a language model, over the gazetteer in memory."""
    storage = memory_storage()
    embedder = LocalEmbedder()
    await load_gazetteer(storage.gazetteer, now=datetime(2026, 1, 1, tzinfo=UTC), settlements=_settlements())
    await embed_regions(storage.gazetteer, embedder)
    decide = PlaceResolver(
        storage.places,
        embedder=embedder,
        model=None,
        thresholds=MeaningThresholds(),
        model_timeout_s=lambda: 3.0,
        history=StageHistory(),
    )
    for name, cases in sets:
        score = Score(name)
        for case in cases:
            rows = await storage.places.look_up(case.text, cities=case.cities)
            decision = await decide(
                case.text, rows, sentence=case.text, cities=case.cities, barred={}, remaining_s=lambda: 10.0
            )
            score.add(case, decision.answer)
        yield score


async def _report(paths: Sequence[Path], *, shows_all: bool) -> None:
    sets: list[tuple[str, Iterable[Case]]] = [
        ("one typing error", typing_cases(1)),
        ("two typing errors", typing_cases(2)),
        ("written by hand", written_cases()),
        ("towns elsewhere", stranger_cases("N", "Z")),
    ]
    if shows_all:
        sets.append(("towns elsewhere, looked at", stranger_cases("A", "M")))
    for path in paths:
        sets.append((path.stem, listed_cases(path, with_borough=False)))
        sets.append((f"{path.stem}, with borough", listed_cases(path, with_borough=True)))
    print(HEADER)
    scores = []
    async for score in evaluate(sets):
        scores.append(score)
        print(score.row(), flush=True)
    for score in scores if shows_all else ():
        for title, texts in (("wrong", score.wrong_texts), ("not found, or among others", score.missed_texts)):
            if texts:
                print(f"\n{score.name}: {title}", *texts[:SHOWN_MAX], sep="\n  ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lists", nargs="*", type=Path, help="names of others, tab-separated")
    parser.add_argument("--show", action="store_true", help="show what was taken for a wrong place, or for none")
    arguments = parser.parse_args()
    trio.run(partial(_report, arguments.lists, shows_all=arguments.show))


if __name__ == "__main__":
    main()
