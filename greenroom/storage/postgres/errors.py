"""What Postgres says, in the words of the domain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import errors

from greenroom.schema.errors import (
    Conflict,
    ConversationNotFound,
    DomainError,
    EmailTaken,
    RegionNotFound,
    SlotTaken,
    StorageUnavailable,
    UserNotFound,
)

CONSTRAINTS: Final[dict[str, type[DomainError]]] = {
    "users_email_key": EmailTaken,
    "sessions_user_id_fkey": UserNotFound,
    "services_instructor_id_fkey": UserNotFound,
    "instructor_profiles_user_id_fkey": UserNotFound,
    "conversations_student_id_fkey": UserNotFound,
    "conversations_instructor_id_fkey": UserNotFound,
    "bookings_no_overlap": SlotTaken,
    "messages_sender_fkey": ConversationNotFound,
    "region_boundaries_parent_id_fkey": RegionNotFound,
    "region_boundaries_city_fkey": RegionNotFound,
    "location_aliases_region_id_fkey": RegionNotFound,
}
"""Constraints whose breach has a name of its own; any other is a plain conflict."""

_SENTENCES: Final[dict[type[DomainError], str]] = {
    SlotTaken: "The instructor has another lesson at that time.",
    EmailTaken: "This e-mail address is taken.",
    UserNotFound: "No such user.",
    RegionNotFound: "No such region.",
    ConversationNotFound: "The sender has no part in this conversation.",
}


class ConnectionLost(StorageUnavailable):
    """The server ended the connection. What was running may have happened or not."""


@contextmanager
def domain_errors(connection: psycopg.AsyncConnection[tuple[object, ...]] | None = None) -> Iterator[None]:
    """Raise the domain's error instead of psycopg's; a bug in a statement passes as it is.

    Args:
        connection: the one in use, so that its loss can be told from a statement that failed.
    """
    try:
        yield
    except psycopg.Error as exc:
        is_lost = connection is None or connection.pgconn.status != psycopg.pq.ConnStatus.OK
        translated = _translate(exc, is_lost=is_lost)
        if translated is None:
            raise
        raise translated from exc


def _translate(exc: psycopg.Error, *, is_lost: bool) -> DomainError | None:
    match exc:
        case errors.IntegrityError():
            constraint = exc.diag.constraint_name or "a constraint"
            kind = CONSTRAINTS.get(constraint, Conflict)
            return kind(_SENTENCES.get(kind, f"The change contradicts {constraint}."))
        case errors.PipelineAborted() | errors.InFailedSqlTransaction():
            return Conflict("A statement of this transaction failed; it can only be rolled back.")
        case errors.AdminShutdown() | errors.CrashShutdown() | errors.IdleInTransactionSessionTimeout():
            return ConnectionLost("The database closed the connection.")
        case errors.QueryCanceled() | errors.LockNotAvailable() | errors.DeadlockDetected():
            return StorageUnavailable("The database did not finish in time.")
        case errors.FeatureNotSupported() | errors.InvalidSqlStatementName():
            # A prepared statement that a migration or a pooler has pulled the ground from; a new session has none.
            return ConnectionLost("The session is out of date.")
        case errors.ReadOnlySqlTransaction():
            # A primary that became a standby: this connection will never write again.
            return ConnectionLost("The database does not accept writes now.")
        case errors.OperationalError() | errors.InterfaceError() if is_lost:
            return ConnectionLost("The connection to the database was lost.")
        case errors.OperationalError() | errors.InterfaceError():
            return StorageUnavailable("The database refused for now.")
        case _:
            return None
