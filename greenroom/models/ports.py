"""Ports: what a search may ask of models.

Every call is given ``timeout_s``, the longest it may take with all its retries; it never takes longer. A call that failed
raises one of the :class:`ModelError` below and nothing else. No call holds anything when it is cancelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from greenroom.schema.search.diagnostics import Prompt
from greenroom.schema.search.places import PlaceCandidate, RegionId
from greenroom.schema.search.understood import Understood

Vector = tuple[float, ...]
"""Of unit length."""


class ModelError(Exception):
    """A model gave no usable answer. ``prompt``: what was asked and said, where it was a chat."""

    def __init__(self, detail: str, *, prompt: Prompt | None = None) -> None:
        super().__init__(detail)
        self.prompt = prompt


class ModelTimeout(ModelError):
    """Not in time."""


class ModelBusy(ModelError):
    """No slot came free in time, or the provider limits us (429)."""


class ModelRefused(ModelError):
    """The model declined to answer."""


class ModelUnavailable(ModelError):
    """It can't be reached, or fails (5xx), or the key is not accepted."""


class ModelAnswerInvalid(ModelError):
    """What it said is cut, not of the asked shape, or names something that was not offered."""


class Embedder(Protocol):
    @property
    def model(self) -> str:
        """Name of the model, kept beside every vector: vectors of different models are never compared."""
        ...

    @property
    def dimensions(self) -> int: ...

    @property
    def is_local(self) -> bool:
        """Whether it needs no network."""
        ...

    async def embed(self, texts: Sequence[str], *, timeout_s: float) -> list[Vector]:
        """One vector per text, in order; up to 256 texts. A text without any known word has the zero vector.

        Raises:
            ModelError: see the module.
        """
        ...


@dataclass(frozen=True, slots=True)
class ParsedByModel:
    understood: Understood
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class ChosenPlace:
    """``region_id`` is one that was offered, or None for "none of these"; ``confidence`` 0 to 1, the model's own."""

    region_id: RegionId | None
    confidence: float
    prompt: Prompt


class SentenceModel(Protocol):
    """Understands a sentence better than rules do, and slower."""

    async def parse(
        self, text: str, *, known: Understood, categories: Sequence[str], timeout_s: float
    ) -> ParsedByModel:
        """Understand ``text``; ``known`` is what the rules made of it, ``categories`` the slugs it may name.

        Raises:
            ModelError: see the module.
        """
        ...


class PlaceModel(Protocol):
    """Chooses among places that came into question: never invents one."""

    async def choose(
        self, text: str, *, sentence: str, candidates: Sequence[PlaceCandidate], timeout_s: float
    ) -> ChosenPlace:
        """
        Raises:
            ModelError: see the module; ModelAnswerInvalid if it names a region that was not offered.
        """
        ...
