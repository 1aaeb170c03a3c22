"""What instructors offer, in full: written by themselves, and from files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from greenroom.schema.catalogue import Listed, Listing, Offer, Profile
from greenroom.schema.ids import Ids, UserId

LISTINGS_MAX: Final = 500
"""Per call: with their services and times some thousands of rows, written in a fraction of the statement timeout."""


class Catalogue(Protocol):
    """Profiles of instructors. Their services are read through :class:`~greenroom.storage.ports.Directory`."""

    async def profile(self, user_id: UserId) -> Profile:
        """What an instructor told; the defaults for one who told nothing, and for anybody else."""
        ...

    async def replace(self, user_id: UserId, offer: Offer, *, now: datetime) -> None:
        """Put an offer in the place of all that an instructor offered before, all or none.

        Services that are left out are deleted; those that were ever booked are retired instead: bookings keep naming them,
        and nobody finds or books them. A retired one that is in the offer again is back.

        Raises:
            UserNotFound: no such user; nothing was changed.
            Conflict: one of the services is somebody else's, or was booked while it was being deleted; nothing was changed.
        """
        ...

    async def upsert(
        self, listings: Sequence[Listing], *, password_hash: str, ids: Ids, now: datetime
    ) -> list[Listed]:
        """Store what files tell, in one transaction, and say what became of each, in order.

        A listing belongs to the instructor who was stored under its external id before; else to the account that has its
        e-mail address, if that is an instructor's and came from no file; else a new account is made. It is refused, and the
        others are stored, if its address is anybody else's.

        What is stored already is not touched: told twice, nothing changes, ``updated_at`` included.

        Args:
            listings: at most LISTINGS_MAX; each external id, and each address, at most once.
            password_hash: of the new accounts.

        Raises:
            Conflict, EmailTaken: somebody made such an account at this moment; nothing was stored, and trying again helps.
        """
        ...
