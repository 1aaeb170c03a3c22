"""Words as the twin tells them apart: without accents, and without the commonest endings. Postgres knows more of English."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from math import log
from typing import Final

from greenroom.schema.search.candidates import Spelling
from greenroom.schema.search.indexing import IndexedText
from greenroom.storage.memory.search.trigrams import similarity
from greenroom.storage.retrieval.head_words import head_words
from greenroom.storage.retrieval.joined_words import joined_words, telling_words
from greenroom.storage.retrieval.rules import (
    CATEGORY_WEIGHT,
    DESCRIPTION_WEIGHT,
    HEAD_WEIGHT,
    K1,
    SIMILAR_LENGTH_MIN,
    SIMILAR_MAX,
    SIMILARITY_MIN,
    TITLE_WEIGHT,
    B,
)
from greenroom.storage.retrieval.spelling import LENGTH_MAX, LENGTH_MIN, edits_max

_WORD: Final = re.compile(r"[^\W_]+")
_STOP_WORDS: Final = frozenset("a an and at by for from in is it my of on or the to with you your".split())  # noqa: SIM905 - read as a line


def words_of(text: str) -> list[str]:
    return [_stem(word) for word in _written(text)]


def _written(text: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return [word for word in _WORD.findall(plain) if word not in _STOP_WORDS]


def _stem(word: str) -> str:
    for ending in ("ing", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


class Words:
    """BM25 over some texts, by the rules that Postgres has; made anew for every question, which a few hundred texts allow."""

    def __init__(self, texts: Sequence[IndexedText]) -> None:
        self._frequencies = [_frequencies(text) for text in texts]
        self._lengths = [sum(frequencies.values()) for frequencies in self._frequencies]
        self._mean = max(sum(self._lengths) / len(texts), 1.0) if texts else 1.0
        self._documents: dict[str, int] = {}
        for frequencies in self._frequencies:
            for word in frequencies:
                self._documents[word] = self._documents.get(word, 0) + 1
        self._titles = {word for text in texts for word in words_of(f"{text.service.title} {text.category_words}")}

        self._texts = texts

    def is_unknown(self, text: str, word: str) -> bool:
        """Whether no text has a word of ``text``, nor as one with its neighbour."""
        as_one = set(words_of(joined_words(text))) & self._titles
        return any(stem not in self._documents for stem in words_of(word)) and not any(
            word in one for one in as_one
        )

    def spellings(self, written: str) -> list[Spelling]:
        """Words of the texts that begin with the same letter and are about as long."""
        said = {
            word
            for text in self._texts
            for word in _written(f"{text.service.title} {text.category_words} {text.service.description}")
        }
        return [
            Spelling(word, self._documents[_stem(word)])
            for word in sorted(said)
            if word.isalpha()
            and LENGTH_MIN <= len(word) <= LENGTH_MAX
            and word[0] == written[0]
            and abs(len(word) - len(written)) <= edits_max(written)
        ]

    def scores(self, text: str) -> list[float | None]:
        """Per text in their order 0 to 1; None for one that has none of the words."""
        asked = set(words_of(text))
        rare = {word: self._meant(word) for word in asked}
        apart = [weights for weights in rare.values() if weights]
        as_one = {word: self._rarity(word) for word in set(words_of(joined_words(text))) & self._titles - asked}
        if not apart and not as_one:
            return [None] * len(self._frequencies)
        rarest = max(weight for weights in (*apart, as_one) for weight in weights.values())
        # A text that has two words as one has both.
        told = [*apart, *({word: 2 * weight} for word, weight in as_one.items())]
        best = max(
            sum(max(weights.values()) if weights else rarest for weights in rare.values()),
            max(weight for weights in told for weight in weights.values()),
        )
        return [
            min(1.0, self._score(told, frequencies, length) / best) if _has_any(told, frequencies) else None
            for frequencies, length in zip(self._frequencies, self._lengths, strict=True)
        ]

    def unknown(self, text: str) -> list[str]:
        """Words of the text that no text has, nor any like them, nor as one with their neighbour."""
        as_one = set(words_of(joined_words(text))) & self._titles
        return [
            word
            for word in telling_words(text)
            if (stems := words_of(word))
            and not any(self._meant(stem) or any(stem in one for one in as_one) for stem in stems)
        ]

    def _score(
        self, told: Sequence[Mapping[str, float]], frequencies: Mapping[str, float], length: float
    ) -> float:
        slack = K1 * (1 - B + B * length / self._mean)
        return sum(
            max(
                (
                    weight * frequencies[word] / (frequencies[word] + slack)
                    for word, weight in weights.items()
                    if word in frequencies
                ),
                default=0.0,
            )
            for weights in told
        )

    def _meant(self, word: str) -> dict[str, float]:
        """The words that a word stands for, by weight."""
        if word in self._documents:
            return {word: self._rarity(word)}
        if len(word) < SIMILAR_LENGTH_MIN:
            return {}
        alike = [(similarity(word, title), title) for title in self._titles]
        near = sorted((-likeness, title) for likeness, title in alike if likeness >= SIMILARITY_MIN)
        return {title: -minus * self._rarity(title) for minus, title in near[:SIMILAR_MAX]}

    def _rarity(self, word: str) -> float:
        count, all_texts = self._documents[word], len(self._frequencies)
        return log(1 + (all_texts - count + 0.5) / (count + 0.5))


def _has_any(told: Sequence[Mapping[str, float]], frequencies: Mapping[str, float]) -> bool:
    return any(word in frequencies for weights in told for word in weights)


def _frequencies(text: IndexedText) -> dict[str, float]:
    counted: dict[str, float] = {}
    for weight, field in (
        (TITLE_WEIGHT, text.service.title),
        (HEAD_WEIGHT, head_words(text.service.title)),
        (CATEGORY_WEIGHT, text.category_words),
        (DESCRIPTION_WEIGHT, text.service.description),
    ):
        for word in words_of(field):
            counted[word] = counted.get(word, 0.0) + weight
    return counted
