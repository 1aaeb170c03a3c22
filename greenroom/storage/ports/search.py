"""Ports of the search: places, retrieval, the catalogue's files, and what was searched.

What :mod:`greenroom.storage.ports` says of errors and connections holds here too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from greenroom.schema.ids import ServiceId
from greenroom.schema.search.aggregates import (
    ClickThrough,
    Degradation,
    Latency,
    Span,
    Summary,
    TextCount,
    Tiers,
)
from greenroom.schema.search.candidates import Card, HardFilters, RetrievalQuery, Retrieved, TextStrength
from greenroom.schema.search.config import ConfigValue, StoredConfig
from greenroom.schema.search.indexing import IndexedModel, IndexedText, ServiceText
from greenroom.schema.search.learning import Vote
from greenroom.schema.search.log import (
    NewClick,
    QueryId,
    RecordedSearch,
    SearchesShown,
    SearchLine,
    SearchRecord,
)
from greenroom.schema.search.places import (
    Alias,
    AliasFilter,
    AliasId,
    AliasState,
    MappedRegion,
    NewAlias,
    PlaceCandidate,
    Point,
    Region,
    RegionId,
)


@dataclass(frozen=True, slots=True)
class PlaceRows:
    """What tiers 1 to 3 found for a text, each likeliest first; at most 20 regions, or 40 names that are similar.

    Attributes:
        exact: regions of this name; confidence 1.
        alias: regions with an active alias of this name; its confidence is the alias' weight.
        fuzzy: regions whose name or alias is similar, under each such name; its confidence is the trigram similarity, at least 0.3.
            Not looked for where something is exact or an alias, nor for fewer than four characters.
        within: the same for what is left of the text beside the name of a city or borough, looked for in that one alone.
    """

    exact: tuple[PlaceCandidate, ...] = ()
    alias: tuple[PlaceCandidate, ...] = ()
    fuzzy: tuple[PlaceCandidate, ...] = ()
    within: tuple[RowsWithin, ...] = ()


@dataclass(frozen=True, slots=True)
class RowsWithin:
    """``rest`` of a text as a name within ``container``. Its rows have no ``within`` of their own."""

    rest: str
    container: Region
    rows: PlaceRows


class Places(Protocol):
    """Regions and their names. Texts are compared in normal form: see :mod:`greenroom.schema.search.place_names`."""

    async def look_up(self, text: str, *, cities: Sequence[RegionId]) -> PlaceRows:
        """Regions that ``text`` may name, in one round trip.

        Args:
            cities: only regions of these; empty for all.
        """
        ...

    async def nearest(
        self, vector: Sequence[float], *, model: str, cities: Sequence[RegionId], limit: int
    ) -> list[PlaceCandidate]:
        """Regions whose names mean something like it, by cosine of embeddings of ``model``; its confidence is the cosine."""
        ...

    async def regions(self, region_ids: Sequence[RegionId]) -> list[Region]:
        """Those that exist, in no order."""
        ...

    async def cities(self) -> list[Region]: ...

    async def known_names(self, *, limit: int) -> frozenset[str]:
        """Names that mean a region, active aliases included, in normal form; the shortest ``limit`` of them."""
        ...

    async def names_version(self) -> str:
        """Something that is another whenever operators, or learning, had a name mean a region or no longer."""
        ...

    async def near(self, centre: Point, *, within_km: float, limit: int) -> list[Region]:
        """Neighbourhoods whose centroid is within a distance, nearest first."""
        ...

    async def containing(self, point: Point) -> Region | None:
        """The smallest region whose boundary contains the point, else the nearest neighbourhood within 3 km."""
        ...


class Gazetteer(Protocol):
    """Writing regions, aliases and embeddings of names; and what operators look at."""

    async def upsert_regions(self, regions: Sequence[MappedRegion]) -> None:
        """Store regions by id, all or none; at most 500. A parent is stored already or is among them.

        Raises:
            RegionNotFound: one of the parents or cities does not exist.
        """
        ...

    async def upsert_aliases(self, aliases: Sequence[NewAlias], *, now: datetime) -> int:
        """Store aliases by name (in normal form) and region, all or none; at most 500. An alias that an operator decided on keeps
        its state and weight.

        Returns:
            how many were stored: one without any letter or digit is not.

        Raises:
            RegionNotFound: one of the regions does not exist.
        """
        ...

    async def aliases_page(self, wanted: AliasFilter, *, before: AliasId | None, limit: int) -> list[Alias]:
        """Aliases, newest first, below an id; None from the newest on."""
        ...

    async def alias_of(self, name: str, region_id: RegionId) -> Alias | None:
        """The alias of this name for a region, in whatever state; None if there is none."""
        ...

    async def decide_alias(self, alias_id: AliasId, state: AliasState, *, decided_by: str, now: datetime) -> Alias:
        """Approve or revoke an alias; deciding the same again changes nothing but the time.

        Raises:
            AliasNotFound: no such alias.
        """
        ...

    async def without_embedding(self, model: str, *, limit: int) -> list[Region]:
        """Regions that have no embedding of ``model``, by id."""
        ...

    async def put_embeddings(self, model: str, vectors: Sequence[tuple[RegionId, Sequence[float]]]) -> None:
        """Store the embeddings of regions' names; those of regions that are gone are left out.

        Raises:
            InvalidInput: vectors of several lengths.
        """
        ...


class Retrieval(Protocol):
    async def text_strength(self, text: str) -> TextStrength:
        """How well these words alone find something, and which of them are nowhere; part of the first burst."""
        ...

    async def retrieve(self, query: RetrievalQuery) -> Retrieved:
        """Find services: every one that is returned passed every hard filter of the query."""
        ...

    async def cards(self, service_ids: Sequence[ServiceId], *, filters: HardFilters, now: datetime) -> list[Card]:
        """What is shown of those of these that are on offer and pass every hard filter as they are now, in no order; one query.

        Args:
            now: times that are over by then are asked for no more.
        """
        ...

    async def embedding_models(self) -> list[str]:
        """Names of the models that services have vectors of."""
        ...

    async def timezones(self) -> list[str]:
        """The zones that instructors live in, in order."""
        ...


@dataclass(frozen=True, slots=True)
class VectorCount:
    services: int
    with_vector: int

    @property
    def missing(self) -> int:
        return self.services - self.with_vector


class SearchIndex(Protocol):
    """What services are found by, in words and in meaning. Filters need no index: they see every change at once.

    Any number of workers may write at the same time; they wait for each other.
    """

    async def hold(self, worker: str, *, for_s: float) -> bool:
        """Take or keep the right to look for what is to be indexed; return whether this worker has it.

        It keeps workers from doing the same work; that two write at the same time does no harm. A time below zero gives it up.
        """
        ...

    async def changed(self, *, limit: int) -> list[ServiceText]:
        """Services that are not indexed as they are now, longest waiting first."""
        ...

    async def put(self, indexed: Sequence[IndexedText], vectors: Mapping[str, Sequence[Sequence[float]]]) -> int:
        """Index services anew, all or none; those that changed since they were read stay among the changed ones.

        Args:
            indexed: at most INDEXED_MAX, each service once; one that is gone, or held by somebody who writes it now, is left out.
            vectors: by model, one per service in the same order, of unit length or zero.

        Returns:
            how many were indexed.

        Raises:
            InvalidInput: a model that was not added, or a vector that is not of its dimension.
        """
        ...

    async def clear(self, *, limit: int) -> int:
        """Drop what is left in the index of deleted services, at most ``limit`` of them; return how many there were."""
        ...

    async def models(self) -> list[IndexedModel]: ...

    async def add_model(self, model: str, dimension: int) -> None:
        """Make room for vectors of a model; nothing if there is.

        Raises:
            InvalidInput: it is there with another dimension, or there are MODELS_MAX others.
        """
        ...

    async def without_vector(self, model: str, *, after: ServiceId | None, limit: int) -> list[ServiceText]:
        """Services that have no vector of a model, by id."""
        ...

    async def put_vectors(self, model: str, vectors: Sequence[tuple[ServiceText, Sequence[float]]]) -> int:
        """Store vectors of one model, those of services that are gone or changed since aside; return how many were stored.

        Raises:
            InvalidInput: as with :meth:`put`.
        """
        ...

    async def count(self, model: str) -> VectorCount:
        """How many services there are, and how many of them have a vector of a model: reads through all of them."""
        ...

    async def make_ready(self, model: str) -> bool:
        """Search with a model from now on if every service has a vector of it; return whether that is so."""
        ...

    async def drop_model(self, model: str) -> None:
        """Forget a model and its vectors; nothing if it is not there."""
        ...


MODELS_MAX: Final = 4
"""One that is searched with, one that needs no network, and one to take the place of each."""

INDEXED_MAX: Final = 500
"""Services per call: some 20,000 postings, written in a fraction of a second."""


class SearchConfigs(Protocol):
    """What operators changed about searching."""

    async def read(self) -> StoredConfig: ...

    async def write(
        self, changes: Mapping[str, ConfigValue], *, expected_revision: int, now: datetime
    ) -> StoredConfig:
        """Replace all that was changed, if nobody else did so since.

        Raises:
            Conflict: the revision is not ``expected_revision``; nothing was stored.
        """
        ...


class SearchLog(Protocol):
    """What was searched for and what came of it."""

    async def add_searches(self, records: Sequence[SearchRecord]) -> None:
        """Store at most WRITTEN_MAX searches, all or none; one that is stored already stays as it is."""
        ...

    async def add_clicks(self, clicks: Sequence[NewClick]) -> int:
        """Store at most WRITTEN_MAX clicks; return how many count.

        One counts if the same user's stored search showed the service, and it is the first on it.
        """
        ...

    async def page(self, shown: SearchesShown, *, before: QueryId | None, limit: int) -> list[SearchLine]:
        """Searches, newest first, below an id; None for from the newest on."""
        ...

    async def get(self, query_id: QueryId) -> RecordedSearch | None: ...

    async def delete_before(self, moment: datetime, *, limit: int) -> int:
        """Delete searches, their details and clicks, the oldest first; return how many searches."""
        ...

    async def delete_details_before(self, moment: datetime, *, limit: int) -> int:
        """Delete what is kept for a shorter time, the oldest first; return of how many searches."""
        ...


class SearchAnalytics(Protocol):
    """What many searches come to; see :mod:`greenroom.schema.search.aggregates`.

    Each reads all of a span, at most for as long as a statement may take.
    """

    async def summary(self, span: Span) -> Summary: ...

    async def popular(self, span: Span, *, limit: int) -> list[TextCount]:
        """What was searched for most often; ties by text, but for which of them come last in a full list."""
        ...

    async def without_results(self, span: Span, *, limit: int) -> list[TextCount]:
        """The same of searches that found nothing, counting only these."""
        ...

    async def latency(self, span: Span) -> Latency: ...

    async def degradation(self, span: Span) -> Degradation: ...

    async def click_through(self, span: Span) -> ClickThrough: ...

    async def tiers(self, span: Span) -> Tiers: ...


class AliasEvidence(Protocol):
    """What clicks tell about names of places."""

    async def hold(self, worker: str, *, for_s: float) -> bool:
        """Take or keep the right to learn; return whether this worker has it. It keeps workers from doing the same work."""
        ...

    async def undecided(self) -> int:
        """How many learned aliases there are, proposed or active, that no operator decided on."""
        ...

    async def votes(self, *, since: datetime, users_min: int, names_max: int, limit: int) -> list[Vote]:
        """Clicks after searches whose place was uncertain, with where the clicked instructors teach, whole cities aside.

        Args:
            users_min: only of names that so many people clicked results of.
            names_max: the most clicked of these.
            limit: the newest of their clicks.
        """
        ...
