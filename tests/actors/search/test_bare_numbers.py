"""Numbers that nothing is said of: ages behind children, parts of a lesson's name, or nothing that can be searched for."""

from __future__ import annotations

from datetime import date

import pytest

from greenroom.actors.search.understanding import load_lexicon, understand
from greenroom.schema.search.understood import AgeBounds, Understood

LEXICON = load_lexicon()
KNOWN = {("astoria",), ("soho",), ("bk",)}


def read(text: str) -> Understood:
    return understand(text, lexicon=LEXICON, is_place=KNOWN.__contains__, today=date(2026, 11, 24))


def notices(text: str) -> list[tuple[str, str]]:
    return [(notice.kind.value, notice.text) for notice in read(text).notices]


@pytest.mark.parametrize(
    ("text", "lesson", "age"),
    [
        ("chess for my twins, 5 and 9, in astoria", "chess", AgeBounds(5, 9, True)),
        ("twins 5 and 9 chess", "chess", AgeBounds(5, 9, True)),
        ("piano for 2 kids 7 and 9", "piano", AgeBounds(7, 9, True)),
        ("chess for siblings 5, 7 and 9", "chess", AgeBounds(5, 9, True)),
        ("piano for my grandkids 6 & 8", "piano", AgeBounds(6, 8, True)),
        ("nephews 10 or 12 guitar", "guitar", AgeBounds(10, 12)),
        ("my cousins 5 8 and 11 ballet", "ballet", AgeBounds(5, 11, True)),
        ("two students, 8 and 9, chess", "chess", AgeBounds(8, 9, True)),
        ("chess for our triplets (8)", "chess", AgeBounds(8, 8)),
        ("my kids, 7, chess", "chess", AgeBounds(7, 7)),
        ("chess for 2 kids", "chess", AgeBounds(3, 12)),
        ("piano for 2 kids aged 6 and 8", "piano", AgeBounds(6, 8, True)),
        ("chess for a beginner aged 30", "chess", AgeBounds(30, 30)),
        ("chess for kids 7 to 9", "chess", AgeBounds(7, 9)),
    ],
)
def test_numbers_behind_children_are_their_ages(text: str, lesson: str, age: AgeBounds) -> None:
    found = read(text)

    assert (found.service_text, found.age, found.notices) == (lesson, age, ())


def test_a_number_between_commas_is_the_age_of_the_child_that_was_named() -> None:
    found = read("swimming, my daughter is scared of water, 6, bk")

    assert (found.age, found.place_text, found.notices) == (AgeBounds(6, 6), "bk", ())


@pytest.mark.parametrize(
    "text",
    ["chess for kids, 10 lessons", "kids 4pm chess", "kids 2 evenings, chess", "chess for students, 2 hours"],
)
def test_what_counts_or_is_an_hour_is_no_age(text: str) -> None:
    age = read(text).age

    assert age is None or age.min_years != age.max_years


@pytest.mark.parametrize(
    ("text", "lesson"),
    [
        ("grade 5 piano", "grade 5 piano"),
        ("16 bar blues guitar", "16 bar blues guitar"),
        ("12 string guitar", "12 string guitar"),
        ("11 plus tutor", "11 plus"),
        ("11+ maths", "11 maths"),
        ("3d printing", "3 d printing"),
        ("5k run", "5 k run"),
        ("algebra 2", "algebra 2"),
        ("python 3 tutor", "python 3"),
        ("stage 4 swimming", "stage 4 swimming"),
    ],
)
def test_a_number_that_is_a_part_of_a_lessons_name_is_looked_for(text: str, lesson: str) -> None:
    assert (read(text).service_text, notices(text)) == (lesson, [])


@pytest.mark.parametrize(
    ("text", "lesson", "number"),
    [("swimming 6 bk", "swimming", "6"), ("7, chess", "chess", "7"), ("9 chess", "chess", "9"), ("5", "", "5")],
)
def test_any_other_number_is_told_and_not_looked_for(text: str, lesson: str, number: str) -> None:
    assert (read(text).service_text, notices(text)) == (lesson, [("not_heeded", number)])


def test_a_count_of_learners_is_neither_looked_for_nor_told() -> None:
    found = read("piano for 3 kids who love music")

    assert "3" not in found.service_text.split()
    assert found.notices == ()
