"""What is kept of a search: who looked for what, what was shown, how it went, and which results were opened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NewType, Self

from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.records import Role
from greenroom.schema.search.diagnostics import BudgetUse, Diagnostics
from greenroom.schema.search.diagnostics_wire import BudgetOut, DiagnosticsOut
from greenroom.schema.search.place_names import NAME_LENGTH_MAX, normal_place_name
from greenroom.schema.search.places import PlaceAnswer, PlaceOutcome, RegionId, Tier
from greenroom.schema.search.understood import PartKind, Understood
from greenroom.schema.search.wire import LocationOut, ParsedOut, PartOut

QueryId = NewType("QueryId", str)
"""A ULID: later searches have greater ones, to the millisecond."""

WRITTEN_MAX: Final = 100
"""Searches, and clicks, per statement: some 300 KB."""


@dataclass(frozen=True, slots=True)
class SearchRecord:
    """One answered search, as it was.

    Attributes:
        position: of the first result shown, among all; more than 0 on later pages.
        shown: the results of this page, in order.
        cache: ``hit``, ``miss``, or ``bypass`` where an operator tried something out.
    """

    query_id: QueryId
    user_id: UserId
    at: datetime
    city: RegionId | None
    understood: Understood
    place: PlaceAnswer
    budget: BudgetUse
    cache: str
    total: int
    position: int
    shown: tuple[ServiceId, ...]
    diagnostics: Diagnostics

    @property
    def is_counted(self) -> bool:
        """Whether it is somebody's search anew: neither a further page of one, nor an operator's trial."""
        return self.position == 0 and self.cache != "bypass"

    @property
    def taught_name(self) -> str | None:
        """The name of a place, in normal form, that clicks may teach the meaning of; None where it is certain, or none."""
        is_uncertain = (
            self.place.outcome in {PlaceOutcome.UNKNOWN, PlaceOutcome.AMBIGUOUS} or self.place.tier is Tier.FUZZY
        )
        if self.place.text is None or not is_uncertain:
            return None
        name = normal_place_name(self.place.text)
        return name if 0 < len(name) <= NAME_LENGTH_MAX else None


@dataclass(frozen=True, slots=True)
class NewClick:
    """Somebody opened a result. It counts only if the same user was shown it by that search."""

    query_id: QueryId
    user_id: UserId
    service_id: ServiceId
    at: datetime


@dataclass(frozen=True, slots=True)
class Click:
    """``position`` is where the result stood among all, from 0."""

    service_id: ServiceId
    position: int
    at: datetime


@dataclass(frozen=True, slots=True)
class SearchLine:
    """One search, without its details."""

    query_id: QueryId
    user_id: UserId
    at: datetime
    text: str
    city: RegionId | None
    place_text: str | None
    place_outcome: PlaceOutcome
    region_id: RegionId | None
    tier: Tier | None
    confidence: float
    cache: str
    is_degraded: bool
    limit_ms: float
    used_ms: float
    total: int

    @classmethod
    def of(cls, record: SearchRecord) -> Self:
        place = record.place
        return cls(
            query_id=record.query_id,
            user_id=record.user_id,
            at=record.at,
            text=record.understood.text,
            city=record.city,
            place_text=place.text,
            place_outcome=place.outcome,
            region_id=place.regions[0].id if place.outcome is PlaceOutcome.RESOLVED and place.regions else None,
            tier=place.tier,
            confidence=place.confidence,
            cache=record.cache,
            is_degraded=record.budget.degraded,
            limit_ms=record.budget.limit_ms,
            used_ms=record.budget.used_ms,
            total=record.total,
        )


@dataclass(frozen=True, slots=True)
class SearchDetails:
    """What is kept for a shorter time, in the shapes in which it is shown."""

    position: int
    shown: tuple[ServiceId, ...]
    parsed: ParsedOut
    location: LocationOut
    budget: BudgetOut
    diagnostics: DiagnosticsOut

    @classmethod
    def of(cls, record: SearchRecord) -> Self:
        return cls(
            position=record.position,
            shown=record.shown,
            parsed=ParsedOut.of(record.understood),
            location=LocationOut.of(record.place),
            budget=BudgetOut.of(record.budget),
            diagnostics=DiagnosticsOut.of(record.diagnostics),
        )

    @property
    def gist(self) -> Gist:
        return Gist.of(self.parsed.parts, (region.id for region in self.location.excluded))


@dataclass(frozen=True, slots=True)
class Searcher:
    """Who searched, by the name and role that they have now."""

    display_name: str
    role: Role
    is_active: bool


@dataclass(frozen=True, slots=True)
class Gist:
    """What a sentence was taken for, in short.

    Attributes:
        parts: what asks for something or denies it, in the sentence's order.
        excluded: the regions where it must not be.
    """

    parts: tuple[PartOut, ...]
    excluded: tuple[RegionId, ...]

    @classmethod
    def of(cls, parts: Iterable[PartOut], excluded: Iterable[str]) -> Self:
        told = tuple(part for part in parts if part.kind is not PartKind.FILLER)
        return cls(told, tuple(map(RegionId, excluded)))


@dataclass(frozen=True, slots=True)
class ListedSearch:
    """One search in a list, with what belongs to it elsewhere.

    Attributes:
        by: None where there is no such account any more, or nobody could be asked for it.
        gist: None once the details were dropped.
    """

    line: SearchLine
    by: Searcher | None
    gist: Gist | None


@dataclass(frozen=True, slots=True)
class RecordedSearch:
    """``details`` is None once they were dropped, or where another version of the server wrote them otherwise.

    ``by`` is None where there is no such account any more, or nobody could be asked for it.
    """

    line: SearchLine
    details: SearchDetails | None
    clicks: tuple[Click, ...] = ()
    by: Searcher | None = None

    @property
    def listed(self) -> ListedSearch:
        return ListedSearch(self.line, self.by, None if self.details is None else self.details.gist)


@dataclass(frozen=True, slots=True)
class SearchesShown:
    """Which searches to list: all that is given has to hold.

    Attributes:
        is_degraded, is_empty: only those where something was missing; that found nothing.
        slow_ms: only those that took at least as long.
    """

    is_degraded: bool = False
    is_empty: bool = False
    slow_ms: float | None = None

    def fits(self, line: SearchLine) -> bool:
        return (
            (line.is_degraded or not self.is_degraded)
            and (line.total == 0 or not self.is_empty)
            and (self.slow_ms is None or line.used_ms >= self.slow_ms)
        )
