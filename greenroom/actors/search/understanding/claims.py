"""What rules claim of a sentence, and the choice among claims that overlap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from greenroom.schema.search.understood import AgeBounds, Level, NoticeKind, PartKind, PriceBounds, When


@dataclass(frozen=True, slots=True)
class Ages:
    """
    Attributes:
        is_exact: numbers were named, which count before words like "kids".
        is_only: it is said to be for nobody else.
        limits: then for whom it may be at most; None where that is a single learner ("only for my 8 year old").
    """

    bounds: AgeBounds
    is_exact: bool
    is_only: bool = False
    limits: AgeBounds | None = None


@dataclass(frozen=True, slots=True)
class PlaceWords:
    """``is_led_to``: a preposition stands before them. ``is_outside``: one that says that it is not there ("outside of")."""

    text: str
    is_near: bool
    is_led_to: bool
    is_outside: bool = False


@dataclass(frozen=True, slots=True)
class DeniedPlace:
    """Anywhere but there. ``goes_on``: it is denied with the one before it, "brooklyn or queens"."""

    text: str
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class NearMe:
    """Near whoever asks, wherever that is."""


@dataclass(frozen=True, slots=True)
class ExceptTimes:
    """Any time but these: days, dates, hours of any day, or these hours of those days.

    ``goes_on``: it is denied with the one before it: "not on monday" "mornings", "or tuesday".
    """

    times: tuple[When, ...]
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class ExceptAges:
    """For anybody but these; ``is_exact`` as of :class:`Ages`. ``is_only``: nor may any of these come to it ("no kids allowed")."""

    bounds: AgeBounds
    is_exact: bool
    is_only: bool = False


@dataclass(frozen=True, slots=True)
class ExceptLevels:
    """Any level but these."""

    levels: frozenset[Level]


@dataclass(frozen=True, slots=True)
class Untold:
    """Asks for nothing, though it was meant to: which should be told."""

    why: NoticeKind


@dataclass(frozen=True, slots=True)
class Cheap:
    """For little money: told as what can't be heeded unless a price says how little."""


Meaning = (
    Untold
    | Cheap
    | DeniedPlace
    | NearMe
    | ExceptTimes
    | ExceptAges
    | ExceptLevels
    | PriceBounds
    | Ages
    | When
    | tuple[When, ...]
    | PlaceWords
    | frozenset[Level]
    | bool
    | None
)
"""Of several times any will do. None: it is what it is (a duration, "any day") and asks for nothing."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A rule's reading of neighbouring atoms.

    Attributes:
        kind: None for what no field of an understanding can say; its words are taken out of the lesson all the same.
        first, after: atoms, the second exclusive.
        strength: how sure it is for each atom, 1 to 20; 10 is usual.
        settles: of one that was denied and asks for nothing, the kind that it had: what was said of that stays said.
        half_is_guessed: it is a time of which nothing told the half of the day; twelve hours off is as likely if that fits better.
    """

    kind: PartKind | None
    first: int
    after: int
    meaning: Meaning
    strength: int = 10
    half_is_guessed: bool = False
    settles: PartKind | None = None

    @property
    def weight(self) -> int:
        return self.strength * (self.after - self.first)


def covers(claims: Iterable[Claim], at: int) -> bool:
    """Whether one of them has this atom."""
    return any(claim.first <= at < claim.after for claim in claims)


def cover(claims: Iterable[Claim], size: int) -> tuple[Claim, ...]:
    """The claims without overlap that weigh most together, in order; of equals the fewer, then those that the rules gave first.

    Source: weighted interval scheduling (Kleinberg and Tardos, Algorithm Design, 6.1); linear in atoms and claims.
    """
    ending: list[list[Claim]] = [[] for _ in range(size + 1)]
    for claim in claims:
        ending[claim.after].append(claim)
    best: list[tuple[int, int]] = [(0, 0)] * (size + 1)
    chosen: list[Claim | None] = [None] * (size + 1)
    for at in range(1, size + 1):
        best[at] = best[at - 1]
        for claim in ending[at]:
            weight, minus_count = best[claim.first]
            score = (weight + claim.weight, minus_count - 1)
            if score > best[at]:
                best[at], chosen[at] = score, claim
    picked: list[Claim] = []
    at = size
    while at > 0:
        claim_here = chosen[at]
        if claim_here is None:
            at -= 1
        else:
            picked.append(claim_here)
            at = claim_here.first
    return tuple(reversed(picked))
