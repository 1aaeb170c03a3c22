"""Words as they are typed in haste: a letter out of its place, "b4"."""

from __future__ import annotations

from datetime import date

import pytest

from greenroom.actors.search.understanding import load_lexicon, understand
from greenroom.schema.search.understood import AgeBounds, Understood, Weekday

LEXICON = load_lexicon()
KNOWN = {("brooklyn",), ("camden",), ("queens",)}


def read(text: str) -> Understood:
    return understand(text, lexicon=LEXICON, is_place=KNOWN.__contains__, today=date(2026, 11, 23))


def notices(text: str) -> list[tuple[str, str]]:
    return [(notice.kind.value, notice.text) for notice in read(text).notices]


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("panio for kids", "piano"),
        ("vilion in brooklyn", "violin"),
        ("gutiar", "guitar"),
        ("yoag for beginners", "yoga"),
        ("mtah tutor", "math"),
        ("pniao in queens", "piano"),
    ],
)
def test_a_letter_out_of_its_place_is_forgiven(text: str, slug: str) -> None:
    assert read(text).services[0].category == slug


@pytest.mark.parametrize("text", ["wings", "diver", "past", "oyga", "stain", "iapno"])
def test_another_word_or_another_first_letter_is_no_such_error(text: str) -> None:
    assert read(text).services == ()


@pytest.mark.parametrize(
    ("text", "service", "place"),
    [
        ("piano nr camden innit", "piano", "camden"),
        ("sum1 to teach me drums asap", "drums", None),
        ("can u teach me guitar lol", "guitar", None),
        ("piano 4 my son", "piano", None),
        ("teach u guitar b4 school", "guitar", None),
    ],
)
def test_shorthand_is_read_as_what_it_stands_for(text: str, service: str, place: str | None) -> None:
    understood = read(text)

    assert (understood.service_text, understood.place_text) == (service, place)


def test_shorthand_of_times_is_a_time() -> None:
    weekend, evenings = read("cooking wknd"), read("piano weds eves")

    assert weekend.when.weekdays == {Weekday.SATURDAY, Weekday.SUNDAY}
    assert evenings.when.weekdays == {Weekday.WEDNESDAY}
    assert (evenings.when.from_minute, evenings.when.to_minute) == (17 * 60, 22 * 60)


def test_a_number_is_for_only_where_it_can_be_nothing_else() -> None:
    assert read("spanish 4 adults").age == AgeBounds(18, None)
    assert read("spanish for 4 adults").age is None
    assert read("u12 football").age == AgeBounds(0, 11)
