"""Whose a listing of a file is: the rule that Postgres and its twin share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from greenroom.schema.catalogue import Listed, Listing
from greenroom.schema.ids import Ids, UserId
from greenroom.schema.records import Role


@dataclass(frozen=True, slots=True)
class AddressHolder:
    """The account that has an e-mail address; ``external_id`` is what a file called it, if one did."""

    user_id: UserId
    role: Role
    external_id: str | None


def owners(
    listings: Iterable[Listing],
    *,
    known: Mapping[str, UserId],
    holders: Mapping[str, AddressHolder],
    ids: Ids,
) -> Iterator[Listed]:
    """Say of each listing whose it is, making an id for a new account.

    Args:
        known: instructors by external id.
        holders: accounts by the listings' e-mail addresses, spelt as there.
    """
    for listing in listings:
        external_id = listing.external_id
        if external_id in known:
            yield Listed(external_id, known[external_id])
            continue
        holder = None if listing.email is None else holders.get(listing.email)
        if holder is None:
            yield Listed(external_id, UserId(ids.ulid()), is_new=True)
        elif holder.role is not Role.INSTRUCTOR:
            yield Listed(external_id, None, refusal="belongs to somebody who is no instructor")
        elif holder.external_id is not None:
            yield Listed(external_id, None, refusal=f"is that of the instructor {holder.external_id}")
        else:
            yield Listed(external_id, holder.user_id)


def address_of(listing: Listing, user_id: UserId) -> str:
    """The e-mail address of a new account; without one, an address that can't exist (RFC 2606, section 2)."""
    return listing.email or f"{user_id.lower()}@imported.invalid"
