"""Operations: what is served and documented, as records, and the order in which a request is checked.

The OpenAPI document is made from the same records that dispatch requests, so it can't tell anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NewType

from pydantic import BaseModel

from greenroom.actors.core import Core
from greenroom.http import faults
from greenroom.http.access import QUIET_ROUTES
from greenroom.http.admission import address_of, terms_of
from greenroom.http.call import Call, Operator
from greenroom.http.credentials import SAFE_METHODS, identify
from greenroom.http.idempotency import METHODS, answer_once, given_key
from greenroom.http.json_body import parse_body
from greenroom.http.operator_credentials import authorize_operator
from greenroom.http.problems import Refusable
from greenroom.http.query_string import parse_query
from greenroom.http.response import Response
from greenroom.http.signature import Access, Handler, Signature
from greenroom.schema import errors
from greenroom.schema.emoji import Emoji, is_emoji
from greenroom.schema.errors import FieldError, InvalidInput
from greenroom.schema.event_kinds import EventKind
from greenroom.schema.ids import is_ulid
from greenroom.schema.request_models import Query
from greenroom.schema.requests import OpenEvents
from greenroom.schema.socket_frames import CommandKind

ActorPath = NewType("ActorPath", str)
"""The path of an actor, which has slashes in it; the one path parameter that is no ULID."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation may answer under one status: a model as JSON, another media type, or nothing.

    Attributes:
        events: those that come one after another, by name, where the answer is a stream of them.
        commands: what the client may send meanwhile, by name.
    """

    model: type[BaseModel] | None = None
    media_type: str | None = None
    description: str = ""
    events: Mapping[str, EventKind] = field(default_factory=dict)
    commands: Mapping[str, CommandKind] = field(default_factory=dict)


NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


Door = Callable[[Core], None]
"""Raises where there is too much of this to do already: refusing has to cost next to nothing then, so it comes before credentials,
limits and whatever else is checked."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A served and documented route.

    Attributes:
        path: in OpenAPI's form, with ``{names}``.
        access: as its signature tells, if nothing else was declared.
        answers: successes by status.
        refusals: every error it may answer with, those that follow from its signature included.
    """

    method: str
    path: str
    tag: str
    signature: Signature
    access: Access
    answers: Mapping[int, Answer]
    refusals: tuple[Refusable, ...]
    opens_stream: bool
    is_secret: bool
    headers: Mapping[str, str]
    door: Door | None
    handler: Handler = field(repr=False)

    @property
    def is_keyed(self) -> bool:
        """Whether the same request under the same Idempotency-Key gets the same answer."""
        return self.method in METHODS and self.access is not Access.ANYBODY and not self.is_secret

    @property
    def takes_ticket(self) -> bool:
        return self.signature.query is OpenEvents

    async def __call__(self, call: Call) -> Response:
        """Check the request in the order door, size, credentials, limits, path, query, body; then handle it.

        Who is refused for want of valid credentials is counted as a stranger: guessing has a limit.
        """
        try:
            return await self._answer(call)
        except errors.NotAuthenticated:
            await call.core.limiting.anonymous_request(address_of(call.request, call.core, call.settings))
            raise

    async def _answer(self, call: Call) -> Response:
        request = call.request
        if self.door is not None:
            request.record.is_shed = True
            self.door(call.core)
            request.record.is_shed = False
        if request.body_fault is not None:
            raise request.body_fault
        # The credentials may be in the query, which comes first then.
        query = parse_query(request.query_string, self.signature.query) if self.takes_ticket else None
        needs = await self._who_asks(call, query)
        needs |= self._path_arguments(request.path_arguments)
        if not self.takes_ticket:
            query = parse_query(request.query_string, self.signature.query)
        if query is not None:
            needs["query"] = query
        if self.signature.body is not None:
            is_left_out = self.signature.is_body_optional and not request.payload.strip()
            content_type = request.header(b"content-type")
            needs["body"] = None if is_left_out else parse_body(request.payload, content_type, self.signature.body)
        elif request.payload.strip() not in {b"", b"{}"}:
            raise InvalidInput(FieldError(("body",), "this takes no body"))
        if self.is_keyed and (key := given_key(request)) is not None:
            return await answer_once(
                request,
                call.core.answering_once,
                owner=_owner(needs),
                key=key,
                carry_out=lambda: self.handler(call, **needs),
            )
        return await self.handler(call, **needs)

    async def _who_asks(self, call: Call, query: Query | None) -> dict[str, Any]:
        """Let in whoever may call this, within their limits; return what the handler is told of them."""
        request = call.request
        match self.access:
            case Access.USER:
                ticket = query.ticket if isinstance(query, OpenEvents) else None
                identity = await identify(
                    request, call.core.sign_in, call.settings, ticket=ticket, opens_stream=self.opens_stream
                )
                identity = terms_of(identity, request, call.core, call.settings)
                if not self.opens_stream:  # an EventSource that is refused gives up for good
                    await call.core.limiting.request(identity)
                return {"identity": identity}
            case Access.OPERATOR:
                permission = "operations:read" if self.method in SAFE_METHODS else "operations:write"
                name = await authorize_operator(
                    request,
                    call.core.sign_in,
                    call.settings,
                    permission=permission,
                    opens_stream=self.opens_stream,
                )
                return {"operator": Operator(name)}
            case Access.ANYBODY if self.path not in QUIET_ROUTES:
                await call.core.limiting.anonymous_request(address_of(request, call.core, call.settings))
        return {}

    def _path_arguments(self, given: dict[str, str]) -> dict[str, str]:
        for name, value in given.items():
            if self.signature.path_parameters[name] is Emoji:
                if not is_emoji(value):
                    raise InvalidInput(FieldError(("path", name), "must be one emoji"))
            elif self.signature.path_parameters[name] is not ActorPath and not is_ulid(value):
                raise faults.RouteNotFound(f"The {name} in this path is not an id (a ULID).")
        return given


def _owner(needs: Mapping[str, Any]) -> str:
    """Whose keys they are: a user's, or an operator's."""
    operator = needs.get("operator")
    if isinstance(operator, Operator):
        return f"{operator.name.kind.value}:{operator.name.id}"
    return str(needs["identity"].user.id)
