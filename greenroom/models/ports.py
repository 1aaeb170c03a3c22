"""Ports: what a search may ask of models.

Every call is given ``timeout_s``, the longest it may take with all its retries; it never takes longer. A call that failed
raises one of the :class:`ModelError` below and nothing else. No call holds anything when it is cancelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from greenroom.schema.search.diagnostics import Prompt
from greenroom.schema.search.flights import Boarding, Lead
from greenroom.schema.search.places import PlaceCandidate, RegionId
from greenroom.schema.search.understood import Understood

Vector = tuple[float, ...]
"""Of unit length."""


class ModelError(Exception):
    """A model gave no usable answer. ``prompt``: what was asked and said, where it was a chat."""

    def __init__(self, detail: str, *, prompt: Prompt | None = None) -> None:
        super().__init__(detail)
        self.prompt = prompt

    @property
    def told(self) -> str:
        """Which error it is, and its detail, for people."""
        # The base class is raised for what another call came to: its detail says which error that was.
        return str(self) if type(self) is ModelError else f"{type(self).__name__}: {self}"


class ModelTimeout(ModelError):
    """Not in time."""


class ModelBusy(ModelError):
    """No slot came free in time, or the provider limits us (429)."""


class NoSlot(ModelBusy):
    """This worker has too many calls on the wire, which says nothing of what another's would come to."""


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


class Flights(Protocol):
    """Who fetches what just now, over all workers: one leads, and what comes of it is told to the others.

    It never raises, and is never waited for longer than 50 ms. Who can't be told anything goes alone.
    """

    @property
    def is_up(self) -> bool:
        """Whether other workers' flights are seen."""
        ...

    async def board(self, key: str, *, rest_s: float) -> Boarding:
        """Ask for what is named ``key``; whoever is told :class:`~greenroom.schema.search.flights.Lead` fetches it.

        Args:
            rest_s: what is left to the asker. As a leader it has to be done by then; what did not come within a longer
                time is told to it, what did not come within a shorter one is not.
        """
        ...

    def land(self, lead: Lead, body: bytes, *, kept_s: float) -> None:
        """Tell everybody what was fetched, for so long; at most 64 KiB. Nobody waits for it."""
        ...

    def fail(self, lead: Lead, body: bytes, *, kept_s: float, within_s: float | None = None) -> None:
        """Tell everybody that it can't be fetched, unless another leads by now. Nobody waits for it.

        Args:
            within_s: it did not come in this time, so those who have more may try; None: nobody need try.
        """
        ...

    def leave(self, lead: Lead) -> None:
        """Let another lead. Nobody waits for it."""
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
