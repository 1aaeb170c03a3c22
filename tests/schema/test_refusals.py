"""What is wrong with an input is said in words that nobody needs to know regular expressions for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

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
