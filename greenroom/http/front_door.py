"""Turning away at the front: what an operation's door refuses is answered before anything is made of the request.

Who is asked five times as much as can be answered refuses four times as often as it answers. By the ordinary way a refusal takes
50 us besides what the kernel takes for it, and all of that is taken from those who are let in. Here it takes 14: the answer
is rendered once a second, and then only the request's id is put in. It is the same answer, to the byte, and as much is counted
and logged.

What is out of the ordinary goes the ordinary way, whose door refuses it as well: other methods, other spellings of the path, other
hosts, and all of it where pages of other origins are let in, as it depends on who asks what they may read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from greenroom.actors.core import Core
from greenroom.http.access import AccessRecorder
from greenroom.http.cross_origin import CrossOrigin
from greenroom.http.hosts import AllowedHosts
from greenroom.http.operations import Operation
from greenroom.http.problems import problem_of
from greenroom.http.refusing import Refusing, rendered
from greenroom.http.security_headers import StandardHeaders
from greenroom.http.serving.request_head import RequestHead
from greenroom.http.serving.response_head import DateHeader, render_head
from greenroom.schema.errors import DomainError

METHOD: Final = "GET"

_BLANK: Final = "~"
"""Stands for each character of the request's id; no id has one."""


class _Rendered(NamedTuple):
    """``pieces``: of the answer, between which the request's id belongs."""

    status: int
    pieces: list[bytes]


class FrontDoor:
    """Called with the head of every request that has no body; returns the whole answer if it is turned away, else None.

    Args:
        operations: those that have a door count. What a door says to one it says to all for a second.
    """

    def __init__(
        self,
        operations: Iterable[Operation],
        core: Core,
        *,
        recorder: AccessRecorder,
        refusing: Refusing,
        headers: StandardHeaders,
        hosts: AllowedHosts,
        cross_origin: CrossOrigin,
        date: DateHeader,
    ) -> None:
        self._core = core
        self._recorder = recorder
        self._refusing = refusing
        self._headers = headers
        self._hosts = hosts
        self._date = date
        self._doors = {
            each.path.encode(): (each.path, each.door)
            for each in operations
            if each.door is not None and each.method == METHOD and not cross_origin.is_in_use
        }
        self._rendered: dict[tuple[str, int], _Rendered] = {}
        self._rendered_on = b""

    def __call__(self, head: RequestHead) -> bytes | None:
        found = self._doors.get(head.target.partition(b"?")[0])
        if found is None or head.method != METHOD:
            return None
        path, door = found
        named = dict(reversed(head.headers))  # the first of several wins
        if not self._hosts.include(named.get(b"host", b"").decode("latin-1")):
            return None
        try:
            door(self._core)
        except DomainError as refusal:
            return self._turn_away(refusal, path, named.get(b"x-request-id"))
        return None

    def _turn_away(self, refusal: DomainError, path: str, given_id: bytes | None) -> bytes:
        record = self._recorder.begin(METHOD, None if given_id is None else given_id.decode("latin-1"))
        record.route, record.is_shed = path, True
        date = self._date()
        if date != self._rendered_on:
            self._rendered.clear()
            self._rendered_on = date
        # The body's length depends on the id's, which clients may choose within bounds.
        key = (refusal.code, len(record.request_id))
        answer = self._rendered.get(key)
        if answer is None:
            answer = self._rendered[key] = self._render(refusal, date, id_length=len(record.request_id))
        record.status = answer.status
        self._refusing.count(refusal.code)
        self._recorder.end(record)
        return record.request_id.encode().join(answer.pieces)

    def _render(self, refusal: DomainError, date: bytes, *, id_length: int) -> _Rendered:
        blank = _BLANK * id_length
        problem, more = problem_of(refusal, blank)
        lines, body = rendered(problem, more)
        headers = [
            *lines,
            *self._headers.missing(lines),
            (b"x-request-id", blank.encode()),
            (b"content-length", b"%d" % len(body)),
        ]
        head = render_head(problem.status, headers, date=date, method=METHOD, version="1.1", keeps_alive=True)
        return _Rendered(problem.status, (head.data + body).split(blank.encode()))
