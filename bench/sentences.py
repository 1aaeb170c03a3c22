"""What people type into a search for lessons, invented from a seed and no two alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from greenroom.data.gazetteer import CITY_IDS, city_of_gazetteer
from greenroom.schema.search.places import RegionKind
from greenroom.schema.search.taxonomy import load_taxonomy

_TEMPLATES: Final = (
    # Weights by judgement: most name a lesson and perhaps a place, few say everything at once.
    (20, "{lesson} lessons"),
    (15, "{lesson} teacher in {place}"),
    (15, "{lesson} lessons near {place}"),
    (12, "{lesson} for my {age} year old"),
    (10, "online {lesson} under ${price}"),
    (10, "{lesson} in {place} under ${price} on {day}"),
    (10, "{lesson} lessons for my {age} year old near {place} under ${price} on {day} morning"),
    (8, "someone patient to teach {lesson} to a beginner on {day}"),
)
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, and what is meant by it: for peers that understand none. ``weekday`` is 1 for Monday."""

    text: str
    lesson: str
    region_id: str | None = None
    price_max_cents: int | None = None
    age: int | None = None
    weekday: int | None = None
    online: bool = False


def sentences(seed: int) -> Iterator[Sentence]:
    """Without an end; the same seed makes the same ones."""
    random = Random(seed)  # noqa: S311 - has to be the same every time
    lessons = [name.casefold() for kind in load_taxonomy().kinds.values() for name in (kind.name, *kind.synonyms)]
    places = [
        mapped.region
        for city_id in CITY_IDS
        for mapped in city_of_gazetteer(city_id).regions
        if mapped.region.kind is not RegionKind.CITY
    ]
    weights = [weight for weight, _ in _TEMPLATES]
    told: set[str] = set()
    while True:
        [(_, template)] = random.choices(_TEMPLATES, weights)
        lesson, place, day = random.choice(lessons), random.choice(places), random.choice(_DAYS)
        age, price = random.randint(5, 16), random.randrange(40, 160, 5)
        text = template.format(lesson=lesson, place=place.name, age=age, price=price, day=day)
        # There are few of the shortest; one that was told before says something about the teacher besides.
        while text in told:
            text += f" with {random.randint(2, 40)} years of experience"
        told.add(text)
        yield Sentence(
            text,
            lesson,
            region_id=place.id if "{place}" in template else None,
            price_max_cents=price * 100 if "{price}" in template else None,
            age=age if "{age}" in template else None,
            weekday=_DAYS.index(day) + 1 if "{day}" in template else None,
            online=template.startswith("online"),
        )
