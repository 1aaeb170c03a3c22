"""The ``greenroom`` command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any, Final, NoReturn

import httpx
import trio
import typer
from rich.console import Console
from rich.live import Live
from rich.markup import escape

from greenroom import __version__, demo
from greenroom.app import CannotStart, Running, migrate_database, read_admin_api_key, run_server
from greenroom.chat import chat
from greenroom.client import ClientError
from greenroom.logs import configure_logging
from greenroom.schema.errors import Unavailable
from greenroom.schema.settings import BadSettings, Settings, load_settings
from greenroom.storage.postgres.embedded import EmbeddedPostgresFailed
from greenroom.storage.postgres.migrate import SchemaMismatch
from greenroom.terminal import Steps, actor_tree, settings_listing

EXIT_FAILURE: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130
REFRESH_S: Final = 1.0

cli = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, rich_markup_mode=None)
out = Console()
err = Console(stderr=True)


@cli.command("demo")
def demo_command() -> None:
    """Run a demo marketplace: embedded Postgres, a few people with history, the web page, on one port."""
    with _settings() as settings:
        if "log_level" not in settings.model_fields_set:
            # The demo is watched by a person, who should still see the log-ins after the first page was loaded.
            settings = settings.model_copy(update={"log_level": "warning"})
        configure_logging(settings)
        trio.run(partial(run_server, settings, steps=Steps(err), announce=_announce_demo, seed=demo.seed_demo))


@cli.command("serve")
def serve_command() -> None:
    """Serve. Without GREENROOM_DATABASE_URL an embedded Postgres in the data folder is used."""
    with _settings() as settings:
        configure_logging(settings)
        trio.run(partial(run_server, settings, steps=Steps(err), announce=_announce_serve))


@cli.command("migrate")
def migrate_command() -> None:
    """Bring the database to this version's schema."""
    with _settings() as settings:
        applied = trio.run(partial(migrate_database, settings, steps=Steps(err)))
        out.print("\n".join(f"applied {name}" for name in applied) or "nothing to do", highlight=False)


@cli.command("config")
def config_command() -> None:
    """List every setting with its value, default and meaning."""
    with _settings() as settings:
        out.print(settings_listing(settings), soft_wrap=True)


@cli.command("actors")
def actors_command(
    url: Annotated[
        str | None, typer.Option(help="The server; by default the one this machine's settings name.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep showing, once a second.")] = False,
    depth: Annotated[int, typer.Option(min=1, max=20, help="Levels of the tree.")] = 4,
) -> None:
    """Show the live actor tree of a running server."""
    with _settings() as settings:
        key = read_admin_api_key(settings)
        if key is None:
            raise _Failure(
                "no operator's key: set GREENROOM_ADMIN_API_KEY, or run this where the server's data folder is"
            )
        base = url or f"http://{settings.bind}"
        headers = {"X-API-Key": key}
        with httpx.Client(base_url=base, headers=headers, timeout=5.0) as client:
            if not watch:
                out.print(actor_tree(_fetch_tree(client, depth)))
                return
            with Live(actor_tree(_fetch_tree(client, depth)), console=out, auto_refresh=False) as live:
                while True:
                    trio.run(trio.sleep, REFRESH_S)
                    live.update(actor_tree(_fetch_tree(client, depth)), refresh=True)


@cli.command("chat")
def chat_command(
    email: Annotated[str, typer.Option(help="Whom to sign in as.", prompt=True)],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True)],
    url: Annotated[
        str | None, typer.Option(help="The server; by default the one this machine's settings name.")
    ] = None,
) -> None:
    """Talk from the terminal."""
    with _settings() as settings:
        try:
            trio.run(
                partial(
                    chat,
                    url or f"http://{settings.bind}",
                    email,
                    password,
                    console=out,
                    read_line=sys.stdin.readline,
                )
            )
        except ClientError as exc:
            raise _Failure(str(exc)) from exc


@cli.command("version")
def version_command() -> None:
    """Print the version."""
    out.print(__version__, highlight=False)


class _Failure(Exception):
    """Something the user can mend; shown as one line."""


@contextmanager
def _settings() -> Iterator[Settings]:
    """Read the settings, and end the command with one clear line per thing the user can mend."""
    try:
        yield load_settings()
    except BaseException as exc:
        cause = _lone_cause(exc)
        if isinstance(cause, KeyboardInterrupt):
            raise typer.Exit(EXIT_INTERRUPTED) from None  # while starting; a server that runs drains instead
        if isinstance(cause, BadSettings | CannotStart):
            _end(str(cause), EXIT_USAGE)
        if not isinstance(cause, _Failure | Unavailable | EmbeddedPostgresFailed | SchemaMismatch):
            raise
        _end(str(cause), EXIT_FAILURE)


def _end(text: str, status: int) -> NoReturn:
    err.print(escape(text), style="red", highlight=False, soft_wrap=True)
    raise typer.Exit(status) from None


def _lone_cause(exc: BaseException) -> BaseException:
    """What is inside groups around a single exception, as nurseries make them."""
    while isinstance(exc, BaseExceptionGroup) and len(exc.exceptions) == 1:
        exc = exc.exceptions[0]
    return exc


def _fetch_tree(client: httpx.Client, depth: int) -> dict[str, Any]:
    try:
        answer = client.get("/api/v1/admin/actors", params={"depth": depth})
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise _Failure(f"no server answers at {client.base_url}: {exc}") from exc
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise _Failure(f"{client.base_url} does not accept this operator's key")
    if answer.is_error:
        raise _Failure(f"{client.base_url} answered {answer.status_code}: {answer.text[:200]}")
    tree: dict[str, Any] = answer.json()
    return tree


def _announce_serve(running: Running) -> None:
    err.print(f"greenroom {__version__} serves on {running.url}  (Ctrl-C stops it)", highlight=False)
    for warning in running.warnings:
        err.print(f"  {warning}", style="yellow", highlight=False)


def _announce_demo(running: Running) -> None:
    out.print(
        f"\n  greenroom is running: [bold]{running.url}[/bold]\n\n"
        f"    student     {demo.STUDENT_EMAIL}\n"
        f"    instructor  {demo.INSTRUCTOR_EMAIL}\n"
        f"    password    {demo.PASSWORD}   (both; use two browsers to see them talk)\n\n"
        f"  The actor tree: {sys.argv[0]} actors      Data: {running.data_dir}      Ctrl-C stops it.\n",
        highlight=False,
    )
    for warning in running.warnings:
        err.print(f"  {warning}\n", style="yellow", highlight=False)


def main() -> None:
    """Entry point of the ``greenroom`` script."""
    sys.exit(cli())
