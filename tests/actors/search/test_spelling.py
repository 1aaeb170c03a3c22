"""A misspelt word is taken for one that lessons have, and that is told."""

from __future__ import annotations

import pytest
from trio.testing import MockClock

from greenroom.actors.search.understanding import load_lexicon, understand
from greenroom.actors.search.understanding.spelling import corrected, doubtful_words, meant_words
from greenroom.schema.search.candidates import Spelling
from greenroom.schema.search.understood import Notice, NoticeKind, PartKind
from tests.actors.search.world import SlowModels, a_market, reasons, search, titles
from tests.storage.market_builders import a_teacher

LEXICON = load_lexicon()
SHIBORI = a_teacher(1, "Shibori with Mia")
PIANO = a_teacher(2, "Piano, calming")
GLASS = a_teacher(3, "Stained glass", "Glazing")


def doubtful(text: str) -> tuple[str, ...]:
    understood = understand(text, lexicon=LEXICON)
    return doubtful_words(
        text,
        understood,
        lexicon=LEXICON,
        is_place=lambda words: words == ("dumbo",),
        is_english=lambda word: word == "table",
    )


def corrections(notices: tuple[Notice, ...]) -> list[tuple[str, str | None]]:
    return [(notice.text, notice.taken) for notice in notices if notice.kind is NoticeKind.CORRECTED]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Shibri for my 8yo on saturday under $80", ("shibri",)),
        ("panio vilion guitar", ()),
        ("calmng panio", ("calmng",)),
        ("piano near bushwik", ()),
        ("piano dumbo", ()),
        ("table top", ()),
        ("glz asdfgh gl4ze síntesi", ()),
        ('"shibri" marblng', ("marblng",)),
        ("“shibri marblng” piano", ()),
        ("«shibri» glaz", ("glaz",)),
        ("piano with jude", ()),
        ("piano by dario", ()),
        ("piano with mia glasd", ()),
        ("piano lessons from Ganna in brooklyn", ()),
        ("lara luke mike dana lucy mary", ()),
        ("somali kurdish basque pashto latvian shibari", ()),
        ("Shibri And Marblng", ("shibri", "marblng")),
        ("SHIBRI", ("shibri",)),
        ("shibri with my daughter", ("shibri",)),
        ("shibri shibri marblng glasd stainde calmng", ("shibri", "marblng", "glasd", "stainde")),
    ],
)
def test_no_word_is_doubted_that_was_understood_or_is_a_place_or_a_name_or_english_or_quoted(
    text: str, words: tuple[str, ...]
) -> None:
    assert doubtful(text) == words


def test_what_is_nearest_to_a_places_name_stays_as_it_is() -> None:
    spellings = {"brooklin": [Spelling("brooklyn", 9)], "calmng": [Spelling("calming", 1)], "zither": []}

    assert meant_words(spellings, is_place=lambda words: words == ("brooklyn",)) == {"calmng": "calming"}


def test_a_corrected_sentence_means_the_kinds_of_its_new_words_and_keeps_its_pieces() -> None:
    understood = understand("Saxxopohne for Adults", lexicon=LEXICON)
    assert understood.services == ()

    new = corrected(understood, {"saxxopohne": "saxophone"}, lexicon=LEXICON)

    assert new.service_text == "saxophone"
    assert [guess.category for guess in new.services] == ["saxophone"]
    assert corrections(new.notices) == [("Saxxopohne", "saxophone")]
    assert [part.text for part in new.parts if part.kind is PartKind.SERVICE] == ["Saxxopohne"]


def test_what_is_not_wanted_is_not_brought_back_by_a_correction() -> None:
    for text, meant in (
        ("saxxopohne, no saxophone", {"saxxopohne": "saxophone"}),
        ("judoo no judo", {"judoo": "judo"}),
        ("shibri, not shibori", {"shibri": "shibori"}),
    ):
        understood = understand(text, lexicon=LEXICON)

        assert corrected(understood, meant, lexicon=LEXICON) == understood


def test_of_two_words_only_the_one_that_is_wanted_is_corrected() -> None:
    understood = understand("shibri marblng, not shibori", lexicon=LEXICON)

    new = corrected(understood, {"shibri": "shibori", "marblng": "marbling"}, lexicon=LEXICON)

    assert new.service_text == "shibri marbling"
    assert corrections(new.notices) == [("marblng", "marbling")]


async def test_a_misspelt_word_finds_what_was_meant_and_tells_so_again_from_the_cache(
    autojump_clock: MockClock,
) -> None:
    async with a_market(SHIBORI, PIANO, GLASS) as world:
        answer = await search(world, "Shibri")
        again = await search(world, "Shibri")

    assert titles(answer) == titles(again) == ["Shibori with Mia"]
    for each in (answer, again):
        assert corrections(each.understood.notices) == [("Shibri", "shibori")]
        assert [notice.kind for notice in each.understood.notices] == [NoticeKind.CORRECTED]


async def test_a_teachers_name_is_not_taken_for_a_lesson(autojump_clock: MockClock) -> None:
    async with a_market(a_teacher(1, "Judo"), PIANO) as world:
        answer = await search(world, "piano with jude")

    assert titles(answer) == ["Piano, calming"]
    assert corrections(answer.understood.notices) == []


async def test_a_word_that_lessons_have_stays_however_near_another_is(autojump_clock: MockClock) -> None:
    async with a_market(a_teacher(1, "Glazing"), a_teacher(2, "Glaring"), a_teacher(3, "Glaring")) as world:
        answer = await search(world, "glazing")

    assert titles(answer)[0] == "Glazing"
    assert answer.understood.notices == ()


async def test_what_is_quoted_is_searched_for_as_it_is_written(autojump_clock: MockClock) -> None:
    async with a_market(SHIBORI, PIANO, GLASS) as world:
        answer = await search(world, '"shibri"')

    assert answer.understood.service_text == "shibri"
    assert corrections(answer.understood.notices) == []


async def test_what_is_embedded_is_what_was_meant(autojump_clock: MockClock) -> None:
    models = SlowModels()
    async with a_market(SHIBORI, PIANO, GLASS, models=models) as world:
        right = await search(world, "shibori")
        misspelt = await search(world, "shibri")

    assert models.embedder.calls == 2
    assert "embedding" not in reasons(misspelt)
    assert [hit.ranked.candidate.vector_score for hit in misspelt.hits] == [
        hit.ranked.candidate.vector_score for hit in right.hits
    ]


async def test_the_rest_of_a_sentence_that_means_nothing_is_still_told(autojump_clock: MockClock) -> None:
    async with a_market(SHIBORI, PIANO, GLASS) as world:
        answer = await search(world, "shibri fizzlewump")

    told = [(notice.kind, notice.text) for notice in answer.understood.notices]
    assert told == [(NoticeKind.CORRECTED, "shibri"), (NoticeKind.NOT_UNDERSTOOD, "fizzlewump")]
