"""Opening the models that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random

import trio

from greenroom.models.flown_vectors import FlownVectors
from greenroom.models.kept_vectors import KeptVectors
from greenroom.models.local import LocalEmbedder
from greenroom.models.mock import MockEmbedder
from greenroom.models.openai.calls import OpenAICalls, open_openai
from greenroom.models.openai.embedder import OpenAIEmbedder
from greenroom.models.openai.place import OpenAIPlaceModel
from greenroom.models.openai.sentence import OpenAISentenceModel
from greenroom.models.ports import Embedder, Flights, PlaceModel, SentenceModel
from greenroom.schema.search.config import SearchConfig
from greenroom.schema.search_settings import DIMENSIONS, SearchSettings


def _knows_none(word: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Models:
    """
    Attributes:
        primary: embeds what is searched for.
        local: embeds it when the primary is late or fails; the primary itself where that needs no network.
        sentence, place: None without a key.
        calls: what counts calls over the network; None without a key.
        flown: what has one worker call for all; None where each calls for itself.
        is_english: whether a word in small letters is one, as far as is known; of none it is known without a vocabulary.
    """

    primary: Embedder
    local: Embedder
    sentence: SentenceModel | None = None
    place: PlaceModel | None = None
    calls: OpenAICalls | None = None
    flown: FlownVectors | None = None
    is_english: Callable[[str], bool] = _knows_none

    @property
    def embedders(self) -> tuple[Embedder, ...]:
        """Those that services should have vectors of."""
        return (self.primary,) if self.local is self.primary else (self.primary, self.local)


def mock_models() -> Models:
    """Models for tests and simulations."""
    embedder = MockEmbedder()
    return Models(primary=embedder, local=embedder)


@asynccontextmanager
async def open_models(
    settings: SearchSettings,
    *,
    config: Callable[[], SearchConfig],
    rng: Random,
    flights: Flights | None = None,
) -> AsyncIterator[Models]:
    """Open models for the life of a worker.

    Args:
        config: what operators may change while it runs.
        flights: those of other workers; None if there are none to be seen.

    Raises:
        ValueError: the local model has no vectors of the size that is set.
    """
    async with AsyncExitStack() as stack:
        calls: OpenAICalls | None = None
        flown: FlownVectors | None = None
        is_english = _knows_none
        if settings.openai_api_key is not None:
            calls = await stack.enter_async_context(
                open_openai(
                    api_key=settings.openai_api_key.get_secret_value(),
                    base_url=settings.openai_base_url,
                    timeout_s=settings.openai_timeout_s,
                    concurrency=settings.openai_call_concurrency,
                    retries=lambda: config().max_retries,
                    rng=rng,
                )
            )
        if settings.provider == "mock":
            primary = local = KeptVectors(MockEmbedder(settings.dimensions))
        else:
            is_local = settings.provider == "local"
            words = LocalEmbedder(settings.dimensions if is_local else DIMENSIONS["local"])
            local = primary = KeptVectors(words)
            is_english = words.has_word
            if not is_local:
                assert calls is not None  # noqa: S101 - the settings see to it
                model = settings.openai_embedding_model
                called: Embedder = OpenAIEmbedder(calls, model=model, dimensions=settings.dimensions)
                if flights is not None:
                    called = flown = FlownVectors(called, flights)
                primary = KeptVectors(called)
            # Beside the start, which need not wait for it.
            nursery = await stack.enter_async_context(trio.open_nursery())
            stack.callback(nursery.cancel_scope.cancel)
            nursery.start_soon(words.load)
        yield Models(
            primary=primary,
            local=local,
            sentence=None if calls is None else OpenAISentenceModel(calls, model=lambda: config().parsing_model),
            place=None if calls is None else OpenAIPlaceModel(calls, model=lambda: config().location_model),
            calls=calls,
            flown=flown,
            is_english=is_english,
        )
