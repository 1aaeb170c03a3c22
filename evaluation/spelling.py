"""What is made of misspelt words that rules don't know: right, wrong, or left as they are.

    python -m evaluation.spelling [CORPUS ...]

CORPUS is a folder (:mod:`evaluation.corpus`), by default ours: its documents are stored and indexed as services are. Each of their words
that names no kind of lesson is misspelt at random (:mod:`evaluation.typing_errors`), and looked up as a search does it. No
figure was chosen on them: how many letters may be wrong is Lucene's rule. What is right as it is, and no lesson has, are words of every second
document where only the others are stored.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Final

import trio

from evaluation.corpus import Corpus, Document, read_corpus
from evaluation.relevance import OURS, scratch_pool, store
from evaluation.typing_errors import misspelt
from greenroom.actors.search.understanding import load_lexicon, understand
from greenroom.actors.search.understanding.service import Lexicon
from greenroom.actors.search.understanding.spelling import doubtful_words, meant_words
from greenroom.models.local import LocalEmbedder
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.ports import Retrieval
from greenroom.storage.postgres import Pool, postgres_storage
from greenroom.storage.retrieval.spelling import LENGTH_MIN

SEED: Final = 20_261_124
ERRORS_PER_WORD: Final = 3
WORDS_MAX: Final = 2_000
"""Of a corpus: those that come first of a shuffled list."""

OUTCOMES: Final = ("right", "wrong", "left", "understood")
"""``left``: it stays as it was written. ``understood``: rules know the misspelt word, so it is none of ours."""

_WORD: Final = re.compile(r"[a-z]+")

STEMS: Final = """
-- stems: two words of one stem find the same lessons.
SELECT w, to_tsvector('lessons', w)::text FROM unnest(%(words)s::text[]) AS w
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evaluation.spelling")
    parser.add_argument("corpora", nargs="*", type=Path, default=[])
    corpora = [read_corpus(folder) for folder in parser.parse_args().corpora or [OURS]]
    print(f"  {'':22} {'':10} {'words':>6}" + "".join(f"{outcome:>12}" for outcome in OUTCOMES) + f"{'p50 ms':>9}")
    for corpus in corpora:
        trio.run(measure_misspelt, corpus)
        trio.run(measure_right, corpus)


async def measure_misspelt(corpus: Corpus) -> None:
    """Print what becomes of words of a corpus that are misspelt."""
    embedder, lexicon = LocalEmbedder(), load_lexicon()
    unnamed = {word for word in words_of(corpus.documents) if not any(lexicon.phrases([word]))}
    random = Random(SEED)  # noqa: S311 - typing errors
    async with scratch_pool() as pool:
        storage = postgres_storage(pool, bus=LocalBus())
        await store(storage, corpus.documents, embedder)
        look_up = _LookUp(storage.retrieval, lexicon, embedder)
        for edits in (1, 2):
            for low, high in ((4, 7), (8, 30)):
                words = shuffled((word for word in unnamed if low <= len(word) <= high), random)
                tried = [
                    (misspelt(word, edits=edits, random=random), word)
                    for word in words
                    for _ in range(ERRORS_PER_WORD)
                ]
                await _tell(pool, look_up, f"{low} to {high} letters, {edits} wrong", corpus.name, tried)


async def measure_right(corpus: Corpus) -> None:
    """Print what becomes of words that are spelt as they should be, and that no document has which is there."""
    embedder, lexicon = LocalEmbedder(), load_lexicon()
    there = corpus.documents[::2]
    known = words_of(there)
    absent = sorted(word for word in words_of(corpus.documents) - known if not any(lexicon.phrases([word])))
    async with scratch_pool() as pool:
        storage = postgres_storage(pool, bus=LocalBus())
        await store(storage, there, embedder)
        stems = await _stems(pool, [*known, *absent])
        known_stems = {stems[word] for word in known}
        right = [(word, word) for word in absent if stems[word] not in known_stems]
        look_up = _LookUp(storage.retrieval, lexicon, embedder)
        await _tell(pool, look_up, "right, in no document", corpus.name, right)


def words_of(documents: Sequence[Document]) -> set[str]:
    """All words of them that are long enough to be told from others."""
    texts = (f"{one.title} {one.category} {one.description}" for one in documents)
    return {word for text in texts for word in _WORD.findall(text.lower()) if len(word) >= LENGTH_MIN}


def shuffled(words: Iterable[str], random: Random) -> list[str]:
    found = sorted(words)
    random.shuffle(found)
    return found[:WORDS_MAX]


class _LookUp:
    """What a search makes of a word, as its own reader and storage do it."""

    def __init__(self, retrieval: Retrieval, lexicon: Lexicon, embedder: LocalEmbedder) -> None:
        self._retrieval = retrieval
        self._lexicon = lexicon
        self._embedder = embedder
        self.took_s: list[float] = []

    async def taken(self, written: str) -> str | None:
        """The word that is searched for; the empty one where rules know what was written, None where it stays."""
        if any(self._lexicon.phrases([written])):
            return ""
        began = perf_counter()
        understood = understand(written, lexicon=self._lexicon)
        read = perf_counter()
        doubtful = doubtful_words(
            written,
            understood,
            lexicon=self._lexicon,
            is_place=lambda _: False,
            is_english=self._embedder.has_word,
        )
        spellings = await self._retrieval.spellings(written, doubtful) if doubtful else {}
        meant = meant_words(spellings, is_place=lambda _: False)
        self.took_s.append(perf_counter() - began - (read - began))
        return meant.get(written)


async def _tell(pool: Pool, look_up: _LookUp, what: str, corpus: str, tried: Sequence[tuple[str, str]]) -> None:
    """Print a line. ``tried``: what is written, and what it was before it was misspelt; the same where it was not."""
    look_up.took_s.clear()
    outcomes = [(written, meant, await look_up.taken(written)) for written, meant in tried]
    stems = await _stems(pool, [word for _, meant, taken in outcomes for word in (meant, taken or "")])
    counts: Counter[str] = Counter()
    for written, meant, taken in outcomes:
        match taken:
            case None:
                counts["left"] += 1
            case "":
                counts["understood"] += 1
            case _:
                counts["right" if written != meant and stems[taken] == stems[meant] else "wrong"] += 1
    took_ms = sorted(look_up.took_s)[len(look_up.took_s) // 2] * 1000 if look_up.took_s else 0.0
    shares = "".join(f"{100 * counts[outcome] / max(1, len(tried)):11.1f}%" for outcome in OUTCOMES)
    print(f"  {what:22} {corpus:10} {len(tried):6}{shares}{took_ms:9.2f}", flush=True)


async def _stems(pool: Pool, words: Sequence[str]) -> dict[str, str]:
    return dict(await pool.fetch(STEMS, {"words": list(words)}, _pair))


def _pair(word: str, stem: str) -> tuple[str, str]:
    return word, stem


if __name__ == "__main__":
    main()
