from dataclasses import replace
from datetime import timedelta

import pytest

from greenroom.schema.records import Role
from greenroom.schema.search.diagnostics import Prompt, Skip, SkipReason, StageName
from greenroom.schema.search.log import (
    Click,
    Gist,
    ListedSearch,
    QueryId,
    RecordedSearch,
    SearchDetails,
    Searcher,
    SearchesShown,
    SearchLine,
)
from greenroom.schema.search.places import PlaceAnswer, PlaceOutcome
from greenroom.schema.search.understood import Part, PartKind, Understood
from greenroom.schema.search.wire import PartOut
from greenroom.storage.ports import Storage
from tests.storage.builders import ANN, BEN, NOW, a_user
from tests.storage.search_builders import (
    DRUMS,
    PARK_SLOPE,
    PIANO,
    VIOLIN,
    a_click,
    a_search,
    in_park_slope,
    query_id,
)

MINUTE = timedelta(minutes=1)
LATE = Skip(StageName.EMBEDDING, SkipReason.TIMEOUT, "too slow")
ALL = SearchesShown()


async def test_a_search_is_kept_with_all_that_is_known_of_it(storage: Storage) -> None:
    record = a_search(place=in_park_slope(), skipped=[LATE])

    await storage.search_log.add_searches([record])

    assert await storage.search_log.get(query_id(1)) == RecordedSearch(
        SearchLine.of(record), SearchDetails.of(record)
    )


async def test_whatever_a_model_said_can_be_kept(storage: Storage) -> None:
    said = Prompt("place", "a-model", "\x00 \\u0000 \u2028 'quoted' \"twice\"", "\x00")
    record = a_search(diagnostics=replace(a_search().diagnostics, prompts=(said,)))

    await storage.search_log.add_searches([record])

    found = await storage.search_log.get(query_id(1))
    assert found is not None
    assert found.details is not None
    (prompt,) = found.details.diagnostics.prompts
    assert prompt.request.endswith("'quoted' \"twice\"")


async def test_a_search_is_kept_once(storage: Storage) -> None:
    await storage.search_log.add_searches([a_search()])

    await storage.search_log.add_searches([a_search(text="another"), a_search(2)])

    listed = await storage.search_log.page(ALL, before=None, limit=10)
    assert [(each.line.query_id, each.line.text) for each in listed] == [
        (query_id(2), "piano near park slope"),
        (query_id(1), "piano near park slope"),
    ]


async def test_a_search_is_listed_with_who_searched_and_what_was_understood(storage: Storage) -> None:
    await storage.accounts.create_user(a_user(ANN, display_name="Ann Lee"), "hash")
    text = "please piano not in park slope"
    pieces = ((PartKind.FILLER, 0, 6), (PartKind.SERVICE, 7, 12), (PartKind.DENIED, 13, 30))
    parts = tuple(Part(kind, text[start:end], start, end) for kind, start, end in pieces)
    place = PlaceAnswer(None, PlaceOutcome.NOT_ASKED, excluded=(PARK_SLOPE,))
    record = a_search(text=text, place=place, understood=Understood(text=text, service_text="piano", parts=parts))

    await storage.search_log.add_searches([record])

    (listed,) = await storage.search_log.page(ALL, before=None, limit=10)
    ann = Searcher("Ann Lee", Role.STUDENT, is_active=True)
    assert (listed.line, listed.by) == (SearchLine.of(record), ann)
    assert listed.gist == Gist(tuple(map(PartOut.of, parts[1:])), (PARK_SLOPE.id,))
    found = await storage.search_log.get(query_id(1))
    assert found is not None
    assert found.listed == listed


async def test_a_search_outlives_the_account_and_its_own_details_in_the_list(storage: Storage) -> None:
    """No account of that id is there, as after it was deleted by hand."""
    await storage.search_log.add_searches([a_search()])
    await storage.search_log.delete_details_before(NOW + MINUTE, limit=10)

    listed = await storage.search_log.page(ALL, before=None, limit=10)

    assert listed == [ListedSearch(SearchLine.of(a_search()), by=None, gist=None)]


async def test_an_unknown_search_is_none(storage: Storage) -> None:
    assert await storage.search_log.get(QueryId("nothing")) is None


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (ALL, [4, 3, 2, 1]),
        (SearchesShown(is_degraded=True), [4, 2]),
        (SearchesShown(is_empty=True), [4, 3]),
        (SearchesShown(is_degraded=True, is_empty=True), [4]),
        (SearchesShown(slow_ms=30.0), [4, 3]),
        (SearchesShown(is_degraded=True, slow_ms=30.0), [4]),
    ],
)
async def test_searches_are_listed_newest_first_by_how_they_went(
    storage: Storage, shown: SearchesShown, expected: list[int]
) -> None:
    await storage.search_log.add_searches(
        [
            a_search(1),
            a_search(2, skipped=[LATE]),
            a_search(3, shown=(), used_ms=30.0),
            a_search(4, shown=(), used_ms=40.0, skipped=[LATE]),
        ]
    )

    listed = await storage.search_log.page(shown, before=None, limit=10)

    assert [each.line.query_id for each in listed] == [query_id(number) for number in expected]


async def test_pages_of_searches_have_no_hole_and_no_repetition(storage: Storage) -> None:
    await storage.search_log.add_searches([a_search(number) for number in range(1, 8)])

    seen: list[QueryId] = []
    while listed := await storage.search_log.page(ALL, before=seen[-1] if seen else None, limit=3):
        seen += [each.line.query_id for each in listed]

    assert seen == [query_id(number) for number in range(7, 0, -1)]


async def test_a_click_says_where_its_result_stood_among_all(storage: Storage) -> None:
    await storage.search_log.add_searches([a_search(position=20)])

    assert await storage.search_log.add_clicks([a_click(service_id=VIOLIN)]) == 1

    found = await storage.search_log.get(query_id(1))
    assert found is not None
    assert found.clicks == (Click(VIOLIN, 21, NOW),)


async def test_nobody_clicks_for_others(storage: Storage) -> None:
    await storage.search_log.add_searches([a_search(user_id=ANN)])

    assert await storage.search_log.add_clicks([a_click(user_id=BEN)]) == 0


async def test_what_was_not_shown_can_not_be_clicked(storage: Storage) -> None:
    await storage.search_log.add_searches([a_search()])

    kept = await storage.search_log.add_clicks([a_click(service_id=DRUMS), a_click(2)])

    assert kept == 0


async def test_a_second_click_on_the_same_does_not_count(storage: Storage) -> None:
    await storage.search_log.add_searches([a_search()])
    await storage.search_log.add_clicks([a_click(), a_click()])

    again = await storage.search_log.add_clicks([a_click(at=NOW + MINUTE)])

    found = await storage.search_log.get(query_id(1))
    assert again == 0
    assert found is not None
    assert found.clicks == (Click(PIANO, 0, NOW),)


async def test_old_searches_are_deleted_with_their_clicks_oldest_first(storage: Storage) -> None:
    await storage.search_log.add_searches([a_search(number, at=NOW + number * MINUTE) for number in range(1, 5)])
    await storage.search_log.add_clicks([a_click(1)])

    deleted = [await storage.search_log.delete_before(NOW + 4 * MINUTE, limit=2) for _ in range(3)]

    assert deleted == [2, 1, 0]
    assert [each.line.query_id for each in await storage.search_log.page(ALL, before=None, limit=9)] == [
        query_id(4)
    ]


async def test_details_go_before_the_search_itself(storage: Storage) -> None:
    await storage.search_log.add_searches([a_search(1), a_search(2, at=NOW + MINUTE)])

    deleted = await storage.search_log.delete_details_before(NOW + MINUTE, limit=10)

    assert deleted == 1
    assert await storage.search_log.get(query_id(1)) == RecordedSearch(SearchLine.of(a_search(1)), None)
    newer = await storage.search_log.get(query_id(2))
    assert newer is not None
    assert newer.details is not None
