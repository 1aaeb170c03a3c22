"""Searches for tests of what is kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.search.candidates import Funnel
from greenroom.schema.search.diagnostics import (
    BudgetUse,
    Diagnostics,
    Prompt,
    Skip,
    StageName,
    StageStatus,
    StageTiming,
)
from greenroom.schema.search.log import NewClick, QueryId, SearchRecord
from greenroom.schema.search.places import (
    PlaceAnswer,
    PlaceOutcome,
    Point,
    Region,
    RegionId,
    RegionKind,
    Tier,
    TierTrial,
)
from greenroom.schema.search.understood import Understood
from tests.storage.builders import ANN, NOW

PIANO, VIOLIN, DRUMS = (ServiceId(f"01LESSON{number:018}") for number in (1, 2, 3))

PARK_SLOPE = Region(
    id=RegionId("nyc/brooklyn/park-slope"),
    city=RegionId("nyc"),
    parent_id=RegionId("nyc/brooklyn"),
    kind=RegionKind.NEIGHBOURHOOD,
    name="Park Slope",
    centroid=Point(40.67, -73.98),
    timezone="America/New_York",
)


def query_id(number: int) -> QueryId:
    return QueryId(f"01QUERY{number:019}")


def a_search(
    number: int = 1,
    *,
    user_id: UserId = ANN,
    at: datetime = NOW,
    text: str = "piano near park slope",
    shown: Sequence[ServiceId] = (PIANO, VIOLIN),
    total: int | None = None,
    used_ms: float = 20.0,
    skipped: Sequence[Skip] = (),
    place: PlaceAnswer | None = None,
    trials: Sequence[TierTrial] = (),
    **changes: object,
) -> SearchRecord:
    record = SearchRecord(
        query_id=query_id(number),
        user_id=user_id,
        at=at,
        city=None,
        understood=Understood(text=text, service_text="piano"),
        place=place or PlaceAnswer(None, PlaceOutcome.NOT_ASKED),
        budget=BudgetUse(limit_ms=500.0, used_ms=used_ms, skipped=tuple(skipped)),
        cache="miss",
        total=len(shown) if total is None else total,
        position=0,
        shown=tuple(shown),
        diagnostics=Diagnostics(
            stages=(StageTiming(StageName.PARSE, 0.0, 1.0, StageStatus.OK),),
            tiers=tuple(trials),
            funnel=Funnel(),
            prompts=(Prompt("place", "a-model", "Which of these?", '{"id": 1}'),),
        ),
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def in_park_slope(*, tier: Tier = Tier.EXACT, text: str = "Park Slope", confidence: float = 1.0) -> PlaceAnswer:
    return PlaceAnswer(text, PlaceOutcome.RESOLVED, (PARK_SLOPE,), tier, confidence)


def nowhere(text: str) -> PlaceAnswer:
    return PlaceAnswer(text, PlaceOutcome.UNKNOWN)


def a_click(
    number: int = 1, service_id: ServiceId = PIANO, *, user_id: UserId = ANN, at: datetime = NOW
) -> NewClick:
    return NewClick(query_id(number), user_id, service_id, at)
