"""Prices as people write them in a hurry: without a currency, for half an hour, for nothing."""

from __future__ import annotations

from datetime import date

import pytest

from greenroom.actors.search.understanding import load_lexicon, understand
from greenroom.schema.search.understood import PriceBounds, PriceUnit, Understood

LEXICON = load_lexicon()


def read(text: str) -> Understood:
    return understand(text, lexicon=LEXICON, today=date(2026, 11, 23))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("math tutor $40 per half hour", None, 8_000),
        ("math up to $45 for half an hour", None, 9_000),
        ("math $30 for 30 minutes", None, 6_000),
        ("math $30-40 per half hour", 6_000, 8_000),
    ],
)
def test_what_is_paid_for_half_an_hour_is_twice_as_much_for_one(text: str, low: int | None, high: int) -> None:
    assert read(text).price == PriceBounds(low, high, PriceUnit.HOUR, "USD")
    assert read(text).service_text == "math"


def test_a_price_behind_half_an_hour_is_none_of_an_hour() -> None:
    assert read("piano half an hour $40").price == PriceBounds(None, 4_000, PriceUnit.LESSON, "USD")


def test_a_range_of_round_numbers_is_a_price() -> None:
    understood = read("guitar 50-80 on saturday")

    assert understood.price == PriceBounds(5_000, 8_000)
    assert understood.service_text == "guitar"


@pytest.mark.parametrize(
    "text",
    [
        "math 101-102",
        "guitar 30 - 45 minutes",
        "guitar ages 20-30",
        "sat prep 1400-1500",
        "guitar from 7-8",
        "chess 5-10",
    ],
)
def test_no_other_range_is_a_price(text: str) -> None:
    assert read(text).price is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("free guitar lessons", "free"),
        ("guitar for free", "for free"),
        ("guitar lessons free of charge", "free of charge"),
    ],
)
def test_that_nothing_is_to_be_paid_is_told_to_be_left_out(text: str, told: str) -> None:
    understood = read(text)

    assert [(notice.kind.value, notice.text) for notice in understood.notices] == [("not_heeded", told)]
    assert understood.service_text == "guitar"


@pytest.mark.parametrize(
    "text",
    [
        "gluten free cooking class",
        "free trial guitar lesson",
        "guitar teacher free on mondays",
        "stress free yoga",
    ],
)
def test_what_else_is_free_is_not(text: str) -> None:
    assert read(text).notices == ()
