"""The README's search against the lessons that the demo comes with."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
import trio

from greenroom.actors.search.places.loading import load_gazetteer
from greenroom.actors.search.understanding import load_lexicon, understand
from greenroom.data.gazetteer.geonames import MOST, settlements
from greenroom.demo.people import INSTRUCTORS
from greenroom.demo.seeding import CROWD, CROWD_SEED
from greenroom.marketplace import invented_instructors
from greenroom.schema.catalogue import ListedService, Listing
from greenroom.schema.clock import system_wall_clock
from greenroom.storage.memory import memory_storage

README = Path(__file__).parents[2] / "README.md"
PIECE = re.compile(r"(service|age|place|price|when) (.+?)(?: = .+)?$")
AROUND_PARK_SLOPE = {"nyc", "nyc/brooklyn", "nyc/brooklyn/park-slope"}
SATURDAY = 6


@pytest.fixture(scope="module")
def shown() -> list[str]:
    """The lines of the README's search, from the command on."""
    lines = README.read_text("utf-8").splitlines()
    begin = next(number for number, line in enumerate(lines) if "greenroom search " in line)
    return lines[begin : lines.index("```", begin)]


def fits(listing: Listing, service: ListedService) -> bool:
    """Whether it is piano for a child of eight, in person around Park Slope, for at most $80, on a Saturday."""
    return (
        service.category == "piano"
        and service.is_in_person
        and service.price_cents <= 8_000
        and (service.age_min or 0) <= 8 <= (service.age_max or 8)
        and not AROUND_PARK_SLOPE.isdisjoint(listing.areas or ())
        and any(slot.weekday == SATURDAY for slot in listing.availability or ())
    )


async def test_the_readme_shows_every_lesson_of_the_demo_that_fits_its_search(shown: list[str]) -> None:
    known = tuple(await trio.to_thread.run_sync(lambda: list(settlements(MOST))))
    cities = await load_gazetteer(memory_storage().gazetteer, now=system_wall_clock(), settlements=known)
    regions = [mapped.region for city in cities for mapped in city.regions]
    offered = [*INSTRUCTORS, *invented_instructors(regions, seed=CROWD_SEED, count=CROWD)]

    told = [re.split(r"\s{2,}", line.strip())[1:4] for line in shown if line[:1].isdigit() and " USD / " in line]

    assert sorted(told) == sorted(
        [
            service.title,
            listing.display_name,
            f"{service.price_cents / 100:.2f} {service.currency} / {service.duration_minutes} min",
        ]
        for listing in offered
        for service in listing.services
        if fits(listing, service)
    )


def test_the_readme_says_of_its_search_what_is_understood(shown: list[str]) -> None:
    sentence = shown[0].split('"')[1].replace("\\$", "$")
    line = next(line for line in shown if line.startswith("Understood"))

    told = [PIECE.fullmatch(piece.strip()) for piece in line.removeprefix("Understood").split(" · ")]

    parts = understand(sentence, lexicon=load_lexicon(), today=date(2026, 3, 2)).parts
    assert [piece and piece.groups() for piece in told] == [(part.kind.value, part.text) for part in parts]
