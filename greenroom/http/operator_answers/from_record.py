"""Answers that are records of the kernel or of the actors, field by field."""

from __future__ import annotations

from pydantic import ConfigDict

from greenroom.schema.wire import Wire


class FromRecord(Wire):
    """Made with ``model_validate(record)``: each field is the record's attribute of that name."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)
