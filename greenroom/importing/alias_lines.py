"""Further names of regions, from lines of JSON and from rows of a table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, BinaryIO, Final

from pydantic import Field, StringConstraints, ValidationError

from greenroom.importing.faults import BadLine, LineFault, faults_of
from greenroom.importing.table import Row, rows
from greenroom.importing.text_lines import read_lines
from greenroom.schema.fields import SingleLine
from greenroom.schema.lessons import RegionName
from greenroom.schema.request_models import Body
from greenroom.schema.search.place_names import normal_place_name
from greenroom.schema.search.places import AliasSource, NewAlias

COLUMNS: Final = ("name", "region", "weight")
REQUIRED: Final = ("name", "region")


class AliasLine(Body):
    name: Annotated[SingleLine, StringConstraints(max_length=120)]
    region: RegionName
    weight: Annotated[float, Field(gt=0, le=1)] = 1.0


@dataclass(frozen=True, slots=True)
class AliasAt:
    line: int
    alias: NewAlias


def from_json_lines(file: BinaryIO) -> Iterator[AliasAt | BadLine]:
    """Read an alias per line of JSON."""
    return read_lines(file, _alias)


def from_table(file: BinaryIO) -> Iterator[AliasAt | BadLine]:
    """Read an alias per row.

    Raises:
        FileUnusable: see :func:`greenroom.importing.table.rows`.
    """
    for row in rows(file, columns=COLUMNS, required=REQUIRED):
        try:
            if isinstance(row, BadLine):
                raise row
            yield _alias(json.dumps(_members(row)), row.line)
        except BadLine as exc:
            yield exc


def _members(row: Row) -> dict[str, Any]:
    members: dict[str, Any] = dict(row.cells)
    if "weight" in row.cells:
        try:
            members["weight"] = float(row.cells["weight"])
        except ValueError:
            raise BadLine(LineFault(row.line, "weight", "must be a number")) from None
    return members


def _alias(text: str, line: int) -> AliasAt:
    try:
        told = AliasLine.model_validate_json(text)
    except ValidationError as exc:
        raise faults_of(exc, line) from None
    if not normal_place_name(told.name):
        raise BadLine(LineFault(line, "name", "must have a letter or digit"))
    return AliasAt(line, NewAlias(told.name, told.region, AliasSource.OPERATOR, told.weight))
