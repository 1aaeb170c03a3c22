"""Printing one snapshot, or one a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.live import Live

from greenroom.operator_terminal.client import OperatorClient, ServerFailure
from greenroom.operator_terminal.drawing import draw
from greenroom.operator_terminal.snapshot import Snapshot
from greenroom.operator_terminal.table import PIPED_WIDTH
from greenroom.operator_terminal.view import View

REFRESH_S: Final = 1.0

RETRY_S_MAX: Final = 10.0


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
