"""Services as the columns of a set-based statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from greenroom.schema.records import Service
from greenroom.storage.postgres.columns import texts


def service_columns(services: Sequence[Service]) -> dict[str, Any]:
    """Parameters by name; levels come as one text each, with commas, as unnest would take arrays of them apart."""
    return {
        "ids": texts(s.id for s in services),
        "instructor_ids": texts(s.instructor_id for s in services),
        "titles": texts(s.title for s in services),
        "descriptions": texts(s.description for s in services),
        "prices_cents": [s.price_cents for s in services],
        "currencies": texts(s.currency for s in services),
        "durations_minutes": [s.duration_minutes for s in services],
        "categories": texts(s.category for s in services),
        "levels": texts(",".join(s.levels) for s in services),
        "ages_min": [s.age_min for s in services],
        "ages_max": [s.age_max for s in services],
        "are_online": [s.is_online for s in services],
        "are_in_person": [s.is_in_person for s in services],
    }
