"""Embedding the names of regions, which tier 4 compares texts with."""

from __future__ import annotations

from typing import Final

from greenroom.models.ports import Embedder
from greenroom.schema.search.place_names import normal_place_name
from greenroom.storage.ports import Gazetteer

BATCH: Final = 256
"""As many as one call of an embedder takes."""


async def embed_regions(gazetteer: Gazetteer, embedder: Embedder, *, timeout_s: float = 30.0) -> int:
    """Embed all names that have no vector of this model yet, a batch at a time; begun again, it goes on where it ended.

    Args:
        timeout_s: for each batch.

    Returns:
        how many were embedded.

    Raises:
        ModelError: the embedder failed; batches before that are stored.
    """
    count = 0
    while regions := await gazetteer.without_embedding(embedder.model, limit=BATCH):
        names = [normal_place_name(region.name) for region in regions]
        vectors = await embedder.embed(names, timeout_s=timeout_s)
        pairs = [(region.id, vector) for region, vector in zip(regions, vectors, strict=True)]
        await gazetteer.put_embeddings(embedder.model, pairs)
        count += len(pairs)
    return count
