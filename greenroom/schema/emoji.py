"""What may be put on a message: one emoji, as Unicode makes them up."""

from __future__ import annotations

import unicodedata
from typing import Final, NewType

Emoji = NewType("Emoji", str)

CODE_POINTS_MAX: Final = 16
"""The longest emoji in use, a family or a flag of a region, are made of about ten."""

_PICTURES: Final = frozenset({"So", "Sm", "Cn"})
_CATEGORIES: Final = _PICTURES | {"Sk", "Mn", "Me", "Cf"}
"""Pictures, skin tones, arrows, and what joins, varies and frames them; Cn are those newer than this Python."""

_AMONG_PUNCTUATION: Final = frozenset("\u203c\u2049\u3030\u303d")
_KEYCAPS: Final = frozenset("0123456789#*")
_KEYCAP: Final = "\u20e3"


def is_emoji(text: str) -> bool:
    """Whether a text is an emoji: pictures and what modifies them, no letters, digits, spaces or control characters.

    It is no parser of sequences: what an emoji shows is up to the fonts of those who look, so a sequence that none of them
    knows does no harm.

    Source: Unicode Technical Standard 51, section 1.4.9.
    """
    if not 1 <= len(text) <= CODE_POINTS_MAX:
        return False
    if text[0] in _KEYCAPS:
        return text.endswith(_KEYCAP) and len(text) <= 3 and all(c in "\ufe0f\u20e3" for c in text[1:])
    begins_well = text[0] in _AMONG_PUNCTUATION or unicodedata.category(text[0]) in _PICTURES
    return begins_well and all(c in _AMONG_PUNCTUATION or unicodedata.category(c) in _CATEGORIES for c in text)
