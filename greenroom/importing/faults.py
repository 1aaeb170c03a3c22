"""What is wrong with a file, line by line or as a whole."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from greenroom.schema.refusals import in_our_words

_NOT_JSON: Final = re.compile(r"(.*) at line 1 column ([0-9]+)")
"""JSON is read line by line, each of which is the first to its parser."""

_JSON_WORDS: Final = (
    (("EOF",), "ends too early"),
    (
        ("expected value", "expected ident"),
        "a text in double quotes, a number, true, false, null, [ or { is wanted",
    ),
    (("key must",), "a name in double quotes is wanted"),
    (("trailing comma",), "nothing comes after a comma"),
    (("trailing char",), "goes on after its end"),
    (("expected `:`",), "a colon is wanted"),
    (("expected `,`",), "a comma or a closing bracket is wanted"),
    (("control char",), "a tab or the like within a text has to be written as \\t"),
    (("invalid number",), "no number is written like that"),
    (("recursion",), "is nested too deep"),
)
"""Of what its parser says, the beginning, and what that is for people."""

OTHER_KIND_MIN: Final = 2
"""Fields that are unknown, and as many that are missing, from which on a line is another kind of thing rather than misspelt."""

TOLD_MAX: Final = 3
"""Fields of either sort that are named then."""


class FileUnusable(Exception):
    """Nothing can be loaded from the file; ``str(error)`` says why."""


@dataclass(frozen=True, slots=True)
class LineFault:
    """One thing that is wrong with a line, which therefore was not loaded.

    Attributes:
        line: from 1; of something that spans several lines, the first.
        field: as a path, ``services[0].price_cents``; empty where it is the line as a whole.
    """

    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.field} {self.reason}".replace(":  ", ": ")

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


class BadLine(Exception):
    """A line can't be loaded; ``faults`` says why, at least one."""

    def __init__(self, *faults: LineFault) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def faults_of(error: ValidationError, line: int) -> BadLine:
    """What pydantic found, in our words; of a line of another kind of file that it is one, and not each field of it."""
    found = error.errors(include_url=False, include_input=False)
    unknown, missing = (
        [str(fault["loc"][0]) for fault in found if fault["type"] == kind and len(fault["loc"]) == 1]
        for kind in ("extra_forbidden", "missing")
    )
    if min(len(unknown), len(missing)) >= OTHER_KIND_MIN:
        has, lacks = ", ".join(unknown[:TOLD_MAX]), ", ".join(missing[:TOLD_MAX])
        return BadLine(LineFault(line, "", f"seems to be of another kind of file: has {has}, lacks {lacks}"))
    return BadLine(
        *(LineFault(line, field_path(fault["loc"]), _not_json(fault) or in_our_words(fault)) for fault in found)
    )


def _not_json(fault: ErrorDetails) -> str | None:
    """Say where a line stops being JSON; None where it is."""
    if fault["type"] != "json_invalid":
        return None
    match = _NOT_JSON.fullmatch(fault["ctx"]["error"])
    if match is None:
        return "is not JSON"
    for beginnings, words in _JSON_WORDS:
        if match[1].startswith(beginnings):
            return f"is not JSON: {words} (column {match[2]})"
    return f"is not JSON (column {match[2]})"


def field_path(loc: tuple[int | str, ...]) -> str:
    """``("services", 0, "title")`` as ``services[0].title``."""
    path = ""
    for part in loc:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path
