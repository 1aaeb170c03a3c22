"""Sentences whose words are also names of places."""

from collections.abc import Callable

import pytest

from greenroom.actors.search.understanding import load_lexicon, understand
from greenroom.data.gazetteer import CITY_IDS, city_of_gazetteer
from greenroom.schema.search.place_names import normal_place_name

LEXICON = load_lexicon()


@pytest.fixture(scope="module")
def is_place() -> Callable[[tuple[str, ...]], bool]:
    cities = [city_of_gazetteer(city_id) for city_id in CITY_IDS]
    names = {normal_place_name(mapped.region.name) for city in cities for mapped in city.regions}
    names |= {normal_place_name(alias.name) for city in cities for alias in city.aliases}
    return lambda words: normal_place_name(" ".join(words)) in names


@pytest.mark.parametrize(
    ("sentence", "place"),
    [
        ("violin bow technique", None),
        ("broadway singing lessons", None),
        ("steinway piano lessons", None),
        ("un poco de español", None),
        ("piano in bow", "bow"),
        ("drums near broadway", "broadway"),
        ("guitar teacher in the village", "village"),
        ("guitar west village", "west village"),
        ("drum lessons les", "les"),
        ("math tutor bk", "bk"),
        ("drums se15 on saturday", "se15"),
        ("drums SE15 4QR for kids", "se15"),
        ("drums in n5", "n5"),
        ("drums N5 1AB", "n5"),
        ("japanese n5", None),
        ("piano 11215", "11215"),
    ],
)
def test_an_ordinary_word_is_a_place_only_where_a_word_leads_to_it(
    sentence: str, place: str | None, is_place: Callable[[tuple[str, ...]], bool]
) -> None:
    assert understand(sentence, lexicon=LEXICON, is_place=is_place).place_text == place
