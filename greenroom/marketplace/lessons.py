"""What invented instructors offer, and in which words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from greenroom.marketplace.city_map import Home
from greenroom.marketplace.words import Kind, groups, kinds, phrases
from greenroom.schema.catalogue import ListedService
from greenroom.schema.search.understood import Level

_AUDIENCES: Final[tuple[tuple[str, int, tuple[int, int | None]], ...]] = (
    # name, weight, ages
    ("everybody", 34, (0, None)),
    ("children", 26, (5, 12)),
    ("teens", 16, (11, 18)),
    ("adults", 24, (18, None)),
)

_LEVELS: Final[tuple[tuple[tuple[Level, ...], int], ...]] = (
    ((), 30),
    ((Level.BEGINNER,), 26),
    ((Level.BEGINNER, Level.INTERMEDIATE), 22),
    ((Level.INTERMEDIATE, Level.ADVANCED), 12),
    ((Level.ADVANCED,), 10),
)

_PRICE_STEP_CENTS: Final = 500

TITLE_TRIES: Final = 20
"""For one that the instructor has not used yet; more than one is rarely needed."""


@dataclass(frozen=True, slots=True)
class Teacher:
    """Of whom lessons are: what runs through all of them.

    Attributes:
        dearness: the instructor's own prices against the usual ones.
    """

    given: str
    home: Home
    years: int
    dearness: float
    is_online: bool
    is_in_person: bool


@dataclass(frozen=True, slots=True)
class _Audience:
    name: str
    age_min: int | None
    age_max: int | None


def drawn_kind(random: Random, languages: Sequence[str]) -> Kind:
    """What somebody teaches above all. Who teaches a language mostly grew up with it: ``languages`` are such."""
    known = groups()
    [group] = random.choices(list(known), [entry.popularity for entry in known.values()])
    if group == "languages" and random.random() < 0.8:
        return kinds()[random.choice(languages)]
    choice = [kind for kind in kinds().values() if kind.group == group]
    return random.choices(choice, [kind.weight for kind in choice])[0]


def drawn_kinds(random: Random, first: Kind) -> list[Kind]:
    """One to four services' kinds: the first, again for others, or what goes with it."""
    count = random.choices((1, 2, 3, 4), (42, 34, 17, 7))[0]
    found = [first]
    while len(found) < count:
        if random.random() < 0.4:
            found.append(first)
        elif first.related and random.random() < 0.8:
            found.append(kinds()[random.choice(first.related)])
        elif random.random() < groups()[first.group].together:
            choice = [kind for kind in kinds().values() if kind.group == first.group]
            found.append(random.choices(choice, [kind.weight for kind in choice])[0])
        else:
            found.append(first)
    return found


def invented_service(
    random: Random, kind: Kind, teacher: Teacher, *, number: int, besides: set[str]
) -> ListedService:
    """
    Args:
        besides: titles that the instructor has already; this one's is added.
    """
    group = groups()[kind.group]
    for _ in range(TITLE_TRIES):
        audience, levels = _drawn_audience(random, kind), _drawn_levels(random)
        title = _title(random, kind, audience, levels)
        if title not in besides:
            break
    else:
        title = f"{title} ({number})"
    besides.add(title)
    minutes = random.choice(
        group.minutes[:1] if audience.name == "children" and random.random() < 0.5 else group.minutes
    )
    hour = group.hour_cents * teacher.home.price_factor * teacher.dearness
    if levels and levels[-1] is Level.ADVANCED:
        hour *= 1.2
    price = max(2_000, round(hour * minutes / 60 / _PRICE_STEP_CENTS) * _PRICE_STEP_CENTS)
    is_online = teacher.is_online and group.online > 0
    return ListedService(
        external_id=f"s{number}",
        title=title,
        description=_description(random, kind, teacher, audience, levels, is_online=is_online),
        price_cents=price,
        currency=teacher.home.currency,
        duration_minutes=minutes,
        category=kind.slug,
        levels=levels,
        age_min=audience.age_min,
        age_max=audience.age_max,
        is_online=is_online,
        is_in_person=teacher.is_in_person or not is_online,
    )


def invented_bio(random: Random, kind: Kind, teacher: Teacher) -> str:
    return _filled(random.choice(phrases().bios), random, kind, teacher)


def _drawn_audience(random: Random, kind: Kind) -> _Audience:
    low, high = kind.ages
    fitting = [
        entry
        for entry in _AUDIENCES
        if (entry[2][1] is None or entry[2][1] > low + 2) and (high is None or entry[2][0] < high - 2)
    ]
    [(name, _, (age_min, age_max))] = random.choices(
        fitting or _AUDIENCES[:1], [e[1] for e in fitting or _AUDIENCES[:1]]
    )
    if name in {"children", "teens"}:
        age_min, age_max = age_min + random.randint(0, 2), (age_max or 18) - random.randint(0, 2)
    youngest = max(age_min, low)
    oldest = min(filter(None, (age_max, high)), default=None)
    if name == "everybody" and low <= 4 and high is None:
        youngest = random.choice((0, 0, 5, 6, 8))
    if oldest is not None and youngest > oldest:  # a kind for a narrow range of ages has that range
        youngest, oldest = low, high
    return _Audience(name, youngest or None, oldest)


def _drawn_levels(random: Random) -> tuple[Level, ...]:
    return random.choices([levels for levels, _ in _LEVELS], [weight for _, weight in _LEVELS])[0]


def _title(random: Random, kind: Kind, audience: _Audience, levels: tuple[Level, ...]) -> str:
    keys = [audience.name, audience.name]
    if levels == (Level.BEGINNER,) and audience.name in {"everybody", "adults"}:
        keys.append("beginner")
    if levels == (Level.ADVANCED,):
        keys = ["advanced"]
    key = random.choice(keys)
    banks = phrases().titles
    of_group = banks.get(kind.group, {}).get(key, ())
    bank = of_group if of_group and random.random() < 0.6 else banks["any"][key]
    if audience.age_min is None or audience.age_max is None:
        bank = tuple(title for title in bank if "{from}" not in title) or banks["any"]["everybody"]
    return random.choice(bank).format(
        **{"Kind": kind.name, "kind": kind.spoken, "from": audience.age_min, "to": audience.age_max}
    )


def _description(
    random: Random,
    kind: Kind,
    teacher: Teacher,
    audience: _Audience,
    levels: tuple[Level, ...],
    *,
    is_online: bool,
) -> str:
    """Some of: how lessons are, what they are about, whom they are for, and what else to know; not always in this order."""
    bank = phrases()
    openings = bank.openings.get(kind.group, ())
    opening = random.choice(openings if openings and random.random() < 0.6 else bank.openings["any"])
    for_whom = bank.audiences[levels[-1].value if levels and random.random() < 0.5 else audience.name]
    if audience.age_min is None or audience.age_max is None:
        for_whom = tuple(phrase for phrase in for_whom if "{from}" not in phrase)
    where = "both" if is_online and teacher.is_in_person else "online" if is_online else "home"
    pieces = [opening, random.choice(bank.contents)]
    if for_whom and random.random() < 0.7:
        pieces.append(random.choice(for_whom))
    if random.random() < 0.65:
        pieces.append(
            random.choice(bank.practicals.get(kind.group if where == "home" else where, bank.practicals[where]))
        )
    if random.random() < 0.3:
        pieces.append(random.choice(bank.practicals["any"]))
    if random.random() < 0.35:
        pieces[0], pieces[1] = pieces[1], pieces[0]
    ages = {"from": audience.age_min, "to": audience.age_max}
    return " ".join(_filled(piece, random, kind, teacher, **ages) for piece in pieces)


def _filled(phrase: str, random: Random, kind: Kind, teacher: Teacher, **more: int | None) -> str:
    home = teacher.home
    return phrase.format(
        **{
            "Kind": kind.name,
            "kind": kind.spoken,
            "Given": teacher.given,
            "years": teacher.years,
            "wording": kind.wording,
            "first": kind.wording.split(",")[0].split(" and ")[0],
            "city": home.city.name,
            "area": (home.area or home.region).name if random.random() < 0.4 else home.region.name,
            "past": random.choice(phrases().pasts),
            **more,
        }
    )
