"""How much the learner knows: "absolute beginner", "never played", "some experience", "advanced"; CEFR's A1 to C2 for languages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from greenroom.actors.search.understanding.claims import Claim
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.schema.search.understood import Level, PartKind

_LEVEL: Final = r"(?: _(?: levels? | lvl | learners? | students? | stage ) )?"
_RULES: Final = (
    (
        pattern(
            rf"(?:for_)?(?:(?:an?|the|my|our|im|very|absolute|total|complete|true|pure|utter)_){{0,4}}"
            rf"(?: begg?inn?ers? | beginer | beginers | newbies? | newbs? | noobs? | novices? | starters? | rookies? | first_timers? ) {_LEVEL}"
            r" | (?:starting_|start_|learn_|learning_|beginning_)?from_(?:scratch|zero|0|the_(?:very_)?(?:beginning|start|ground_up|basics))"
            r" | (?:i_|has_|have_|hes_|shes_|ive_|who_){0,3}never_(?:(?:ever|really|even)_)?(?:played|tried|done|sung|danced|learned|learnt|studied|cooked"
            r"|painted|drawn|coded|ridden|swum|skied|driven|taken_lessons)(?:_before)?"
            r" | (?:for_(?:my|the|a|our)_)?(?:very_)?1st_time(?:_ever|rs?)?"
            r" | (?:no|zero|0|little|without|without_any|not_much|hardly_any)_(?:prior_|previous_|musical_)?(?:experience|knowledge)(?!_(?:required|needed))"
            r" | no_(?:experience|knowledge)_(?:required|needed|necessary)"
            r" | intro | intro_(?:to|level) | introduction(?:_to)? | introductory"
            r" | (?:learn_|learning_|cover_)?(?:the_|very_){0,4}(?:basics|fundamentals|essentials)(?:_of)?"
            r" | for_dummies | starting_out | (?:im_|am_)?(?:just|only)_(?:starting|beginning|started|getting_started)(?:_out)?"
            r" | complete_start | entry_level | beginning_(?:level|student)s? | basic(?:_level)? | elementary_level | a1 | a_1 | a2 | a_2 | level_1"
        ),
        frozenset({Level.BEGINNER}),
    ),
    (
        pattern(
            rf"(?:for_)?(?:(?:an?|the|my|our|im|lower|upper|high|low)_){{0,4}}(?: intermediate | intermediates | mid_?level ) {_LEVEL}"
            r" | (?:with_|have_|has_)?(?:some|a_little|a_bit_of|a_few_years_of|a_year_of)_(?:prior_|previous_)?(?:experience|knowledge)"
            r" | (?:a_)?refreshers?(?:_course|_class|_lessons?)? | (?:im_|a_bit_|bit_){0,3}rusty"
            r" | brush(?:ing)?_up(?:_on)?(?:_my)? | (?:getting|get|come|coming)_back_(?:in)?to | pick_(?:it_)?(?:back_)?up_again"
            r" | (?:past|beyond)_the_(?:basics|beginner_stage) | not_a_(?:complete_|total_)?beginner | b1 | b_1 | b2 | b_2 | level_2"
        ),
        frozenset({Level.INTERMEDIATE}),
    ),
    (
        pattern(
            rf"(?:for_)?(?:(?:an?|the|my|our|im|very|more|highly)_){{0,4}}(?: advanced | experts?_level | professional_level | pro_level"
            r" | masters?_level | masterclass | conservatory_level | virtuoso | pre_?professional | competition_level ) "
            rf"{_LEVEL} (?!_(?:placement|cardiac)(?!\S))"
            r" | (?:(?:become|get|be|sound)_)(?:more_)?fluent | near_fluent | fluent_level | fluency | c1 | c_1 | c2 | c_2 | level_3"
        ),
        frozenset({Level.ADVANCED}),
    ),
)
_ANY: Final = pattern(r"(?:for_)?(?:all|any|every)_(?:skill_)?levels?(?:_welcome)?")


def level_claims(line: Line) -> Iterator[Claim]:
    """Every reading of a level."""
    for rule, levels in _RULES:
        for _, first, after in line.find(rule):
            yield Claim(PartKind.LEVEL, first, after, levels)
    for _, first, after in line.find(_ANY):
        yield Claim(PartKind.LEVEL, first, after, None, 11)


def merged_levels(levels: list[frozenset[Level]], denied: frozenset[Level] = frozenset()) -> frozenset[Level]:
    """Any of them: "beginner to advanced" names what lies between too. Of those that are denied none; empty where all or none are left."""
    named = frozenset[Level]().union(*levels)
    if Level.BEGINNER in named and Level.ADVANCED in named:
        named = frozenset(Level)
    left = (named or frozenset(Level)) - denied
    return left if denied and left < frozenset(Level) else named
