"""The operators' view in a terminal: the actor tree, or those that stand out, live or once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

import httpx
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from greenroom.schema.clock import system_wall_clock

REFRESH_S: Final = 1.0
RETRY_S_MAX: Final = 10.0
TIMEOUT_S: Final = 5.0

ANSWER_BYTES_MAX: Final = 8 * 1024 * 1024
"""A tree of the largest size that can be asked for is below one; whatever sends more is not greenroom."""

STATE_STYLES: Final = {
    "running": "green",
    "handling": "cyan",
    "suspended": "yellow",
    "restarting": "bold yellow",
    "backoff": "bold yellow",
    "starting": "yellow",
    "stopping": "magenta",
    "stopped": "dim",
    "passivated": "dim",
    "wedged": "bold red",
}

COLUMNS: Final = {
    "actor": 0,
    "kind": 140,
    "state": 0,
    "mailbox": 0,
    "oldest": 110,
    "busy": 0,
    "handled": 120,
    "failed": 130,
    "p99": 90,
    "restarts": 80,
    "bytes": inf,
    "idle": inf,
    "now": 100,
}
"""Columns of the table, and how wide a terminal must be to have them; the one that is ranked by is always there."""

RANKED_BY: Final = {"depth": "mailbox"}
"""The column of an order, where it has another name."""

LATE_MS: Final = 50
"""A loop that is this late is felt by people."""

PIPED_WIDTH: Final = 10_000
"""Where no terminal cuts lines, nothing else should: wider than any line."""

Json = dict[str, Any]


class ServerFailure(Exception):
    """What was asked could not be had; the message is one line for a person.

    Attributes:
        is_final: asking again will not help.
    """

    def __init__(self, message: str, *, is_final: bool = True) -> None:
        super().__init__(message)
        self.is_final = is_final


@dataclass(frozen=True, slots=True)
class View:
    """What to look at. Without an order and filters: the tree, to ``depth``; else the ``limit`` that stand out."""

    depth: int = 4
    sort: str | None = None
    limit: int = 20
    kind: str | None = None
    state: str | None = None
    key_prefix: str = ""

    @property
    def is_ranked(self) -> bool:
        return self.sort is not None or self.kind is not None or self.state is not None or self.key_prefix != ""


RANKS: Final[Mapping[str, Callable[[Json], float]]] = MappingProxyType(
    {
        "depth": lambda actor: _mailbox(actor).get("depth", 0),
        "oldest": lambda actor: _mailbox(actor).get("oldest_ms", 0.0),
        "bytes": lambda actor: _mailbox(actor).get("bytes", 0),
        "busy": lambda actor: actor.get("busy_share", 0.0),
        "idle": lambda actor: actor.get("idle_ms", 0.0),
        "restarts": lambda actor: actor.get("restarts", 0),
        "handled": lambda actor: actor.get("handled", 0),
        "failed": lambda actor: actor.get("failed", 0),
    }
)
"""By which lists of several workers become one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one worker said: the tree or the ranked actors, the event loop, and how many letters are dead."""

    tree: Json
    ranked: list[Json] | None
    loop: Json
    dead_letters: int

    def facts(self) -> Json:
        shown: Json = {"tree": self.tree} if self.ranked is None else {"actors": self.ranked}
        return shown | {"loop": self.loop, "dead_letters": self.dead_letters}


@dataclass(frozen=True, slots=True)
class Worker:
    """One of several workers; of one that does not answer no more is known than its name."""

    name: str
    pid: int | None
    started_at: datetime | None
    seen: Seen | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was seen: of the one worker there is or was asked for, whose name is None, or of each."""

    workers: tuple[Worker, ...]
    alone: Seen | None = None

    @property
    def seen(self) -> list[Seen]:
        """Of each that answers."""
        found = [worker.seen for worker in self.workers if worker.seen is not None]
        return found if self.alone is None else [self.alone]

    def ranked(self, view: View) -> list[Json]:
        """The actors that stand out, of all workers; paths begin with the worker where there are several."""
        if self.alone is not None:
            return self.alone.ranked or []
        everybodys = [
            actor | {"path": f"{worker.name}:{actor['path']}"}
            for worker in self.workers
            if worker.seen is not None
            for actor in worker.seen.ranked or ()
        ]
        return sorted(everybodys, key=RANKS[view.sort or "depth"], reverse=True)[: view.limit]

    def as_json(self) -> str:
        if self.alone is not None:
            return json.dumps(self.alone.facts())
        return json.dumps({"workers": [self._facts(worker) for worker in self.workers]})

    @staticmethod
    def _facts(worker: Worker) -> Json:
        started_at = None if worker.started_at is None else worker.started_at.isoformat()
        about: Json = {"name": worker.name, "pid": worker.pid, "started_at": started_at}
        return about | {"answers": worker.seen is not None} | ({} if worker.seen is None else worker.seen.facts())


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


def show_once(client: OperatorClient, view: View, console: Console, *, as_json: bool) -> None:
    """Print one snapshot.

    Raises:
        ServerFailure: as :meth:`OperatorClient.snapshot`.
    """
    snapshot = client.snapshot(view)
    if as_json:
        console.out(snapshot.as_json(), highlight=False)
    else:
        _print(console, snapshot, view, client.url)


def show_live(
    client: OperatorClient, view: View, console: Console, *, as_json: bool, sleep: Callable[[float], None]
) -> None:
    """Show snapshots, one a second, until interrupted: in place on a terminal, else one after the other.

    A server that was there and went away is said to be away, and asked again, less and less often.

    Raises:
        ServerFailure: the first snapshot could not be had, or no further one ever will.
    """
    snapshot = client.snapshot(view)
    failure: ServerFailure | None = None
    failures = 0
    with _screen(client, view, console, as_json=as_json) as show:
        while True:
            show(snapshot, failure)
            sleep(min(RETRY_S_MAX, REFRESH_S * 2**failures))
            try:
                snapshot, failure, failures = client.snapshot(view), None, 0
            except ServerFailure as exc:
                if exc.is_final:
                    raise
                failure, failures = exc, min(failures + 1, 4)


@contextmanager
def _screen(
    client: OperatorClient, view: View, console: Console, *, as_json: bool
) -> Iterator[Callable[[Snapshot, ServerFailure | None], None]]:
    if as_json:
        yield lambda snapshot, failure: None if failure else console.out(snapshot.as_json(), highlight=False)
    elif not console.is_terminal:
        yield lambda snapshot, failure: _print(console, snapshot, view, client.url, failure)
    else:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            yield lambda snapshot, failure: live.update(
                draw(snapshot, view, client.url, failure, width=console.width), refresh=True
            )


def _print(
    console: Console, snapshot: Snapshot, view: View, url: str, failure: ServerFailure | None = None
) -> None:
    if not console.is_terminal:
        console = Console(file=console.file, width=PIPED_WIDTH, color_system=None)
    console.print(draw(snapshot, view, url, failure, width=console.width))


def draw(
    snapshot: Snapshot, view: View, url: str, failure: ServerFailure | None = None, *, width: int
) -> RenderableType:
    """Draw a snapshot, the last one that could be had if there is a ``failure``, in ``width`` columns."""
    body: RenderableType
    if not view.is_ranked:
        body = actor_tree(snapshot.alone.tree) if snapshot.alone else Group(*map(worker_tree, snapshot.workers))
    elif ranked := snapshot.ranked(view):
        body = actor_table(ranked, width=width, sort=view.sort)
    else:
        body = Text("no actor fits", style="dim")
    return Group(_headline(snapshot, url, failure), Text(), body)


def worker_tree(worker: Worker) -> Tree:
    """Draw one of several workers, with its pid and age, and below it the tree of its actors."""
    label = Text(f"worker {plain(worker.name)}", style="bold")
    if worker.pid is not None:
        label.append(f"  pid {worker.pid}", style="dim")
    if worker.started_at is not None:
        age = max(timedelta(0), system_wall_clock() - worker.started_at)
        label.append(f"  up {duration(age / timedelta(milliseconds=1))}", style="dim")
    if worker.seen is None:
        label.append("  does not answer", style="bold red")
        return Tree(label, guide_style="dim")
    tree = Tree(label, guide_style="dim")
    _grow(tree.add(_actor(worker.seen.tree)), worker.seen.tree)
    return tree


def actor_tree(node: Json) -> Tree:
    """Draw the answer of ``GET /api/v1/admin/actors``."""
    tree = Tree(_actor(node), guide_style="dim")
    _grow(tree, node)
    return tree


def actor_table(actors: list[Json], *, width: int, sort: str | None) -> Table:
    """Draw the answer of ``GET /api/v1/admin/actors/top``: what it is ranked by, and what else ``width`` has room for."""
    ranked_by = RANKED_BY.get(sort or "depth", sort)
    table = Table(box=None, pad_edge=False, header_style="dim", expand=width < PIPED_WIDTH)
    shown = [name for name, narrowest in COLUMNS.items() if width >= narrowest or name == ranked_by]
    for name in shown:
        is_text = name in {"actor", "kind", "state", "now"}
        table.add_column(
            name,
            no_wrap=True,
            overflow="ellipsis",
            justify="left" if is_text else "right",
            ratio=1 if name == "actor" else None,
            min_width=20 if name == "actor" else len(name),
        )
    for actor in actors:
        cells = _cells(actor)
        table.add_row(*(cells[name] for name in shown))
    return table


def _cells(actor: Json) -> dict[str, RenderableType]:
    mailbox, latency = actor.get("mailbox") or {}, actor.get("latency_ms") or {}
    return {
        "actor": Text(plain(str(actor["path"])), style="bold"),
        "kind": plain(str(actor.get("kind", ""))),
        "state": _state(actor),
        "mailbox": f"{mailbox.get('depth', 0)}/{mailbox.get('capacity', 0)}",
        "oldest": duration(mailbox["oldest_ms"]) if mailbox.get("depth") else "",
        "busy": f"{actor.get('busy_share', 0.0):.0%}",
        "handled": str(actor.get("handled", 0)),
        "failed": _noted(actor.get("failed", 0)),
        "p99": duration(latency.get("p99")),
        "restarts": _noted(actor.get("restarts", 0)),
        "bytes": str(mailbox.get("bytes", 0)),
        "idle": duration(actor.get("idle_ms")),
        "now": _now(actor),
    }


def duration(ms: float | None) -> str:
    """A length of time in few characters; empty for None."""
    if ms is None:
        return ""
    for unit, length, limit in (("ms", 1.0, 1e3), ("s", 1e3, 12e4), ("min", 6e4, 72e5)):
        if ms < limit:
            value = ms / length
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{ms / 36e5:.0f} h"


def plain(text: str) -> str:
    """Text that leaves the terminal as it is, whatever a server sends."""
    return (
        text
        if text.isprintable()
        else "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    )


def _headline(snapshot: Snapshot, url: str, failure: ServerFailure | None) -> Text:
    text = Text()
    text.append("greenroom", style="bold green")
    text.append(f"  {plain(url)}", style="dim")
    if failure is not None:
        text.append(f"  disconnected: {failure}; what follows is older", style="bold red")
        return text
    # Of several, the worst loop, and all letters.
    loops = [seen.loop for seen in snapshot.seen]
    lag_ms = max((loop["lag_ms"]["p99"] for loop in loops), default=None)
    text.append(f"  lag p99 {duration(lag_ms)}", style="bold red" if (lag_ms or 0) > LATE_MS else "")
    text.append(f"  longest turn {duration(max((loop['longest_turn_ms'] for loop in loops), default=None))}")
    text.append(f"  busy {max((loop['busy_share'] for loop in loops), default=0):.0%}")
    letters = sum(seen.dead_letters for seen in snapshot.seen)
    text.append(f"  dead letters {letters}", style="yellow" if letters else "")
    return text


def _grow(branch: Tree, node: Json) -> None:
    for child in node.get("children") or ():
        _grow(branch.add(_actor(child)), child)
    rest = node.get("collapsed")
    if rest and node.get("children"):
        kinds = ", ".join(plain(str(each["kind"])) for each in rest.get("kinds") or ())
        about = f" ({kinds})" if kinds else ""
        branch.add(
            Text(f"and {rest['count']} more{about}, deepest mailbox {rest['mailbox_depth_max']}", style="dim")
        )


def _actor(node: Json) -> Text:
    name = plain(str(node["path"])).rpartition("/")[2] or "/"
    kind = plain(str(node.get("kind", "")))
    text = Text(name, style="bold")
    text.append("  " if kind in {name, ""} else f"  {kind}  ", style="dim")
    text.append_text(_state(node))
    mailbox = node.get("mailbox")
    if mailbox:
        style = "yellow" if mailbox["depth"] * 2 > mailbox["capacity"] else "dim"
        text.append(f"  mailbox {mailbox['depth']}/{mailbox['capacity']}", style=style)
        text.append(f"  handled {node.get('handled', 0)}", style="dim")
    else:
        text.append(f"  {node.get('children_total', 0)} below", style="dim")
    for word in ("failed", "restarts"):
        if node.get(word):
            text.append(f"  {word} {node[word]}", style="yellow")
    latency = node.get("latency_ms")
    if latency and latency.get("p99") is not None:
        text.append(f"  p50 {duration(latency['p50'])}  p99 {duration(latency['p99'])}", style="dim")
    if node.get("current"):
        text.append("  ")
        text.append_text(_now(node))
    return text


def _state(node: Json) -> Text:
    state = plain(str(node["state"]))
    return Text(state, style=STATE_STYLES.get(state, ""))


def _now(node: Json) -> Text:
    current = node.get("current")
    if not current:
        return Text(f"idle {duration(node.get('idle_ms'))}", style="dim")
    at = f" ({plain(str(current['activity']))})" if current.get("activity") else ""
    return Text(f"{plain(str(current['message']))}{at} for {duration(current['for_ms'])}", style="cyan")


def _mailbox(actor: Json) -> Json:
    mailbox: Json = actor.get("mailbox") or {}
    return mailbox


def _noted(count: int) -> Text:
    return Text(str(count), style="yellow" if count else "dim")


def _parsed(answer: httpx.Response, body: bytes) -> Json | None:
    if "json" not in answer.headers.get("Content-Type", ""):
        return None
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
