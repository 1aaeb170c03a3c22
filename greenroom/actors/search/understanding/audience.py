"""Whom a lesson is for or by in ways that no lesson tells: "women only", "only for girls", "female teacher".

Nothing can be searched for by it, which is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from greenroom.actors.search.understanding.claims import Claim, Untold
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.schema.search.understood import NoticeKind

_SEX: Final = r"(?: wom[ae]n | womens | ladys? | ladies | girls? | females? | m[ae]n | mens | boys? | males? | gentlem[ae]n )"
_TEACHER: Final = r"(?: teachers? | tutors? | instructors? | coach(?:es)? | trainers? )"
_UNTOLD: Final = (
    pattern(rf"(?:for_)?{_SEX}(?:_(?:and|or)_{_SEX})?_(?:only|exclusively)"),
    pattern(
        rf"(?:only|just|exclusively)_(?:for_)?{_SEX} | (?:all|same)_(?:-_)?(?:female|male|girls?|boys?|women|sex)"
    ),
    pattern(rf"(?:an?_|by_an?_)?(?:female|male|woman|lady|women)_{_TEACHER}(?:_only)?"),
    # "Female piano teacher": the words between are the lesson.
    pattern(rf"(?:an?_)?(?:female|male)(?=(?:_[a-z]+){{1,3}}_{_TEACHER}(?!\S))"),
)


def audience_claims(line: Line) -> Iterator[Claim]:
    """Every piece that says so."""
    for rule in _UNTOLD:
        for _, first, after in line.find(rule):
            yield Claim(None, first, after, Untold(NoticeKind.NOT_HEEDED), 12)
