"""The searches that have to go right, in a small marketplace."""

from __future__ import annotations

import trio

from evaluation.searching.cases import CITIES, read_cases
from evaluation.searching.judging import judge
from evaluation.searching.marketplace import open_marketplace
from greenroom.storage.postgres import PostgresOptions, open_pool

INSTRUCTORS = 600
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


def test_every_city_asks_at_least_ten_searches_and_none_twice() -> None:
    texts = [case.text for city in CITIES for case in read_cases(city)]

    assert all(len(read_cases(city)) >= 10 for city in CITIES)
    assert len(set(texts)) == len(texts)
