"""What holds of every understanding, whatever was typed."""

from __future__ import annotations

import time
from datetime import date
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.actors.search.understanding import load_lexicon, normal_form, understand
from greenroom.actors.search.understanding.words import words
from greenroom.schema.search.understood import QUERY_LENGTH_MAX, PartKind, Understood

SIGNS = str.maketrans("", "", " $€£+-/:<>=~&@\u2010\u2011\u2013\u2014\u2212")
LEXICON = load_lexicon()
PIECES = st.sampled_from(
    ["piano", "Math", "tutor", "for", "my", "8", "year old", "ages", "6-10", "near", "in", "Park Slope", "the", "under", "$", "80", "€50", "an hour", "/hr", "on", "saturday", "sat", "morning", "mon-fri", "after", "5pm", "10-12am", "not", "no", "except", "or", "and", "online", "in person", "at home", "beginner", "advanced", "kids", "third grade", "twenty-five", "a hundred", "and ten", "dec 3", "12/03", "the 5th", "next", "tuesday", "week", "this weekend", "SAT", "between", "3", "to", ",", ".", "!", "-", "\u2013", "\u2019s", "éa", "🎹", "never played", "40s", "5s", "1,000", "1.5k", "+", "y/o", "ß", "ﬁ", "İ"]
)  # fmt: skip
SENTENCES = (
    st.lists(PIECES, max_size=20).map(" ".join)
    | st.lists(PIECES, max_size=12).map("".join)
    | st.text(max_size=QUERY_LENGTH_MAX)
)


def read(text: str) -> Understood:
    known = {("park", "slope"), ("math",), ("sat",), ("the", "3rd")}
    return understand(text, lexicon=LEXICON, is_place=known.__contains__, today=date(2026, 11, 23))


@given(SENTENCES)
@settings(max_examples=400, deadline=None)
def test_parts_stand_in_order_without_overlap_and_are_what_was_typed(text: str) -> None:
    parts = read(text).parts

    assert all(text[part.start : part.end] == part.text and part.start < part.end for part in parts)
    assert all(one.end <= other.start for one, other in pairwise(parts))


@given(SENTENCES)
@settings(max_examples=400, deadline=None)
def test_words_for_the_lesson_are_those_of_its_parts(text: str) -> None:
    understood = read(text)
    spans = [(part.start, part.end) for part in understood.parts if part.kind is PartKind.SERVICE]
    inside = [
        word.text for word in words(text) if any(start <= word.start and word.end <= end for start, end in spans)
    ]

    assert understood.service_text.translate(SIGNS) == "".join(inside).translate(SIGNS)


@given(SENTENCES)
@settings(max_examples=400, deadline=None)
def test_bounds_are_bounds(text: str) -> None:
    understood = read(text)

    if (price := understood.price) is not None:
        assert price.min_cents is not None or price.max_cents is not None
        assert price.min_cents is None or price.max_cents is None or 0 <= price.min_cents <= price.max_cents
    if (age := understood.age) is not None:
        assert 0 <= age.min_years <= (120 if age.max_years is None else age.max_years)
    when = understood.when
    assert 0 <= (when.from_minute or 0) < (1_440 if when.to_minute is None else when.to_minute) <= 1_440
    assert when.relative is None or when.on is None
    assert sum(guess.weight for guess in understood.services) <= 1 + 1e-3
    assert len(understood.services) <= 5


@given(SENTENCES)
@settings(max_examples=400, deadline=None)
def test_the_normal_form_of_a_normal_form_is_itself(text: str) -> None:
    assert normal_form(normal_form(text)) == normal_form(text)


@given(SENTENCES)
@settings(max_examples=100, deadline=None)
def test_the_same_sentence_is_understood_the_same_way(text: str) -> None:
    assert read(text) == read(text)


def test_time_grows_with_the_length_and_not_faster() -> None:
    """A hundred times the longest sentence takes about a hundred times as long; ten times that is granted to a busy machine."""

    def seconds(text: str) -> float:
        begin = time.thread_time()
        read(text)
        return time.thread_time() - begin

    for piece in (
        "8 ",
        "a ",
        "between 3 and ",
        "under $",
        "mon-",
        "not on ",
        "in the ",
        "twenty ",
        "/",
        "1,",
        "year old and a ",
    ):
        short = piece * (QUERY_LENGTH_MAX // len(piece))
        base = min(seconds(short) for _ in range(3))
        assert seconds(short * 20) < max(base, 0.001) * 20 * 10, piece
