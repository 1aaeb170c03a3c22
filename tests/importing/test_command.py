"""The command as a person runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from greenroom.importing.command import FileFormat, Subject, format_of
from greenroom.importing.faults import FileUnusable

EXAMPLES = Path(__file__).parents[2] / "examples"
TIMEOUT_S = 90


def run(data_dir: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    return subprocess.run(
        [sys.executable, "-m", "greenroom", "import", *map(str, arguments)],
        env=inherited | {"GREENROOM_DATA_DIR": str(data_dir), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def test_a_file_with_a_bad_line_is_loaded_but_for_it_and_the_exit_status_says_so(new_data_dir: Path) -> None:
    folder = new_data_dir.parent
    good = (EXAMPLES / "regions.geojson").read_text()
    file, errors = folder / "map.geojson", folder / "errors.jsonl"
    file.write_text(good.replace('"Downtown"', '""'))

    half = run(new_data_dir, "regions", file, "--errors", errors)
    whole = run(new_data_dir, "regions", EXAMPLES / "regions.geojson", "--dry-run")

    assert half.returncode == 1, half.stderr
    assert half.stdout == "2 regions with 2 aliases loaded; 1 refused\n"
    assert "line 8: properties.name" in half.stderr
    [told] = map(json.loads, errors.read_text().splitlines())
    assert (told["line"], told["field"]) == (8, "properties.name")
    assert (whole.returncode, whole.stdout) == (0, "3 regions with 2 aliases would be loaded\n")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("services", "nothing.csv"), "nothing.csv is no file"),
        (("services", "map.geojson"), "services are read from csv or jsonl"),
        (("services", "list.xls"), "give --format"),
    ],
)
def test_what_can_not_be_used_at_all_ends_with_status_2(
    tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    ended = run(tmp_path / "data", *arguments)
    assert ended.returncode == 2
    assert reason in ended.stderr


@pytest.mark.parametrize(
    ("subject", "name", "expected"),
    [
        (Subject.SERVICES, "a.CSV", FileFormat.CSV),
        (Subject.ALIASES, "a.ndjson", FileFormat.JSONL),
        (Subject.REGIONS, "a.json", FileFormat.GEOJSON),
    ],
)
def test_the_format_follows_from_the_name(subject: Subject, name: str, expected: FileFormat) -> None:
    assert format_of(subject, Path(name), None) is expected


def test_a_given_format_wins_but_must_fit() -> None:
    assert format_of(Subject.SERVICES, Path("export.txt"), FileFormat.CSV) is FileFormat.CSV
    with pytest.raises(FileUnusable, match="aliases are read from"):
        format_of(Subject.ALIASES, Path("a.csv"), FileFormat.GEOJSON)
