"""Hostile bytes are the same again for the same seed."""

from __future__ import annotations

from random import Random

from chaos.hostile import CORPUS, GOOD, PREFACE, mutate


def test_the_same_seed_makes_the_same_bytes() -> None:
    assert [mutate(Random(3), good) for good in GOOD] == [mutate(Random(3), good) for good in GOOD]


def test_mutation_changes_most_requests() -> None:
    random = Random(3)
    assert sum(mutate(random, GOOD[0]) != GOOD[0] for _ in range(100)) > 90


def test_the_fixed_list_has_no_entry_twice_and_opens_http_2_too() -> None:
    assert len(set(CORPUS)) == len(CORPUS)
    assert any(entry.startswith(PREFACE) for entry in CORPUS)
