"""Asking a server for what operators may see."""

from __future__ import annotations

import json
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

import httpx

from greenroom.operator_terminal.snapshot import Json, Seen, Snapshot, Worker
from greenroom.operator_terminal.view import View
from greenroom.operator_terminal.words import plain

TIMEOUT_S: Final = 5.0

ANSWER_BYTES_MAX: Final = 8 * 1024 * 1024
"""A tree of the largest size that can be asked for is below one; whatever sends more is not greenroom."""


class ServerFailure(Exception):
    """What was asked could not be had; the message is one line for a person.

    Attributes:
        is_final: asking again will not help.
    """

    def __init__(self, message: str, *, is_final: bool = True) -> None:
        super().__init__(message)
        self.is_final = is_final


class OperatorClient:
    """Asks one server, with an operator's key."""

    def __init__(self, base_url: str, key: str, *, worker: str | None = None) -> None:
        """
        Args:
            worker: which of several workers is asked; by default all of them.

        Raises:
            ServerFailure: that is no address.
        """
        self.url = base_url.rstrip("/")
        self._worker = worker
        try:
            self._http = httpx.Client(
                base_url=self.url,
                headers={"X-API-Key": key},
                timeout=TIMEOUT_S,
            )
            if self._http.base_url.scheme not in {"http", "https"} or not self._http.base_url.host:
                raise httpx.InvalidURL("it must be http://host:port")
        except (httpx.InvalidURL, ValueError) as exc:
            raise ServerFailure(f"{plain(base_url)} is no address of a server: {exc}") from exc

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._http.close()

    def snapshot(self, view: View) -> Snapshot:
        """Ask for everything that ``view`` shows.

        Raises:
            ServerFailure: no server, another server, a key that is not accepted, a request that is refused.
        """
        if self._worker is not None:
            return Snapshot((), self._look(view, {"worker": self._worker}))
        workers = self._get("/admin/workers", {}, ("workers",))["workers"]
        if len(workers) == 1:
            return Snapshot((), self._look(view, {}))
        return Snapshot(tuple(self._look_at(worker, view) for worker in workers))

    def _look_at(self, worker: Json, view: View) -> Worker:
        name = str(worker["name"])
        if not worker["answers"]:
            return Worker(name, None, None, None)
        started_at = datetime.fromisoformat(worker["started_at"])
        try:
            seen = self._look(view, {"worker": name})
        except ServerFailure as failure:
            if failure.is_final:
                raise
            seen = None  # it went meanwhile
        return Worker(name, worker["pid"], started_at, seen)

    def _look(self, view: View, whom: Json) -> Seen:
        depth = 0 if view.is_ranked else view.depth
        tree = self._get("/admin/actors", {"depth": depth} | whom, ("path", "state", "children"))
        ranked: list[Json] | None = None
        if view.is_ranked:
            asked = {
                "sort": view.sort,
                "limit": view.limit,
                "kind": view.kind,
                "state": view.state,
                "key_prefix": view.key_prefix or None,
            }
            given = {name: value for name, value in asked.items() if value is not None}
            ranked = self._get("/admin/actors/top", given | whom, ("actors",))["actors"]
        loop = self._get("/admin/loop", whom, ("lag_ms", "longest_turn_ms", "busy_share"))
        letters = self._get("/admin/dead-letters", {"limit": 1} | whom, ("total",))
        return Seen(tree, ranked, loop, letters["total"])

    def _get(self, path: str, parameters: dict[str, Any], names: tuple[str, ...]) -> Json:
        try:
            with self._http.stream("GET", f"/api/v1{path}", params=parameters) as answer:
                body = self._read(answer)
        except httpx.TimeoutException as exc:
            raise ServerFailure(f"{self.url} did not answer within {TIMEOUT_S:.0f} s", is_final=False) from exc
        except httpx.HTTPError as exc:
            raise ServerFailure(f"no server answers at {self.url}: {plain(str(exc))}", is_final=False) from exc
        found = _parsed(answer, body)
        if answer.is_success and found is not None and all(name in found for name in names):
            return found
        raise self._failure(answer, found)

    def _read(self, answer: httpx.Response) -> bytes:
        body = bytearray()
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > ANSWER_BYTES_MAX:
                raise self._stranger(answer)
        return bytes(body)

    def _failure(self, answer: httpx.Response, found: Json | None) -> ServerFailure:
        status = answer.status_code
        if answer.has_redirect_location:
            return ServerFailure(
                f"{self.url} redirects to {plain(answer.headers['Location'])}: name that with --url"
            )
        if found is None or not answer.headers.get("Content-Type", "").startswith("application/problem+json"):
            return self._stranger(answer)
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            return ServerFailure(
                f"{self.url} does not accept this operator's key: set GREENROOM_ADMIN_API_KEY to that server's"
            )
        faults = [f"{fault['loc'][-1]} {fault['msg']}" for fault in found.get("errors") or ()]
        words = "; ".join(faults) or found.get("detail") or found.get("title")
        return ServerFailure(
            f"{self.url} answered {status}: {plain(str(words))}",
            is_final=status < httpx.codes.INTERNAL_SERVER_ERROR,
        )

    def _stranger(self, answer: httpx.Response) -> ServerFailure:
        kind = plain(answer.headers.get("Content-Type", "no content type"))
        return ServerFailure(
            f"what answers at {self.url} is not this version of greenroom (status {answer.status_code}, {kind})"
        )


def _parsed(answer: httpx.Response, body: bytes) -> Json | None:
    if "json" not in answer.headers.get("Content-Type", ""):
        return None
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
