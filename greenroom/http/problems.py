"""Every refusal as ``application/problem+json`` (RFC 9457), and the one table from a domain error to a status."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from inspect import cleandoc
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from greenroom.actors.replay import CursorRefused
from greenroom.http.faults import HttpFault
from greenroom.schema import errors
from greenroom.schema.errors import DomainError, FieldError, InvalidInput
from greenroom.schema.events import ResetReason
from greenroom.schema.refusals import in_our_words

MEDIA_TYPE: Final = "application/problem+json"


class Fault(BaseModel):
    """Where (``["body", "content"]``) and why."""

    loc: list[str | int]
    msg: str


class Problem(BaseModel):
    """RFC 9457, with ``code`` (stable, to switch on) and ``request_id`` (to quote to an operator).

    ``type`` leads to the explanation in the documentation of this server; ``errors`` comes with status 422 only.
    """

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[Fault] | None = None


class ResetProblem(Problem):
    """The cursor can't be served: read ``sync_url`` and go on from the cursor it returns."""

    reason: ResetReason
    oldest: str
    current: str
    sync_url: str


class VersionProblem(Problem):
    """The message has ``current_version`` by now: read it, and decide anew."""

    current_version: int


class LimitProblem(Problem):
    """``policy`` names the limit that was reached; asking again makes sense after ``retry_after`` seconds."""

    policy: str
    retry_after: int


class Kind(BaseModel):
    """What is said of all problems with the same code."""

    model_config = ConfigDict(frozen=True)

    status: int
    code: str
    title: str

    @property
    def type(self) -> str:
        return f"/docs#{self.code}"


STATUSES: Final[Mapping[type[DomainError], tuple[int, str]]] = MappingProxyType(
    {
        errors.NotAuthenticated: (401, "Not authenticated"),
        errors.InvalidCredentials: (401, "Invalid credentials"),
        errors.PermissionDenied: (403, "Permission denied"),
        errors.CaptchaRequired: (403, "Captcha required"),
        errors.CaptchaFailed: (403, "Captcha failed"),
        errors.NotFound: (404, "Not found"),
        errors.ConversationNotFound: (404, "Conversation not found"),
        errors.MessageNotFound: (404, "Message not found"),
        errors.UserNotFound: (404, "User not found"),
        errors.BookingNotFound: (404, "Booking not found"),
        errors.RegionNotFound: (404, "Region not found"),
        errors.AliasNotFound: (404, "Alias not found"),
        errors.Conflict: (409, "Conflict"),
        errors.EmailTaken: (409, "E-mail address taken"),
        errors.MessageDeleted: (409, "Message deleted"),
        errors.EditWindowClosed: (409, "Too late to edit"),
        errors.TooManyReactions: (409, "Too many reactions"),
        errors.SlotTaken: (409, "Time taken"),
        errors.BookingClosed: (409, "Booking closed"),
        errors.BookingNotBegun: (409, "Lesson not begun"),
        errors.RequestInProgress: (409, "Request in progress"),
        errors.VersionMismatch: (412, "Version mismatch"),
        errors.InvalidInput: (422, "Invalid input"),
        errors.RateLimited: (429, "Too many requests"),
        errors.AccountLocked: (429, "Account locked"),
        errors.LoginBusy: (503, "Too many sign-ins"),
        errors.Unavailable: (503, "Temporarily unavailable"),
        errors.PoolExhausted: (503, "Temporarily unavailable"),
        errors.CaptchaUnavailable: (503, "Temporarily unavailable"),
        errors.OutOfService: (503, "Temporarily unavailable"),
        errors.StorageUnavailable: (503, "Temporarily unavailable"),
    }
)
"""Status and title of every domain error; a class that is not listed takes its nearest base's."""

INTERNAL: Final = Kind(status=500, code="internal_error", title="Internal error")
CURSOR_EXPIRED: Final = Kind(status=410, code="cursor_expired", title="Cursor can't be served")

Refusable = type[HttpFault] | type[DomainError] | type[CursorRefused]


def kind_of(refusal: type[BaseException]) -> Kind:
    """Look up what a class of error is for a client; anything unexpected is an internal error."""
    if issubclass(refusal, HttpFault):
        return Kind(status=refusal.status, code=refusal.code, title=refusal.title)
    if issubclass(refusal, CursorRefused):
        return CURSOR_EXPIRED
    for base in refusal.__mro__:
        if base in STATUSES:
            status, title = STATUSES[base]
            code = refusal.code if issubclass(refusal, DomainError) else "domain_error"
            return Kind(status=status, code=code, title=title)
    return INTERNAL


class Explanation(BaseModel):
    """A kind of problem, and in a sentence when it comes about."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    meaning: str


def explain(refusal: type[BaseException]) -> Explanation:
    """Explain a kind of problem with the first paragraph of what its class says of itself."""
    kind = kind_of(refusal)
    if kind is INTERNAL:
        return Explanation(kind=kind, meaning="Something went wrong on our side; it has been logged.")
    paragraph, _, _ = cleandoc(refusal.__doc__ or "").partition("\n\n")
    return Explanation(kind=kind, meaning=" ".join(paragraph.split()))


def explain_bare(status: int) -> Explanation:
    """Explain a refusal for which there is no error but a status."""
    return Explanation(kind=bare_kind(status), meaning=f"{HTTPStatus(status).description or 'Not served'}.")


def problem_of(error: BaseException, request_id: str) -> tuple[Problem, dict[str, str]]:
    """Say what went wrong to a client, and with which extra headers; never what is nobody's business."""
    kind = kind_of(type(error))
    about = kind.model_dump() | {"type": kind.type, "request_id": request_id}
    headers = dict(error.headers) if isinstance(error, HttpFault) else {}
    match error:
        case InvalidInput():
            faults = [Fault(loc=list(fault.loc), msg=fault.msg) for fault in error.errors]
            return Problem(**about, detail="The request can't be accepted as it is.", errors=faults), headers
        case errors.RateLimited(policy=policy):
            wait_s = _whole_seconds(error.retry_after_s)
            headers["Retry-After"] = str(wait_s)
            headers["RateLimit-Policy"] = f'"{policy.name}";q={policy.limit};w={policy.window_s}'
            headers["RateLimit"] = f'"{policy.name}";r=0;t={wait_s}'
            return LimitProblem(**about, detail=str(error), policy=policy.name, retry_after=wait_s), headers
        case errors.AccountLocked():
            wait_s = _whole_seconds(error.retry_after_s)
            headers["Retry-After"] = str(wait_s)
            return LimitProblem(**about, detail=str(error), policy="lockout", retry_after=wait_s), headers
        case errors.Unavailable() | errors.LoginBusy() | errors.RequestInProgress():
            headers["Retry-After"] = str(_whole_seconds(error.retry_after_s))
        case errors.NotAuthenticated():
            headers["WWW-Authenticate"] = 'Bearer realm="greenroom"'
        case errors.VersionMismatch():
            return VersionProblem(**about, detail=str(error), current_version=error.current_version), headers
        case CursorRefused():
            detail = "Start again from sync_url."
            return ResetProblem(**about, detail=detail, **error.reset.model_dump()), headers
    if kind is INTERNAL:
        return Problem(**about, detail="Something went wrong on our side; it has been logged."), headers
    return Problem(**about, detail=str(error) or kind.title), headers


def _whole_seconds(wait_s: float) -> int:
    return max(1, math.ceil(wait_s))


MODELS: Final[Mapping[int, type[Problem]]] = MappingProxyType(
    {
        CURSOR_EXPIRED.status: ResetProblem,
        STATUSES[errors.VersionMismatch][0]: VersionProblem,
        STATUSES[errors.RateLimited][0]: LimitProblem,
    }
)
"""By status: problems that say more than all others do."""

CONNECTION_STATUSES: Final = (400, 408, 431, 501, 505)
"""What bytes that never became a request may be answered."""


def bare_kind(status: int) -> Kind:
    """Say what a refusal is for which there is no error but a status."""
    phrase = HTTPStatus(status).phrase
    return Kind(status=status, code=phrase.lower().replace(" ", "_").replace("-", "_"), title=phrase)


def bare_problem(status: int, request_id: str) -> Problem:
    """Describe such a refusal."""
    kind = bare_kind(status)
    return Problem(**kind.model_dump(), type=kind.type, detail=kind.title, request_id=request_id)


def render(problem: Problem) -> bytes:
    return problem.model_dump_json(exclude_none=True).encode()


def invalid_input(source: str, error: ValidationError) -> InvalidInput:
    """Turn pydantic's report into ours; ``source`` is ``body`` or ``query``. The refused values are not repeated."""
    return InvalidInput(
        *(
            FieldError(loc=(source, *fault["loc"]), msg=_words(source, fault))
            for fault in error.errors(include_url=False, include_input=False)
        )
    )


def _words(source: str, fault: ErrorDetails) -> str:
    if source == "query" and fault["type"] == "extra_forbidden":
        return "is not a parameter of this"
    return in_our_words(fault)
