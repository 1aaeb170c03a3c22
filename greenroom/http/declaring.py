"""Declaring operations: one declaration that both serves a route and documents it.

An operation is a function; what it needs is told by its signature (:mod:`greenroom.http.signature`), what it may answer is
declared with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from pydantic import BaseModel

from greenroom.http.access import QUIET_ROUTES
from greenroom.http.operations import NO_HEADERS, Answer, Door, Operation
from greenroom.http.problems import Refusable
from greenroom.http.signature import Access, Handler, Signature
from greenroom.schema import errors


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
            signature = Signature.of(handler, path)
            who = access or signature.access
            is_limited = who is not Access.ANYBODY or path not in QUIET_ROUTES
            implied = signature.refusals(method, who, opens_stream=opens_stream)
            limits = (errors.RateLimited,) if is_limited else ()
            self.all.append(
                Operation(
                    method=method,
                    path=path,
                    tag=self.tag,
                    signature=signature,
                    access=who,
                    answers={status: _answer(status, answer) for status, answer in answers.items()},
                    refusals=tuple(dict.fromkeys((*refusals, *implied, *limits))),
                    opens_stream=opens_stream,
                    is_secret=is_secret,
                    headers=headers,
                    door=door,
                    handler=handler,
                )
            )
            return handler

        return declare


def _answer(status: int, answer: Answer | type[BaseModel]) -> Answer:
    if isinstance(answer, Answer):
        return answer
    return Answer(answer, "application/json", HTTPStatus(status).phrase)
