"""What can go wrong between a client and its server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from greenroom.schema.events import ClosingReason


class ClientError(Exception):
    """Base of all errors of :mod:`greenroom.client`."""


class Unreachable(ClientError):
    """Nobody answered within the time there was. What was asked for may have happened all the same."""


class NotGreenroom(ClientError):
    """Something answered that does not speak this contract: another server, or a proxy's own page."""


@dataclass(eq=False)
class Refused(ClientError):
    """The server said no; nothing was changed.

    Attributes:
        status: of HTTP.
        code: what is wrong, for programs (``conversation_not_found``, ``rate_limited`` ...).
        detail: the same, for people.
        fields: (where, what is wrong with it) of a request that did not validate, ``where`` as in ``body.content``.
        retry_after_s: how long to wait before asking again makes sense; None if it was not said.
        request_id: finds the request in the server's log.
    """

    status: int
    code: str
    detail: str
    fields: Sequence[tuple[str, str]] = ()
    retry_after_s: float | None = None
    request_id: str | None = None

    def __str__(self) -> str:
        fields = "".join(f"; {where}: {what}" for where, what in self.fields)
        return f"{self.detail} ({self.status} {self.code}){fields}"


@dataclass(eq=False)
class RateLimited(Refused):
    """More than one may ask in this time; asking again makes sense after ``retry_after_s``.

    Attributes:
        policy: names the limit (``sends``, ``requests`` ...).
    """

    CODE: ClassVar = "rate_limited"

    policy: str | None = None


@dataclass(eq=False)
class StreamClosed(ClientError):
    """The server ended the stream and said that coming back makes no sense."""

    reason: ClosingReason
    detail: str = ""

    def __str__(self) -> str:
        return self.detail or f"the server closed the stream: {self.reason}"


class _Problem(BaseModel):
    """RFC 9457 with this server's members; what else there is, is ignored."""

    model_config = ConfigDict(extra="ignore")

    class _Field(BaseModel):
        loc: list[str | int]
        msg: str

    code: str
    title: str
    detail: str | None = None
    errors: list[_Field] = []
    request_id: str | None = None
    policy: str | None = None


def refusal(status: int, body: bytes, *, retry_after: str | None) -> ClientError:
    """Read an error answer: :class:`Refused`, or :class:`NotGreenroom` if it is no problem document of ours."""
    try:
        problem = _Problem.model_validate_json(body)
    except ValidationError:
        return NotGreenroom(f"answered {status} without saying why in a form that greenroom uses")
    kind = partial(RateLimited, policy=problem.policy) if problem.code == RateLimited.CODE else Refused
    return kind(
        status=status,
        code=problem.code,
        detail=problem.detail or problem.title,
        fields=tuple((".".join(map(str, error.loc)), error.msg) for error in problem.errors),
        retry_after_s=_seconds(retry_after),
        request_id=problem.request_id,
    )


def _seconds(retry_after: str | None) -> float | None:
    # RFC 9110 also allows a date, which this server never sends.
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else None
