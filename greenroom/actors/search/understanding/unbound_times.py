"""What is said about time that no :class:`~greenroom.schema.search.understood.When` can say: months and seasons, how long, how often, how soon.

It is taken out of the sentence and asks for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from greenroom.actors.search.understanding.calendar_dates import MONTH, YEAR
from greenroom.actors.search.understanding.claims import Claim, Untold
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.schema.search.understood import NoticeKind

_ASKS_NOTHING: Final = (
    pattern(rf"(?:(?:in|during|by|starting|since|until|this|next|for)_)(?:early_|mid_|late_)?{MONTH}(?:_{YEAR})?"),
    pattern(r"(?:in_|over_|during_|for_|this_|next_){1,2}(?:the_)?(?:month|year|semester)"),
    pattern(r"(?:about_|around_|at_least_)?(?:once|twice|thrice|\d+_(?:x|times?)|\d+x|several_times|a_few_times)_(?:a|an|per|each|every|/)_(?:week|month|day|fortnight)"),
    pattern(r"(?:every_other_week|bi_?weekly|fortnightly|weekly|once_weekly|twice_weekly|monthly|every_week|each_week|per_week|a_week|on_a_regular_basis|regularly)"),
    pattern(
        r"(?:for_|in_|within_|under_|over_|about_|less_than_|more_than_|up_to_|at_least_|of_){0,4}(?: (?:\d+(?:\.\d+)? (?:_?(?:-|to|or|and)_\d+)? | an | a | half_an? | 1_/_2 | half | a_few | several | couple_of)"
        r" _?(?:min|mins|minutes?|hours?|hrs?|hr|weeks?|months?|days?|years?|h|m) ) (?:_(?:long|sessions?|lessons?|and_a_half|class|classes|slots?|each|of_experience|experience|of)){0,3}(?!_(?:(?:walk|drive|away)_)?(?:from|of)(?!\S))"
    ),
    pattern(r"for_2(?=_(?:in|on|at|near|this|next|under|please|with|-)(?!\S)) | as_an?_couple"),
    pattern(r"(?<!for\ )(?<!of\ )(?<!to\ )(?<!max\ )4(?=_(?:my|me|kids?|child|children|adults?|teens?|teenagers?|seniors?|toddlers?|beginners?|an?)(?!\S)) | 2(?=_(?:teach|learn|help|show|play|do)(?!\S))"),
    pattern(r"(?:at_least_|over_|more_than_)?\d+_?\+?_?(?:years?|yrs?)(?:_(?:of|teaching|professional)){0,3}_experience"),
    pattern(r"1_(?:on|to|:|-|2)_1 | 1_on_2 | half_hour | (?:any|what)_time | asap | as_soon_as_possible | innit | lol | tho | btw | tbh | fyi | right_(?:now|away) | immediately | same_time"
        r" | yesterday | last_(?:week|weekend|month|year|night)"),
    pattern(r"(?:within_|in_)?\d+(?:\.\d+)?_(?:miles?|mi|km|kms|blocks?|kilomet(?:er|re)s?|mins?_walk|minutes?_walk)(?!_(?:of|from)(?!\S))"),
    pattern(r"(?:group_of_|class_of_|for_|up_to_|max_|maximum_){0,4}\d+_(?:people|persons?|students?|kids(?!_age)|children(?!_age)|adults|players?|of_us|others?)(?!_(?:age|ages|aged|between|under|over)(?!\S))"),
)  # fmt: skip


_SEASONS: Final = (
    pattern(r"(?:in_|over_|during_|for_|this_|next_){1,2}(?:the_)?(?:summer|winter|fall|autumn|spring|holidays?|christmas|easter)(?:_(?:holidays?|break|vacation|term))?"),
    pattern(r"(?:in_|during_|over_|for_)?(?:the_|next_)?(?:half_term|term_time|(?:school|summer|winter|spring|autumn|easter|christmas)_(?:holidays?|break|vacation))(?:_(?:holidays?|break|week))?"),
)  # fmt: skip
"""They lie elsewhere in every school's year, which is told."""


def unbound_claims(line: Line) -> Iterator[Claim]:
    """Every piece that says something about time and bounds no search."""
    for rule in _ASKS_NOTHING:
        for _, first, after in line.find(rule):
            yield Claim(None, first, after, None, 8)
    for rule in _SEASONS:
        for _, first, after in line.find(rule):
            yield Claim(None, first, after, Untold(NoticeKind.NOT_HEEDED), 9)
