"""How old the learner is: "my 8 year old", "ages 6-10", "toddlers", "5th grader", "in my 40s".

What words mean, in years: baby 0-1, toddler 1-3, preschooler 3-5, kindergartner 5-6, kid or child 3-12, tween 9-12, teenager 13-19,
young adult 18-25, adult 18 and older, senior 60 and older; elementary school 5-11, middle school 11-14, high school 14-18,
college student 18 and older; the n-th grade n+5 to n+6, year n of English schools n+4 to n+5. Under "under 10" the ten are not counted; "up to 10" counts them.
Numbers go before words ("kids ages 6-10"); of several the youngest and the oldest bound the whole, and
a lesson has to be for each ("7 and 10") unless it is a range or a choice ("7 to 10", "7 or 10").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from greenroom.actors.search.understanding.claims import Ages, Claim, ExceptAges, Untold
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.actors.search.understanding.words import word_set
from greenroom.schema.search.understood import AgeBounds, NoticeKind, PartKind

AGE_MAX: Final = 120
ADULT_FROM: Final = 18
CHILD_UP_TO: Final = 12
"""The oldest whom "kids" are taken for; "not for kids" is for grown-ups all the same."""

KIDS: Final = AgeBounds(3, CHILD_UP_TO)

SMALLEST_UP_TO: Final = 4
"""Who denies an age denies those below it too only if they are this small: nobody means toddlers by "no kids", but "no teens" spares kids."""

_FOR: Final = r"(?: (?:for_)? (?:my|our|a|an|his|her|their|the|some|of)_ | for_ )?"
_WHO: Final = (
    r"(?: kids? | child | children | boys? | girls? | students? | teens? | teenagers? | adults? | people | persons? | those"
    r" | anyone | everyone | learners? | beginners? | women | men | sons? | daughters? | toddlers? )"
)
_OLD: Final = r"(?: (?:years?|yrs?|yr|y)_(?:olds?|young|of_age) | yos? | y_/_os? | yearolds? | years?_aged )"
_N: Final = r"\d{1,3}"
_AGED: Final = (
    r"(?: ages? | aged | age_(?:of|group|range|groups) | ages_of | turning | (?:who|that)_(?:is|are|just_turned) )"
)

_CHILD: Final = r"(?: son | daughter | boy | girl | kid | child | niece | nephew | grandson | granddaughter | toddler | brother | sister )"
_GROWN: Final = r"(?: mom | mum | mother | dad | father | grandma | grandmother | grandpa | grandfather | gran | granny | nan | nana | grandad | granddad | wife | husband | parents | friend | aunt | uncle )"
_COUNTED_YEARS: Final = r"(?: - | : | am | pm | to | hours? | hrs? | min | mins | minutes? | days? | times? | x | / | lessons? | classes | \$ | dollars )"
_SPAN: Final = pattern(
    rf"{_FOR} (?: (?:{_WHO}_)? (?:between_(?:the_)?)? {_AGED}_ (?:from_|between_)? (?P<a1>{_N}) _(?:-|to|and|through|thru|/)_ (?P<b1>{_N})"
    rf" (?:_{_OLD})?"
    rf" | (?:between_|from_)? (?P<a2>{_N}) _(?:(?:-|to|and|or|&|through|/)_)(?:an?_|my_)? (?P<b2>{_N}) _{_OLD}"
    rf" | (?:between_|from_)? (?P<a3>{_N}) _{_OLD} _(?:-|to|and|or|&)_(?:an?_|my_)? (?P<b3>{_N}) (?:_{_OLD})?"
    rf" | {_WHO}_(?:of_)?(?:between_)? (?P<a4>{_N}) _(?:-|to|and)_ (?P<b4>{_N}) (?!_(?:am|pm|a|p|:|o_?clock)(?!\S))"
    rf" | (?P<a6>1?\d)_(?:&|and)_(?P<b6>1?\d)_(?:years?|yrs?) (?!_(?:of|experience|exp|teaching)(?!\S))"
    rf" | (?P<a5>{_N})_-_(?P<b5>{_N})_(?:years?|yrs?) (?!_(?:of|experience|exp|teaching)(?!\S)) )"
)
_LIST: Final = pattern(
    rf"{_FOR} (?:{_WHO}_)? (?:{_AGED}_)? (?P<list>{_N} (?: _(?:(?:and|or|&|,)_)?(?:an?_)?{_N}){{1,6}} ) _{_OLD}"
    rf" | {_FOR} (?:{_WHO}_)? {_AGED}_ (?P<list2>{_N} (?: _(?:(?:and|or|&)_)?{_N}){{1,6}} )"
)
_YEARS: Final = pattern(
    rf"{_FOR} (?P<n>{_N}) (?:_and_a_half)? (?:_{_OLD} | _(?:years?|yrs?)(?=_(?:boy|girl|son|daughter|kid|child)(?!\S)))"
    r" (?P<more>_(?:\+ | plus | &_up | and_(?:older|up|above|over) | or_(?:older|above|over)))?"
    r" (?P<less>_(?:and_(?:under|younger|below) | or_(?:under|younger)))?"
)
_AGE_N: Final = pattern(
    rf"{_FOR} (?:{_WHO}_)? (?: {_AGED} | (?:{_WHO})_of | (?:{_CHILD})(?:_(?:is|who_is|whos|just_turned|turned))?(?=_(?:1?\d)(?!_(?:{_COUNTED_YEARS})(?!\S))) | (?:{_GROWN})(?:_(?:is|who_is|whos|who))?(?=_[2-9]\d(?!_(?:{_COUNTED_YEARS})(?!\S))) | (?:hes|shes|im|i_am|he_is|she_is)(?=_\d+(?!_(?:am|pm|hours?|minutes?|\d)(?!\S))) ) _(?P<n>{_N})"
    r" (?P<more>_(?:\+ | plus | &_up | and_(?:older|up|above|over) | or_(?:older|above)))?"
    r" (?P<less>_(?:and_(?:under|younger|below) | or_(?:under|younger)))?"
)
_AGED_N: Final = pattern(rf"aged_(?P<n>{_N}) (?P<more>_(?:\+ | plus))? (?P<less>_(?:and|or)_(?:under|younger))?")
"""By itself, where the word before it is of something else: "a beginner aged 30"."""
_MONTHS: Final = pattern(
    rf"{_FOR} (?P<n>{_N}) _(?: months?_olds? | months?_of_age | mos?(?:_olds?)? | m_/_o | mth_old )"
)
_MONTHS_TO_YEARS: Final = pattern(
    rf"{_FOR} (?:ages?_)?(?P<a>{_N})_(?:months?|mos?)_(?:(?:-|to)_)?(?P<b>{_N})_(?:years?|yrs?)(?:_olds?)?"
)
_MONTH_SPAN: Final = pattern(
    rf"{_FOR} (?:ages?_)?(?P<a>{_N}) _(?:-|to)_ (?P<b>{_N}) _(?: months?_old | months? | mos? )"
)
_BOUND: Final = pattern(
    rf"(?:for_)?(?:the_)? (?: (?P<who>{_WHO})_(?:aged_|ages_)? )?"
    rf" (?P<side>under | below | younger_than | less_than | up_to | over | above | older_than | at_least | more_than)"
    rf" (?P<aged>_(?:the_)?ages?(?:_of)?)? _(?P<n>{_N}) (?P<old>_s | _{_OLD})?"
)
_FOR_OVER: Final = pattern(rf"for_(?:the_)?(?:(?:over)|(?P<under>under))_(?P<n>{_N})")
_AND_UP: Final = pattern(
    rf"(?:for_)?(?:{_WHO}_)?(?P<n>{_N}) _(?: (?P<more>\+ | and_(?:older|over) | and_up | or_older) | (?:and|or)_(?:under|younger) )"
)
_DECADE: Final = pattern(
    r"(?:(?:(?:for|who_is|who_are|am|is|im)_)?(?:people_|someone_|adults?_)?in_(?:my|his|her|their|our|your|the)_)"
    r"(?P<early>(?:early|mid|late)_(?:to_late_)?)? (?P<n>[1-9]0)_s"
)
_SOMETHING: Final = pattern(r"(?P<n>[2-9]0)_somethings?")
_NO_EXAM: Final = (
    r"(?! _(?: abrsm | exams? | trinity | piano | violin | viola | cello | flute | guitar | singing | theory | music | clarinet"
    r" | saxophone | trumpet | drums? | recorder | boulder(?:ing)? | climb(?:ing)? | pieces? | ballet ) (?!\S) )"
)
_GRADE: Final = pattern(
    r"(?:for_)?(?:(?:my|a|an|our|his|her|the)_)?(?: (?P<a>k | \d{1,2}(?:st|nd|rd|th)?) _(?:-|to|through|and)_ )? (?P<b>\d{1,2}(?:st|nd|rd|th))"
    rf" _(?:grade|grader|graders|grades|grade_level) {_NO_EXAM}"
    rf" | (?<!abrsm_)(?<!piano_)(?<!violin_)(?<!theory_)(?<!guitar_)grades?_(?: (?P<c>k|\d{{1,2}}) _(?:-|to|through|and)_ )? (?P<d>\d{{1,2}}) {_NO_EXAM}"
    r" | (?P<k>k)_?-?_?(?P<e>\d{1,2})(?:_students?)?"
)

_EXAMINED: Final = word_set(
    "piano violin viola cello flute guitar singing theory clarinet saxophone trumpet drum drums recorder music oboe harp voice"
)
_SCHOOL_YEAR: Final = pattern(
    r"(?:for_)?(?:a|my|our|hs)_(?:freshman|sophomore|junior)(?!_(?:tennis|golf|high|league)(?!\S))"
)
"""Of a high school or a college: from 14 to 22, which says little."""

_WORDS: Final[tuple[tuple[re.Pattern[str], int, int | None], ...]] = tuple(
    (pattern(rf"(?:for_)?(?:(?:my|a|an|our|the|his|her|young|little|older|small)_){{0,4}}(?:{words})"), low, high)
    for words, low, high in (
        (r"babys?(?!_(?:grand|shower|sitt(?:ing|er))(?!\S)) | babies | infants? | newborns?", 0, 1),
        (r"toddlers?", 1, 3),
        (r"preschoolers? | pre_schoolers? | pre_?k(?:_kids?|_students?)? | preschool_(?:age|aged|kids?|children|child)(?:_(?:kids?|child|children))?", 3, 5),
        (r"kindergart(?:e?ners?|en) (?:_(?:student|students|kid|kids|child|age|level))?", 5, 6),
        (
            r"(?:kids? | childs | childrens) (?!_(?:books?|literature|theat(?:er|re)|birthday|party)(?!\S))"
            r" | child (?!_(?:care|psychology|development)(?!\S)) | children | kiddos? | kiddies | (?<=little_)(?:ones?|girls?|boys?)"
            r" | school_?aged?(?:_(?:kids?|children|child))? | youngsters? | young_learners?",
            KIDS.min_years,
            KIDS.max_years,
        ),
        (r"tweens? | pre_?teens?", 9, 12),
        (r"teens? | teen_?agers? | teenaged? | adolescents?", 13, 19),
        (r"(?:elementary|primary|grade)_?school(?:ers? | _(?:students?|kids?|child|children|level|age|aged))?", 5, 11),
        (r"(?:middle|junior_high)_?school(?:ers? | _(?:students?|kids?|child|children|level))?", 11, 14),
        (r"high_?school(?:ers? | _(?:students?|kids?|level|freshman|sophomore|junior|senior))? (?!_equivalency)", 14, 18),
        (r"(?:college|university|uni)_(?:students?|kids?|level|freshm[ae]n)", 18, None),
        (r"young_adults? (?!_(?:fiction|novels?|books?)(?!\S))", 18, 25),
        (r"adults? | grown_?ups? | adult_learners? | working_professionals?", 18, None),
        (r"seniors? (?!_(?:year|recital|developer|manager|high)(?!\S)) | senior_citizens? | elderly | older_adults? | retirees? | pensioners?"
         r" | retired_(?:people|person|adults?)", 60, None),
        (r"youths?", 5, 18),
    )
)  # fmt: skip
_ANY: Final = pattern(r"(?:for_)?(?:all|any|every)_ages?(?:_welcome)?")


def age_claims(line: Line) -> Iterator[Claim]:
    """Every reading of an age."""
    for rule in (_ANY, _SCHOOL_YEAR):
        for _match, first, after in line.find(rule):
            yield Claim(PartKind.AGE, first, after, None, 11)
    for rule, low, high in _WORDS:
        for _, first, after in line.find(rule):
            yield _claim(first, after, low, high, is_exact=False)
    if any(char.isdigit() for char in line.text):
        yield from _numbered(line)


def merged_ages(ages: list[Ages]) -> AgeBounds | None:
    """From the youngest to the oldest of them; of numbers alone if there are any."""
    exact = [age.bounds for age in ages if age.is_exact] or [age.bounds for age in ages]
    if not exact:
        return None
    are_single = len(exact) > 1 and all(bounds.min_years == bounds.max_years for bounds in exact)
    highs = [bounds.max_years for bounds in exact if bounds.max_years is not None]
    return AgeBounds(
        min(bounds.min_years for bounds in exact),
        max(highs) if len(highs) == len(exact) else None,
        are_together=len(highs) == len(exact)
        and (are_single or any(bounds.are_together for bounds in exact))
        and min(bounds.min_years for bounds in exact) < max(highs),
    )


def only_ages(ages: list[Ages], refused: list[ExceptAges]) -> AgeBounds | None:
    """Whom it may be for at most, where some of them are said to be alone; None for anybody. All that are named may come to it."""
    left = [age_left(None, [each]) for each in refused if each.is_only]
    limits = [bounds for bounds in (*(each.limits for each in ages), *left) if bounds is not None]
    if not limits:
        return None
    named = [*limits, *(each.bounds for each in ages if each.limits is None)]
    highs = [bounds.max_years for bounds in named if bounds.max_years is not None]
    low, high = min(bounds.min_years for bounds in named), max(highs) if len(highs) == len(named) else None
    return None if low == 0 and high is None else AgeBounds(low, high)


def age_left(asked: AgeBounds | None, refused: list[ExceptAges]) -> AgeBounds | None:
    """Who is left of those asked for, or of everybody, where some are denied.

    Of everybody: who is younger than those from an age on, or older than those up to one; where "kids" are denied, adults. Of those asked
    for, what is denied at either end is cut off. What would leave nobody, or is amid them ("no teens"), changes nothing.
    """
    left = asked
    for ages in sorted(refused, key=lambda ages: ages.bounds.min_years):
        cut = _of_everybody(left, ages) if asked is None else _cut(left, ages.bounds)
        left = left if cut is None else cut
    return left


def _of_everybody(left: AgeBounds | None, refused: ExceptAges) -> AgeBounds | None:
    low, high = (0, None) if left is None else (left.min_years, left.max_years)
    first, last = refused.bounds.min_years, refused.bounds.max_years
    if last is None:
        high = min(first - 1, AGE_MAX if high is None else high)
    elif first > max(low, SMALLEST_UP_TO):
        return None
    elif refused.is_exact or last < CHILD_UP_TO:
        low = max(low, last + 1)
    else:
        low = max(low, ADULT_FROM, last + 1)
    return None if high is not None and high < low else AgeBounds(low, high)


def _cut(left: AgeBounds | None, refused: AgeBounds) -> AgeBounds | None:
    if left is None or left.are_together:
        # Of several learners who come together none can be left out.
        return None
    low, high = left.min_years, left.max_years
    if refused.min_years <= low:
        if refused.max_years is None:
            return None
        low = max(low, refused.max_years + 1)
    elif refused.max_years is None or (high is not None and refused.max_years >= high):
        high = refused.min_years - 1 if high is None else min(high, refused.min_years - 1)
    else:
        return None
    return None if high is not None and high < low else AgeBounds(low, high)


def are_left_out(refused: AgeBounds, left: AgeBounds | None) -> bool:
    """Whether nobody who is denied is among those who are left."""
    if left is None:
        return False
    is_younger = refused.max_years is not None and refused.max_years < left.min_years
    return is_younger or (left.max_years is not None and left.max_years < refused.min_years)


def _claim(
    first: int,
    after: int,
    low: int,
    high: int | None,
    *,
    is_exact: bool = True,
    strength: int = 11,
    are_together: bool = False,
) -> Claim:
    return Claim(PartKind.AGE, first, after, Ages(AgeBounds(low, high, are_together), is_exact), strength)


def _numbered(line: Line) -> Iterator[Claim]:
    for match, first, after in line.find(_SPAN):
        ages = [int(number) for name, number in match.groupdict().items() if number is not None]
        if max(ages) <= AGE_MAX:
            words = match.group().split()
            are_together = not {"between", "from"}.intersection(words) and not {"and", "&"}.isdisjoint(words)
            yield _claim(first, after, min(ages), max(ages), strength=12, are_together=are_together)
    for match, first, after in line.find(_LIST):
        ages = [int(number) for number in re.findall(r"\d+", match["list"] or match["list2"])]
        if max(ages) <= AGE_MAX:
            are_together = "or" not in match.group().split()
            yield _claim(first, after, min(ages), max(ages), strength=12, are_together=are_together)
    for rule in (_YEARS, _AGE_N, _AGED_N):
        for match, first, after in line.find(rule):
            age = int(match["n"])
            if age > AGE_MAX:
                yield Claim(None, first, after, Untold(NoticeKind.NOT_HEEDED), 11)
            else:
                low, high = (age, None) if match["more"] else (0, age) if match["less"] else (age, age)
                yield _claim(first, after, low, high)
    for match, first, after in line.find(_MONTHS):
        years = int(match["n"]) // 12
        yield _claim(first, after, years, years)
    for match, first, after in line.find(_MONTHS_TO_YEARS):
        low, high = sorted((int(match["a"]) // 12, int(match["b"])))
        yield _claim(first, after, low, high)
    for match, first, after in line.find(_MONTH_SPAN):
        low, high = sorted((int(match["a"]) // 12, int(match["b"]) // 12))
        yield _claim(first, after, low, high)
    yield from _bounded(line)
    for match, first, after in line.find(_TEAM):
        yield _claim(first, after, 0, int(match["n"]), strength=9)
    for match, first, after in line.find(_SCHOOL_YEAR_N):
        forms = sorted(int(match[name]) for name in ("n", "to") if match[name] is not None)
        yield _claim(first, after, forms[0] + 4, forms[-1] + 5)
    for match, first, after in line.find(_KEY_STAGE):
        yield _claim(first, after, *_KEY_STAGES[int(match["n"])])
    for rule in (_DECADE, _SOMETHING):
        for match, first, after in line.find(rule):
            decade = int(match["n"])
            yield _claim(first, after, decade, decade + 9, strength=12)
    is_music = any(atom.key in _EXAMINED for atom in line.atoms)
    for match, first, after in line.find(_GRADE):
        if is_music and match["d"] is not None:
            # "Violin, grade 5" is how well one plays.
            yield Claim(None, first, after, None)
            continue
        grades = [_grade(match[name]) for name in ("a", "b", "c", "d", "k", "e") if match[name] is not None]
        if max(grades) <= 12:
            yield _claim(first, after, min(grades) + 5, max(grades) + 6)


def _bounded(line: Line) -> Iterator[Claim]:
    """ "under 5s", "kids under 12", "over the age of 60". A bare "under 12" is an age below 20 only: more is a
    price. A bare "over 50" is an age: nobody looks for lessons that cost more."""
    for match, first, after in line.find(_BOUND):
        age = int(match["n"])
        said = bool(match["who"] or match["aged"] or match["old"])
        if age > AGE_MAX or not said or line.key(after) in _COUNTED:
            continue
        yield _bound(first, after, match["side"], age)
    for match, first, after in line.find(_FOR_OVER):
        if int(match["n"]) <= AGE_MAX and line.key(after) not in _COUNTED and match["under"] is None:
            yield _bound(first, after, "over", int(match["n"]))
    for match, first, after in line.find(_OVER_ALONE):
        if 16 <= int(match["n"]) <= 90 and line.key(after) not in _COUNTED:
            yield _bound(first, after, "over", int(match["n"]), strength=8)
    for match, first, after in line.find(_UNDER_ALONE):
        if 2 <= int(match["n"]) < 20 and line.key(after) not in _COUNTED:
            yield _bound(first, after, "under", int(match["n"]), strength=8)
    for match, first, after in line.find(_AND_UP):
        age = int(match["n"])
        is_usual = (
            age in (16, 18, 21, 50, 55, 60, 65, 70, 75, 80)
            if match["more"] == "+"
            else age < 20 or age in (21, 50, 55, 60, 65)
        )
        if is_usual and line.key(first - 1) not in ("$", "€", "£"):
            yield _claim(first, after, *((age, None) if match["more"] else (0, age)), strength=9)


_OVER_ALONE: Final = pattern(r"(?:for_)?(?:over|above)_(?P<n>\d{2})(?:_s)?")
_TEAM: Final = pattern(r"(?:for_)?(?P<n>[5-9]|1\d)_u(?!_(?:\$|k)(?!\S))")
"""Of teams: "12u" are those of twelve and younger."""
_SCHOOL_YEAR_N: Final = pattern(
    r"(?:for_)?(?:a|my|in)?(?:_)?(?:school_)?years?_(?P<n>1[0-3]|[1-9])(?:_(?:-|to|and|or|/)_(?P<to>1[0-3]|[1-9]))?"
    r"(?!_(?:old|olds|of|year|years|-|\.|hours?|lessons?|weeks?|months?|experience)(?!\S))"
)
"""Of English schools: who is in year 1 is five or six."""
_KEY_STAGE: Final = pattern(r"(?:for_)?(?:key_stage|ks)_(?P<n>[1-5])")
_KEY_STAGES: Final = {1: (5, 7), 2: (7, 11), 3: (11, 14), 4: (14, 16), 5: (16, 18)}

_UNDER_ALONE: Final = pattern(r"(?:for_)?(?:under|u)_(?P<n>\d{1,2})(?:_s)?")
_COUNTED: Final = word_set(
    "dollars bucks usd eur gbp euros pounds quid $ € £ / per an k minutes minute mins min hours hour hrs miles mile km blocks "
    "students people months weeks lessons percent am pm : ."
)


def _bound(first: int, after: int, side: str, age: int, *, strength: int = 11) -> Claim:
    match side:
        case "over" | "above" | "older than" | "at least" | "more than":
            return _claim(first, after, age, None, strength=strength)
        case "up to":
            return _claim(first, after, 0, age, strength=strength)
        case _:
            return _claim(first, after, 0, max(age - 1, 0), strength=strength)


def _grade(text: str) -> int:
    return 0 if text == "k" else int(re.sub(r"\D", "", text))
