"""Embeddings without a network: WordLlama's static vectors of pieces of words, averaged over a text.

1. A text counts half as it is written and half in its :func:`plain spelling <greenroom.models.plain_spelling.plain_spelling>`. A word in
   other letters is made of other pieces: "Sofas" is farther from "sofas" (0.44) than "sofa" from "couch" (0.51). Plain spelling alone
   loses what capitals and plurals say: with words, it found less than both (``docs/retrieval.md``).
2. A text of nothing but letters at random has no meaning. They fall into pieces of one or two, each of which is near something.

A text of a line takes about 0.1 ms, so small requests are computed where they are, and large ones in a thread; the model is some 80 MB in memory.
Source: https://github.com/dleemiller/WordLlama (MIT); its weights come with its package.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import trio

from greenroom.models.plain_spelling import plain_spelling
from greenroom.models.ports import ModelTimeout, Vector
from greenroom.schema.search_settings import LOCAL_DIMENSIONS

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray
    from wordllama.inference import WordLlamaInference

MODEL: Final = "wordllama-l2-supercat.2"
"""The number is of what is made of a text with the weights: it is another model's vector if that changes."""

INLINE_MAX: Final = 8
INLINE_LENGTH_MAX: Final = 2_000
"""Texts that are computed on the spot, and characters of them together; more go to a thread, as the event loop would feel them. Eight
lines take 0.2 ms, 2,000 characters one: eight descriptions of lessons at their longest would take nine."""

PIECE_MIN: Final = 1.75
RANDOM_MIN: Final = 6
"""A word of at least RANDOM_MIN letters in pieces of fewer than PIECE_MIN on average is letters at random. Of a thousand words of five to
nine letters at random 46 % are, of the 1,445 names and synonyms of kinds of lessons one is. Shorter words, and pieces of two, would let "kayak" and
"mahjong" mean nothing."""

_WORD: Final = re.compile(r"[^\W\d_]+")


class LocalEmbedder:
    """It is loaded when it is first asked, or by :meth:`load` before that: some 0.5 s, in a thread.

    Raises:
        ValueError: there are no vectors of this size.
    """

    is_local: Final = True

    def __init__(self, dimensions: int = 256) -> None:
        if dimensions not in LOCAL_DIMENSIONS:
            raise ValueError(f"local embeddings have {', '.join(map(str, LOCAL_DIMENSIONS))} dimensions")
        self._dimensions = dimensions
        self._inference: WordLlamaInference | None = None
        # One at a time: loading it twice would take twice the memory.
        self._thread = trio.CapacityLimiter(1)

    @property
    def model(self) -> str:
        return f"{MODEL}-{self._dimensions}"

    @property
    def dimensions(self) -> int:
        return self._dimensions

    async def load(self) -> None:
        """Have it ready for the first text."""
        await trio.to_thread.run_sync(self._loaded, limiter=self._thread, abandon_on_cancel=True)

    def has_word(self, word: str) -> bool:
        """Whether its vocabulary has a word in small letters in one piece, as it has common words of English; of none before it is
        loaded. What such words end in makes no difference worth having: their "s" and "ing" taken off, as many misspelt words are one."""
        return self._inference is not None and _pieces(word, self._inference) == 1

    async def embed(self, texts: Sequence[str], *, timeout_s: float) -> list[Vector]:
        """See :class:`~greenroom.models.ports.Embedder`."""
        if self._inference is not None and _is_small(texts):
            await trio.lowlevel.checkpoint()
            return self._compute(texts)
        with trio.move_on_after(timeout_s):
            return await trio.to_thread.run_sync(
                self._compute, texts, limiter=self._thread, abandon_on_cancel=True
            )
        raise ModelTimeout(f"{len(texts)} texts were not embedded within {timeout_s:g} s")

    def _loaded(self) -> WordLlamaInference:
        if self._inference is None:
            self._inference = _load(self._dimensions)
        return self._inference

    def _compute(self, texts: Sequence[str]) -> list[Vector]:
        inference = self._loaded()
        # The tokenizer makes nothing of an empty text, and an average of nothing is not a number.
        filled = [text if text.strip() else "." for text in texts]
        rows = _units(inference.embed([*filled, *map(plain_spelling, filled)]))
        vectors = _units(rows[: len(texts)] + rows[len(texts) :]).tolist()
        nothing = (0.0,) * self._dimensions
        return [
            tuple(vector) if text.strip() and _is_any_known(text, inference) else nothing
            for text, vector in zip(texts, vectors, strict=True)
        ]


def _is_small(texts: Sequence[str]) -> bool:
    return len(texts) <= INLINE_MAX and sum(map(len, texts)) <= INLINE_LENGTH_MAX


def _load(dimensions: int) -> WordLlamaInference:
    # The tokenizer would have two texts cut up by two threads, and the event loop wait until both got a processor: 0.2 ms
    # instead of 0.08 on an idle machine, and without a bound on one that has none to spare. Whoever sets this is heeded.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Not imported at the top: it takes 0.2 s and 30 MB, which only those should pay who search.
    import wordllama

    inference: WordLlamaInference = wordllama.WordLlama.load(
        # It looks for its tokenizer beside its code and in a cache only under other names than its wheel has.
        cache_dir=Path(wordllama.__file__).parent,
        trunc_dim=dimensions,
        disable_download=True,
    )
    return inference


def _is_any_known(text: str, inference: WordLlamaInference) -> bool:
    """Whether there is a word that is not letters at random; of what has no Latin letters nobody says that it is."""
    words = _WORD.findall(text)
    return not words or any(
        not word.isascii() or len(word) < RANDOM_MIN or len(word) >= PIECE_MIN * _pieces(word.lower(), inference)
        for word in words
    )


def _pieces(word: str, inference: WordLlamaInference) -> int:
    return len(inference.tokenizer.encode(word, add_special_tokens=False).ids)


def _units(rows: NDArray[float32]) -> NDArray[float32]:
    """Each row at unit length."""
    lengths: NDArray[float32] = (rows * rows).sum(axis=1, keepdims=True) ** 0.5
    units: NDArray[float32] = rows / lengths.clip(min=1e-9)
    return units
