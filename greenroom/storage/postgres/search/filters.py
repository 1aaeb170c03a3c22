"""Hard filters as clauses over ``search_documents d``: fixed texts, chosen by what is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, LiteralString

from greenroom.schema.search.candidates import HardFilters
from greenroom.schema.search.understood import Level, PriceUnit
from greenroom.storage.postgres.columns import moments, texts
from greenroom.storage.retrieval.free_time import asked_windows
from greenroom.storage.retrieval.reach import Elsewhere, asked_elsewhere, asked_reach

LEVEL_BITS: Final = {Level.BEGINNER: 1, Level.INTERMEDIATE: 2, Level.ADVANCED: 4}

LISTED: Final = "d.is_listed"
HAD_THERE: Final = "d.reach && %(reach)s::text[]"
ONLINE: Final = "d.is_online"
IN_PERSON: Final = "d.is_in_person"
CURRENCY: Final = "d.currency = %(currency)s"
PRICE_MIN: Final = "d.price_cents >= %(price_min)s"
PRICE_MAX: Final = "d.price_cents <= %(price_max)s"
# Without a division there is nothing to round.
HOUR_PRICE_MIN: Final = "d.price_cents::bigint * 60 >= %(price_min)s * d.duration_minutes"
HOUR_PRICE_MAX: Final = "d.price_cents::bigint * 60 <= %(price_max)s * d.duration_minutes"
OLD_ENOUGH: Final = "(d.age_max IS NULL OR d.age_max >= %(age_from)s)"
YOUNG_ENOUGH: Final = "(d.age_min IS NULL OR d.age_min <= %(age_to)s)"
NOBODY_YOUNGER: Final = "d.age_min >= %(only_from)s"
NOBODY_OLDER: Final = "d.age_max <= %(only_to)s"
OF_LEVELS: Final = "(d.levels = 0 OR d.levels & %(levels)s <> 0)"
NOT_BARRED: Final = "(d.category IS NULL OR d.category <> ALL(%(barred)s::text[]))"
REACH: Final = "array_to_string(d.reach, '/;') || '/;'"
"""As one text, each token with its end: what is looked for in it costs a third of what taking the array apart does."""

FREE: Final = """(SELECT true FROM windows w
           CROSS JOIN LATERAL (
                 SELECT from_minute, to_minute FROM instructor_availability
                  WHERE instructor_id = d.instructor_id AND weekday = w.weekday OFFSET 0) a
           WHERE w.timezone = d.timezone
             AND least(a.to_minute, w.to_minute) - greatest(a.from_minute, w.from_minute) >= d.duration_minutes LIMIT 1)"""
"""Looked up for one after the other, some 5 µs each: for those that everything else lets through, the best first. Not as EXISTS, which
the planner would take for a join with all there are."""

FREE_AMONG_ALL: Final = """EXISTS (SELECT FROM free f WHERE f.instructor_id = d.instructor_id AND f.timezone = d.timezone
                  AND f.minutes >= d.duration_minutes)"""

WINDOWS: Final = """
zones AS (
    (SELECT timezone FROM instructor_profiles ORDER BY timezone LIMIT 1)
     UNION ALL
    SELECT (SELECT p.timezone FROM instructor_profiles p WHERE p.timezone > z.timezone ORDER BY p.timezone LIMIT 1)
      FROM zones z WHERE z.timezone IS NOT NULL),
windows AS MATERIALIZED (
    SELECT DISTINCT z.timezone, extract(isodow FROM day)::smallint AS weekday,
           CASE WHEN day = l.starts_at::date THEN extract(hour FROM l.starts_at) * 60 + extract(minute FROM l.starts_at)
                ELSE 0 END::integer AS from_minute,
           CASE WHEN day = l.ends_at::date THEN extract(hour FROM l.ends_at) * 60 + extract(minute FROM l.ends_at)
                ELSE 1440 END::integer AS to_minute
      FROM zones z
      JOIN unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[], %(window_zones)s::text[])
        AS w (starts_at, ends_at, timezone) ON w.timezone = '' OR w.timezone = z.timezone
     CROSS JOIN LATERAL (SELECT w.starts_at AT TIME ZONE z.timezone, w.ends_at AT TIME ZONE z.timezone)
                     AS l (starts_at, ends_at)
     CROSS JOIN LATERAL generate_series(l.starts_at::date, l.ends_at::date, interval '1 day') AS day
     WHERE z.timezone IS NOT NULL)"""
"""The windows of a week in each time zone that there is: one in which an instructor does not live is ignored later. The zones are found
by stepping along their index."""

FREE_INSTRUCTORS: Final = """
free AS MATERIALIZED (
    SELECT a.instructor_id, w.timezone,
           max(least(a.to_minute, w.to_minute) - greatest(a.from_minute, w.from_minute)) AS minutes
      FROM windows w
     CROSS JOIN LATERAL (
           SELECT instructor_id, from_minute, to_minute FROM instructor_availability
            WHERE weekday = w.weekday AND from_minute < w.to_minute AND to_minute > w.from_minute
           OFFSET 0) a
     GROUP BY a.instructor_id, w.timezone)"""
"""Who has how many minutes in a row in the windows: for statements that ask it of everybody. OFFSET keeps the planner, which takes the
windows for many, from reading all days instead of those that are asked for."""


def filter_clauses(filters: HardFilters, now: datetime) -> tuple[list[LiteralString], dict[str, Any]]:
    """Clauses to be joined by AND, and their parameters, those of :data:`WINDOWS` included; whether somebody is free goes beside them."""
    clauses: list[LiteralString] = [LISTED]
    params: dict[str, Any] = {}
    reach = asked_reach(filters)
    if filters.online is not None:
        clauses.append(ONLINE if filters.online else IN_PERSON)
    if filters.levels:
        clauses.append(OF_LEVELS)
        params["levels"] = level_bits(filters.levels)
    if filters.price is not None:
        if filters.price.currency is not None:
            clauses.append(CURRENCY)
            params["currency"] = filters.price.currency
        is_hourly = filters.price.unit is PriceUnit.HOUR
        if filters.price.min_cents is not None:
            clauses.append(HOUR_PRICE_MIN if is_hourly else PRICE_MIN)
            params["price_min"] = filters.price.min_cents
        if filters.price.max_cents is not None:
            clauses.append(HOUR_PRICE_MAX if is_hourly else PRICE_MAX)
            params["price_max"] = filters.price.max_cents
    if filters.age is not None:
        clauses.append(OLD_ENOUGH)
        params["age_from"] = filters.age.taught_up_to
        if filters.age.taught_from is not None:
            clauses.append(YOUNG_ENOUGH)
            params["age_to"] = filters.age.taught_from
    if filters.only_ages is not None:
        if filters.only_ages.min_years > 0:
            clauses.append(NOBODY_YOUNGER)
            params["only_from"] = filters.only_ages.min_years
        if filters.only_ages.max_years is not None:
            clauses.append(NOBODY_OLDER)
            params["only_to"] = filters.only_ages.max_years
    if filters.barred_categories:
        clauses.append(NOT_BARRED)
        params["barred"] = texts(filters.barred_categories)
    if reach is not None:
        # Nearly the last, as comparing arrays takes longer than all else together.
        clauses.append(HAD_THERE)
        params["reach"] = texts(reach)
    elsewhere = asked_elsewhere(filters)
    if elsewhere is not None:
        clauses.append(_had_elsewhere(elsewhere, or_online=filters.online is None))
        params |= _elsewhere_params(elsewhere)
    if filters.windows:
        windows = asked_windows(filters.windows, now)
        params["starts"] = moments(window.starts_at for window in windows)
        params["ends"] = moments(window.ends_at for window in windows)
        params["window_zones"] = texts(window.timezone or "" for window in windows)
    return clauses, params


def _had_elsewhere(elsewhere: Elsewhere, *, or_online: bool) -> LiteralString:
    """See :class:`~greenroom.storage.retrieval.reach.Elsewhere`: what is barred is taken out, then what is left is looked at. It takes
    about a microsecond each, so it is the last."""
    left: LiteralString = REACH
    for number in range(len(elsewhere.barred)):
        left = f"replace({left}, %(barred_{number})s, '')"
    had: LiteralString = f"{left} LIKE ANY(%(elsewhere)s::text[])"
    return f"({ONLINE} OR {had})" if or_online else had


def _elsewhere_params(elsewhere: Elsewhere) -> dict[str, Any]:
    if elsewhere.serving or elsewhere.within:
        ends = [*(f"{token}/;" for token in elsewhere.serving), *elsewhere.within]
    else:
        ends = ["="]
    barred = {f"barred_{number}": region for number, region in enumerate(elsewhere.barred)}
    return {**barred, "elsewhere": texts(f"%{_LIKE_SIGNS.sub(_ESCAPED, end)}%" for end in ends)}


_LIKE_SIGNS: Final = re.compile(r"[\\%_]")
_ESCAPED: Final = r"\\\g<0>"


def level_bits(levels: Iterable[Level]) -> int:
    return sum(LEVEL_BITS[level] for level in set(levels))
