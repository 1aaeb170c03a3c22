"""What is wrong with an input is said in words that nobody needs to know regular expressions for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from greenroom.importing.faults import faults_of
from greenroom.schema.lessons import Lesson
from greenroom.schema.refusals import in_our_words
from greenroom.schema.search.requests import Search


def said(record: type[BaseModel], given: Mapping[str, Any]) -> dict[str, str]:
    with pytest.raises(ValidationError) as refused:
        record.model_validate(given)
    return {str(fault["loc"][-1]): in_our_words(fault) for fault in refused.value.errors()}


@pytest.mark.parametrize("city", ["Atlantis", "new york", "nyc/queens"])
def test_a_city_that_is_no_id_is_refused_with_what_one_looks_like(city: str) -> None:
    assert said(Search, {"q": "piano", "city": city})["city"] == (
        "must be an id of small letters, digits and hyphens, such as nyc"
    )


@pytest.mark.parametrize("currency", ["dollars", "usd", "US$"])
def test_a_currency_is_refused_with_what_one_looks_like(currency: str) -> None:
    assert said(Lesson, {"currency": currency})["currency"] == (
        "must be a currency by its three capital letters, such as USD"
    )


def test_of_a_line_of_another_kind_of_file_that_is_said_instead_of_each_of_its_fields() -> None:
    with pytest.raises(ValidationError) as refused:
        Lesson.model_validate(
            {"alias": "The Slope", "region_id": "nyc/brooklyn/park-slope", "weight": 1, "from": "me"}
        )

    [fault] = faults_of(refused.value, 7).faults

    assert str(fault).startswith(
        "line 7: seems to be of another kind of file: has alias, region_id, weight, lacks "
    )


def test_a_field_that_is_misspelt_is_still_told_by_its_name() -> None:
    with pytest.raises(ValidationError) as refused:
        Lesson.model_validate({"titel": "Cello"})

    assert "titel" in {fault.field for fault in faults_of(refused.value, 7).faults}


@pytest.mark.parametrize(("given", "missing"), [("lat", "lng"), ("lng", "lat")])
def test_of_a_position_with_one_coordinate_the_missing_one_is_named(given: str, missing: str) -> None:
    assert said(Search, {"q": "piano", given: "40"}) == {missing: f"must be given with {given}"}


@pytest.mark.parametrize(
    ("category", "words"),
    [
        ("guitare", "'guitare' is no kind of lesson known here; guitar is the nearest that is"),
        ("quantum", "'quantum' is no kind of lesson known here"),
    ],
)
def test_a_kind_that_is_not_known_is_quoted_with_the_nearest_that_is(category: str, words: str) -> None:
    assert said(Lesson, {"category": category})["category"] == words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("this is not json", "a text in double quotes, a number, true, false, null, [ or { is wanted (column 2)"),
        ("{title: 1}", "a name in double quotes is wanted (column 2)"),
        ('{"title": "Cello",}', "nothing comes after a comma (column 19)"),
        ('{"title": "Cello"', "ends too early (column 17)"),
        ('{"title": "Cello"} x', "goes on after its end (column 20)"),
    ],
)
def test_a_line_that_is_not_json_is_refused_without_the_words_of_a_parser(line: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Lesson.model_validate_json(line)

    assert str(faults_of(refused.value, 4)) == f"line 4: is not JSON: {words}"
