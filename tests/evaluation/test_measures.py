"""What the figures of the evaluation say."""

from __future__ import annotations

import pytest

from evaluation.corpus import read_corpus
from evaluation.measures import estimate, first_is_right, ndcg
from evaluation.relevance import OURS


def test_the_best_order_has_one_and_the_wrong_documents_have_nothing() -> None:
    grades = {"a": 3, "b": 1}

    assert ndcg(["a", "b", "c"], grades) == 1.0
    assert ndcg(["c", "d"], grades) == 0.0
    assert ndcg([], grades) == 0.0


def test_what_is_right_counts_less_the_later_it_comes() -> None:
    # (1 + 3 / log2 3) / (3 + 1 / log2 3)
    assert ndcg(["b", "a"], {"a": 3, "b": 1}) == pytest.approx(0.797, abs=0.001)
    assert ndcg([*"0123456789", "a"], {"a": 1}) == 0.0


def test_the_first_is_right_if_it_has_any_grade() -> None:
    assert first_is_right(["a"], {"a": 1}) == 1.0
    assert first_is_right(["b", "a"], {"a": 1}) == 0.0
    assert first_is_right([], {"a": 1}) == 0.0


def test_an_estimate_lies_within_its_interval_and_is_the_same_each_time() -> None:
    values = [0.0, 0.5, 1.0, 1.0] * 10

    first = estimate(values)

    assert first.low < first.value == 0.625 < first.high
    assert estimate(values) == first


def test_our_corpus_is_whole_and_half_of_it_is_kept_for_reporting() -> None:
    corpus = read_corpus(OURS)

    splits = [question.split for question in corpus.questions]
    assert len(corpus.documents) >= 120
    assert set(splits) == {"dev", "test"}
    assert splits.count("test") >= splits.count("dev")
    assert all(corpus.grades.get(question.id) for question in corpus.questions)
