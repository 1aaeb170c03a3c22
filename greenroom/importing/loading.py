"""From lines to storage, in batches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar

from greenroom.importing.alias_lines import AliasAt
from greenroom.importing.faults import BadLine, LineFault
from greenroom.importing.features import Feature
from greenroom.importing.instructor_lines import ListedAt
from greenroom.importing.region_features import DEPTH_MAX, RegionAt, region_of
from greenroom.schema.catalogue import Listed, Listing
from greenroom.schema.clock import WallClock
from greenroom.schema.ids import Ids
from greenroom.schema.search.place_names import normal_place_name
from greenroom.schema.search.places import NewAlias, Region, RegionId
from greenroom.storage.patience import patiently
from greenroom.storage.ports import Storage

BATCH: Final = 500
"""Rows per transaction: what the ports take at most."""

HEFT_MAX: Final = 20_000
"""Of a transaction, in rows (of regions: corners): some tenths of a second, so that nobody waits longer for its locks."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an import did. ``good`` lines were loaded (with ``is_dry``: would have been), ``bad`` ones were not."""

    good: int = 0
    bad: int = 0
    new_accounts: int = 0
    services: int = 0
    aliases: int = 0

    def __add__(self, other: Loaded) -> Loaded:
        return Loaded(
            self.good + other.good,
            self.bad + other.bad,
            self.new_accounts + other.new_accounts,
            self.services + other.services,
            self.aliases + other.aliases,
        )


Report = Callable[[LineFault], None]
"""Told of every fault, in the order of their lines (of regions: of those of one level)."""

HELD_MAX: Final = 1_000
"""Faults that wait to be told in their order; what is beside them is loaded rather than hold more."""


class Loading:
    """Loads the lines of one file.

    A batch is tried again when something was in its way that passes: somebody registers with the same address at this moment,
    or loads another file, or the database is away for a while. Storing something twice does no harm.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        ids: Ids,
        wall: WallClock,
        password_hash: str,
        report: Report,
        is_dry: bool = False,
    ) -> None:
        """
        Args:
            password_hash: of new accounts: of a password that nobody knows.
            is_dry: check everything and store nothing.
        """
        self._storage = storage
        self._ids = ids
        self._wall = wall
        self._password_hash = password_hash
        self._report = report
        self._is_dry = is_dry
        self._held: list[LineFault] = []
        self._would_be_stored: set[RegionId] = set()
        """Regions, when nothing is: the next reading of the file looks for their parents."""

    async def instructors(self, lines: Iterable[ListedAt | BadLine]) -> Loaded:
        return await self._in_batches(lines, self._load_instructors, _names_of_listing, _rows_of)

    async def aliases(self, lines: Iterable[AliasAt | BadLine]) -> Loaded:
        return await self._in_batches(lines, self._load_aliases, _names_of_alias, lambda _: 1)

    async def regions(self, open_features: Callable[[], Iterator[Feature | BadLine]]) -> Loaded:
        """Load regions, what contains others first.

        The file is read once per level, so that a region may come before the one it lies in, and nothing need be remembered.

        Args:
            open_features: begins to read the file anew.
        """
        loaded = Loaded()
        deepest = 0
        for depth in range(DEPTH_MAX + 1):
            if depth > deepest:
                break

            def of_this_depth(depth: int = depth) -> Iterator[RegionAt | BadLine]:
                nonlocal deepest
                for feature in open_features():
                    try:
                        if isinstance(feature, BadLine):
                            raise feature
                        found = region_of(feature)
                    except BadLine as exc:
                        if depth == 0:  # told once
                            yield exc
                        continue
                    deepest = max(deepest, found.depth)
                    if found.depth == depth:
                        yield found

            loaded += await self._in_batches(of_this_depth(), self._load_regions, _names_of_region, _corners_of)
        return loaded

    async def _in_batches(
        self,
        lines: Iterable[T | BadLine],
        load: Callable[[Sequence[T]], Awaitable[Loaded]],
        names: Callable[[T], Iterable[str]],
        heft: Callable[[T], int],
    ) -> Loaded:
        """
        Args:
            names: what no two lines of one transaction may have in common.
            heft: how much of a transaction a line takes; see HEFT_MAX.
        """
        loaded, batch, taken, carried = Loaded(), list[T](), set[str](), 0
        for line in lines:
            if isinstance(line, BadLine):
                loaded += self._refuse(line.faults)
                if batch and len(self._held) >= HELD_MAX:
                    loaded += await load(batch)
                    batch, taken, carried = [], set(), 0
                if not batch:
                    self._tell()
                continue
            named, heavy = set(names(line)), heft(line)
            if batch and (len(batch) == BATCH or named & taken or carried + heavy > HEFT_MAX):
                loaded += await load(batch)
                self._tell()
                batch, taken, carried = [], set(), 0
            batch.append(line)
            taken |= named
            carried += heavy
        if batch:
            loaded += await load(batch)
        self._tell()
        return loaded

    def _refuse(self, faults: Sequence[LineFault]) -> Loaded:
        """Hold faults until those of the lines before them are known."""
        self._held += faults
        return Loaded(bad=len({fault.line for fault in faults}))

    def _tell(self) -> None:
        for fault in sorted(self._held, key=lambda fault: fault.line):
            self._report(fault)
        self._held.clear()

    async def _load_instructors(self, batch: Sequence[ListedAt]) -> Loaded:
        named = {region for entry in batch for region in _regions_of(entry.listing)}
        regions = await self._regions(named)
        loaded, good = Loaded(), list[ListedAt]()
        for entry in batch:
            faults = list(_unknown_regions(entry, regions))
            if faults:
                loaded += self._refuse(faults)
            else:
                good.append(replace(entry, listing=_located(entry.listing, regions)))
        for entry, outcome in zip(good, await self._upsert([entry.listing for entry in good]), strict=True):
            if outcome.refusal is not None:
                loaded += self._refuse([LineFault(entry.line, "email", outcome.refusal)])
            else:
                services = len(entry.listing.services)
                loaded += Loaded(good=1, new_accounts=int(outcome.is_new), services=services)
        return loaded

    async def _upsert(self, listings: Sequence[Listing]) -> Sequence[Listed]:
        if self._is_dry or not listings:
            return [Listed(listing.external_id, None) for listing in listings]
        return await patiently(
            partial(
                self._storage.catalogue.upsert,
                listings,
                password_hash=self._password_hash,
                ids=self._ids,
                now=self._wall(),
            )
        )

    async def _load_regions(self, batch: Sequence[RegionAt]) -> Loaded:
        above = {entry.parent_id for entry in batch} | {_city_of(entry) for entry in batch}
        known = await self._regions({region_id for region_id in above if region_id is not None})
        loaded, good = Loaded(), list[RegionAt]()
        for entry in batch:
            parent = entry.parent_id
            if parent is not None and parent not in known and parent not in self._would_be_stored:
                fault = LineFault(entry.line, "properties.id", f"lies in {parent}, which does not exist")
                loaded += self._refuse([fault])
            else:
                good.append(entry)
        mapped = [entry.mapped(_timezone(entry, known)) for entry in good]
        aliases = [alias for entry in good for alias in entry.new_aliases()]
        if self._is_dry:
            self._would_be_stored.update(entry.id for entry in good)
        elif mapped:
            await patiently(partial(self._storage.gazetteer.upsert_regions, mapped))
            await self._store_aliases(aliases)
        return loaded + Loaded(good=len(good), aliases=len(aliases))

    async def _load_aliases(self, batch: Sequence[AliasAt]) -> Loaded:
        known = await self._regions({entry.alias.region_id for entry in batch})
        loaded, good = Loaded(), list[NewAlias]()
        for entry in batch:
            if entry.alias.region_id in known:
                good.append(entry.alias)
            else:
                fault = LineFault(entry.line, "region", f"{entry.alias.region_id} does not exist")
                loaded += self._refuse([fault])
        if not self._is_dry:
            await self._store_aliases(good)
        return loaded + Loaded(good=len(good), aliases=len(good))

    async def _store_aliases(self, aliases: Sequence[NewAlias]) -> None:
        for begin in range(0, len(aliases), BATCH):
            part = aliases[begin : begin + BATCH]
            await patiently(partial(self._storage.gazetteer.upsert_aliases, part, now=self._wall()))

    async def _regions(self, region_ids: Iterable[RegionId]) -> dict[RegionId, Region]:
        wanted = list(region_ids)
        found = await patiently(partial(self._storage.places.regions, wanted)) if wanted else []
        return {region.id: region for region in found}


def _names_of_listing(entry: ListedAt) -> Iterator[str]:
    yield f"id {entry.listing.external_id}"
    if entry.listing.email is not None:
        yield f"email {entry.listing.email.lower()}"


def _names_of_region(entry: RegionAt) -> Iterator[str]:
    yield entry.id


def _names_of_alias(entry: AliasAt) -> Iterator[str]:
    yield f"{entry.alias.region_id} {normal_place_name(entry.alias.name)}"


def _rows_of(entry: ListedAt) -> int:
    listing = entry.listing
    return 2 + len(listing.services) + len(listing.areas or ()) + len(listing.availability or ())


def _corners_of(entry: RegionAt) -> int:
    if entry.boundary is None:
        return 1
    return 1 + sum(len(ring) for part in entry.boundary.polygons for ring in (part.outer, *part.holes))


def _regions_of(listing: Listing) -> Iterator[RegionId]:
    yield from listing.areas or ()
    if listing.home_city is not None:
        yield listing.home_city


def _unknown_regions(entry: ListedAt, known: dict[RegionId, Region]) -> Iterator[LineFault]:
    for region_id in entry.listing.areas or ():
        if region_id not in known:
            yield LineFault(entry.line, "areas", f"{region_id} is no region known here")
    city = entry.listing.home_city
    if city is not None and (city not in known or known[city].city != city):
        yield LineFault(entry.line, "home_city", f"{city} is no city known here")


def _located(listing: Listing, regions: dict[RegionId, Region]) -> Listing:
    """With the city and time zone that follow from the areas, where the line does not tell them."""
    base = listing.areas[0] if listing.areas else listing.home_city
    if base is None:
        return listing
    region = regions[base]
    return replace(
        listing,
        home_city=region.city if listing.home_city is None else listing.home_city,
        timezone=region.timezone if listing.timezone is None else listing.timezone,
    )


def _city_of(entry: RegionAt) -> RegionId:
    return RegionId(entry.id.partition("/")[0])


def _timezone(entry: RegionAt, known: dict[RegionId, Region]) -> str:
    """The city's, if it is known; a time zone of its own is only a city's to have."""
    city = known.get(_city_of(entry))
    return city.timezone if city is not None and entry.depth else entry.timezone or "UTC"
