"""What a lesson may cost: "under $80", "between 50 and 80 dollars", "€30/hr", "around $60".

A price without a word about it is the most that is paid. "Around" means a fifth more or less. A number that nothing marks as money
is only a price after a word like "under" or "price", from 20 on, and not before what it counts ("under 40 minutes"), or in a range of
two round ones ("50-80"). What is paid for half an hour is twice as much for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from greenroom.actors.search.understanding.claims import Claim, Untold
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.schema.search.understood import NoticeKind, PartKind, PriceBounds, PriceUnit

AROUND: Final = Decimal("0.2")
AMOUNT_MAX: Final = 1_000_000
"""In the currency's main unit; what is more is no price of a lesson."""
UNMARKED_MIN: Final = 20
UNMARKED_BUDGET_MIN: Final = 10
UNMARKED_MAX: Final = 300
ROUND: Final = 5
"""Of two numbers with a dash between, up to this most that are multiples of this are prices."""


_CURRENCIES: Final = {
    "$": "USD", "us $": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD", "buck": "USD", "bucks": "USD",
    "us dollars": "USD", "us dollar": "USD", "united states dollars": "USD", "american dollars": "USD",
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR",
    "£": "GBP", "gbp": "GBP", "pound": "GBP", "pounds": "GBP", "quid": "GBP", "british pounds": "GBP",
    "pounds sterling": "GBP", "pound sterling": "GBP",
}  # fmt: skip
_BEFORE: Final = r"(?: us_\$ | \$_us | [$€£] | usd_\$ | usd | eur | gbp )"
_AFTER: Final = (
    r"(?: (?:us | united_states | american)_dollars? | dollars? | bucks? | usd | euros? | eur | british_pounds"
    r" | pounds?_sterling | pounds? | gbp | quid | [$€£] )"
)
_NUMBER: Final = r"(?!0\d)\d+(?:\.\d+)?"


_NOT_COUNTING: Final = (
    r"(?! _(?: years? | yrs? | yo | y | months? | weeks? | days? | hours? | hrs? | h | min | mins | minutes?"
)
_NOT_COUNTING_TOO: Final = (
    r" | miles? | mi | km | kms | kilomet(?:er|re)s? | blocks? | people | persons? | students? | kids? | children | lessons?"
    r" | class(?:es)? | sessions? | players? | songs? | stars? | am | pm | s | st | avenue | ave | street | grade | feet | ft"
    r" | reviews? | others? | levels? | words? | weeks? | - | : | / | o_?clock | percent | degrees | and_(?:over|older|under|up)"
    r" | or_(?:older|younger) ) (?!\S) )"
)
_UNMARKED: Final = _NOT_COUNTING + _NOT_COUNTING_TOO


def _money(tag: str) -> str:
    return (
        rf"(?: (?P<before{tag}>{_BEFORE})_ )? (?P<amount{tag}>{_NUMBER}) (?P<thousands{tag}>_k)?"
        rf" (?: _(?P<after{tag}>{_AFTER}) (?: _(?:and_)?(?P<cents{tag}>\d\d?) (?:_cents?)? {_UNMARKED} )? )?"
    )


_LESSON: Final = r"(?: lessons? | sessions? | class(?:es)? | each )"
_HOUR: Final = r"(?: hours? | hourly | hrs? | h | 60_min(?:ute)?s? )"
_PER: Final = (
    rf"(?: _(?: (?P<half>(?:/|per|an?|each|every|for)_(?:an?_)?(?:half_(?:an?_)?(?:hours?|hr)|(?:1_/_2|½)_(?:an?_)?hour|30_min(?:ute)?s?))"
    rf" | (?: (?:/|per|an?|each|every|for_an?|for_1|p_/) _ )? (?: (?P<hour>{_HOUR} | ph) | (?P<lesson>{_LESSON})"
    rf" | (?:per|/)_(?:person|head) ) ) )?"
)
_UNITS_BEFORE: Final = (
    r"(?: (?:(?:price|rate|cost|fee|budget|pay|charges?|charging)s?_)? (?<!half_)(?P<hourly>(?:per|an)_hour | hourly)"
    r" _(?:(?:price|rate|cost|fee|budget)s?_)? )?"
    r"(?P<priced> (?:price[sd]?|rates?|costs?|costing|fees?|pay|paying|budget|charges?|charging)_(?:(?:is|of|range|at)_){0,4} )?"
)
_RANGE: Final = pattern(
    rf"{_UNITS_BEFORE} (?P<from>(?:anywhere_)?(?:between|from)_)? {_money('low')} (?:_(?:/|per|an)_(?:hour|hr|lesson))?"
    rf" _(?P<join>-|to|and|till)_ {_money('high')} {_PER} {_UNMARKED}"
)
_UNDER: Final = (
    r"(?: under | below | less_than | lower_than | cheaper_than | up_to | upto | at_most | at_the_most | no_more_than"
    r" | not_more_than | no_higher_than | not_over | not_above | not_exceeding | never_more_than | cant_be_more_than"
    r" | max(?:imum)?(?:_(?:of|budget|price|is)){0,3} | (?P<vague>within|inside|beneath) | < | <_= | for_less_than | less_then"
    r" | (?P<budget>(?:my_|our_|a_)?(?:max_)?budget(?:_(?:is|of|around|about|under|below|up_to|max|at)){0,3}"
    r" | (?:can|could|will|would|to|id|ill)_(?:only_)?(?:pay|spend|afford)(?:_(?:up_to|max|about))? | capped_at) )"
)
_OVER: Final = (
    r"(?: (?P<vague>over|above|more_than|at_least|from) | starting_(?:at|from) | starts?_(?:at|from) | min(?:imum)?(?:_of)?"
    r" | upwards?_of | no_less_than | not_less_than | not_under | not_below | > | >_= )"
)
_MOST: Final = pattern(rf"{_UNITS_BEFORE} {_UNDER}_ {_money('')} {_PER} {_UNMARKED}")
_LEAST: Final = pattern(
    rf"{_UNITS_BEFORE} {_OVER}_ {_money('')} {_PER} (?:_(?:and_(?:up|above|over)|up|onwards?))? {_UNMARKED}"
)
_MOST_AFTER: Final = pattern(
    rf"{_UNITS_BEFORE} {_money('')} {_PER} _(?: (?:or|and)_(?:less|under|below|cheaper|lower) | max(?:imum)? | tops | at_most"
    r" | at_the_most | limit | budget | ceiling )"
)
_LEAST_AFTER: Final = pattern(
    rf"{_UNITS_BEFORE} {_money('')} {_PER} _(?: or_(?:more|above|over|up) | \+ | plus | and_(?:up|above|over|more) | minimum | min )"
)
_ABOUT: Final = pattern(
    rf"{_UNITS_BEFORE} (?: (?:around|about|approx|approximately|roughly|~|circa|close_to|near|somewhere_around)_ {_money('')} {_PER}"
    rf" | {_money('2')} _(?:ish|or_so)(?:_(?:per|an|a|/)_(?:hour|hr|lesson|session|class))? ) {_UNMARKED}"
)
_PLAIN: Final = pattern(rf"(?<!lose_)(?<!lost_){_UNITS_BEFORE} (?:(?:for|at|@)_)? {_money('')} {_PER}")


_FREE: Final = pattern(
    r"for_free | free_of_charge"
    r" | \A(?:an?_|any_|some_)?free(?!_trial)(?=(?:_[a-z]+){0,3}_(?:lessons?|class|classes|courses?|tutoring|tuition|tutors?)(?!\S))"
)
"""Of charge; "free on mondays" is somebody's time, and "gluten free" a way to cook."""


def price_claims(line: Line) -> Iterator[Claim]:
    """Every reading of a price; overlapping ones are settled by :func:`~greenroom.actors.search.understanding.claims.cover`. That nothing is to be paid can't be searched for."""
    for _, first, after in line.find(_FREE):
        yield Claim(None, first, after, Untold(NoticeKind.NOT_HEEDED))
    if not any(char.isdigit() for char in line.text):
        return
    for match, first, after in line.find(_RANGE):
        yield from _range(match, first, after)
    for rule, low, high, strength in (
        (_MOST, False, True, 11),
        (_LEAST, True, False, 11),
        (_MOST_AFTER, False, True, 11),
        (_LEAST_AFTER, True, False, 11),
        (_ABOUT, True, True, 11),
        (_PLAIN, False, True, 10),
    ):
        for match, first, after in line.find(rule):
            tag = "2" if rule is _ABOUT and match["amount2"] else ""
            cents = _cents(match, tag)
            if cents is None or not _is_money(match, tag, rule):
                continue
            yield Claim(
                PartKind.PRICE,
                first,
                after,
                PriceBounds(
                    min_cents=_around(cents, -AROUND) if rule is _ABOUT else cents if low else None,
                    max_cents=_around(cents, AROUND) if rule is _ABOUT else cents if high else None,
                    unit=_unit(match),
                    currency=_currency(match, tag),
                ),
                strength if _is_marked(match, tag) else 9,
            )


def merged_price(prices: list[PriceBounds]) -> PriceBounds | None:
    """All of them at once; where they contradict, the first stands."""
    if not prices:
        return None
    lows = [price.min_cents for price in prices if price.min_cents is not None]
    highs = [price.max_cents for price in prices if price.max_cents is not None]
    low, high = max(lows, default=None), min(highs, default=None)
    if low is not None and high is not None and low > high:
        return prices[0]
    unit = PriceUnit.HOUR if any(price.unit is PriceUnit.HOUR for price in prices) else PriceUnit.LESSON
    return PriceBounds(low, high, unit, next((price.currency for price in prices if price.currency), None))


def _range(match: re.Match[str], first: int, after: int) -> Iterator[Claim]:
    low, high = _cents(match, "low"), _cents(match, "high")
    if low is None or high is None:
        return
    if match["join"] == "and" and match["from"] is None:
        return
    marked = _is_marked(match, "low") or _is_marked(match, "high")
    if not marked and (low < UNMARKED_MIN * 100 or (match["from"] is None and not _is_round_range(match))):
        return
    if match["thousandshigh"] and not match["thousandslow"] and low < high // 1_000 * 10:
        low *= 1_000
    yield Claim(
        PartKind.PRICE,
        first,
        after,
        PriceBounds(
            min(low, high),
            max(low, high),
            _unit(match),
            _currency(match, "low") or _currency(match, "high"),
        ),
        12 if marked else 9,
    )


def _is_round_range(match: re.Match[str]) -> bool:
    """Whether these can hardly be anything but prices: "50-80"."""
    amounts = [Decimal(match["amountlow"]), Decimal(match["amounthigh"])]
    are_round = all(amount <= UNMARKED_MAX and amount % ROUND == 0 for amount in amounts)
    return match["join"] == "-" and amounts[0] < amounts[1] and are_round


def _cents(match: re.Match[str], tag: str) -> int | None:
    if match[f"amount{tag}"] is None:
        return None
    amount = Decimal(match[f"amount{tag}"]) * (1_000 if match[f"thousands{tag}"] else 1)
    if amount > AMOUNT_MAX:
        return None
    cents = int(amount * 100) + int(match[f"cents{tag}"] or 0)
    return cents * 2 if match["half"] else cents


def _around(cents: int, share: Decimal) -> int:
    return int(cents * (1 + share))


def _unit(match: re.Match[str]) -> PriceUnit:
    is_hourly = match["hourly"] or match.groupdict().get("hour") or match["half"]
    return PriceUnit.HOUR if is_hourly else PriceUnit.LESSON


def _currency(match: re.Match[str], tag: str) -> str | None:
    named = match[f"before{tag}"] or match[f"after{tag}"]
    if named is None:
        return None
    return _CURRENCIES.get(named) or _CURRENCIES["$"]


def _is_marked(match: re.Match[str], tag: str) -> bool:
    """Whether a currency, or what it is paid for, says that the number is money."""
    groups = match.groupdict()
    return bool(
        match[f"before{tag}"]
        or match[f"after{tag}"]
        or groups.get("hour")
        or groups.get("lesson")
        or match["hourly"]
        or match["priced"]
    )


def _is_money(match: re.Match[str], tag: str, rule: re.Pattern[str]) -> bool:
    if match[f"before{tag}"] or match[f"after{tag}"]:
        return True
    groups = match.groupdict()
    amount = Decimal(match[f"amount{tag}"])
    if groups.get("hour") or groups.get("lesson") or match["hourly"]:
        # "2 hours" and "10 lessons" count; "80 an hour" and "80 / hr" are prices.
        return (
            amount >= UNMARKED_BUDGET_MIN
            and re.search(r" (?:/|per|an?|each|hourly|ph)(?: |$)|hourly", match.group()) is not None
        )
    if match["priced"]:
        return True
    if rule in (_PLAIN, _LEAST_AFTER, _ABOUT) or groups.get("vague"):
        return False
    return amount >= (UNMARKED_BUDGET_MIN if groups.get("budget") else UNMARKED_MIN)
