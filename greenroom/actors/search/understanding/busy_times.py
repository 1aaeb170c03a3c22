"""Times that are denied by what is said of them: "I'm away next week", "busy on friday", "tomorrow doesn't work"."""

from __future__ import annotations

from typing import Final

from greenroom.actors.search.understanding.claims import Claim
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.actors.search.understanding.words import word_set
from greenroom.schema.search.understood import PartKind

_BE: Final = r"(?:im | am | is | are | were | be | hes | shes | theyre | ill_be)"
_BEFORE: Final = pattern(
    rf"(?:(?:i | we | he | she | they)_)?(?:{_BE}_)?(?:all_|mostly_|already_)?(?: away | unavailable | out_of_town | on_(?:holidays? | vacation | leave | a_trip) )"
    rf" | (?:(?:i | we | he | she | they)_)?(?:{_BE}_(?:all_|already_|really_)?(?:busy | booked(?:_up)? | travell?ing) | busy(?=_(?:on | from | until)(?!\S)))"
    r" | (?:(?:i | we | he | she | they)_)?(?:dont_(?:really_)?have_(?:any_)? | (?:have_|ive_got_)?no_)time"
)
_LEADING: Final = word_set("on for from all the in at")
_BEHIND: Final = pattern(
    r"(?:(?:just_|really_)?(?: (?:doesnt | dont | does_not | do_not | wont | will_not | cant | cannot | didnt)_(?:really_)?(?:work | suit | fit)"
    rf" | (?:{_BE}_)?(?: no_good | not_(?:good | possible | ok | okay | an_option | great) | impossible | unavailable )"
    rf" | {_BE}_(?:out | bad | full | taken | difficult | off | busy | a_no | too_busy)"
    r" | (?:isnt | arent)_(?:good | possible | ok | okay | great | an_option | available | free) ))(?:_(?:for|with)_(?:me|us|him|her|them))?"
)
_HINTS: Final = word_set(
    "away unavailable town holiday holidays vacation leave trip busy booked travelling traveling time work suit fit good possible ok okay "
    "option great impossible out bad full taken difficult off available free"
)


class BusyTimes:
    """Where a sentence says of a time that it is none."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._ending: dict[int, int] = {}
        self._beginning: dict[int, int] = {}
        if not _HINTS.isdisjoint(atom.key for atom in line.atoms):
            self._ending = {after: first for _, first, after in line.find(_BEFORE)}
            self._beginning = {first: after for _, first, after in line.find(_BEHIND)}

    def extent(self, claim: Claim) -> tuple[int, int] | None:
        """A claim's atoms with those that say so; None for one that nothing says so of."""
        if claim.kind is not PartKind.WHEN:
            return None
        at = claim.first
        while at not in self._ending and self._line.key(at - 1) in _LEADING:
            at -= 1
        first, after = self._ending.get(at), self._beginning.get(claim.after)
        if first is None and after is None:
            return None
        return claim.first if first is None else first, claim.after if after is None else after
