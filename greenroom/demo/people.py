"""The demo's people: eight instructors of New York, and some who learn from them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from greenroom.schema.catalogue import ListedService, Listing, WeeklySlot
from greenroom.schema.search.places import RegionId
from greenroom.schema.search.understood import Level

PASSWORD: Final = "greenroom-demo"  # noqa: S105 - printed for everybody to use
STUDENT_EMAIL: Final = "maya@example.com"
INSTRUCTOR_EMAIL: Final = "tomas@example.com"
OPERATOR_EMAIL: Final = "operator@example.com"

_MON, _TUE, _WED, _THU, _FRI, _SAT, _SUN = range(1, 8)


def _hours(*times: tuple[int, int, int]) -> tuple[WeeklySlot, ...]:
    """Weekday, first hour, last hour."""
    return tuple(WeeklySlot(weekday, first * 60, last * 60) for weekday, first, last in sorted(times))


def _areas(*region_ids: str) -> tuple[RegionId, ...]:
    return tuple(RegionId(f"nyc/{region_id}") for region_id in sorted(region_ids))


def _lesson(
    title: str,
    description: str,
    price_cents: int,
    minutes: int,
    category: str,
    *,
    levels: tuple[Level, ...] = (),
    ages: tuple[int | None, int | None] = (None, None),
    is_online: bool = False,
) -> ListedService:
    return ListedService(
        external_id=category,
        title=title,
        description=description,
        price_cents=price_cents,
        currency="USD",
        duration_minutes=minutes,
        category=category,
        levels=levels,
        age_min=ages[0],
        age_max=ages[1],
        is_online=is_online,
    )


def _instructor(
    email: str,
    name: str,
    bio: str,
    *,
    rating: float,
    rating_count: int,
    response_minutes: int,
    areas: tuple[RegionId, ...],
    availability: tuple[WeeklySlot, ...],
    services: tuple[ListedService, ...],
) -> Listing:
    return Listing(
        external_id=f"demo-{email.partition('@')[0]}",
        display_name=name,
        email=email,
        bio=bio,
        rating=rating,
        rating_count=rating_count,
        response_minutes=response_minutes,
        home_city=RegionId("nyc"),
        timezone="America/New_York",
        areas=areas,
        availability=availability,
        services=services,
    )


INSTRUCTORS: Final = (
    _instructor(
        INSTRUCTOR_EMAIL,
        "Tomás Herrera",
        "Pianist and father of two. Most of my Saturday students are between seven and ten.",
        rating=4.9,
        rating_count=87,
        response_minutes=45,
        areas=_areas(
            "brooklyn/park-slope", "brooklyn/windsor-terrace", "brooklyn/gowanus", "brooklyn/prospect-heights"
        ),
        availability=_hours((_TUE, 15, 19), (_THU, 15, 19), (_SAT, 9, 13)),
        services=(
            _lesson(
                "Piano for children",
                "First pieces, reading and rhythm for ages 6 to 12, at your home or mine.",
                7_000,
                45,
                "piano",
                levels=(Level.BEGINNER, Level.INTERMEDIATE),
                ages=(6, 12),
            ),
            _lesson(
                "Jazz piano",
                "Voicings, comping and a tune a week, for players who can read a lead sheet.",
                9_500,
                60,
                "jazz-improvisation",
                levels=(Level.INTERMEDIATE, Level.ADVANCED),
                ages=(14, None),
                is_online=True,
            ),
        ),
    ),
    _instructor(
        "ingrid@example.com",
        "Ingrid Sørensen",
        "Came from Bergen for one season with the orchestra, twenty years ago.",
        rating=4.8,
        rating_count=132,
        response_minutes=120,
        areas=_areas("manhattan/upper-west-side", "manhattan/morningside-heights", "manhattan/harlem"),
        availability=_hours((_MON, 10, 16), (_WED, 10, 18), (_FRI, 10, 16)),
        services=(
            _lesson(
                "Violin, all levels",
                "Twenty years with the city orchestra; patient with beginners.",
                8_500,
                60,
                "violin",
                ages=(5, None),
            ),
        ),
    ),
    _instructor(
        "kwame@example.com",
        "Kwame Mensah",
        "Taught mathematics in two public schools, and now one student at a time.",
        rating=4.9,
        rating_count=214,
        response_minutes=15,
        areas=_areas("brooklyn/fort-greene", "brooklyn/clinton-hill", "brooklyn/bedford-stuyvesant"),
        availability=_hours((_MON, 15, 20), (_TUE, 15, 20), (_WED, 15, 20), (_THU, 15, 20), (_SUN, 12, 18)),
        services=(
            _lesson(
                "Algebra and calculus",
                "From fractions to integrals, with problem sets in between.",
                6_000,
                60,
                "algebra",
                ages=(11, 19),
                is_online=True,
            ),
            _lesson(
                "SAT maths",
                "Eight weeks, two past papers a week.",
                7_500,
                90,
                "sat-prep",
                ages=(15, 18),
                is_online=True,
            ),
        ),
    ),
    _instructor(
        "yuki@example.com",
        "Yuki Tanaka",
        "From Kobe. Translates novels in the morning and teaches in the evening.",
        rating=4.7,
        rating_count=58,
        response_minutes=90,
        areas=_areas("manhattan/east-village", "manhattan/lower-east-side"),
        availability=_hours((_MON, 17, 21), (_WED, 17, 21), (_SAT, 10, 15), (_SUN, 10, 15)),
        services=(
            _lesson(
                "Japanese conversation",
                "One hour, no English. Beginners get a list of rescue phrases.",
                5_500,
                60,
                "japanese",
                ages=(14, None),
                is_online=True,
            ),
        ),
    ),
    _instructor(
        "amara@example.com",
        "Amara Okafor",
        "Sings in two choirs and directs a third.",
        rating=5.0,
        rating_count=23,
        response_minutes=240,
        areas=_areas("manhattan/harlem", "manhattan/washington-heights", "manhattan/inwood"),
        availability=_hours((_TUE, 16, 20), (_THU, 16, 20), (_SAT, 11, 16)),
        services=(
            _lesson(
                "Singing",
                "Breath, range and the song you always wanted to sing.",
                8_000,
                45,
                "singing",
                ages=(10, None),
                is_online=True,
            ),
        ),
    ),
    _instructor(
        "luca@example.com",
        "Luca Bianchi",
        "Learned to swim at thirty himself, and remembers every minute of it.",
        rating=4.8,
        rating_count=76,
        response_minutes=180,
        areas=_areas(
            "brooklyn/williamsburg", "brooklyn/greenpoint", "brooklyn/coney-island", "brooklyn/brighton-beach"
        ),
        availability=_hours((_TUE, 18, 21), (_THU, 18, 21), (_SUN, 7, 12)),
        services=(
            _lesson(
                "Swimming for adults",
                "For people who never learned and would rather nobody watched.",
                6_500,
                45,
                "swimming",
                levels=(Level.BEGINNER,),
                ages=(18, None),
            ),
            replace(
                _lesson(
                    "Open water",
                    "Cold, sighting and currents, from May to September.",
                    9_000,
                    90,
                    "swimming",
                    levels=(Level.INTERMEDIATE, Level.ADVANCED),
                    ages=(16, None),
                ),
                external_id="open-water",
            ),
        ),
    ),
    _instructor(
        "priya@example.com",
        "Priya Raman",
        "Wrote software for a railway for ten years; the trains still run.",
        rating=4.6,
        rating_count=41,
        response_minutes=10,
        areas=_areas("queens/astoria", "queens/sunnyside", "queens/jackson-heights"),
        availability=_hours((_MON, 18, 21), (_TUE, 18, 21), (_WED, 18, 21), (_SAT, 10, 18)),
        services=(
            _lesson(
                "Python from zero",
                "Small programs that do something you need, from the first lesson.",
                7_000,
                60,
                "python",
                levels=(Level.BEGINNER,),
                ages=(12, None),
                is_online=True,
            ),
        ),
    ),
    _instructor(
        "claire@example.com",
        "Claire Dubois",
        "Parisian with a weakness for timetables.",
        rating=4.5,
        rating_count=35,
        response_minutes=360,
        areas=_areas("manhattan/upper-east-side", "manhattan/yorkville"),
        availability=_hours((_MON, 12, 17), (_WED, 12, 17), (_FRI, 12, 20)),
        services=(
            _lesson(
                "French for travellers",
                "Markets, trains and how to complain politely.",
                5_000,
                45,
                "french",
                ages=(16, None),
                is_online=True,
            ),
        ),
    ),
)

STUDENTS: Final = (
    (STUDENT_EMAIL, "Maya Lindqvist"),
    ("daniel@example.com", "Daniel Osei"),
    ("sofia@example.com", "Sofia Marchetti"),
    ("jonas@example.com", "Jonas Weber"),
)
