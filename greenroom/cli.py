"""The ``greenroom`` command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Final, NoReturn

import trio
import typer
from rich.console import Console
from rich.markup import escape

from greenroom import __version__, demo
from greenroom.admin_account import BadAccount, check_account, create_admin
from greenroom.app import CannotStart, Running, migrate_database, read_admin_api_key, run_server
from greenroom.app.steps import watched
from greenroom.chat import chat
from greenroom.client import ClientError
from greenroom.importing.cities import CityNotTold, WantedCity, add_city
from greenroom.importing.command import FileFormat, ImportJob, Subject, format_of, import_file, summary
from greenroom.importing.faults import FileUnusable
from greenroom.logs import configure_logging
from greenroom.models.ports import ModelError
from greenroom.operator_terminal import OperatorClient, ServerFailure, View, show_live, show_once
from greenroom.reembedding import Provider, chosen_models, reembed
from greenroom.schema.environment import load_settings
from greenroom.schema.errors import Unavailable
from greenroom.schema.operator_requests import ActorRank, ActorState
from greenroom.schema.settings import BadSettings, Settings
from greenroom.search_terminal import Look, search
from greenroom.set_password import set_password
from greenroom.storage.postgres.embedded import EmbeddedPostgresFailed
from greenroom.storage.postgres.migrate import SchemaMismatch
from greenroom.terminal import Steps, settings_listing
from greenroom.workers import serve_with_workers

EXIT_FAILURE: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130

cli = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, rich_markup_mode=None)
out = Console()
err = Console(stderr=True)


@cli.command("demo")
def demo_command(
    instructors: Annotated[
        int, typer.Option(min=0, max=20_000, help="How many there are to search among, besides eight with a past.")
    ] = demo.CROWD,
) -> None:
    """Run a demo marketplace: embedded Postgres, a few people with history, the web page, on one port."""
    with _settings() as settings:
        if "log_level" not in settings.model_fields_set:
            # The demo is watched by a person, who should still see the log-ins after the first page was loaded.
            settings = settings.model_copy(update={"log_level": "warning"})
        configure_logging(settings)
        seed = partial(demo.seed_demo, crowd=instructors)
        trio.run(partial(run_server, settings, steps=Steps(err), announce=_announce_demo, seed=seed))


@cli.command("serve")
def serve_command(
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Worker processes; by default GREENROOM_WORKERS.")
    ] = None,
) -> None:
    """Run the server: its API, its page and its search. Without GREENROOM_DATABASE_URL an embedded Postgres in the data folder is used."""
    with _settings() as settings:
        if workers is not None:
            settings = settings.model_copy(update={"workers": workers})
        configure_logging(settings)
        run = run_server if settings.workers == 1 else serve_with_workers
        trio.run(partial(run, settings, steps=Steps(err), announce=_announce_serve))


@cli.command("migrate")
def migrate_command() -> None:
    """Bring the database to this version's schema."""
    with _settings() as settings:
        applied = trio.run(partial(migrate_database, settings, steps=Steps(err)))
        out.print("\n".join(f"applied {name}" for name in applied) or "nothing to do", highlight=False)


@cli.command("create-admin")
def create_admin_command(
    email: Annotated[str, typer.Argument(help="Of the new account.")],
    name: Annotated[str, typer.Option(help="What is shown of it.")] = "The operator",
) -> None:
    """Make an administrator's account. It asks for the password, or reads it as a line from a pipe."""
    with _settings() as settings:
        account = check_account(email=email, password=_new_password(), display_name=name)
        user = trio.run(partial(create_admin, settings, account, steps=Steps(err)))
        out.print(f"{escape(user.email)} may sign in at /admin now", highlight=False)


@cli.command("set-password")
def set_password_command(email: Annotated[str, typer.Argument(help="Whose.")]) -> None:
    """Give an account a new password. It asks for the password, or reads it as a line from a pipe."""
    with _settings() as settings:
        trio.run(partial(set_password, settings, email=email, password=_new_password(), steps=Steps(err)))
        out.print(f"{escape(email)} may sign in with it now", highlight=False)


@cli.command("import")
def import_command(
    subject: Annotated[Subject, typer.Argument(help="What the file tells of.")],
    file: Annotated[Path, typer.Argument(help="The file; see docs/importing.md for what is in it.")],
    file_format: Annotated[
        FileFormat | None, typer.Option("--format", help="By default by how the file's name ends.")
    ] = None,
    errors: Annotated[
        Path | None, typer.Option(help="Write what is wrong to this file too, as JSON lines.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and store nothing.")] = False,
) -> None:
    """Load instructors with services, regions, or aliases of regions from a file. Loading it again changes nothing.

    Exit status: 0 if all was loaded, 1 if some lines were refused, 2 if nothing could be done.
    """
    with _settings(failure_status=EXIT_USAGE) as settings:
        configure_logging(settings)
        job = ImportJob(subject, file, format_of(subject, file, file_format), errors=errors, is_dry=dry_run)
        loaded = trio.run(partial(import_file, settings, job, steps=Steps(err), console=err))
        out.print(summary(job, loaded), highlight=False)
    if loaded.bad:
        raise typer.Exit(EXIT_FAILURE)


@cli.command("add-city")
def add_city_command(
    name: Annotated[str, typer.Argument(help="Of the city, as its people write it or in English.")],
    country: Annotated[str | None, typer.Option(help="Two letters: US, GB ...")] = None,
    state: Annotated[
        str | None, typer.Option(help="In the United States two letters, elsewhere GeoNames' code.")
    ] = None,
    radius_km: Annotated[
        float | None, typer.Option(min=1, max=100, help="How far it reaches; by default guessed from its people.")
    ] = None,
) -> None:
    """Load the map of a city: its parts, where they are, what they are called. Loading it again brings it up to date.

    Exit status: 0 if it is on the map, 1 if the database can't be used, 2 if no city is meant or more than one.
    """
    with _settings() as settings:
        configure_logging(settings)
        wanted = WantedCity(name, country=country, state=state, radius_km=radius_km)
        city = trio.run(partial(add_city, settings, wanted, steps=Steps(err)))
        whole = city.regions[0].region
        told = f"{whole.name} is on the map as {whole.id}, with {len(city.regions) - 1:,} parts"
        out.print(escape(told), highlight=False)


@cli.command("reembed")
def reembed_command(
    provider: Annotated[Provider | None, typer.Option(help="Instead of EMBEDDING_PROVIDER.")] = None,
    model: Annotated[str | None, typer.Option(help="Instead of OPENAI_EMBEDDING_MODEL.")] = None,
    drop_others: Annotated[
        bool, typer.Option("--drop-others", help="Forget all other models once this one is complete.")
    ] = False,
) -> None:
    """Make vectors of all services by a model, beside those there are. It goes on where it was stopped.

    Servers go on searching as before; they use the model once it is complete and their settings name it.
    """
    with _settings() as settings:
        configure_logging(settings)
        search = chosen_models(settings.search, provider=provider, model=model)
        done = trio.run(partial(reembed, settings, search, drop_others=drop_others, steps=Steps(err), console=err))
        out.print(done.summary(), highlight=False)


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
    watch: Annotated[
        bool | None,
        typer.Option("--watch/--once", "-w/-1", help="Keep showing, once a second; by default on a terminal."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON; one line a second with --watch.")] = False,
    depth: Annotated[int | None, typer.Option(min=1, max=20, help="Levels of the tree; by default 4.")] = None,
    sort: Annotated[
        ActorRank | None, typer.Option(help="List those that stand out by this, instead of the tree.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many to list.")] = 20,
    kind: Annotated[str | None, typer.Option(help="List actors of this kind.")] = None,
    state: Annotated[ActorState | None, typer.Option(help="List actors in this state.")] = None,
    key_prefix: Annotated[str, typer.Option(help="List actors whose key begins with this.")] = "",
    worker: Annotated[str | None, typer.Option(help="Which of several workers; by default all of them.")] = None,
) -> None:
    """Show the live actor tree of a running server, or the actors that stand out."""
    view = View(
        sort=None if sort is None else sort.value,
        limit=limit,
        kind=kind,
        state=None if state is None else state.value,
        key_prefix=key_prefix,
    )
    if depth is not None:
        if view.is_ranked:
            _end(
                "--depth is of the tree; leave out --sort, --kind, --state and --key-prefix, or --depth",
                EXIT_USAGE,
            )
        view = replace(view, depth=depth)
    with _settings() as settings:
        key = read_admin_api_key(settings)
        if key is None:
            raise _Failure(
                "no operator's key: set GREENROOM_ADMIN_API_KEY, or run this where the server's data folder is"
            )
        with OperatorClient(url or f"http://{settings.bind}", key, worker=worker) as client:
            if out.is_terminal and not as_json if watch is None else watch:
                show_live(client, view, out, as_json=as_json, sleep=_sleep)
            else:
                show_once(client, view, out, as_json=as_json)


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


@cli.command("search")
def search_command(
    text: Annotated[str, typer.Argument(help="What to look for, in your own words.")],
    email: Annotated[str | None, typer.Option(help="Whom to sign in as; asked for if left out.")] = None,
    password: Annotated[
        str | None, typer.Option(help="If left out it is asked for, or read as a line from a pipe.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="The server; by default the one this machine's settings name.")
    ] = None,
    city: Annotated[str | None, typer.Option(help="Its id, such as nyc.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many lessons to show.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="As the API answers.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="With stages, tiers and candidates; for admins.")] = False,
) -> None:
    """Look for lessons from the terminal.

    Exit status: 0 if it was answered, be it that nothing fits; 1 if it was refused or the server can't be reached; 2 if an option, a
    setting or the account is missing or can't be used.
    """
    email, password = _given(email, "Email"), _given(password, "Password", is_secret=True)
    look = Look(text, city=city, limit=limit, wants_diagnostics=debug)
    with _settings() as settings:
        trio.run(_search, url or f"http://{settings.bind}", email, password, look, as_json)


async def _search(url: str, email: str, password: str, look: Look, as_json: bool) -> None:
    # A server that is away or busy is asked again for ten seconds: whoever waits is told what for.
    steps = Steps(err)
    async with watched(steps):
        try:
            with steps.step(f"Asking {escape(url)}"):
                await search(url, email, password, look, console=out, as_json=as_json)
        except ClientError as exc:
            raise _Failure(str(exc)) from exc


@cli.command("version")
def version_command() -> None:
    """Print the version."""
    out.print(__version__, highlight=False)


def _given(value: str | None, name: str, *, is_secret: bool = False) -> str:
    """An option's value, or what is answered instead: on a terminal when asked, from a pipe the next line.

    It is asked on standard error, so that what programs read from standard output is the answer alone.
    """
    if value is not None:
        return value
    if sys.stdin.isatty():
        return str(typer.prompt(name, hide_input=is_secret, err=True))
    line = sys.stdin.readline()
    if not line:
        _end(f"no {name.lower()}: give --{name.lower()}, or a line of standard input", EXIT_USAGE)
    return line.removesuffix("\n")


def _new_password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().removesuffix("\n")


class _Failure(Exception):
    """Something the user can mend; shown as one line."""


@contextmanager
def _settings(failure_status: int = EXIT_FAILURE) -> Iterator[Settings]:
    """Read the settings, and end the command with one clear line per thing the user can mend.

    Args:
        failure_status: for what may be mended elsewhere, such as a database that is away.
    """
    try:
        yield load_settings()
    except BaseException as exc:
        cause = _lone_cause(exc)
        if isinstance(cause, KeyboardInterrupt):
            raise typer.Exit(EXIT_INTERRUPTED) from None  # while starting; a server that runs drains instead
        if isinstance(cause, BadSettings | CannotStart | BadAccount | FileUnusable | CityNotTold):
            _end(str(cause), EXIT_USAGE)
        if not isinstance(
            cause, _Failure | ServerFailure | Unavailable | ModelError | EmbeddedPostgresFailed | SchemaMismatch
        ):
            raise
        _end(str(cause), failure_status)


def _end(text: str, status: int) -> NoReturn:
    err.print(escape(text), style="red", highlight=False, soft_wrap=True)
    raise typer.Exit(status) from None


def _lone_cause(exc: BaseException) -> BaseException:
    """What is inside groups around a single exception, as nurseries make them."""
    while isinstance(exc, BaseExceptionGroup) and len(exc.exceptions) == 1:
        exc = exc.exceptions[0]
    return exc


def _sleep(seconds: float) -> None:
    trio.run(trio.sleep, seconds)


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
        f"  Operations: {running.url}/admin  ({demo.OPERATOR_EMAIL}, same password)\n"
        f"  or in a terminal: {sys.argv[0]} actors\n\n"
        f"  Data: {running.data_dir}    Ctrl-C stops it.\n",
        highlight=False,
    )
    for warning in running.warnings:
        err.print(f"  {warning}\n", style="yellow", highlight=False)


def main() -> None:
    """Entry point of the ``greenroom`` script."""
    sys.exit(cli())
