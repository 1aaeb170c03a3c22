import pytest

from greenroom.actors.search.places.embedding import embed_regions
from greenroom.models.mock import MockEmbedder
from greenroom.storage.memory import memory_storage
from tests.storage.places_builders import REGIONS, add_places


async def test_every_name_is_embedded_once() -> None:
    storage = memory_storage()
    await add_places(storage)
    embedder = MockEmbedder()

    assert await embed_regions(storage.gazetteer, embedder) == len(REGIONS)
    assert await embed_regions(storage.gazetteer, embedder) == 0

    [vector] = await embedder.embed(["park slope"], timeout_s=1.0)
    nearest = await storage.places.nearest(vector, model=embedder.model, cities=[], limit=1)
    assert [candidate.matched_name for candidate in nearest] == ["Park Slope"]
    assert nearest[0].confidence == pytest.approx(1.0)
