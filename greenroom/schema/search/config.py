"""What an operator may change about searching while the server runs, and what it starts with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Final

from greenroom.schema.errors import FieldError, InvalidInput

ConfigValue = int | str


@dataclass(frozen=True, slots=True)
class StoredConfig:
    """What operators changed, by name; everything else is as the settings say.

    Attributes:
        revision: 0 before the first change, one more with every change.
        changed_at: None before the first change.
    """

    revision: int = 0
    changes: Mapping[str, ConfigValue] = field(default_factory=dict)
    changed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchConfig:
    """Changed through ``/api/v1/admin/search-config``; all workers follow within a second.

    Attributes:
        revision: 0 for what the settings say, one more with every change.
    """

    parsing_model: str = "gpt-5-nano"
    location_model: str = "gpt-4o-mini"
    embedding_model: str = "text-embedding-3-small"
    """Read only: changing it needs every service embedded anew (``greenroom reembed``)."""

    parsing_timeout_ms: int = 1_000
    embedding_timeout_ms: int = 2_000
    location_timeout_ms: int = 3_000
    budget_ms: int = 500
    high_load_budget_ms: int = 300
    high_load_threshold: int = 10
    max_retries: int = 2
    uncached_concurrency: int = 6
    revision: int = 0
    changed_at: datetime | None = None

    def with_stored(self, stored: StoredConfig) -> SearchConfig:
        """This configuration with what operators changed. A stored value that is out of bounds by now is left out."""
        usable = {name: value for name, value in stored.changes.items() if refusal(name, value) is None}
        return replace(self, **usable, revision=stored.revision, changed_at=stored.changed_at)  # type: ignore[arg-type]


def check_changes(changes: Mapping[str, object]) -> None:
    """
    Raises:
        InvalidInput: a name that can't be changed, or a value out of its bounds; each is named.
    """
    errors = [error for name, value in changes.items() if (error := refusal(name, value)) is not None]
    if errors:
        raise InvalidInput(*errors)


BOUNDS: Final[dict[str, tuple[int, int]]] = {
    "parsing_timeout_ms": (10, 30_000),
    "embedding_timeout_ms": (10, 30_000),
    "location_timeout_ms": (10, 30_000),
    "budget_ms": (50, 30_000),
    "high_load_budget_ms": (50, 30_000),
    "high_load_threshold": (1, 10_000),
    "max_retries": (0, 10),
    "uncached_concurrency": (1, 1_000),
}
"""Both inclusive."""

MODEL_NAME_LENGTH_MAX: Final = 100
_MODELS: Final = frozenset({"parsing_model", "location_model"})


def refusal(name: str, value: object) -> FieldError | None:
    """Why a name can't have this value; None if it can."""
    loc = ("body", name)
    if name in BOUNDS:
        low, high = BOUNDS[name]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            return FieldError(loc, f"must be a whole number from {low} to {high}")
        return None
    if name in _MODELS:
        if not isinstance(value, str) or not value.strip() or len(value) > MODEL_NAME_LENGTH_MAX:
            return FieldError(loc, f"must be the name of a model, at most {MODEL_NAME_LENGTH_MAX} characters")
        return None
    if name in {each.name for each in fields(SearchConfig)}:
        return FieldError(loc, "can't be changed while the server runs")
    return FieldError(loc, "is no setting of the search")
