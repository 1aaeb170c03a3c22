"""One understanding of two: what the rules read word for word stands, what they missed may come from a model.

1. What the sentence says in numbers and names of days, and the rules read, no model changes: prices, ages with a number, days, times.
2. A level, "online", an age in words, that the rules read stand too; a model fills in what they left open.
3. A model's price or age is taken only if its numbers are in the sentence.
4. Its words for the lesson and the place replace the rules' if they are words of the sentence that nothing else claims.
5. Its kinds of lessons replace the rules' if there are such kinds and they are not denied; they are scaled to weigh 1 at most.
6. What the rules understood to ask for nothing stays so ("doesn't have to be online", "not for 5 year olds", "no rock music"): a model
   easily takes it for what is asked for.

What does not hold is left out alone: one bad field spoils no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from math import isfinite

from greenroom.actors.search.understanding.line import Line
from greenroom.actors.search.understanding.service import GUESSES_MAX, Lexicon
from greenroom.actors.search.understanding.words import keys
from greenroom.schema.search.understood import (
    AgeBounds,
    NoticeKind,
    ParseSource,
    Part,
    PartKind,
    PriceBounds,
    ServiceGuess,
    Understood,
    When,
)

_FREE = frozenset({PartKind.SERVICE, PartKind.PLACE, PartKind.FILLER})
"""What a model may cut anew."""


def merged(typed: str, rules: Understood, model: Understood, *, lexicon: Lexicon) -> Understood:
    """The rules' understanding with what a model adds to it.

    Args:
        typed: the sentence that both understood.
        rules: what :func:`~greenroom.actors.search.understanding.rules.understand` made of it.
        model: what a model made of it; nothing of it is trusted.
    """
    line = Line(typed)
    numbers = _numbers(line)
    held = [part for part in rules.parts if part.kind not in _FREE]
    closed = [*held, *rules.settled]
    kinds = {part.kind for part in closed}
    settled = {part.kind for part in rules.settled}
    place = _find(line, keys(model.place_text or ""), closed)
    if place is None and rules.place_text is not None:
        place_parts = [part for part in rules.parts if part.kind is PartKind.PLACE]
    else:
        place_parts = [] if place is None else [_part(line, PartKind.PLACE, *place)]
    lesson = _lesson(line, keys(model.service_text), [*closed, *place_parts]) or _kept_lesson(
        line, rules, place_parts
    )
    both = replace(
        rules,
        service_text=" ".join(line.atoms[at].text for at in lesson),
        services=_services(model.services, lexicon, barred=rules.denied) or rules.services,
        place_text=rules.place_text
        if place is None
        else " ".join(atom.text for atom in line.atoms[slice(*place)] if atom.is_word),
        is_near=rules.is_near or (model.is_near and bool(place_parts)),
        price=rules.price if PartKind.PRICE in kinds else _price(model.price, numbers),
        age=rules.age if PartKind.AGE in kinds else _age(model.age, numbers),
        levels=rules.levels if PartKind.LEVEL in kinds else model.levels,
        # A model takes "not tomorrow" for a day that is asked for.
        when=rules.when
        if rules.times or rules.denied_times or PartKind.WHEN in settled
        else _when(rules.when, model.when),
        online=rules.online if PartKind.ONLINE in kinds else model.online,
        parts=tuple(sorted([*held, *place_parts, *_runs(line, lesson)], key=lambda part: part.start)),
        source=ParseSource.MODEL,
    )
    kept = tuple(notice for notice in both.notices if notice.kind is not NoticeKind.NOTHING_UNDERSTOOD)
    return replace(both, notices=kept) if both.asks_for_anything else both


def _numbers(line: Line) -> frozenset[Decimal]:
    return frozenset(
        Decimal(atom.key) * scale
        for atom in line.atoms
        if atom.key[0].isdigit() and atom.key.replace(".", "", 1).isdigit()
        for scale in (1, 1_000)
    )


def _price(price: PriceBounds | None, numbers: frozenset[Decimal]) -> PriceBounds | None:
    if price is None:
        return None
    bounds = [bound for bound in (price.min_cents, price.max_cents) if bound is not None]
    if not bounds or bounds != sorted(bounds) or not all(Decimal(bound) / 100 in numbers for bound in bounds):
        return None
    return price


def _age(age: AgeBounds | None, numbers: frozenset[Decimal]) -> AgeBounds | None:
    if age is None:
        return None
    named = [bound for bound in (age.min_years, age.max_years) if bound is not None]
    if named != sorted(named) or not 0 <= named[0] <= named[-1] <= 120:
        return None
    # "For my mother" names no number; a bound that nobody said would hide instructors on a guess.
    return age if any(Decimal(bound) in numbers for bound in named) else None


def _when(rules: When, model: When) -> When:
    """The rules' days and times, each filled in where they have none. Dates are never a model's: it is easily wrong about the year."""
    has_day = bool(rules.weekdays) or rules.relative is not None or rules.on is not None
    days = rules if has_day else replace(model, on=None, until=None)
    times = rules if rules.from_minute is not None or rules.to_minute is not None else model
    low, high = times.from_minute, times.to_minute
    if not 0 <= (low or 0) < (1_440 if high is None else high) <= 1_440:
        low = high = None
    return When(
        weekdays=days.weekdays,
        relative=days.relative,
        on=days.on,
        until=days.until,
        from_minute=low,
        to_minute=high,
    )


def _services(
    guesses: Sequence[ServiceGuess], lexicon: Lexicon, *, barred: Sequence[str]
) -> tuple[ServiceGuess, ...]:
    weights: dict[str, float] = {}
    for guess in guesses:
        is_wanted = guess.category in lexicon.taxonomy.kinds and guess.category not in barred
        if is_wanted and isfinite(guess.weight) and 0 < guess.weight <= 1:
            weights[guess.category] = weights.get(guess.category, 0.0) + guess.weight
    heaviest = sorted(weights.items(), key=lambda item: -item[1])[:GUESSES_MAX]
    whole = max(1.0, sum(weight for _, weight in heaviest))
    return tuple(ServiceGuess(slug, weight / whole) for slug, weight in heaviest)


def _atom_keys(line: Line) -> list[str]:
    return ["".join(word.key for word in atom.words) for atom in line.atoms]


def _find(line: Line, words: tuple[str, ...], held: Sequence[Part]) -> tuple[int, int] | None:
    """Where these words stand together, clear of all parts that are held; None if they don't."""
    if not words:
        return None
    joined = "".join(words)
    atoms = _atom_keys(line)
    for first in range(len(atoms)):
        text = ""
        for after in range(first + 1, min(first + len(words) + 1, len(atoms)) + 1):
            text += atoms[after - 1] if line.atoms[after - 1].is_word else ""
            if text == joined and all(_is_free(line, at, held) for at in range(first, after)):
                return first, after
    return None


def _lesson(line: Line, words: tuple[str, ...], held: Sequence[Part]) -> list[int]:
    """The atoms of these words in order of the sentence; empty unless every one of them is there and free."""
    wanted = set(words)
    found = [
        at
        for at, atom in enumerate(line.atoms)
        if atom.is_word
        and _is_free(line, at, held)
        and {word.key for word in atom.words if word.key[0].isalnum()} <= wanted
    ]
    there = {word.key for at in found for word in line.atoms[at].words}
    return found if wanted and wanted <= there else []


def _kept_lesson(line: Line, rules: Understood, place_parts: Sequence[Part]) -> list[int]:
    spans = [(part.start, part.end) for part in rules.parts if part.kind is PartKind.SERVICE]
    return [
        at
        for at, atom in enumerate(line.atoms)
        if atom.is_word
        and any(start <= atom.start and atom.end <= end for start, end in spans)
        and _is_free(line, at, place_parts)
    ]


def _is_free(line: Line, at: int, held: Sequence[Part]) -> bool:
    atom = line.atoms[at]
    return all(atom.end <= part.start or part.end <= atom.start for part in held)


def _part(line: Line, kind: PartKind, first: int, after: int) -> Part:
    return Part(kind, *line.typed_part(first, after))


def _runs(line: Line, lesson: Sequence[int]) -> Iterator[Part]:
    first = 0
    for index in range(1, len(lesson) + 1):
        if index == len(lesson) or lesson[index] != lesson[index - 1] + 1:
            yield _part(line, PartKind.SERVICE, lesson[first], lesson[index - 1] + 1)
            first = index
