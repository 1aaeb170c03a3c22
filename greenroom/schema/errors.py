"""What can go wrong in the domain, named. Status codes are the business of ``http`` alone.

All derive from :class:`DomainError`. ``code`` is the stable word that clients may switch on; ``str(error)`` is the
sentence a person may read and never holds a secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from greenroom.schema.rate_limits import Policy


class DomainError(Exception):
    """Base of every expected failure."""

    code: ClassVar[str] = "domain_error"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of the input: where (``("body", "content")``) and why."""

    loc: tuple[str | int, ...]
    msg: str


class InvalidInput(DomainError):
    """The request's shape is right but a value can't be accepted; nothing was changed."""

    code = "invalid_input"

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{'.'.join(map(str, e.loc))}: {e.msg}" for e in errors))
        self.errors = errors


class NotAuthenticated(DomainError):
    """No credentials, or credentials that are unknown, expired or revoked."""

    code = "not_authenticated"


class InvalidCredentials(DomainError):
    """Unknown account or wrong password; which of the two is not told."""

    code = "invalid_credentials"


class LoginBusy(DomainError):
    """All password slots stayed taken for the whole queue timeout."""

    code = "login_busy"

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("Too many sign-ins at this moment; try again shortly.")
        self.retry_after_s = retry_after_s


class EmailTaken(DomainError):
    """Another account has this e-mail address."""

    code = "email_taken"


class PermissionDenied(DomainError):
    """Signed in, but this role may not do it."""

    code = "permission_denied"


class NotFound(DomainError):
    """It does not exist, or is not this user's to see; the two are not told apart."""

    code = "not_found"


class ConversationNotFound(NotFound):
    """No such conversation for this user."""

    code = "conversation_not_found"


class MessageNotFound(NotFound):
    """No such message for this user."""

    code = "message_not_found"


class UserNotFound(NotFound):
    """No such user."""

    code = "user_not_found"


class BookingNotFound(NotFound):
    """No such booking for this user."""

    code = "booking_not_found"


class RegionNotFound(NotFound):
    """No such region."""

    code = "region_not_found"


class AliasNotFound(NotFound):
    """No such alias of a place."""

    code = "alias_not_found"


class Conflict(DomainError):
    """The change contradicts what is stored; nothing was changed."""

    code = "conflict"


class MessageDeleted(Conflict):
    """The message was deleted; there is nothing left to change."""

    code = "message_deleted"


class EditWindowClosed(Conflict):
    """The message is too old to be edited."""

    code = "edit_window_closed"


class TooManyReactions(Conflict):
    """The user has put as many different emoji on this message as one may."""

    code = "too_many_reactions"


class SlotTaken(Conflict):
    """The instructor has another lesson at that time."""

    code = "slot_taken"


class BookingClosed(Conflict):
    """The lesson was cancelled or completed, or has begun: it can't be changed any more."""

    code = "booking_closed"


class BookingNotBegun(Conflict):
    """The lesson has not begun: it can't be completed yet."""

    code = "booking_not_begun"


class RequestInProgress(Conflict):
    """The same request is being carried out at this moment."""

    code = "request_in_progress"

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("The same request is being carried out; ask again for its answer.")
        self.retry_after_s = retry_after_s


class VersionMismatch(DomainError):
    """The message is no longer the one that was to be changed; nothing was changed."""

    code = "version_mismatch"

    def __init__(self, current_version: int) -> None:
        super().__init__(f"The message has version {current_version} by now.")
        self.current_version = current_version


class RateLimited(DomainError):
    """More than one may ask in this time; nothing was done."""

    code = "rate_limited"

    def __init__(self, detail: str, *, policy: Policy, retry_after_s: float) -> None:
        super().__init__(detail)
        self.policy = policy
        self.retry_after_s = retry_after_s


class AccountLocked(DomainError):
    """Too many wrong passwords in a row for this account, whether it exists or not; no password was looked at."""

    code = "account_locked"

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("Too many wrong passwords for this account. Wait before you try again.")
        self.retry_after_s = retry_after_s


class Unavailable(DomainError):
    """Something greenroom depends on is not answering now; the same request may succeed later.

    For a write, the outcome may be unknown: repeating it with the same client id is safe.
    """

    code = "unavailable"

    def __init__(self, detail: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class CaptchaRequired(DomainError):
    """After so many wrong passwords for this account, a sign-in needs a captcha_token; no password was looked at."""

    code = "captcha_required"


class CaptchaFailed(DomainError):
    """The captcha_token was not earned, was used before, or is too old; no password was looked at."""

    code = "captcha_failed"


class CaptchaUnavailable(Unavailable):
    """Whether a captcha_token is good can't be found out now; no password was looked at."""

    code = "captcha_unavailable"


class OutOfService(Unavailable):
    """A part of the server is stopped, suspended or stuck; waiting for it within this request is of no use.

    Nothing was done.
    """

    def __init__(self, detail: str, *, retry_after_s: float = 5.0) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)


class PoolExhausted(Unavailable):
    """No database connection came free within the bounded wait."""

    code = "pool_exhausted"


class StorageUnavailable(Unavailable):
    """The database can't be reached, or dropped the connection."""

    code = "storage_unavailable"
