from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest

from greenroom.importing.faults import BadLine, FileUnusable
from greenroom.importing.features import Feature, features_of_collection, features_of_lines


def a_feature(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"name": name}, "geometry": None, **more}


def read(text: str | bytes) -> list[Feature | BadLine]:
    return list(features_of_collection(BytesIO(text.encode() if isinstance(text, str) else text)))


def names(found: list[Feature | BadLine]) -> list[str]:
    return [one.members["properties"]["name"] if isinstance(one, Feature) else str(one) for one in found]


@pytest.mark.parametrize("indent", [None, 1])
def test_features_come_one_by_one_whatever_stands_around_them(indent: int | None) -> None:
    awkward = 'a ] } " \\ { [ name'
    whole = {
        "type": "FeatureCollection",
        "crs": {"features": ["not these"], "type": "name"},
        "features": [a_feature("first"), a_feature(awkward), a_feature("last")],
        "bbox": [1, 2, 3, 4],
    }
    assert names(read(json.dumps(whole, indent=indent))) == ["first", awkward, "last"]


def test_a_file_much_larger_than_a_read_is_split_at_the_right_places() -> None:
    features = [a_feature(f"n{n}", geometry={"x": ['\\"é]' * (n * 37 % 3_000)]}) for n in range(120)]
    whole = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    assert len(whole) > 400_000
    assert names(read(whole)) == [f"n{n}" for n in range(120)]


def test_each_feature_has_the_line_it_begins_in() -> None:
    text = '{"features": [\n' + json.dumps(a_feature("a"), indent=1) + ",\n" + json.dumps(a_feature("b")) + "]}"
    first, second = read(text)
    assert isinstance(first, Feature)
    assert isinstance(second, Feature)
    assert (first.line, second.line) == (2, text.count("\n") + 1)


def test_a_feature_that_is_no_json_does_not_take_the_next_one_along() -> None:
    text = '{"features": [{"type": "Feature", oops}, ' + json.dumps(a_feature("b")) + ', {"type": "Point"}]}'
    assert names(read(text)) == ["line 1: is not valid JSON", "b", "line 1: type must be Feature"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "too early"),
        ("[]", "begins with an object"),
        ('{"type": "Feature"}', "no features"),
        ('{"features": [{"type": "Feature"', "too early"),
        ('{"features": ["x"]}', "expected"),
        (b'{"features": [\xff]}', "UTF-8"),
    ],
)
def test_what_is_no_collection_is_refused_as_a_whole(text: str | bytes, reason: str) -> None:
    with pytest.raises(FileUnusable, match=reason):
        read(text)


def test_features_may_stand_in_a_line_each() -> None:
    text = json.dumps(a_feature("a")) + "\n\nnonsense\n" + json.dumps(a_feature("b")) + "\n"
    assert names(list(features_of_lines(BytesIO(text.encode())))) == ["a", "line 3: is not valid JSON", "b"]
