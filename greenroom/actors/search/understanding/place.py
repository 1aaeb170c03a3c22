"""The words for a place: after "in", "near" and the like, or anywhere if they are a known name.

With the names of known places at hand the longest one that begins after the preposition is taken if what follows it can't belong
to a name any more; otherwise, and without them, all words up to the next thing understood: a typo is for those who know the places.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Final

from greenroom.actors.search.understanding.claims import Claim, NearMe, PlaceWords
from greenroom.actors.search.understanding.filler import FILLER, NEGATOR_PAIRS, NEGATORS, SOFT_FILLER
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.actors.search.understanding.service import Lexicon
from greenroom.actors.search.understanding.words import word_set
from greenroom.data.gazetteer.ordinary_names import may_close_a_wish, may_open_a_name, needs_a_word_before
from greenroom.schema.search.understood import PartKind

IsPlace = Callable[[tuple[str, ...]], bool]
"""Whether these words (as :func:`keys` gives them) are the name of a place."""

PLACE_WORDS_MAX: Final = 6

_NEAR: Final = pattern(
    r"(?:somewhere_|anywhere_|located_|based_|right_){0,4}(?: near_to | near | nr | nearby | close_to | around | next_to | by | not_(?:(?:too|that|so|very|all_that)_)?far_(?:away_)?from"
    r" | (?:within_)?(?:a_)?(?:walking_distance|short_walk|short_walking_distance|commuting_distance|easy_reach)_(?:of|to|from)"
    r" | (?:within_|about_|less_than_|max_){0,4}(?:\d+|a_few)_(?:miles?|mi|kms?|blocks?|kilomet(?:er|re)s?|minutes?|mins?)_(?:walk_|drive_|away_)?(?:of|from)"
    r" | in_the_vicinity_of | vicinity_of | just_outside(?:_of)? | surrounding | adjacent_to )"
)
_IN: Final = pattern(
    r"(?:somewhere_|anywhere_|located_|based_|live_|lives_|living_|staying_|offered_|preferably_){0,4}(?: in_or_around | in | at | within | throughout | across"
    r" | inside | downtown_in | on_the )"
)
_OUTSIDE: Final = pattern(
    r"(?:anywhere_|somewhere_)?(?: outside(?:_of)? | out_of | (?:(?<!far_)away_from|(?<!not_)(?<!too_)(?<!that_)(?<!so_)(?<!very_)far_(?:away_)?from) | beyond )"
)
_WEAK: Final = frozenset({"by", "at", "on the", "within", "inside", "across", "outside", "nearby", "throughout"})
"""Prepositions that stand for something else about as often: taken with known names, or words that look like a name of a place."""

_HERE: Final = pattern(
    r"(?P<town>in_(?:town|the_city|person)) | (?: near | close_to | around | round | nearby_to | by | near_to | next_to | local_to | in )_(?: me | us | here | my_(?:home|house|place|apartment|area|location|work|office|job|neighbou?rhood)"
    r" | our_(?:home|house|area|neighbou?rhood|place) | the_area | this_area | the_neighbou?rhood | home | work | town | the_city | person )"
    r" | near_?by | nearme | locally | local_area"
)
_TAIL: Final = word_set("area neighborhood neighbourhood region vicinity")
_PARTS: Final = word_set(
    "north south east west northern southern eastern western central inner outer upper lower downtown uptown"
)
_NO_PLACE_AFTER: Final = word_set(
    "style pizza cuisine food accent bagels cheesecake slang history culture dialect roll rolls terrier"
)
_STREET: Final = word_set(
    "street st avenue ave road rd blvd boulevard park square heights hill plaza station bridge beach point island slope village city district gardens garden place center centre side "
    "town terrace market way court yards palace green common cross end row mews quay wharf hills harbor"
)
_TEACHING: Final = word_set(
    "lesson lessons class classes course courses teacher teachers tutor tutors tutoring coach instructor instructors"
)
_OF_BODY: Final = frozenset({"wellness", "sports", "dance"})
"""Groups of kinds to which "chi" may belong."""

_STOP: Final = word_set(
    "for with who that which under below over from to is are am be my on at in near around by but not no or please pls can could would "
    "will i im we he she they it teaching teaches teach lessons lesson class classes teacher teachers instructor instructors "
    "tutor tutors coach coaches available preferably ideally willing looking need want someone price budget between less "
    "max up about starting during after before until through via using because so if unless only since when where private cheap"
)
_CANT_BEGIN: Final = _STOP | word_set(
    "a an front exchange charge minor major return preparation public orchestra band ensemble theory nature water pool house kids corner "
    "clock world christmas easter thanksgiving week weeks month months general order addition particular fact case advance depth detail groups group pairs private class me you us him her them one "
    "least most all any some his its their your our my this these those it first second last time tune shape school "
    "college university home ear hand heart sight myself"
)


def known_place_claims(
    line: Line, *, is_place: IsPlace, lexicon: Lexicon, told: Collection[int] = ()
) -> Iterator[Claim]:
    """Known names where no preposition leads to them. What also names a lesson is a lesson: "chinese", "reading"; and what is
    a word before it is a place is that word: "violin bow".

    Args:
        told: atoms at which something else begins that is understood: a day, a price.
    """
    words = [atom.words[0].key for atom in line.atoms]
    for first in range(len(words)):
        for after in range(min(first + PLACE_WORDS_MAX, len(words)), first, -1):
            name = _name(line, first, after)
            if not all(atom.is_word for atom in line.atoms[first:after]) or not is_place(name):
                continue
            if not _is_told_by_itself(line, " ".join(name), first, after, lexicon, told):
                break
            is_lesson = lexicon.meanings(name) is not None or (len(name) == 1 and name[0] in FILLER | SOFT_FILLER)
            if (
                not is_lesson
                and line.key(after) not in _NO_PLACE_AFTER
                and not _is_part_of_lesson(words, first, after, lexicon)
            ):
                begin = first - 1 if _says_which_part(line, first) else first
                meaning = PlaceWords(_text(line, begin, after), is_near=False, is_led_to=False)
                # "Near North Side" is a name rather than a preposition and one.
                yield Claim(
                    PartKind.PLACE,
                    begin,
                    _past_inward(line, first, after),
                    meaning,
                    12 if name[0] == "near" else 11,
                )
            break


def prepositional_claims(
    line: Line, taken: list[bool], *, is_place: IsPlace | None, lexicon: Lexicon
) -> Iterator[Claim]:
    """Places after prepositions, among atoms that nothing else has taken."""
    for match, first, after in line.find(_HERE):
        if not any(taken[first:after]):
            yield Claim(PartKind.FILLER, first, after, None if match["town"] else NearMe(), 12)
    for rule, is_near in ((_NEAR, True), (_IN, False), (_OUTSIDE, False)):
        for match, first, begin in line.find(rule):
            end = _end(
                line,
                taken,
                begin,
                is_place=is_place,
                lexicon=lexicon,
                is_near=is_near,
                is_weak=rule is _OUTSIDE or match.group().split()[-1] in _WEAK,
            )
            if end is None or any(taken[first:begin]):
                continue
            tail = end + 1 if line.key(end) in _TAIL and not taken[end] else end
            yield Claim(
                PartKind.PLACE,
                first,
                tail,
                PlaceWords(
                    _text(line, _past_the(line, begin), end), is_near, is_led_to=True, is_outside=rule is _OUTSIDE
                ),
                11,
            )


def _end(
    line: Line,
    taken: list[bool],
    begin: int,
    *,
    is_place: IsPlace | None,
    lexicon: Lexicon,
    is_near: bool,
    is_weak: bool,
) -> int | None:
    """Where the name that begins here ends; None if there is none."""
    limit = begin
    while (
        limit < len(line.atoms)
        and limit < begin + PLACE_WORDS_MAX + 1
        and not taken[limit]
        and line.atoms[limit].is_word
        and not (limit > begin and (line.atoms[limit].is_broken_off or _ends_name(line, limit)))
    ):
        limit += 1
    start = _past_the(line, begin)
    if start >= limit:
        return None
    if is_place is not None:
        for end in range(limit, start, -1):
            name = _name(line, start, end)
            if not is_near and lexicon.meanings(name) is not None:
                continue
            if is_place(name) or is_place(_name(line, begin, end)):
                return (
                    end
                    if _may_end(line, end, limit, lexicon)
                    else _until_lesson(line, start, limit, lexicon, at_least=end)
                )
    if line.key(start) in _CANT_BEGIN or (is_weak and not _looks_like_a_place(line, start, limit)):
        return None
    if line.key(start)[0].isdigit() and not _is_postcode_or_street(line, start, limit):
        return None
    end = _until_lesson(line, start, limit, lexicon, at_least=start + 1 if is_near else start)
    return end if end > start else None


def _ends_name(line: Line, at: int) -> bool:
    """Whether a word is of no place's name: "queens except astoria", "queens apart from astoria"."""
    key = line.key(at)
    return key in _STOP or key in NEGATORS or (key, line.key(at + 1)) in NEGATOR_PAIRS


def _may_end(line: Line, end: int, limit: int, lexicon: Lexicon) -> bool:
    return (
        end >= limit
        or line.key(end) in FILLER | SOFT_FILLER | _TAIL
        or lexicon.meanings((line.key(end),)) is not None
    )


def _until_lesson(line: Line, start: int, limit: int, lexicon: Lexicon, *, at_least: int) -> int:
    """Up to where a lesson is named or filler begins: "in astoria piano lessons"."""
    keys = [line.key(index) for index in range(start, limit)]
    end = limit
    for phrase in lexicon.phrases(keys):
        is_of_a_name = phrase.after == phrase.first + 1 and keys[phrase.first] in _STREET and phrase.first > 0
        if phrase.is_exact and start + phrase.first >= at_least and not is_of_a_name:
            end = start + phrase.first
            break
    while end > at_least and line.key(end - 1) in (FILLER | SOFT_FILLER | _TAIL) - _STREET:
        end -= 1
    return min(end, start + PLACE_WORDS_MAX)


def _looks_like_a_place(line: Line, start: int, limit: int) -> bool:
    return any(line.key(index) in _STREET for index in range(start, min(limit, start + 4)))


def _is_postcode_or_street(line: Line, start: int, limit: int) -> bool:
    key = line.key(start)
    return (key.isdigit() and len(key) == 5) or (not key.isdigit() and _looks_like_a_place(line, start + 1, limit))


def _is_told_by_itself(
    line: Line, name: str, first: int, after: int, lexicon: Lexicon, told: Collection[int]
) -> bool:
    """Whether a name is a place where no preposition leads to it."""
    is_last = after == len(line.atoms) or not line.atoms[after].is_word or line.atoms[after].is_broken_off
    is_last = is_last or after in told
    if may_open_a_name(name):
        return is_last or not _belongs_to_next(line, after, lexicon)
    is_ordinary = needs_a_word_before(name) and _past_inward(line, first, after) == after
    return not is_ordinary or (may_close_a_wish(name) and is_last and _is_behind_lesson(line, first, lexicon))


def _belongs_to_next(line: Line, after: int, lexicon: Lexicon) -> bool:
    """Whether the word behind a name that is an article too is its noun: "les enfants", "les paul", but not "les piano lessons"."""
    following = line.key(after)
    if following in FILLER or following in SOFT_FILLER:
        return False
    phrase = next(lexicon.phrases([line.key(at) for at in range(after, min(after + 5, len(line.atoms)))]), None)
    is_singular = not following.endswith("s") or following.endswith("ss")
    return not (is_singular and phrase is not None and phrase.first == 0 and phrase.is_exact)


def _is_behind_lesson(line: Line, first: int, lexicon: Lexicon) -> bool:
    """Whether a lesson or a word like "lessons" stands right before; not one that the word may be of: "yoga chi"."""
    before = line.key(first - 1)
    if line.atoms[first].is_broken_off:
        return False
    kinds = lexicon.meanings((before,)) or ()
    is_of_body = any(lexicon.taxonomy.kinds[slug].group in _OF_BODY for slug, _ in kinds)
    return before in _TEACHING or (bool(kinds) and not is_of_body)


def _is_part_of_lesson(words: list[str], first: int, after: int, lexicon: Lexicon) -> bool:
    """Whether a longer name of a lesson holds these words: "new york style pizza", "american sign language"."""
    for begin in range(max(0, first - 3), first + 1):
        for end in range(after, min(begin + 5, len(words)) + 1):
            if end - begin > after - first and lexicon.meanings(tuple(words[begin:end])):
                return True
    return False


def _says_which_part(line: Line, first: int) -> bool:
    """Whether the word before a name only says which part of the place is meant: "south london"."""
    return line.key(first - 1) in _PARTS and not line.atoms[first].is_broken_off


def _past_the(line: Line, begin: int) -> int:
    return begin + 1 if line.key(begin) == "the" and begin + 1 < len(line.atoms) else begin


def _name(line: Line, first: int, after: int) -> tuple[str, ...]:
    words = [word for atom in line.atoms[first:after] for word in atom.words if word.key[0].isalnum()]
    return tuple(_joined([(word.key, word.is_glued) for word in words]))


def _text(line: Line, first: int, after: int) -> str:
    atoms = [atom for atom in line.atoms[first:after] if atom.is_word]
    words = _joined([(atom.text, atom.words[0].is_glued) for atom in atoms])
    if len(words) > 1 and _OUTWARD.fullmatch(words[-2]) and _INWARD.fullmatch(words[-1]):
        del words[-1]
    return " ".join(words)


_OUTWARD: Final = re.compile(r"[a-z]{1,2}\d[a-z0-9]?")
_INWARD: Final = re.compile(r"\d[a-z]{2}")
"""The halves of a British postcode; the second one only says which street it is."""


def _past_inward(line: Line, first: int, after: int) -> int:
    """Where a postcode ends of which the first half ends here."""
    longer = min(after + 2, len(line.atoms))
    name, whole = _name(line, first, after), _name(line, first, longer)
    is_whole = len(whole) == len(name) + 1 and _OUTWARD.fullmatch(name[-1]) and _INWARD.fullmatch(whole[-1])
    return longer if is_whole else after


def _joined(words: list[tuple[str, bool]]) -> list[str]:
    """The words, letters and digits that were typed as one put together again: "se15"."""
    joined: list[str] = []
    for text, is_glued in words:
        if is_glued and joined and joined[-1][-1].isalpha() != text[0].isalpha() and (joined[-1] + text).isalnum():
            joined[-1] += text
        else:
            joined.append(text)
    return joined
