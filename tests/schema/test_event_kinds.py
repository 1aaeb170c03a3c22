"""The table of events holds what the server sends, all of it and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import greenroom
from greenroom.schema.event_kinds import EVENT_KINDS, Nature
from greenroom.schema.socket_frames import COMMAND_KINDS, AnyCommand

PACKAGE = Path(greenroom.__file__).parent
DOCUMENT = PACKAGE.parent / "docs" / "events.md"


def constants(*folders: str) -> Iterator[str]:
    for folder in folders:
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


def named(call: str, argument: str, *folders: str) -> set[str]:
    """The constants that are given as an argument wherever something is made."""
    found = set()
    for folder in folders:
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == call:
                    found |= {
                        keyword.value.value
                        for keyword in node.keywords
                        if keyword.arg == argument and isinstance(keyword.value, ast.Constant)
                    }
    return found


def of(nature: Nature) -> set[str]:
    return {kind.name for kind in EVENT_KINDS.values() if kind.nature is nature}


def test_every_name_that_is_appended_to_a_stream_is_a_durable_event_and_the_other_way_round() -> None:
    dotted = re.compile(r"(message|conversation|reaction|booking|session)\.[a-z]+")

    assert {text for text in constants("actors") if dotted.fullmatch(text)} == of(Nature.DURABLE)


def test_every_name_that_is_announced_is_an_ephemeral_event_and_the_other_way_round() -> None:
    assert named("Ephemeral", "name", "actors") == of(Nature.EPHEMERAL)


def test_every_frame_of_a_connections_own_is_about_the_stream_and_the_other_way_round() -> None:
    assert named("Frame", "event", "actors", "http/routes") == of(Nature.ABOUT_THE_STREAM)


def test_every_command_of_the_socket_is_in_the_table_of_commands_with_its_model() -> None:
    commands = {
        name: model for model in get_args(AnyCommand) for name in get_args(model.model_fields["cmd"].annotation)
    }

    assert {name: kind.model for name, kind in COMMAND_KINDS.items()} == commands


def test_the_document_for_client_authors_has_a_row_for_every_event_and_every_command() -> None:
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]

    for kind in EVENT_KINDS.values():
        [row] = [row for row in rows if row.startswith(f"| `{kind.name}` | {kind.nature.value} |")]
        fields = {name for cell in row.split("|")[3:4] for name in re.findall(r"`(\w+)`", cell)}
        assert fields == set(kind.model.model_fields), kind.name
    for name, command in COMMAND_KINDS.items():
        [row] = [row for row in rows if row.startswith(f"| `{name}` | ") and "durable" not in row.split("|")[2]][
            -1:
        ]
        fields = {name for cell in row.split("|")[2:3] for name in re.findall(r"`(\w+)\??`", cell)}
        assert fields == set(command.model.model_fields) - {"ref", "cmd"}, name
