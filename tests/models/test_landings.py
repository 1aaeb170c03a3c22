"""What one worker says of a call is what another reads; what anybody else could have said is not read at all."""

from __future__ import annotations

from math import nan
from struct import pack

import pytest

from greenroom.models.landings import Unreadable, pack_error, pack_vector, read_landing
from greenroom.models.ports import (
    ModelAnswerInvalid,
    ModelBusy,
    ModelError,
    ModelTimeout,
    ModelUnavailable,
    NoSlot,
)


def test_a_vector_is_read_as_it_was_but_for_the_last_digits() -> None:
    body = pack_vector((0.6, 0.8), model="small-2")

    assert read_landing(body, model="small-2", dimensions=2) == pytest.approx((0.6, 0.8), abs=1e-7)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ModelTimeout("late"), ModelTimeout),
        (ModelBusy("429"), ModelBusy),
        (NoSlot("none"), ModelBusy),
        (ModelUnavailable("500\nno\u20ac"), ModelUnavailable),
        (ModelAnswerInvalid("x" * 5_000), ModelAnswerInvalid),
    ],
)
def test_an_error_is_read_by_its_name_with_the_beginning_of_what_it_says(
    error: ModelError, kind: type[ModelError]
) -> None:
    read = read_landing(pack_error(error), model="small-2", dimensions=2)

    assert type(read) is kind
    assert str(read) == str(error)[:200]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"v",
        pack_vector((0.6, 0.8), model="large-2"),
        pack_vector((1.0, 0.0, 0.0), model="small-2"),
        pack_vector((0.6, 0.6), model="small-2"),
        pack_vector((0.0, 0.0), model="small-2"),
        b"vsmall-2\n" + pack("<2f", nan, 1.0),
        b"vsmall-2\n" + pack("<2f", float("inf"), 1.0),
        pack_vector((0.6, 0.8), model="small-2")[:-1],
        b"eSystemExit\nno",
        b"e\xff\nno",
    ],
)
def test_anything_else_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_landing(body, model="small-2", dimensions=2)
