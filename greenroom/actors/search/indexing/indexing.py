"""Indexing what changed, a batch at a time: words at once, meaning by every model that answers.

No database connection is held while a model is asked. What a model failed to embed is found again as missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

import structlog

from greenroom.models.ports import Embedder, ModelError, Vector
from greenroom.schema.errors import InvalidInput
from greenroom.schema.ids import ServiceId
from greenroom.schema.search.indexing import IndexedText, ServiceText
from greenroom.schema.search.taxonomy import Taxonomy
from greenroom.storage.ports import SearchIndex

BATCH_MAX: Final = 200
"""Services: below what an embedder takes at once, and some 0.2 s of writing."""

EMBEDDING_TIMEOUT_S: Final = 20.0
"""Of one batch. Nobody waits for it."""

_log = structlog.get_logger(__name__)


class Indexing:
    """What the actor, the import and ``greenroom reembed`` do the same way.

    Args:
        embedders: every service gets a vector by each of them.
    """

    def __init__(self, index: SearchIndex, embedders: Sequence[Embedder], taxonomy: Taxonomy) -> None:
        self._index = index
        self._embedders = embedders
        self._taxonomy = taxonomy

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(embedder.model for embedder in self._embedders)

    async def prepare(self) -> tuple[str, ...]:
        """Make room for the vectors of each model.

        Returns:
            models that have vectors of another dimension already, which have to be dropped first: until then they are left out.
        """
        usable: list[Embedder] = []
        for embedder in self._embedders:
            with suppress(InvalidInput):
                await self._index.add_model(embedder.model, embedder.dimensions)
                usable.append(embedder)
        refused = tuple(embedder.model for embedder in self._embedders if embedder not in usable)
        self._embedders = usable
        return refused

    async def index_changes(self) -> int:
        """Index one batch of what changed; return how many services that were, 0 once nothing is left.

        Services that others are writing now are left for another time.
        """
        changed = await self._index.changed(limit=BATCH_MAX)
        if not changed:
            return await self._index.clear(limit=BATCH_MAX)
        indexed = [self._told(service) for service in changed]
        vectors: dict[str, Sequence[Vector]] = {}
        for embedder in self._embedders:
            try:
                vectors[embedder.model] = await _embed(embedder, indexed)
            except ModelError as exc:
                _log.warning("services_not_embedded", model=embedder.model, services=len(indexed), reason=str(exc))
        return await self._index.put(indexed, vectors)

    async def index_all(self, *, progress: Callable[[int], None] = lambda count: None) -> int:
        """Index until nothing is left to be; return how many services that were."""
        total = 0
        while count := await self.index_changes():
            total += count
            progress(total)
        return total

    async def missing(self) -> int:
        """How many vectors :meth:`fill` would make."""
        return sum([(await self._index.count(embedder.model)).missing for embedder in self._embedders])

    async def drop_others(self) -> tuple[str, ...]:
        """Forget all models but these, if services have all vectors of these; return which."""
        models = await self._index.models()
        if not {one.model for one in models if one.is_ready} >= set(self.models):
            return ()
        others = tuple(one.model for one in models if one.model not in self.models)
        for model in others:
            await self._index.drop_model(model)
        return others

    async def fill(self, *, progress: Callable[[int], None] = lambda count: None) -> Mapping[str, int]:
        """Give every service that lacks one a vector of each model, and search with the model once none does.

        It may be stopped at any time: what is done is kept, and the next call goes on from there.

        Args:
            progress: told how many vectors were made so far.

        Returns:
            how many vectors were made by model.

        Raises:
            ModelError: a model failed; what was made before is kept.
        """
        made = dict.fromkeys(self.models, 0)
        for embedder in self._embedders:
            after: ServiceId | None = None
            while missing := await self._index.without_vector(embedder.model, after=after, limit=BATCH_MAX):
                after = missing[-1].service_id
                vectors = await _embed(embedder, [self._told(service) for service in missing])
                made[embedder.model] += await self._index.put_vectors(
                    embedder.model, list(zip(missing, vectors, strict=True))
                )
                progress(sum(made.values()))
            await self._index.make_ready(embedder.model)
        return made

    def _told(self, service: ServiceText) -> IndexedText:
        kind = self._taxonomy.kinds.get(service.category or "")
        return IndexedText(service, "" if kind is None else " ".join((kind.name, *kind.synonyms)))


async def _embed(embedder: Embedder, indexed: Sequence[IndexedText]) -> list[Vector]:
    return await embedder.embed([one.meaning for one in indexed], timeout_s=EMBEDDING_TIMEOUT_S)
