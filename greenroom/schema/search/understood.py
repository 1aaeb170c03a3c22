"""A sentence as understood: what is looked for, where, for how much, for whom and when.

Everything here is symbolic and belongs to the text alone: no id of a place, no date that depends on today. So it can be
kept for the next one who writes the same, and be resolved against today's date and the places known now.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Final

QUERY_LENGTH_MAX: Final = 300
"""Characters of a sentence. Nobody types more; a paste of a page is refused."""

PARSE_VERSION: Final = 5
"""Part of the key under which an understanding is kept; one more whenever these records change."""


class Level(StrEnum):
    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


class PriceUnit(StrEnum):
    """What a price is for."""

    LESSON = "lesson"
    HOUR = "hour"


class Weekday(StrEnum):
    """In the order of ISO 8601: Monday is the first."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


class RelativeDay(StrEnum):
    """A day named from today on; which one it is, is decided where the lesson would be given."""

    TODAY = "today"
    TOMORROW = "tomorrow"
    THIS_WEEK = "this_week"
    NEXT_WEEK = "next_week"
    THIS_WEEKEND = "this_weekend"
    NEXT_WEEKEND = "next_weekend"


class PartKind(StrEnum):
    """What a piece of the sentence says."""

    SERVICE = "service"
    PLACE = "place"
    PRICE = "price"
    AGE = "age"
    LEVEL = "level"
    WHEN = "when"
    ONLINE = "online"
    DENIED = "denied"
    """What is not wanted: "no piano", "not in brooklyn"."""

    FILLER = "filler"


class NoticeKind(StrEnum):
    """Why something that was said bounds nothing, or not as it was meant."""

    NO_SUCH_DATE = "no_such_date"
    """ "february 30": asks for no day."""

    NO_TIME_LEFT = "no_time_left"
    """What is denied leaves nothing of the time that is asked for: "this saturday, not november 28"."""

    PAST = "past"
    """It is over: "yesterday" asks for no day, a time that would be today or on a date leaves nothing."""

    NOT_HEEDED = "not_heeded"
    """It was denied, and can't be searched without: "no vegetarians"."""

    UNKNOWN_PLACE = "unknown_place"
    """A place that is not wanted, of no known name: nothing is left out for it."""

    NOT_ONLY = "not_only"
    """ "Only for my 8 year old": it is for them, but others may come to it too, as no lesson is for a single age."""

    NOT_UNDERSTOOD = "not_understood"
    """A word of the lesson that is the name of none, and that no lesson has."""

    CORRECTED = "corrected"
    """A word of the lesson that no lesson has, taken for one that lessons have."""

    NOTHING_UNDERSTOOD = "nothing_understood"
    """Of the whole sentence nothing says what is looked for."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What should be told to who wrote the sentence.

    Attributes:
        text: the piece of it that it is about, as it was typed.
        taken: what this was taken for, where it was corrected.
    """

    kind: NoticeKind
    text: str
    taken: str | None = None


class ParseSource(StrEnum):
    RULES = "rules"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the sentence and what it was taken for. ``start`` and ``end`` (exclusive) are characters of the text as it was typed."""

    kind: PartKind
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PriceBounds:
    """Both bounds inclusive; at least one is given. ``currency`` is None where the sentence names none."""

    min_cents: int | None
    max_cents: int | None
    unit: PriceUnit = PriceUnit.LESSON
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class AgeBounds:
    """The learner's age in years, both bounds inclusive; ``max_years`` None for "and older".

    ``are_together``: of several learners, for each of whom the lesson has to be ("7 and 10"); else any age between the bounds will do.
    """

    min_years: int
    max_years: int | None
    are_together: bool = False

    @property
    def taught_up_to(self) -> int:
        """What a lesson's highest age has to reach."""
        return self.max_years if self.are_together and self.max_years is not None else self.min_years

    @property
    def taught_from(self) -> int | None:
        """What a lesson's lowest age may be at most; None for any."""
        return self.min_years if self.are_together else self.max_years


@dataclass(frozen=True, slots=True)
class When:
    """Days and time of day in which the lesson should begin and end.

    Attributes:
        weekdays: any of these; empty for any day.
        relative: a day or week counted from today; at most one of it and ``on`` is given.
        on: a calendar date. A year that the sentence doesn't name is chosen so that the date is the next such one;
            only then it depends on today, and such an understanding is not kept.
        until: the last day of a span that begins ``on``, inclusive; of its days those count that are of ``weekdays``, if any are.
        from_minute, to_minute: minutes after local midnight, 0 to 1440, the second exclusive; None for open.
    """

    weekdays: frozenset[Weekday] = frozenset()
    relative: RelativeDay | None = None
    on: date | None = None
    until: date | None = None
    from_minute: int | None = None
    to_minute: int | None = None

    @property
    def is_any(self) -> bool:
        return self == When()


@dataclass(frozen=True, slots=True)
class ServiceGuess:
    """A kind of lesson that may be meant, by its slug in the taxonomy; weights of one sentence add up to at most 1."""

    category: str
    weight: float


@dataclass(frozen=True, slots=True)
class Understood:
    """
    Attributes:
        text: the sentence in normal form: NFKC, case-folded, spaces single.
        service_text: the words left for the lesson itself, in order, filler removed; empty when none are.
        services: kinds of lessons that these words mean, heaviest first; at most 5.
        denied: kinds of lessons that are not wanted, by their slugs, in alphabetical order; none of ``services``.
        place_text: the words for a place, without "in", "near"; None when there are none.
        is_near: places next to it do too ("near", "around", "close to").
        denied_places: words for places where it must not be, each without "not in", in order.
        only_ages: for whom it may be at most ("adults only"): a lesson that is for anybody else too, or tells no ages, is not asked for.
        is_near_me: what is near is asked for without saying where that is ("near me").
        when: the time; of several that were named, one that holds them all.
        times: several, any of which will do ("saturday morning or sunday evening"); empty where ``when`` says all.
        denied_times: days counted from today, dates and spans of these, or hours of them, in which it must not be, in order. Weekdays
            and hours of any day that are denied are left out of ``times`` instead.
        online: True for online only, False for in person only, None for either.
        notices: what was said and asks for nothing, or not for what was meant, in order.
        parts: every piece of the sentence, in order and without overlap; what is in none was not understood.
        settled: pieces of which it was understood that they ask for nothing, in order and in none of ``parts``: "doesn't have to be
            online", "online not required", "not $50", "no vegetarians". Their kind is the one that was denied, ``FILLER`` where they are of none.
    """

    text: str
    service_text: str
    services: tuple[ServiceGuess, ...] = ()
    denied: tuple[str, ...] = ()
    place_text: str | None = None
    is_near: bool = False
    denied_places: tuple[str, ...] = ()
    is_near_me: bool = False
    price: PriceBounds | None = None
    age: AgeBounds | None = None
    only_ages: AgeBounds | None = None
    levels: frozenset[Level] = frozenset()
    when: When = field(default_factory=When)
    times: tuple[When, ...] = ()
    denied_times: tuple[When, ...] = ()
    online: bool | None = None
    notices: tuple[Notice, ...] = ()
    parts: tuple[Part, ...] = ()
    settled: tuple[Part, ...] = ()
    source: ParseSource = ParseSource.RULES

    @property
    def names_lesson(self) -> bool:
        """Whether any word is about the lesson itself; if not, whatever fits the rest is asked for: "in brooklyn under $50"."""
        return bool(self.service_text or self.services)

    @property
    def asks_for_anything(self) -> bool:
        """Whether it says anything of what is looked for."""
        return bool(
            self.names_lesson
            or self.denied
            or self.place_text
            or self.denied_places
            or self.is_near_me
            or self.price
            or self.age
            or self.levels
            or self.asked_times
            or self.denied_times
            or self.online is not None
        )

    def pieces(self, kind: PartKind) -> tuple[str, ...]:
        """What says something of this kind, as it was typed, in one text; none where nothing does."""
        parts = [part for part in self.parts if part.kind is kind]
        return (" ".join(part.text for part in parts),) if parts else ()

    @property
    def has_date(self) -> bool:
        """Whether it says a calendar date, asked for or denied, the year of which may depend on today."""
        return self.asks_date or any(when.on is not None for when in self.denied_times)

    @property
    def asks_date(self) -> bool:
        """Whether a calendar date is asked for, other than only denied."""
        return any(when.on is not None for when in self.asked_times)

    @property
    def asked_times(self) -> tuple[When, ...]:
        """Each time that will do; empty for any."""
        return self.times or (() if self.when.is_any else (self.when,))


def noticed(understood: Understood, kind: NoticeKind, texts: Iterable[str]) -> Understood:
    """The same with more to tell."""
    notices = tuple(Notice(kind, text) for text in texts)
    return replace(understood, notices=(*understood.notices, *notices)) if notices else understood
