"""The searches that have to go right, in a small marketplace."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import trio

from evaluation.searching.cases import CITIES, Bounds, Free, SearchCase, read_cases
from evaluation.searching.judging import judge
from evaluation.searching.marketplace import open_marketplace
from greenroom.schema.search.places import RegionId
from greenroom.storage.postgres import PostgresOptions, open_pool

INSTRUCTORS = 600
FEW = 200
WAIT_S = 60.0

SENTENCES = (
    "piano lessons for my 8 year old near park slope under $80 on saturday morning",
    "learn to swim as an adult in the ues",
    "drivng lessons in queens this weekend",
    "online sat tutor under $150 an hour",
    "yoga in soho",
    "singing lessons in person brooklyn saturday",
    "someone to teach my teenager how to code in python online",
    "dog training in the loop",
    "piano teacher near islington for a 7 year old",
    "driving lessons on the south side tomorrow",
)


async def test_searches_answer_what_was_asked(database: PostgresOptions) -> None:
    cases = {case.text: case for city in CITIES for case in read_cases(city)}

    with trio.fail_after(WAIT_S):
        async with open_pool(database) as pool, open_marketplace(pool, instructors=INSTRUCTORS) as marketplace:
            judgements = [
                judge(case, await marketplace.search(case.text, asked_from=case.asked_from), marketplace)
                for case in map(cases.__getitem__, SENTENCES)
            ]

    assert {one.case.text: one.misses for one in judgements if one.misses} == {}
    assert sum(one.fitting for one in judgements) >= len(SENTENCES), "too few lessons to say anything"


async def test_a_result_that_breaks_what_was_asked_is_a_miss(database: PostgresOptions) -> None:
    asked = SearchCase("piano lessons", RegionId("nyc"), ("piano",))
    never = Free(frozenset(), (date(2026, 11, 1),), 0, 1_440)
    stricter = {
        "price": replace(asked, price=Bounds(None, 100)),
        "place": replace(asked, place=(RegionId("chicago/south-side/hyde-park"),)),
        "city": replace(asked, asked_from=RegionId("london")),
        "age": replace(asked, age=Bounds(None, 1)),
        "time": replace(asked, free=never),
    }

    with trio.fail_after(WAIT_S):
        async with open_pool(database) as pool, open_marketplace(pool, instructors=FEW) as marketplace:
            answer = await marketplace.search(asked.text, asked_from=asked.asked_from)
            right = judge(asked, answer, marketplace)
            wrong = {name: judge(case, answer, marketplace) for name, case in stricter.items()}
            of_another_kind = judge(replace(asked, kinds=("yoga",)), answer, marketplace)

    assert (right.misses, right.results) == ((), right.fitting)
    assert right.fitting > 0
    for name, judgement in wrong.items():
        assert any(miss.startswith(f"result 1 breaks {name}") for miss in judgement.misses), name
    assert any("nothing to do with it" in miss for miss in of_another_kind.misses)
    assert any(miss.startswith("understood as") for miss in of_another_kind.misses)


def test_every_city_asks_at_least_ten_searches_and_none_twice() -> None:
    texts = [case.text for city in CITIES for case in read_cases(city)]

    assert all(len(read_cases(city)) >= 10 for city in CITIES)
    assert len(set(texts)) == len(texts)
