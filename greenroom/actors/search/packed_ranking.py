"""A ranking that is kept: rows of plain values, made into records again as they are looked at.

Plain values and tuples of them are nothing for the garbage collector to walk. As records, those of the answers that are
kept were more than half of all it did walk, each time for tens of milliseconds in which nobody was served.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final, overload

from greenroom.actors.search.answer import Ranked
from greenroom.schema.search.candidates import Candidate

_NAMES: Final = tuple(field.name for field in fields(Candidate))
_values_of: Final = attrgetter("score", *(f"candidate.{name}" for name in _NAMES))


class PackedRanking(Sequence[Ranked]):
    """The same sequence, in a fraction of the objects."""

    __slots__ = ("_rows",)

    def __init__(self, ranked: Iterable[Ranked]) -> None:
        self._rows: tuple[tuple[Any, ...], ...] = tuple(map(_values_of, ranked))

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> Ranked: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[Ranked, ...]: ...

    def __getitem__(self, at: int | slice) -> Ranked | tuple[Ranked, ...]:
        if isinstance(at, slice):
            return tuple(map(_record, self._rows[at]))
        return _record(self._rows[at])


def _record(row: tuple[Any, ...]) -> Ranked:
    score, *candidate = row
    return Ranked(Candidate(*candidate), score)
