"""docs/settings.md against the settings there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo

from greenroom.schema.environment import environment_name
from greenroom.schema.search_settings import SearchSettings
from greenroom.schema.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
FIELDS = {
    environment_name(name): field
    for kind in (Settings, SearchSettings)
    for name, field in kind.model_fields.items()
}
ROW = re.compile(r"^\| `([A-Z0-9_]+)` \|.*$", re.MULTILINE)
OURS = re.compile(r"\bGREENROOM_[A-Z0-9_]*[A-Z0-9]\b")


def row_of(name: str) -> str:
    """The line that tells of a setting."""
    field = FIELDS[name]
    return f"| `{name}` | {default_of(field)} | {range_of(field)} | {field.description} |"


def default_of(field: FieldInfo) -> str:
    match field.default:
        case None | ():
            return "unset"
        case bool() as is_on:
            return str(is_on).lower()
        case int() as number:
            return f"{number}"
        case float() as number:
            return f"{number:g}"
        case other:
            return f"`{other}`"


def range_of(field: FieldInfo) -> str:
    """What values there can be, as far as that is a list or a range."""
    bounds = {type(each): each for each in field.metadata}
    low, high = bounds.get(Ge), bounds.get(Le)
    least = f"{low.ge}" if isinstance(low, Ge) else "above 0" if Gt in bounds else ""
    if isinstance(high, Le):
        return f"{least}{' to ' if isinstance(low, Ge) else ', to '}{high.le}"
    if least:
        return f"from {least}" if isinstance(low, Ge) else least
    return ", ".join(words_of(field.annotation))


def words_of(annotation: Any) -> list[str]:
    if annotation is bool:
        return ["true", "false"]
    return [
        word for each in get_args(annotation) for word in ([each] if isinstance(each, str) else words_of(each))
    ]


def page() -> str:
    return (DOCS / "settings.md").read_text()


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_setting_is_told_with_its_default_range_and_meaning(name: str) -> None:
    rows = [match[0] for match in ROW.finditer(page()) if match[1] == name]

    assert rows == [row_of(name)]


def test_no_setting_is_told_that_there_is_not() -> None:
    assert {match[1] for match in ROW.finditer(page())} - FIELDS.keys() == set()


@pytest.mark.parametrize(
    "path", sorted([*DOCS.glob("*.md"), DOCS.parent / "README.md"]), ids=lambda path: path.name
)
def test_our_names_in_the_docs_are_those_of_settings(path: Path) -> None:
    assert set(OURS.findall(path.read_text())) - FIELDS.keys() == set()
