"""The index of services, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from greenroom.schema.errors import FieldError, InvalidInput
from greenroom.schema.ids import ServiceId
from greenroom.schema.search.indexing import IndexedModel, IndexedText, ServiceText
from greenroom.storage.memory.database import MemoryDatabase
from greenroom.storage.memory.tables import Tables
from greenroom.storage.ports.search import MODELS_MAX, VectorCount


class MemorySearchIndex:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def hold(self, worker: str, *, for_s: float) -> bool:
        async with self._database.operation("search_index.hold"):
            tables, now = self._database.tables, self._database.clock()
            holder = tables.search_indexer
            if holder is not None and holder[0] != worker and holder[1] > now:
                return False
            tables.search_indexer = (worker, now + timedelta(seconds=for_s))
            return True

    async def changed(self, *, limit: int) -> list[ServiceText]:
        async with self._database.operation("search_index.changed"):
            tables = self._database.tables
            dirty = [state for state in tables.service_states.values() if state.is_dirty]
            dirty.sort(key=lambda state: (state.updated_at, state.service_id))
            return [_service_text(tables, state.service_id) for state in dirty[:limit]]

    async def put(self, indexed: Sequence[IndexedText], vectors: Mapping[str, Sequence[Sequence[float]]]) -> int:
        async with self._database.operation("search_index.put"):
            tables, count = self._database.tables, 0
            self._check(vectors)
            for place, one in enumerate(indexed):
                service_id = one.service.service_id
                if service_id not in tables.services:
                    continue
                count += 1
                tables.search_texts[service_id] = one
                for model, given in vectors.items():
                    tables.search_vectors[model, service_id] = given[place]
                state = tables.service_states[service_id]
                if state.updated_at == one.service.updated_at:
                    tables.service_states[service_id] = replace(state, is_dirty=False)
            return count

    async def clear(self, *, limit: int) -> int:
        async with self._database.operation("search_index.clear"):
            tables = self._database.tables
            gone = [service_id for service_id in tables.search_texts if service_id not in tables.services][:limit]
            for service_id in gone:
                del tables.search_texts[service_id]
                for model in tables.search_models:
                    tables.search_vectors.pop((model, service_id), None)
            return len(gone)

    async def models(self) -> list[IndexedModel]:
        async with self._database.operation("search_index.models"):
            return sorted(self._database.tables.search_models.values(), key=lambda one: one.model)

    async def add_model(self, model: str, dimension: int) -> None:
        async with self._database.operation("search_index.add_model"):
            models = self._database.tables.search_models
            if model not in models and len(models) == MODELS_MAX:
                raise InvalidInput(FieldError(("model",), "there is room for four models; drop one"))
            known = models.setdefault(model, IndexedModel(model, dimension, False))
            if known.dimension != dimension:
                raise InvalidInput(
                    FieldError(("dimension",), f"{model} is indexed with {known.dimension} dimensions")
                )

    async def without_vector(self, model: str, *, after: ServiceId | None, limit: int) -> list[ServiceText]:
        async with self._database.operation("search_index.without_vector"):
            missing = sorted(i for i in self._missing(model) if after is None or i > after)
            return [_service_text(self._database.tables, service_id) for service_id in missing[:limit]]

    async def put_vectors(self, model: str, vectors: Sequence[tuple[ServiceText, Sequence[float]]]) -> int:
        async with self._database.operation("search_index.put_vectors"):
            self._check({model: [vector for _, vector in vectors]})
            tables, count = self._database.tables, 0
            for service, vector in vectors:
                state = tables.service_states.get(service.service_id)
                if state is not None and state.updated_at == service.updated_at:
                    tables.search_vectors[model, service.service_id] = vector
                    count += 1
            return count

    async def count(self, model: str) -> VectorCount:
        async with self._database.operation("search_index.count"):
            services = len(self._database.tables.services)
            return VectorCount(services, services - sum(1 for _ in self._missing(model)))

    async def make_ready(self, model: str) -> bool:
        async with self._database.operation("search_index.make_ready"):
            models = self._database.tables.search_models
            if model in models and not any(self._missing(model)):
                models[model] = replace(models[model], is_ready=True)
            return model in models and models[model].is_ready

    async def drop_model(self, model: str) -> None:
        async with self._database.operation("search_index.drop_model"):
            tables = self._database.tables
            tables.search_models.pop(model, None)
            for key in [key for key in tables.search_vectors if key[0] == model]:
                del tables.search_vectors[key]

    def _missing(self, model: str) -> Iterable[ServiceId]:
        tables = self._database.tables
        return (i for i in tables.services if (model, i) not in tables.search_vectors)

    def _check(self, vectors: Mapping[str, Sequence[Sequence[float]]]) -> None:
        for model, given in vectors.items():
            known = self._database.tables.search_models.get(model)
            if known is None:
                raise InvalidInput(FieldError(("model",), f"{model} is not indexed"))
            if any(len(vector) != known.dimension for vector in given):
                raise InvalidInput(
                    FieldError(("vectors",), f"{model} has vectors of {known.dimension} dimensions")
                )


def _service_text(tables: Tables, service_id: ServiceId) -> ServiceText:
    service = tables.services[service_id]
    return ServiceText(
        service_id,
        service.title,
        service.category,
        service.description,
        tables.service_states[service_id].updated_at,
    )
