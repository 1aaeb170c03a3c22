from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.actors.search.understanding import load_lexicon, merged, understand
from greenroom.schema.search.understood import (
    AgeBounds,
    Level,
    ParseSource,
    PartKind,
    PriceBounds,
    RelativeDay,
    ServiceGuess,
    Understood,
    Weekday,
    When,
)

LEXICON = load_lexicon()


def both(text: str, model: Understood) -> Understood:
    return merged(text, understand(text, lexicon=LEXICON), model, lexicon=LEXICON)


def said(**fields: object) -> Understood:
    return replace(Understood(text="", service_text=""), **fields)  # type: ignore[arg-type]


def test_numbers_that_the_rules_read_stand() -> None:
    text = "piano for my 8 year old under $80 saturday after 3pm"

    understood = both(
        text,
        said(
            price=PriceBounds(None, 8_00),
            age=AgeBounds(18, None),
            when=When(weekdays=frozenset({Weekday.SUNDAY}), from_minute=60),
        ),
    )

    assert understood.price == PriceBounds(None, 80_00, currency="USD")
    assert understood.age == AgeBounds(8, 8)
    assert understood.when == When(weekdays=frozenset({Weekday.SATURDAY}), from_minute=900)


def test_a_price_that_the_rules_missed_is_taken_if_its_number_was_said() -> None:
    text = "piano, I could do 45 if need be"

    assert both(text, said(price=PriceBounds(None, 45_00))).price == PriceBounds(None, 45_00)
    assert both(text, said(price=PriceBounds(None, 50_00))).price is None
    assert both(text, said(price=PriceBounds(45_00, 40_00))).price is None


def test_what_was_left_open_is_filled_in() -> None:
    understood = both(
        "my hands remember a bit of piano, somewhere quiet",
        said(
            levels=frozenset({Level.INTERMEDIATE}),
            online=False,
            when=When(relative=RelativeDay.THIS_WEEK, to_minute=600),
        ),
    )

    assert understood.levels == {Level.INTERMEDIATE}
    assert understood.online is False
    assert understood.when == When(relative=RelativeDay.THIS_WEEK, to_minute=600)
    assert understood.source is ParseSource.MODEL


def test_a_place_is_words_of_the_sentence() -> None:
    text = "piano teacher cobble hill side of town"

    found = both(text, said(place_text="cobble hill", service_text="piano"))
    invented = both(text, said(place_text="brooklyn"))

    assert (found.place_text, found.service_text) == ("cobble hill", "piano")
    assert [part.text for part in found.parts if part.kind is PartKind.PLACE] == ["cobble hill"]
    assert invented.place_text is None


def test_a_place_of_the_rules_is_never_lost() -> None:
    assert both("piano in cobble hill", said(service_text="piano")).place_text == "cobble hill"


def test_words_that_nobody_said_are_not_searched_for() -> None:
    assert both("someone for the keys", said(service_text="organ")).service_text == "keys"


def test_kinds_of_lessons_that_there_are_not_are_left_out() -> None:
    guesses = (ServiceGuess("piano", 0.9), ServiceGuess("flying-carpets", 0.9), ServiceGuess("keyboard", 0.9))

    services = both("keys", said(services=guesses)).services

    assert [guess.category for guess in services] == ["piano", "keyboard"]
    assert sum(guess.weight for guess in services) <= 1.0 + 1e-9


def test_times_that_run_backwards_are_left_out() -> None:
    assert both("piano", said(when=When(from_minute=900, to_minute=600))).when == When()


WORDS = st.sampled_from(
    [
        "piano",
        "for my",
        "8 year old",
        "in",
        "park slope",
        "under $80",
        "on sat",
        "not",
        "online",
        "math tutor",
        ",",
        "near",
        "5pm",
        "éa",
    ]
)
TEXTS = st.lists(WORDS, max_size=12).map(" ".join) | st.text(max_size=60)


@given(TEXTS, TEXTS, TEXTS)
@settings(max_examples=200, deadline=None)
def test_parts_stay_in_order_and_are_what_was_typed(text: str, service: str, place: str) -> None:
    understood = both(text, said(service_text=service, place_text=place or None))

    assert all(text[part.start : part.end] == part.text for part in understood.parts)
    assert all(one.end <= other.start for one, other in pairwise(understood.parts))


def test_a_day_that_is_denied_is_no_models_to_ask_for() -> None:
    understood = both("piano not tomorrow", said(when=When(relative=RelativeDay.TOMORROW, to_minute=720)))

    assert understood.when == When()
    assert understood.denied_times == (When(relative=RelativeDay.TOMORROW),)


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("piano not for 5 year olds", said(age=AgeBounds(5, 5))),
        ("piano no teens 13 to 19", said(age=AgeBounds(13, 19))),
        ("piano doesn't have to be online", said(online=True)),
        ("piano not only online", said(online=True)),
        ("piano doesn't have to be in brooklyn", said(place_text="brooklyn")),
        ("piano doesn't have to be for beginners", said(levels=frozenset({Level.BEGINNER}))),
        ("piano doesn't have to be under $50", said(price=PriceBounds(None, 50_00))),
        ("piano not $50", said(price=PriceBounds(50_00, 50_00))),
        ("piano not too early in the morning", said(when=When(from_minute=360, to_minute=720))),
        ("piano doesn't have to be tomorrow", said(when=When(relative=RelativeDay.TOMORROW))),
        ("guitar, no rock music", said(service_text="rock music")),
        ("piano, no vegetarians", said(service_text="vegetarians piano")),
    ],
)
def test_what_was_denied_and_asks_for_nothing_is_no_models_to_ask_for(text: str, model: Understood) -> None:
    rules = understand(text, lexicon=LEXICON)

    understood = both(text, model)

    assert replace(understood, source=ParseSource.RULES) == rules


def test_beside_what_asks_for_nothing_a_model_still_fills_in_the_rest() -> None:
    understood = both(
        "piano teacher cobble hill, doesn't have to be online",
        said(place_text="cobble hill", service_text="piano", online=True, levels=frozenset({Level.ADVANCED})),
    )

    assert (understood.place_text, understood.service_text) == ("cobble hill", "piano")
    assert understood.levels == {Level.ADVANCED}
    assert understood.online is None
