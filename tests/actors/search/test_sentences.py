"""Searches that were written apart from the rules, each with what its writer meant: see evaluation/understanding.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.understanding import read, wrong_fields

ROWS = [
    json.loads(line)
    for file in sorted((Path(__file__).parent / "sentences").glob("*.jsonl"))
    for line in file.read_text("utf-8").splitlines()
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["text"])
def test_a_search_is_read_as_it_was_meant(row: dict[str, str]) -> None:
    fields = {name: value for name, value in row.items() if name != "services"}

    assert list(wrong_fields(fields, list(row["services"]), read(row["text"]))) == []
