"""``greenroom import``: one file into the database of the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from random import SystemRandom
from typing import BinaryIO, Final

from rich.console import Console

from greenroom.app import make_data_dir, open_database_for_loading, watched
from greenroom.importing import alias_lines, instructor_lines
from greenroom.importing.faults import FileUnusable
from greenroom.importing.features import features_of_collection, features_of_lines
from greenroom.importing.loading import Loaded, Loading
from greenroom.importing.reading import reading
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.ids import RandomIds
from greenroom.schema.settings import Settings
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.passwords import Argon2Passwords
from greenroom.storage.postgres import postgres_storage
from greenroom.terminal import Steps


class Subject(StrEnum):
    """What a file tells of."""

    SERVICES = "services"
    REGIONS = "regions"
    ALIASES = "aliases"


class FileFormat(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"
    GEOJSON = "geojson"


_BY_SUFFIX: Final = {
    ".csv": FileFormat.CSV,
    ".jsonl": FileFormat.JSONL,
    ".ndjson": FileFormat.JSONL,
    ".geojsonl": FileFormat.JSONL,
    ".geojson": FileFormat.GEOJSON,
    ".json": FileFormat.GEOJSON,
}

_READABLE: Final = {
    Subject.SERVICES: (FileFormat.CSV, FileFormat.JSONL),
    Subject.REGIONS: (FileFormat.GEOJSON, FileFormat.JSONL),
    Subject.ALIASES: (FileFormat.CSV, FileFormat.JSONL),
}


@dataclass(frozen=True, slots=True)
class ImportJob:
    """
    Attributes:
        errors: a file for what is wrong, a line of JSON for each fault; None for none.
        is_dry: check everything and store nothing.
    """

    subject: Subject
    path: Path
    format: FileFormat
    errors: Path | None = None
    is_dry: bool = False


def format_of(subject: Subject, path: Path, given: FileFormat | None) -> FileFormat:
    """The format of a file: the one given, else by how its name ends.

    Raises:
        FileUnusable: it can't be told, or what the file tells of is not read from such a format.
    """
    readable = _READABLE[subject]
    found = given or _BY_SUFFIX.get(path.suffix.lower())
    if found is None:
        raise FileUnusable(f"{path.name}: give --format, one of {', '.join(readable)}")
    if found not in readable:
        raise FileUnusable(f"{subject} are read from {' or '.join(readable)}, not from {found}")
    return found


async def import_file(settings: Settings, job: ImportJob, *, steps: Steps, console: Console) -> Loaded:
    """Load a file into the database of the settings, which is migrated first.

    Every fault is told on ``console`` and in the job's file of errors as it is found.

    Raises:
        FileUnusable: the file can't be read, or its whole is not what it should be; what was loaded before stays loaded.
        Unavailable, EmbeddedPostgresFailed, CannotStart: as for a server.
    """
    make_data_dir(settings)
    ids = RandomIds(SystemRandom(), system_wall_clock)
    with reading(job.path, errors=job.errors, console=console) as file:
        # Of a password that nobody was ever told.
        unknown = await Argon2Passwords(slots=1, queue_timeout_s=1.0).hash(ids.secret())
        async with watched(steps), open_database_for_loading(settings, steps) as pool:
            loading = Loading(
                postgres_storage(pool, bus=LocalBus()),
                ids=ids,
                wall=system_wall_clock,
                password_hash=unknown,
                report=file.report,
                is_dry=job.is_dry,
            )
            return await load(loading, job.subject, job.format, file.open)


async def load(
    loading: Loading, subject: Subject, file_format: FileFormat, open_file: Callable[[], BinaryIO]
) -> Loaded:
    """Load what a file holds.

    Args:
        open_file: begins to read it; called again where it is read more than once.
    """
    match subject, file_format:
        case Subject.SERVICES, FileFormat.CSV:
            return await loading.instructors(instructor_lines.from_table(open_file()))
        case Subject.SERVICES, _:
            return await loading.instructors(instructor_lines.from_json_lines(open_file()))
        case Subject.ALIASES, FileFormat.CSV:
            return await loading.aliases(alias_lines.from_table(open_file()))
        case Subject.ALIASES, _:
            return await loading.aliases(alias_lines.from_json_lines(open_file()))
        case _:
            read = features_of_lines if file_format is FileFormat.JSONL else features_of_collection
            return await loading.regions(lambda: read(open_file()))


def summary(job: ImportJob, loaded: Loaded) -> str:
    """What was done, in one line for people."""
    done = "would be loaded" if job.is_dry else "loaded"
    match job.subject:
        case Subject.SERVICES:
            new = "" if job.is_dry else f" ({loaded.new_accounts:,} new)"
            told = f"{_so_many(loaded.good, 'instructor')}{new} with {_so_many(loaded.services, 'service')} {done}"
        case Subject.REGIONS:
            told = f"{_so_many(loaded.good, 'region')} with {_so_many(loaded.aliases, 'alias', 'aliases')} {done}"
        case Subject.ALIASES:
            told = f"{_so_many(loaded.good, 'alias', 'aliases')} {done}"
    return told if not loaded.bad else f"{told}; {loaded.bad:,} refused"


def _so_many(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
