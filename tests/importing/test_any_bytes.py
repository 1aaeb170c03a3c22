"""Whatever a file holds, reading it ends in records, told faults, or one word that it can't be used."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greenroom.importing import alias_lines, instructor_lines
from greenroom.importing.faults import BadLine, FileUnusable
from greenroom.importing.features import Feature, features_of_collection, features_of_lines
from greenroom.importing.region_features import region_of

# How long it takes says more of the machine than of the reading.
bounded = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

Read = Callable[[BinaryIO], Iterator[object]]

READERS: tuple[Read, ...] = (
    instructor_lines.from_json_lines,
    instructor_lines.from_table,
    alias_lines.from_json_lines,
    alias_lines.from_table,
    features_of_collection,
    features_of_lines,
)

HEADERS = (
    b"",
    b"name,region,weight\n",
    (",".join(instructor_lines.COLUMNS) + "\n").encode(),
    b'{"features": [',
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**400),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=12,
)
PROPERTIES = st.fixed_dictionaries(
    {},
    optional={
        name: ANYTHING | st.sampled_from(["a", "a/b", "city", "UTC", 0.5, [1, 2], ["x"]])
        for name in ("id", "name", "kind", "parent", "timezone", "prior", "centroid", "aliases")
    },
)
GEOMETRIES = ANYTHING | st.fixed_dictionaries(
    {"type": st.sampled_from(["Point", "Polygon", "MultiPolygon"]), "coordinates": ANYTHING}
)


@pytest.mark.parametrize("read", READERS)
@bounded
@given(header=st.sampled_from(HEADERS), rest=st.binary(max_size=200))
def test_any_bytes_are_read_or_told(read: Read, header: bytes, rest: bytes) -> None:
    with suppress(FileUnusable):
        for found in read(BytesIO(header + rest)):
            if isinstance(found, Feature):
                with suppress(BadLine):
                    region_of(found)
            elif isinstance(found, BadLine):
                assert found.faults


@bounded
@given(line=st.dictionaries(st.sampled_from([*instructor_lines.InstructorLine.model_fields, "x"]), ANYTHING))
def test_any_line_about_an_instructor_is_read_or_told(line: dict[str, object]) -> None:
    list(instructor_lines.from_json_lines(BytesIO(json.dumps(line).encode())))


@bounded
@given(properties=PROPERTIES, geometry=GEOMETRIES)
def test_any_feature_is_read_or_told(properties: dict[str, object], geometry: object) -> None:
    with suppress(BadLine):
        region_of(Feature(1, {"type": "Feature", "properties": properties, "geometry": geometry}))
