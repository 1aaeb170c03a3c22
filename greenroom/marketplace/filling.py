"""Storing an invented marketplace."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from itertools import islice

from greenroom.marketplace.instructors import invented_instructors
from greenroom.schema.ids import Ids
from greenroom.schema.search.places import Region
from greenroom.storage.patience import patiently
from greenroom.storage.ports import Catalogue
from greenroom.storage.ports.catalogue import LISTINGS_MAX


async def fill_marketplace(
    catalogue: Catalogue,
    regions: Iterable[Region],
    *,
    seed: int,
    count: int,
    password_hash: str,
    ids: Ids,
    now: datetime,
) -> None:
    """Store ``count`` invented instructors who live in these regions; those that are there already stay as they are.

    Raises:
        ValueError: there is no neighbourhood among the regions.
        Unavailable, Conflict: some were stored, and doing it again completes it.
    """
    instructors = invented_instructors(regions, seed=seed, count=count)
    while batch := list(islice(instructors, LISTINGS_MAX)):
        await patiently(partial(catalogue.upsert, batch, password_hash=password_hash, ids=ids, now=now))
