"""When: the sum of all rules that say something of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from greenroom.actors.search.understanding.calendar_dates import date_claims
from greenroom.actors.search.understanding.claims import Claim
from greenroom.actors.search.understanding.counted_weekdays import counted_weekday_claims
from greenroom.actors.search.understanding.daytime import daytime_claims
from greenroom.actors.search.understanding.feasts import feast_claims
from greenroom.actors.search.understanding.line import Line
from greenroom.actors.search.understanding.past_times import past_claims
from greenroom.actors.search.understanding.relative_days import relative_claims
from greenroom.actors.search.understanding.spans import span_claims
from greenroom.actors.search.understanding.unbound_times import unbound_claims
from greenroom.actors.search.understanding.weekdays import weekday_claims
from greenroom.actors.search.understanding.weeks import week_claims


def when_claims(line: Line, *, today: date | None) -> Iterator[Claim]:
    """Every reading of a day or a time. Without ``today`` dates that lack a year, and days counted beyond tomorrow, ask for nothing."""
    yield from daytime_claims(line)
    yield from weekday_claims(line)
    yield from relative_claims(line, today=today)
    yield from counted_weekday_claims(line, today=today)
    yield from span_claims(line, today=today)
    yield from week_claims(line, today=today)
    yield from feast_claims(line, today=today)
    yield from past_claims(line)
    if any(char.isdigit() for char in line.text):
        yield from date_claims(line, today=today)
    yield from unbound_claims(line)
