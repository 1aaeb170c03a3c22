"""Typing errors, made at random from a seed: what fingers do, one edit after the other."""

from __future__ import annotations

from random import Random
from typing import Final

_NEIGHBOURS: Final = {
    letter: row[max(0, place - 1) : place] + row[place + 1 : place + 2]
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for place, letter in enumerate(row)
}
"""Keys to the left and right on a QWERTY keyboard."""


def misspelt(name: str, *, edits: int, random: Random) -> str:
    """``name`` with letters swapped, doubled, left out or hit beside; the first letter stays, as people nearly always get it right.

    Source: F. Damerau, Communications of the ACM 7, 1964: four kinds of single errors make up 80 % of all.
    """
    text = name.lower()
    while text == name.lower() or edits > 0:
        text = _edited(text, random)
        edits -= 1
    return text


def _edited(text: str, random: Random) -> str:
    places = [place for place in range(1, len(text)) if text[place].isalpha()]
    if not places:
        return text
    place = random.choice(places)
    before, letter, after = text[:place], text[place], text[place + 1 :]
    match random.randrange(4):
        case 0:
            return before + after
        case 1:
            return before + letter * 2 + after
        case 2:
            return before + random.choice(_NEIGHBOURS.get(letter) or letter) + after
        case _:
            return before + after[:1] + letter + after[1:]
