"""What every request has in common: unknown fields are refused, and values are not shown in errors."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """Base of JSON request bodies; types are strict: ``"5"`` is no number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Query(BaseModel):
    """Base of query parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
