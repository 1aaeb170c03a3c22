"""What the function of an operation says it needs, read off its signature.

- ``call``: what every operation may use (first, positional);
- ``identity: Identity``: who is asking; without credentials it is refused before anything is read;
- ``operator: Operator``: lets operators in and nobody else;
- ``query``, ``body``: checked :mod:`greenroom.schema.request_models`; without them, parameters or a body are refused.
  A body may be left out where its type says ``| None``;
- the names in its path: ids, refused with 404 when they are no ULIDs.

Its docstring is its documentation.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

from greenroom.http import faults
from greenroom.http.credentials import SAFE_METHODS
from greenroom.http.idempotency import METHODS
from greenroom.http.problems import Refusable
from greenroom.http.response import Response
from greenroom.schema import errors
from greenroom.schema.request_models import Body, Query

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


Handler = Callable[..., Awaitable[Response]]


class Access(Enum):
    """Who may call an operation."""

    ANYBODY = "anybody"
    USER = "user"
    OPERATOR = "operator"
    SCRAPER = "scraper"
    """An operator, or whoever reads metrics; the operation itself looks who it is."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One function's needs, and what its docstring says of it.

    Attributes:
        path_parameters: each name in the path and its type.
    """

    name: str
    summary: str
    description: str
    access: Access
    query: type[Query] | None
    body: type[Body] | None
    is_body_optional: bool
    path_parameters: Mapping[str, Any]

    @classmethod
    def of(cls, handler: Handler, path: str) -> Signature:
        """Read a function's signature and docstring.

        Raises:
            TypeError: it takes what is neither in the path nor known, or leaves out a name of the path.
        """
        hints = get_type_hints(handler)
        names = [name for name in inspect.signature(handler).parameters if name != "call"]
        in_path = _PLACEHOLDER.findall(path)
        unknown = set(names) - set(in_path) - {"identity", "operator", "query", "body"}
        if unknown or set(in_path) - set(names):
            raise TypeError(f"{path}: signature and path do not fit: {names}")
        body, is_body_optional = _body_type(hints.get("body"))
        summary, _, description = inspect.getdoc(handler).partition("\n\n")  # type: ignore[union-attr]
        return cls(
            name=handler.__name__,
            summary=summary.rstrip("."),
            description=" ".join(description.split()),
            access=_access(names),
            query=hints.get("query"),
            body=body,
            is_body_optional=is_body_optional,
            path_parameters={name: hints[name] for name in in_path},
        )

    def refusals(self, method: str, access: Access, *, opens_stream: bool) -> tuple[Refusable, ...]:
        """The errors that follow from it, whatever the function does."""
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
        if self.path_parameters:
            implied.append(faults.RouteNotFound)
        if self.body is not None:
            implied += [faults.MalformedBody, faults.UnsupportedMediaType]
        return tuple(implied)


def _access(names: Sequence[str]) -> Access:
    if "identity" in names:
        return Access.USER
    return Access.OPERATOR if "operator" in names else Access.ANYBODY


def _body_type(hint: Any) -> tuple[type[Body] | None, bool]:
    """The model of a body, and whether it may be left out."""
    if get_origin(hint) is UnionType:
        (model,) = (each for each in get_args(hint) if each is not NoneType)
        return model, True
    return hint, False
