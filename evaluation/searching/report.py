"""Searches in an invented marketplace, judged: ``python -m evaluation searching [CITY ...] [--instructors 3000]``.

Prints per city how many answers have nothing wrong, how much of what fits is on the first page, and each miss.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from typing import Final

import trio

from evaluation.relevance import scratch_pool
from evaluation.searching.cases import CITIES, read_cases
from evaluation.searching.judging import Judgement, judge
from evaluation.searching.marketplace import Marketplace, open_marketplace

INSTRUCTORS: Final = 3_000
HEADER: Final = f"{'city':10} {'searches':>8} {'right':>7} {'found':>8} {'results':>8}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evaluation searching", description=__doc__)
    parser.add_argument("cities", nargs="*", help="by default all")
    parser.add_argument("--instructors", type=int, default=INSTRUCTORS)
    arguments = parser.parse_args()
    trio.run(partial(_report, arguments.cities or CITIES, instructors=arguments.instructors))


async def _report(cities: Sequence[str], *, instructors: int) -> None:
    async with scratch_pool() as pool, open_marketplace(pool, instructors=instructors) as marketplace:
        print(f"{instructors} instructors, {len(marketplace.offered)} services\n{HEADER}", flush=True)
        judged = {city: await judge_city(marketplace, city) for city in cities}
    for city, judgements in judged.items():
        print(_row(city, judgements))
    for judgement in (one for judgements in judged.values() for one in judgements if one.misses):
        print(f"\n{judgement.case.text}", *judgement.misses, sep="\n  ")


async def judge_city(marketplace: Marketplace, city: str) -> list[Judgement]:
    judgements = []
    for case in read_cases(city):
        answer = await marketplace.search(case.text, asked_from=case.asked_from)
        judgements.append(judge(case, answer, marketplace))
    return judgements


def _row(city: str, judgements: Sequence[Judgement]) -> str:
    right = sum(not one.misses for one in judgements)
    shown, fitting = sum(one.shown for one in judgements), sum(min(20, one.fitting) for one in judgements)
    results = sum(one.results for one in judgements)
    return f"{city:10} {len(judgements):8} {right:7} {shown / max(fitting, 1):8.1%} {results:8}"
