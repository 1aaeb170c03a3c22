"""Operations: one declaration that both serves a route and documents it.

An operation is a function whose signature says what it needs:

- ``call``: what every operation may use (first, positional);
- ``identity: Identity``: who is asking; without credentials it is refused before anything is read;
- ``operator: Operator``: lets operators in and nobody else;
- ``query``, ``body``: checked models of :mod:`greenroom.schema.requests`; without them, parameters or a body are refused.
  A body may be left out where its type says ``| None``;
- the names in its path: ids, refused with 404 when they are no ULIDs.

Its docstring is its documentation, and what it may answer is declared with it. The OpenAPI document is made from the
same records that dispatch requests, so it can't tell anything else.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Final, NewType, get_args, get_origin, get_type_hints

from prometheus_client import CollectorRegistry
from pydantic import BaseModel

from greenroom.actors.core import Core
from greenroom.actors.stall_watchdog import StallWatchdog
from greenroom.http import faults
from greenroom.http.access import QUIET_ROUTES
from greenroom.http.admission import address_of, terms_of
from greenroom.http.credentials import SAFE_METHODS, identify
from greenroom.http.idempotency import METHODS, answer_once, client_id_of, given_key
from greenroom.http.json_body import parse_body
from greenroom.http.operator_credentials import authorize_operator
from greenroom.http.problems import Refusable
from greenroom.http.query_string import parse_query
from greenroom.http.request import Request
from greenroom.http.response import Response
from greenroom.schema import errors
from greenroom.schema.audit import OperatorName
from greenroom.schema.emoji import Emoji, is_emoji
from greenroom.schema.errors import FieldError, InvalidInput
from greenroom.schema.event_kinds import EventKind
from greenroom.schema.ids import is_ulid
from greenroom.schema.requests import Body, OpenEvents, Query
from greenroom.schema.settings import Settings
from greenroom.schema.socket_frames import CommandKind

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")

ActorPath = NewType("ActorPath", str)
"""The path of an actor, which has slashes in it; the one path parameter that is no ULID."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Proof that the request comes from an operator, and from whom."""

    name: OperatorName


@dataclass(frozen=True, slots=True)
class Site:
    """What the server says about itself: the OpenAPI document, the same as a page, the metrics, and what blocked it.

    Attributes:
        watchdog: None where nothing watches for stalls.
    """

    openapi: bytes
    docs: bytes
    registry: CollectorRegistry
    watchdog: StallWatchdog | None


@dataclass(frozen=True, slots=True)
class Call:
    """What an operation works with.

    Attributes:
        resources: of an operation that opens a stream: closed when the answer has been written, or the client left.
    """

    request: Request
    core: Core
    settings: Settings
    site: Site

    @property
    def resources(self) -> AsyncExitStack:
        return self.request.resources

    def client_id(self, given: str | None) -> str | None:
        """The client id of a message: the client's own, else one made from the request's key, else none."""
        key = given_key(self.request) if given is None else None
        return given if key is None else client_id_of(key)


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


class Access(Enum):
    """Who may call an operation."""

    ANYBODY = "anybody"
    USER = "user"
    OPERATOR = "operator"
    SCRAPER = "scraper"
    """An operator, or whoever reads metrics; the operation itself looks who it is."""


Handler = Callable[..., Awaitable[Response]]

Door = Callable[[Core], None]
"""Raises where there is too much of this to do already: refusing has to cost next to nothing then, so it comes before credentials,
limits and whatever else is checked."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A served and documented route.

    Attributes:
        path: in OpenAPI's form, with ``{names}``.
        path_parameters: each name and its type.
        answers: successes by status.
        refusals: every error it may answer with, those that follow from its signature included.
    """

    method: str
    path: str
    tag: str
    name: str
    summary: str
    description: str
    access: Access
    query: type[Query] | None
    body: type[Body] | None
    is_body_optional: bool
    path_parameters: Mapping[str, Any]
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
        return self.query is OpenEvents

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
        needs: dict[str, Any] = {}
        query: Query | None = None
        if self.takes_ticket:  # the credentials may be in the query
            query = parse_query(request.query_string, self.query)
        if self.access is Access.USER:
            ticket = query.ticket if isinstance(query, OpenEvents) else None
            identity = await identify(
                request, call.core.sign_in, call.settings, ticket=ticket, opens_stream=self.opens_stream
            )
            needs["identity"] = identity = terms_of(identity, request, call.core, call.settings)
            if not self.opens_stream:  # an EventSource that is refused gives up for good
                await call.core.limiting.request(identity)
        elif self.access is Access.OPERATOR:
            permission = "operations:read" if self.method in SAFE_METHODS else "operations:write"
            name = await authorize_operator(
                request, call.core.sign_in, call.settings, permission=permission, opens_stream=self.opens_stream
            )
            needs["operator"] = Operator(name)
        elif self.access is Access.ANYBODY and self.path not in QUIET_ROUTES:
            await call.core.limiting.anonymous_request(address_of(request, call.core, call.settings))
        needs |= self._path_arguments(request.path_arguments)
        if not self.takes_ticket:
            query = parse_query(request.query_string, self.query)
        if query is not None:
            needs["query"] = query
        if self.body is not None and self.is_body_optional and not request.payload.strip():
            needs["body"] = None
        elif self.body is not None:
            needs["body"] = parse_body(request.payload, request.header(b"content-type"), self.body)
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

    def _path_arguments(self, given: dict[str, str]) -> dict[str, str]:
        for name, value in given.items():
            if self.path_parameters[name] is Emoji:
                if not is_emoji(value):
                    raise InvalidInput(FieldError(("path", name), "must be one emoji"))
            elif self.path_parameters[name] is not ActorPath and not is_ulid(value):
                raise faults.RouteNotFound(f"The {name} in this path is not an id (a ULID).")
        return given


def _owner(needs: Mapping[str, Any]) -> str:
    """Whose keys they are: a user's, or an operator's."""
    operator = needs.get("operator")
    if isinstance(operator, Operator):
        return f"{operator.name.kind.value}:{operator.name.id}"
    return str(needs["identity"].user.id)


class Operations:
    """Collects the operations of one part of the API, under one tag of the documentation."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.all: list[Operation] = []

    def serve(
        self,
        method: str,
        path: str,
        *,
        answers: Mapping[int, Answer | type[BaseModel]],
        refusals: Sequence[Refusable] = (),
        opens_stream: bool = False,
        is_secret: bool = False,
        access: Access | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        door: Door | None = None,
    ) -> Callable[[Handler], Handler]:
        """Declare an operation; ``refusals`` are those that its signature does not imply.

        Args:
            is_secret: what it answers must not be kept, not even for the client's next try.
            access: where the signature does not tell it.
            headers: those the handler reads, and what each says.
            door: asked before anything of a request is looked at.
        """

        def declare(handler: Handler) -> Handler:
            self.all.append(
                _operation(
                    self.tag,
                    method,
                    path,
                    handler,
                    answers,
                    tuple(refusals),
                    opens_stream=opens_stream,
                    is_secret=is_secret,
                    access=access,
                    headers=headers,
                    door=door,
                )
            )
            return handler

        return declare


def _operation(
    tag: str,
    method: str,
    path: str,
    handler: Handler,
    answers: Mapping[int, Answer | type[BaseModel]],
    refusals: tuple[Refusable, ...],
    *,
    opens_stream: bool,
    is_secret: bool,
    access: Access | None,
    headers: Mapping[str, str],
    door: Door | None,
) -> Operation:
    hints = get_type_hints(handler)
    names = [name for name in inspect.signature(handler).parameters if name != "call"]
    in_path = _PLACEHOLDER.findall(path)
    unknown = set(names) - set(in_path) - {"identity", "operator", "query", "body"}
    if unknown or set(in_path) - set(names):
        raise TypeError(f"{method} {path}: signature and path do not fit: {names}")
    access = access or _access(names)
    query, (body, is_body_optional) = hints.get("query"), _body_type(hints.get("body"))
    summary, _, description = inspect.getdoc(handler).partition("\n\n")  # type: ignore[union-attr]
    return Operation(
        method=method,
        path=path,
        tag=tag,
        name=handler.__name__,
        summary=summary.rstrip("."),
        description=" ".join(description.split()),
        access=access,
        query=query,
        body=body,
        is_body_optional=is_body_optional,
        path_parameters={name: hints[name] for name in in_path},
        answers={
            status: answer
            if isinstance(answer, Answer)
            else Answer(answer, "application/json", HTTPStatus(status).phrase)
            for status, answer in answers.items()
        },
        refusals=tuple(
            dict.fromkeys(
                (
                    *refusals,
                    *_implied_refusals(method, access, in_path=in_path, body=body, opens_stream=opens_stream),
                    *([] if access is Access.ANYBODY and path in QUIET_ROUTES else [errors.RateLimited]),
                )
            )
        ),
        opens_stream=opens_stream,
        is_secret=is_secret,
        headers=headers,
        door=door,
        handler=handler,
    )


def _access(names: Sequence[str]) -> Access:
    return Access.USER if "identity" in names else Access.OPERATOR if "operator" in names else Access.ANYBODY


def _body_type(hint: Any) -> tuple[type[Body] | None, bool]:
    """The model of a body, and whether it may be left out."""
    if get_origin(hint) is UnionType:
        (model,) = (each for each in get_args(hint) if each is not NoneType)
        return model, True
    return hint, False


def _implied_refusals(
    method: str, access: Access, *, in_path: list[str], body: type[Body] | None, opens_stream: bool
) -> tuple[Refusable, ...]:
    implied: list[Refusable] = [
        # A query string, or a body where none is taken, can be wrong anywhere.
        errors.InvalidInput,
        faults.BodyTimeout,
        faults.BodyTooLarge,
    ]
    if access is not Access.ANYBODY:
        implied += [errors.NotAuthenticated, errors.PermissionDenied, errors.Unavailable]
        if method not in SAFE_METHODS or opens_stream:
            implied.append(faults.CrossSiteRequest)
        if method in METHODS:
            implied.append(errors.RequestInProgress)
    if in_path:
        implied.append(faults.RouteNotFound)
    if body is not None:
        implied += [faults.MalformedBody, faults.UnsupportedMediaType]
    return tuple(implied)
