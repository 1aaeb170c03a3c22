import pytest

from greenroom.actors.search.places.spelling import errors_between, has_every_word, is_misspelling


@pytest.mark.parametrize(
    ("text", "name", "errors"),
    [
        ("soho", "soho", 0),
        ("prak slope", "park slope", 1),
        ("parkslope", "park slope", 0),
        ("slope park", "park slope", 0),
        ("harlm", "harlem", 1),
        ("elmont", "belmont", 2),
        ("sutson place", "sutton place", 1),
        ("osho", "soho", 1),
    ],
)
def test_errors_are_letters_typed_wrong(text: str, name: str, errors: int) -> None:
    assert errors_between(text, name) == errors


@pytest.mark.parametrize(
    ("text", "name", "similarity", "is_placed", "is_meant"),
    [
        ("harlm", "harlem", 0.44, True, True),
        ("harlm", "harlem", 0.44, False, False),
        ("crwn hieghts", "crown heights", 0.4, True, True),
        ("willets point", "halletts point", 0.62, True, False),
        ("kenington", "kensington", 0.7, False, True),
        ("hollwod", "hollis", 0.5, True, False),
        ("sho", "soho", 0.3, True, False),
        ("north riverdale", "riverdale", 0.63, True, False),
        ("se16", "se15", 0.6, True, False),
        ("11216", "11215", 0.7, True, False),
        ("42nd stret", "42nd street", 0.7, True, True),
    ],
)
def test_fewer_errors_are_forgiven_the_less_else_speaks_for_a_name(
    text: str, name: str, similarity: float, is_placed: bool, is_meant: bool
) -> None:
    assert is_misspelling(text, name, similarity=similarity, is_placed=is_placed) is is_meant


@pytest.mark.parametrize(
    ("text", "has_them"),
    [("heights of brooklyn", True), ("brooklin hights", True), ("brooklyn", False), ("", False)],
)
def test_a_text_has_the_words_of_a_name_in_any_order(text: str, has_them: bool) -> None:
    assert has_every_word(text, "brooklyn heights") is has_them


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("brooklin", "brooklyn", True),
        ("astorai", "astoria", True),
        ("brookline", "brooklyn", False),
        ("sohu", "soho", False),
    ],
)
def test_one_error_in_a_long_name_is_a_misspelling_wherever_one_is(text: str, name: str, expected: bool) -> None:
    assert is_misspelling(text, name, similarity=0.5, is_placed=False) is expected
