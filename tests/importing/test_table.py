from __future__ import annotations

from io import BytesIO

import pytest

from greenroom.importing.faults import BadLine, FileUnusable
from greenroom.importing.table import Row, rows

COLUMNS = ("name", "region", "weight")


def read(text: str | bytes) -> list[Row | BadLine]:
    data = text.encode() if isinstance(text, str) else text
    return list(rows(BytesIO(data), columns=COLUMNS, required=("name", "region")))


def test_cells_come_trimmed_by_column_in_any_order_and_empty_ones_are_not_told() -> None:
    assert read("\ufeffRegion , name,weight\n nyc ,Big Apple,\n") == [
        Row(2, {"region": "nyc", "name": "Big Apple"})
    ]


def test_a_row_over_several_lines_has_the_number_of_its_first() -> None:
    first, second = read('name,region\n"two\nlines",nyc\nx,y\n')
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.line, first.cells["name"], second.line) == (2, "two\nlines", 4)


def test_a_row_that_is_not_utf_8_is_told_and_the_next_one_read() -> None:
    bad, good = read("name,region\nH\xf6r,nyc\n".encode("latin-1") + "Hör,nyc\n".encode())
    assert isinstance(bad, BadLine)
    assert str(bad) == "line 2: name is not UTF-8"
    assert good == Row(3, {"name": "Hör", "region": "nyc"})


def test_a_row_with_more_cells_than_columns_is_told() -> None:
    [bad] = read("name,region\na,b,c\n")
    assert str(bad) == "line 2: has 3 cells for 2 columns"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("name\n", "lacks region"),
        ("name,region,colour\n", "'colour'"),
        ("name,region,name\n", "name twice"),
    ],
)
def test_a_header_that_can_not_be_used_ends_it(text: str, reason: str) -> None:
    with pytest.raises(FileUnusable, match=reason):
        read(text)
