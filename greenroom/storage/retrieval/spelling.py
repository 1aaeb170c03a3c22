"""What a misspelt word was meant as: the nearest word that lessons have.

1. The first letter stays: people nearly always get it right, and so one walk along an index finds whatever may be meant.
2. One edit in a word of up to seven letters, two in a longer one: nine of ten words of four letters are one edit from some other.
3. Of words as near the one that more lessons have; of those, the first of the alphabet.

Source: Lucene's DirectSpellChecker (a prefix of one letter, two edits at most, then frequency); F. Damerau, "A technique for computer
detection and correction of spelling errors", CACM 7, 1964; W. Garbe, SymSpell (2012), for the order by distance, then frequency.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rapidfuzz.distance import OSA

from greenroom.schema.search.candidates import Spelling

LENGTH_MIN: Final = 4
LENGTH_MAX: Final = 30
"""Letters of words that are taken for others, and of those they are taken for: a shorter one is near to everything, a longer one is none."""

_TWO_EDITS_MIN: Final = 8

SPELLINGS_MAX: Final = 4_000
"""Words of lessons that one word is compared with, in 0.2 ms; of 20,000 with the commonest first letter and any length 2,000 are."""


def edits_max(written: str) -> int:
    """How many letters may be wrong, missing, too many, or swapped with their neighbour."""
    return 1 if len(written) < _TWO_EDITS_MIN else 2


def meant_word(written: str, spellings: Iterable[Spelling]) -> str | None:
    """The word that was meant; None if there is none near enough, or the word itself is among them."""
    most = edits_max(written)
    near = [
        (distance, -spelling.documents, spelling.word)
        for spelling in spellings
        if spelling.word[:1] == written[:1]
        and (distance := OSA.distance(written, spelling.word, score_cutoff=most)) <= most
    ]
    best = min(near, default=None)
    return None if best is None or best[0] == 0 else best[2]
