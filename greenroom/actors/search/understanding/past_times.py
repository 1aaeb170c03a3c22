"""Times that are over: "yesterday", "last monday", "3 days ago". They ask for nothing, which is told.

Not so where somebody only tells of it: "I played until last year", "since last monday".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from greenroom.actors.search.understanding.claims import Claim, Untold
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.actors.search.understanding.weekdays import DAY_NAME
from greenroom.schema.search.understood import NoticeKind

_TIME: Final = r"(?:_(?:morning|afternoon|evening|night))?"
_OVER: Final = pattern(
    rf"(?:on_|from_|for_)?(?: (?:the_day_before_)?yesterday{_TIME} | (?:this_)?(?:last|past|previous)_(?:{DAY_NAME}{_TIME} | night | week_?end | week)"
    r" | (?P<ago>\d{1,2} | an? | few | couple_of)_(?:days?|weeks?)_ago ) (?!_(?:of|in)(?!\S))"
)
_TOLD_OF: Final = frozenset(
    {"since", "until", "till", "started", "began", "played", "had", "was", "were", "did", "missed", "the", "over"}
)


def past_claims(line: Line) -> Iterator[Claim]:
    """Every reading of a time that is over."""
    for _, first, after in line.find(_OVER):
        is_told_of = line.key(first - 1) in _TOLD_OF
        yield Claim(None, first, after, None if is_told_of else Untold(NoticeKind.PAST), 13)
