"""Words that mean nothing here are told, and letters at random find nothing."""

from __future__ import annotations

import pytest
from trio.testing import MockClock

from greenroom.actors.search.understanding import load_lexicon, understand
from greenroom.actors.search.understanding.unknown_words import is_all_at_random, is_at_random, unknown_told
from greenroom.schema.search.understood import NoticeKind, PartKind, Understood
from tests.actors.search.world import a_market, search, titles
from tests.storage.market_builders import a_teacher

LEXICON = load_lexicon()
PIANO = a_teacher(1, "Piano for children")
VIOLIN = a_teacher(2, "Violin, calming")


def told(text: str, *unknown: str) -> tuple[list[str], list[str]]:
    """Texts of the notices, and of the pieces that are of the lesson."""
    understood = unknown_told(understand(text, lexicon=LEXICON), unknown, lexicon=LEXICON)
    return not_understood(understood), [p.text for p in understood.parts if p.kind is PartKind.SERVICE]


def not_understood(understood: Understood) -> list[str]:
    return [notice.text for notice in understood.notices if notice.kind is NoticeKind.NOT_UNDERSTOOD]


@pytest.mark.parametrize(
    ("text", "unknown", "notices", "pieces"),
    [
        ("piano asdfgh", ["asdfgh"], ["asdfgh"], ["piano"]),
        ("piano and blorptastic fizzlewump", ["blorptastic", "fizzlewump"], ["blorptastic fizzlewump"], ["piano"]),
        ("Zzyx piano Zzyx, please", ["zzyx"], ["Zzyx"], ["piano"]),
        ("calming piano", [], [], ["calming piano"]),
        ("panio for my son", ["panio"], [], ["panio"]),
        ("oud in brooklyn", ["oud"], [], ["oud"]),
        ("fizzlewump", ["fizzlewump"], ["fizzlewump"], ["fizzlewump"]),
    ],
)
def test_what_is_no_name_and_in_no_lesson_is_told_and_no_piece_beside_what_is(
    text: str, unknown: list[str], notices: list[str], pieces: list[str]
) -> None:
    assert told(text, *unknown) == (notices, pieces)


def test_pieces_that_are_left_stand_where_they_were_typed() -> None:
    text = "  Asdfgh piano  asdfgh for kids"
    understood = unknown_told(understand(text, lexicon=LEXICON), ["asdfgh"], lexicon=LEXICON)

    assert [text[part.start : part.end] for part in understood.parts] == [part.text for part in understood.parts]


@pytest.mark.parametrize("word", ["qwertyuiop", "aaaaaaaaaaaa", "asdfgh", "lkjhgfds", "xkcd"])
def test_letters_at_random_are_no_word(word: str) -> None:
    assert is_at_random(word)


def test_no_name_of_a_lesson_is_letters_at_random_though_no_lesson_has_it() -> None:
    names = [name for kind in LEXICON.taxonomy.kinds.values() for name in (kind.name, *kind.synonyms)]

    assert any(is_at_random(name) for name in names), "html has no vowel"
    for name in names:
        understood = understand(name, lexicon=LEXICON)
        assert not is_all_at_random(understood, understood.service_text.split())


async def test_an_answer_tells_what_of_its_sentence_means_nothing(autojump_clock: MockClock) -> None:
    async with a_market(PIANO, VIOLIN) as world:
        answer = await search(world, "piano asdfgh")
        again = await search(world, "piano asdfgh")
        plain = await search(world, "calming piano")

    assert titles(answer) == titles(again) == ["Piano for children"]
    assert not_understood(answer.understood) == not_understood(again.understood) == ["asdfgh"]
    assert not_understood(plain.understood) == []


@pytest.mark.parametrize("text", ["qwertyuiop", "aaaaaaaaaaaa", "zxcvbnm in brooklyn"])
async def test_letters_at_random_find_nothing(autojump_clock: MockClock, text: str) -> None:
    async with a_market(PIANO, VIOLIN) as world:
        answer = await search(world, text)

    assert titles(answer) == []
    assert answer.total == 0
    assert not_understood(answer.understood) == [text.split()[0]]
