from __future__ import annotations

from datetime import date

import pytest

from greenroom.actors.search.understanding import ModelFailed, ParseCache
from greenroom.schema.search.understood import PARSE_VERSION, Understood, When


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


PIANO = Understood(text="piano", service_text="piano")


def test_the_same_sentence_is_found_however_it_is_spaced_and_capitalised() -> None:
    cache = ParseCache(Clock())
    cache.put("Piano  lessons", PIANO, city="nyc")

    assert cache.get(" piano LESSONS", city="nyc") is PIANO
    assert cache.get("piano lessons", city="boston") is None
    assert (cache.statistics().hits, cache.statistics().misses) == (1, 1)


def test_an_understanding_in_another_versions_records_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ParseCache(Clock())
    cache.put("piano", PIANO, city=None)

    monkeypatch.setattr("greenroom.actors.search.understanding.parse_cache.PARSE_VERSION", PARSE_VERSION + 1)

    assert cache.get("piano", city=None) is None


def test_an_understanding_is_forgotten_in_time() -> None:
    clock = Clock()
    cache = ParseCache(clock, kept_s=10)
    cache.put("piano", PIANO, city=None)

    clock.now += 9.9
    fresh = cache.get("piano", city=None)
    clock.now += 0.1

    assert fresh is PIANO
    assert cache.get("piano", city=None) is None
    assert cache.statistics().kept == 0


def test_the_least_recently_used_goes_first() -> None:
    cache = ParseCache(Clock(), kept_max=2)
    cache.put("a", PIANO, city=None)
    cache.put("b", PIANO, city=None)
    cache.get("a", city=None)

    cache.put("c", PIANO, city=None)

    assert [cache.get(text, city=None) is not None for text in "abc"] == [True, False, True]
    assert cache.statistics().evictions == 1


def test_a_failure_is_kept_for_a_short_while() -> None:
    clock = Clock()
    cache = ParseCache(clock, kept_s=100, failure_kept_s=5)
    cache.put_failure("piano", ModelFailed("timeout"), city=None)

    soon = cache.get("piano", city=None)
    clock.now += 5

    assert soon == ModelFailed("timeout")
    assert cache.get("piano", city=None) is None
    assert cache.statistics().failure_hits == 1


def test_a_failure_does_not_displace_what_was_understood_before() -> None:
    cache = ParseCache(Clock())
    cache.put("piano", PIANO, city=None)

    cache.put_failure("piano", ModelFailed("busy"), city=None)

    assert cache.get("piano", city=None) is PIANO


def test_a_calendar_date_is_not_kept() -> None:
    cache = ParseCache(Clock())

    is_kept = cache.put(
        "piano dec 3", Understood(text="", service_text="", when=When(on=date(2026, 12, 3))), city=None
    )

    assert not is_kept
    assert cache.get("piano dec 3", city=None) is None
    assert cache.statistics().refused == 1
