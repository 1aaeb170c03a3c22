"""Ages that nothing calls so: numbers behind those who learn, "my twins, 5 and 9", or alone between commas, "my son loves it, 6, soho".

1. Several numbers, none above 19, behind kids, siblings, grandchildren and the like are their ages, whatever stands between.
2. One is so behind twins and triplets, and behind others where a comma or the sentence's end says that it counts nothing.
3. What stands between commas alone is the age of a child that is named before it. This is the weakest reading of a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from greenroom.actors.search.understanding.age import KIDS
from greenroom.actors.search.understanding.claims import Ages, Claim
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.schema.search.understood import AgeBounds, PartKind

_OF_ONE_BIRTH: Final = r"(?: twins? | triplets? | quadruplets? )"
_CHILDREN: Final = (
    r"(?: kids? | child | children | boys? | girls? | students? | pupils? | learners? | teens? | teenagers? | toddlers? | sons? | daughters?"
    r" | siblings? | grandchild(?:ren)? | grandkids? | grandsons? | granddaughters? | nephews? | nieces? | brothers? | sisters? | cousins?"
    r" | kiddos? | kiddies | lads? | little_ones? )"
)
_FOR: Final = r"(?:for_)? (?:(?:my|our|a|his|her|their|the)_)? (?:[2-9]_)? (?:(?:little|young|small|own)_)?"
_ARE: Final = r"(?:_(?:who_are|are|is|aged?|ages))?"
_N: Final = r"(?:1\d|[1-9])"
_SEVERAL: Final = rf"{_N} (?:_(?:(?:and|or|&)_(?:an?_)?)?{_N}){{1,5}}"
_COUNTS_NOTHING: Final = (
    r"(?! _ (?: \d\S* | - | : | / | \+ | am | pm | to | x | \$ | € | £ | dollars | hours? | hrs? | h | min | mins | minutes? | days? | weeks? | months?"
    r" | times? | evenings? | mornings? | afternoons? | nights? | lessons? | class(?:es)? | sessions? | people | per | miles? | km | blocks? ) (?!\S) )"
)
_LIST: Final = pattern(rf"{_FOR} (?:{_OF_ONE_BIRTH}|{_CHILDREN}) {_ARE} _ (?P<ages>{_SEVERAL}) {_COUNTS_NOTHING}")
_TWINS: Final = pattern(rf"{_FOR} {_OF_ONE_BIRTH} {_ARE} _ (?P<ages>{_N}) {_COUNTS_NOTHING}")
_ONE: Final = pattern(rf"{_FOR} {_CHILDREN} {_ARE} _ (?P<ages>{_N}) {_COUNTS_NOTHING}")
_COUNTED: Final = pattern(r"(?:for_)?(?:(?:my|our)_)?[2-9]_(?:(?:little|young|small)_)?(?:kids|children|kiddos)")
"""How many they are says nothing of their ages: "for 2 kids" is for kids."""
_ALONE: Final = pattern(rf"(?P<ages>{_SEVERAL} | {_N})")
_NAMED: Final = pattern(rf"{_OF_ONE_BIRTH} | {_CHILDREN}")


def bare_age_claims(line: Line) -> Iterator[Claim]:
    """Every reading of numbers alone as ages of children."""
    if not any(char.isdigit() for char in line.text):
        return
    named = next((after for _, _, after in line.find(_NAMED)), None)
    if named is None:
        return
    for _, first, after in line.find(_COUNTED):
        yield Claim(PartKind.AGE, first, after, Ages(KIDS, is_exact=False), 11)
    for rule in (_LIST, _TWINS):
        for match, first, after in line.find(rule):
            yield _claim(match, first, after, 12)
    for match, first, after in line.find(_ONE):
        if line.atoms[after - 1].is_broken_off or _ends(line, after):
            yield _claim(match, first, after, 10)
    for match, first, after in line.find(_ALONE):
        if first >= named and line.atoms[first].is_broken_off and _ends(line, after):
            yield _claim(match, first, after, 3)


def _ends(line: Line, after: int) -> bool:
    return after == len(line.atoms) or line.atoms[after].is_broken_off


def _claim(match: re.Match[str], first: int, after: int, strength: int) -> Claim:
    ages = [int(number) for number in re.findall(r"\d+", match["ages"])]
    are_together = min(ages) < max(ages) and "or" not in match["ages"].split()
    bounds = AgeBounds(min(ages), max(ages), are_together)
    return Claim(PartKind.AGE, first, after, Ages(bounds, is_exact=True), strength)
