"""Whether the lesson is given online or in person. Both named is either."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from greenroom.actors.search.understanding.claims import Claim
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.schema.search.understood import PartKind

_SUBJECT: Final = (
    r"(?! _(?: marketing | business | stores? | shops? | advertising | safety | dating | poker | presence | reputation | selling"
    r" | security | reality | assistants? | sensing | control | gaming | games? | banking | trading | photography | retail | lens | area ) (?!\S) )"
)
_ONLINE: Final = pattern(
    r"(?:(?:via|over|on|by|through|using|with)_(?:a_)?)?"
    rf"(?: (?:on_?line | virtual | virtually | remote | remotely | e_?learning) {_SUBJECT} | zoom (?!_lens) | skype | face_?time | google_meet"
    r" | microsoft_teams | video_?(?:calls?|chat|conference|conferencing|lessons?|conferences?) | webcam | distance_learning | live_?stream )"
    r"(?: _(?:lessons?|class|classes|sessions?)(?=_(?:only|please)(?!\S)) )? (?:_(?:only|preferred|based))?"
    r" | (?:via|over|by|through)_(?:the_)?(?:internet|video|web|phone) | from_(?:my|the_comfort_of_my)_(?:own_)?(?:couch|computer|laptop)"
)
_HOME: Final = r"(?: home | house | apartment | apt | place | flat | residence | door | building )"
_IN_PERSON: Final = pattern(
    r"(?:(?:must_be|only|strictly)_)?(?: in_?person | inperson | face_2_face | face_to_face | f2f | ftf | irl | in_real_life | offline"
    r" | on_?site | in_the_flesh | physically )(?:_(?:only|preferred|please))?"
    rf" | (?<!close_)(?<!next_)(?<!near_)(?:at|in|from|to)_(?:my|our|your|his|her|their|(?:the_)?(?:students?|teachers?|tutors?|instructors?))_(?:own_)?{_HOME}"
    r" | at_home | in_?home | in_house | at_the_house | house_?calls? | home_visits?"
    rf" | (?:who_)?(?:can_|will_|to_)?(?:comes?|travels?|visits?|drives?|coming|goes|go)_(?:over_)?to_(?:me|us|you|(?:my|our|the|your)_{_HOME})"
    r" | (?:at|in)_(?:a|the|your|their|my)_studio | in_studio | in_the_classroom | at_your_location | at_my_location"
)
_EITHER: Final = pattern(
    r"(?:either_|both_)?(?: (?:on_?line | virtual | remote | zoom)_(?:and_/_or|or|and|/|&)_(?:in_?person | at_home | in_studio | offline | face_to_face)"
    r" | (?:in_?person | at_home | in_studio | offline | face_to_face)_(?:and_/_or|or|and|/|&)_(?:on_?line | virtual | remote | (?:on_|via_|over_)?zoom) )"
    r" | hybrid"
)


def online_claims(line: Line) -> Iterator[Claim]:
    """Every reading of where the lesson is given, as True for online and False for in person."""
    for rule, is_online, strength in ((_ONLINE, True, 10), (_IN_PERSON, False, 11), (_EITHER, None, 12)):
        for _, first, after in line.find(rule):
            yield Claim(PartKind.ONLINE, first, after, is_online, strength)


def merged_online(claims: list[bool | None]) -> bool | None:
    """What all of them say together; either, if they differ."""
    return claims[0] if claims and len(set(claims)) == 1 else None
