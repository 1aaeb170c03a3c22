"""The file being read: how far it is, and what was found wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from greenroom.importing.faults import FileUnusable, LineFault


class Reading:
    """One file, read from its beginning as often as it is opened; made by :func:`reading`."""

    def __init__(self, path: Path, progress: Progress, errors: TextIO | None, stack: ExitStack) -> None:
        self._path = path
        self._progress = progress
        self._errors = errors
        self._stack = stack

    def open(self) -> BinaryIO:
        """
        Raises:
            FileUnusable: it can't be opened.
        """
        try:
            size = self._path.stat().st_size
            file = self._stack.enter_context(self._path.open("rb"))
        except OSError as exc:
            raise FileUnusable(f"{self._path} can't be read: {exc.strerror or exc}") from exc
        return self._progress.wrap_file(file, total=size, description=self._path.name)

    def report(self, fault: LineFault) -> None:
        self._progress.console.print(escape(str(fault)), style="yellow", highlight=False, soft_wrap=True)
        if self._errors is not None:
            self._errors.write(f"{fault.as_json()}\n")


@contextmanager
def reading(path: Path, *, errors: Path | None, console: Console) -> Iterator[Reading]:
    """Read a file; the bar is shown where somebody watches.

    Args:
        errors: a file that faults are written to as well, a line of JSON for each.

    Raises:
        FileUnusable: one of the two can't be opened.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with ExitStack() as stack:
        if not path.is_file():
            raise FileUnusable(f"{path} is no file")
        told = None
        if errors is not None:
            try:
                told = stack.enter_context(errors.open("w", encoding="utf-8"))
            except OSError as exc:
                raise FileUnusable(f"{errors} can't be written: {exc.strerror or exc}") from exc
        progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        stack.enter_context(progress)
        yield Reading(path, progress, told, stack)
