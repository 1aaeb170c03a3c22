"""What holds of the decision by names, whatever was typed."""

import math

import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.actors.search.places.by_name import CANDIDATES_MAX, borough_at_end, decide_by_name
from greenroom.actors.search.places.named_together import PARTS_MAX, parts_of
from greenroom.schema.search.places import PlaceAnswer, PlaceOutcome
from greenroom.storage.memory import memory_storage
from greenroom.storage.ports import PlaceRows
from tests.storage.places_builders import NYC, add_places

WORDS = [
    "park",
    "slope",
    "prk",
    "heights",
    "brooklyn",
    "bk",
    "nyc",
    "queens",
    "murray",
    "hill",
    "north",
    "soho",
    "or",
    "-",
    ",",
    "st",
]
TEXTS = st.text(max_size=40) | st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join)


async def rows_of(text: str, cities: list[str]) -> PlaceRows:
    storage = memory_storage()
    await add_places(storage)
    return await storage.places.look_up(text, cities=cities)  # type: ignore[arg-type]


def regions_fit(answer: PlaceAnswer) -> bool:
    match answer.outcome:
        case PlaceOutcome.RESOLVED:
            return len(answer.regions) == 1
        case PlaceOutcome.AMBIGUOUS:
            return len(answer.regions) > 1
        case _:
            return not answer.regions and answer.tier is None


@settings(deadline=None, max_examples=150)
@given(text=TEXTS, filtered=st.booleans(), placed=st.booleans())
def test_a_decision_is_whole_whatever_was_typed(text: str, filtered: bool, placed: bool) -> None:
    rows = trio.run(rows_of, text, [NYC] if filtered else [])
    answer = decide_by_name(text, rows, [NYC] if placed else [])

    assert regions_fit(answer)
    assert 0 <= answer.confidence <= 1
    assert not math.isnan(answer.confidence)
    assert len(answer.candidates) <= CANDIDATES_MAX
    assert len({region.id for region in answer.regions}) == len(answer.regions)
    assert {region.city for region in answer.regions} <= {NYC} or not filtered
    assert decide_by_name(text, rows, [NYC] if placed else []) == answer
    borough_at_end(text, rows)


@given(TEXTS)
def test_parts_are_few_and_none_is_empty(text: str) -> None:
    parts = parts_of(text)
    assert parts is None or (1 < len(parts.texts) <= PARTS_MAX and all(map(str.strip, parts.texts)))
