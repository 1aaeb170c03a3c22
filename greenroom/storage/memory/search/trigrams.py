"""Similarity of texts by trigrams, as pg_trgm has it where the database's locale knows all letters; with "C" it knows ASCII alone."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=10_000)
def trigrams(text: str) -> frozenset[str]:
    """Of each word, lower-cased, with two spaces before it and one behind. Source: PostgreSQL manual, "pg_trgm"."""
    padded = [f"  {word} " for word in _WORD.findall(text.lower())]
    return frozenset(word[place : place + 3] for word in padded for place in range(len(word) - 2))


def similarity(one: str, other: str) -> float:
    """Trigrams in both over trigrams in either, 0 to 1."""
    ones, others = trigrams(one), trigrams(other)
    return len(ones & others) / len(ones | others) if ones and others else 0.0
