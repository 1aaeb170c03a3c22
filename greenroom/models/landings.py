"""What workers tell each other of a call for a vector, as bytes: the vector, or why there is none.

::

    v<model>\\n<numbers, four bytes each, little-endian>
    e<name of the error>\\n<what it says>

What is read is checked as if anybody could have written it: a vector of another model or size, or of no length, is none.
"""

from __future__ import annotations

import math
from struct import pack, unpack
from typing import Final

from greenroom.models.ports import (
    ModelAnswerInvalid,
    ModelBusy,
    ModelError,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
    Vector,
)

ERRORS: Final = {
    error.__name__: error
    for error in (ModelTimeout, ModelBusy, ModelRefused, ModelUnavailable, ModelAnswerInvalid)
}

DETAIL_LENGTH_MAX: Final = 200

LENGTH_TOLERANCE: Final = 1e-3
"""How far from 1 a vector's length may be: four bytes a number leave some 1e-7, other programs more."""


class Unreadable(Exception):
    """It says nothing that could be used."""


def pack_vector(vector: Vector, *, model: str) -> bytes:
    return b"v%s\n%s" % (model.encode(), pack(f"<{len(vector)}f", *vector))


def pack_error(error: ModelError) -> bytes:
    name = next(name for name, kind in ERRORS.items() if isinstance(error, kind))
    return b"e%s\n%s" % (name.encode(), str(error)[:DETAIL_LENGTH_MAX].encode("utf-8", "replace"))


def read_landing(body: bytes, *, model: str, dimensions: int) -> Vector | ModelError:
    """
    Raises:
        Unreadable: it is neither a vector of this model nor an error that we know.
    """
    head, _, rest = body.partition(b"\n")
    if head == b"v" + model.encode():
        return _vector(rest, dimensions)
    error = ERRORS.get(head[1:].decode("ascii", "replace")) if head[:1] == b"e" else None
    if error is None:
        raise Unreadable("neither a vector of this model nor an error that is known")
    return error(rest.decode("utf-8", "replace")[:DETAIL_LENGTH_MAX])


def _vector(numbers: bytes, dimensions: int) -> Vector:
    if len(numbers) != 4 * dimensions:
        raise Unreadable(f"{len(numbers)} bytes for {dimensions} numbers")
    vector: Vector = unpack(f"<{dimensions}f", numbers)
    # Of what is no number, or infinite, the length is not finite either.
    if not abs(math.hypot(*vector) - 1.0) <= LENGTH_TOLERANCE:
        raise Unreadable("not of unit length")
    return vector
