"""A small market of lessons for tests of finding them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from greenroom.schema.catalogue import Offer, WeeklySlot
from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.records import Role, Service
from greenroom.schema.search.candidates import HardFilters, RetrievalQuery
from greenroom.schema.search.indexing import IndexedText
from greenroom.schema.search.places import Point, RegionId
from greenroom.storage.ports import Storage
from tests.storage.builders import NOW, a_user

MODEL = "mock-3"
ALWAYS = tuple(WeeklySlot(weekday, 0, 1_440) for weekday in range(1, 8))


@dataclass(frozen=True, kw_only=True, slots=True)
class Teacher:
    """An instructor with lessons; ``vectors`` are of lessons by title."""

    number: int
    services: tuple[Service, ...]
    areas: tuple[str, ...] = ("nyc/brooklyn/park-slope",)
    home_city: str | None = "nyc"
    timezone: str = "UTC"
    availability: tuple[WeeklySlot, ...] = ALWAYS
    vectors: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def user_id(self) -> UserId:
        return teacher_id(self.number)


def teacher_id(number: int) -> UserId:
    return UserId(f"01TEACHER{number:017}")


def lesson_id(number: int) -> ServiceId:
    return ServiceId(f"01LESSON{number:018}")


def a_lesson(number: int, title: str = "Piano lessons", **changes: object) -> Service:
    lesson = Service(
        id=lesson_id(number),
        instructor_id=teacher_id(number),
        title=title,
        description="",
        price_cents=6_000,
        currency="USD",
        duration_minutes=60,
    )
    return replace(lesson, **changes)  # type: ignore[arg-type]


def a_teacher(number: int, *titles: str, lesson: Mapping[str, object] | None = None, **changes: object) -> Teacher:
    """Of lessons with these titles, ids counting on from ten times the number; ``lesson`` changes them all."""
    services = tuple(
        a_lesson(10 * number + place, title, instructor_id=teacher_id(number), **(lesson or {}))
        for place, title in enumerate(titles or ("Piano lessons",))
    )
    return replace(Teacher(number=number, services=services), **changes)  # type: ignore[arg-type]


def an_offer_of(teacher: Teacher) -> Offer:
    return Offer(
        bio="",
        home_city=None if teacher.home_city is None else RegionId(teacher.home_city),
        timezone=teacher.timezone,
        services=teacher.services,
        areas=tuple(RegionId(area) for area in teacher.areas),
        availability=teacher.availability,
    )


async def store(storage: Storage, teacher: Teacher) -> None:
    user = a_user(teacher.user_id, role=Role.INSTRUCTOR, display_name=f"Teacher {teacher.number}")
    await storage.accounts.create_user(user, "hash")
    await storage.catalogue.replace(teacher.user_id, an_offer_of(teacher), now=NOW)


async def open_market(storage: Storage, *teachers: Teacher, words: Mapping[str, str] | None = None) -> None:
    """Store and index teachers; ``words`` are a category's."""
    await storage.search_index.add_model(MODEL, 3)
    for teacher in teachers:
        await store(storage, teacher)
    vectors = {title: vector for teacher in teachers for title, vector in teacher.vectors.items()}
    await index_changes(storage, words=words or {}, vectors=vectors)
    await storage.search_index.make_ready(MODEL)


async def index_changes(
    storage: Storage,
    *,
    words: Mapping[str, str] | None = None,
    vectors: Mapping[str, Sequence[float]] | None = None,
) -> None:
    changed = await storage.search_index.changed(limit=500)
    indexed = [IndexedText(service, (words or {}).get(service.category or "", "")) for service in changed]
    given = [(vectors or {}).get(service.title, (0.0, 0.0, 0.0)) for service in changed]
    await storage.search_index.put(indexed, {MODEL: given})


def a_query(
    text: str = "", *, near: Point | None = None, now: datetime = NOW, **filters: object
) -> RetrievalQuery:
    return RetrievalQuery(
        text=text,
        categories=(),
        filters=HardFilters(**filters),  # type: ignore[arg-type]
        vector=None,
        model=None,
        near=near,
        now=now,
    )


async def found(storage: Storage, query: RetrievalQuery) -> list[ServiceId]:
    """What a query finds, best first."""
    return [each.service_id for each in (await storage.retrieval.retrieve(query)).candidates]
