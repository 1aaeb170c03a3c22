"""How many price, age, number, date and time expressions of Recognizers-Text's specifications the rules read as its authors do.

    python -m evaluation.recognizers_text FOLDER [--half dev|held-out|both] [--show]

FOLDER holds ``NumberWithUnit/English/CurrencyModel.json``, ``NumberWithUnit/English/AgeModel.json``,
``Number/English/NumberModel.json`` and ``DateTime/English/DateTimeModel.json`` of github.com/microsoft/Recognizers-Text (MIT), folder
``Specs``: lists of ``{Input, Context: {ReferenceDateTime}, Results: [{Text, TypeName, Resolution}]}``.

The scope was written down before anything was measured, and is decided by the expected result alone:

- all: the input is a sentence that a search takes (at most 300 characters) and has exactly one result, except for numbers
- currency: dollars, euros or pounds from 1 to 100,000; right if a bound of the price is the amount, or the band of "around" has it
  in its middle, and the currency is the same. An input without results is in scope too: right if no price is read
- age: years up to 120 or months up to 36; right if a bound of the age is that many whole years (for "under", one less)
- number: every result is a whole number or a decimal from 0 to 999,999, in digits or in the words from zero to thousand; right if
  these and no others are read
- date and time: a day of the week, a date with or without a year, today, tomorrow, a week or weekend (this, the, next), a time, a
  span of times, a part of the day, or a day with one of the latter, from the reference day on; named by words of a fixed list
  (VOCABULARY), so no holidays, seasons, months, durations or "last", no numbers of weeks and no dates that there are not. Right if the first window it stands for begins on that day, and
  its time of day is the expected one (of several times the first begins and the last ends as expected); of a part of the day (its hours differ by definition) if it is that part

Inputs are split by a hash of their text: rules may be improved on ``dev``; what is reported is ``held-out``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from greenroom.actors.search.understanding import load_lexicon, resolve_when, understand
from greenroom.actors.search.understanding.line import Line
from greenroom.schema.search.understood import QUERY_LENGTH_MAX, Understood, When

LEXICON: Final = load_lexicon()
CURRENCIES: Final = {
    "Dollar": "USD", "United States dollar": "USD", "Euro": "EUR", "British pound": "GBP", "Pound": "GBP",
}  # fmt: skip
NUMBER_WORDS: Final = frozenset(
    [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
        "twenty",
        "thirty",
        "forty",
        "fifty",
        "sixty",
        "seventy",
        "eighty",
        "ninety",
        "hundred",
        "thousand",
        "and",
        "a",
        "an",
    ]
)
VOCABULARY: Final = (
    frozenset(
        "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed weds thu thur thurs fri sat sun mondays tuesdays "  # noqa: SIM905
        "wednesdays thursdays fridays saturdays sundays january february march april may june july august september october november "
        "december jan feb mar apr jun jul aug sep sept oct nov dec today tomorrow tonight this next the week weekend weekends of on at in "
        "every each am pm a p m noon midnight midday o clock oclock half quarter past to from between and until till through morning "
        "mornings afternoon afternoons evening evenings night nights early late first second third fourth fifth sixth seventh eighth ninth "
        "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth st nd rd th "
        "after before by".split()
    )
    | NUMBER_WORDS
)

WEEK_WORDS: Final = frozenset("this the next week weekend on at in of".split())  # noqa: SIM905

_DATE: Final = r"(?:(?:20\d\d|XXXX)-\d\d-\d\d|XXXX-WXX-[1-7]|XXXX-XX-\d\d)"
_TIME: Final = r"T\d\d(?::\d\d)?"
_PART: Final = r"T(?:MO|AF|EV|NI)"
IN_SCOPE: Final = {
    "date": re.compile(_DATE),
    "time": re.compile(_TIME),
    "datetime": re.compile(_DATE + _TIME),
    "timerange": re.compile(rf"\({_TIME},{_TIME},PT[\dHM]+\)|{_PART}"),
    "datetimerange": re.compile(rf"\({_DATE}{_TIME},{_DATE}{_TIME},PT[\dHM]+\)|{_DATE}{_PART}"),
    "daterange": re.compile(r"20\d\d-W\d\d(?:-WE)?"),
    "set": re.compile(r"XXXX-WXX-[1-7]|XXXX-WXX-WE"),
}
PARTS: Final = {"TMO": (360, 720), "TAF": (720, 1_020), "TEV": (1_020, 1_320), "TNI": (1_020, 1_440)}
"""Our hours of each part of a day, inside of which a reading of it lies; "early" and "late" narrow them."""


@dataclass(frozen=True)
class Case:
    kind: str
    text: str
    reference: datetime
    results: list[dict[str, Any]]

    @property
    def is_dev(self) -> bool:
        return hashlib.sha256(self.text.encode()).digest()[0] % 2 == 0


def cases(folder: Path) -> Iterator[Case]:
    for kind, name in (
        ("currency", "NumberWithUnit/English/CurrencyModel.json"),
        ("age", "NumberWithUnit/English/AgeModel.json"),
        ("number", "Number/English/NumberModel.json"),
        ("datetime", "DateTime/English/DateTimeModel.json"),
    ):
        for row in json.loads((folder / name).read_text("utf-8-sig")):
            reference = row.get("Context", {}).get("ReferenceDateTime", "2016-11-07T00:00:00")
            yield Case(
                kind, row["Input"], datetime.fromisoformat(reference[:19]).replace(tzinfo=UTC), row["Results"]
            )


def verdict(case: Case) -> bool | None:
    """Whether it is read right; None out of scope."""
    if len(case.text) > QUERY_LENGTH_MAX or not case.text.strip():
        return None
    rules: dict[str, Callable[[Case], bool | None]] = {
        "currency": _currency, "age": _age, "number": _number, "datetime": _when,
    }  # fmt: skip
    return rules[case.kind](case)


def _read(case: Case) -> Understood:
    return understand(case.text, lexicon=LEXICON, today=case.reference.date())


def _currency(case: Case) -> bool | None:
    price = _read(case).price
    if not case.results:
        return price is None
    resolution = case.results[0].get("Resolution") or {}
    if len(case.results) > 1 or resolution.get("unit") not in CURRENCIES or resolution.get("value") is None:
        return None
    value = float(resolution["value"])
    if not 1 <= value <= 100_000:
        return None
    if price is None or price.currency != CURRENCIES[resolution["unit"]]:
        return False
    bounds = [bound for bound in (price.min_cents, price.max_cents) if bound is not None]
    return round(value * 100) in {*bounds, round(sum(bounds) / len(bounds))}


def _age(case: Case) -> bool | None:
    age = _read(case).age
    if len(case.results) != 1:
        return None
    value, unit = float(case.results[0]["Resolution"]["value"]), case.results[0]["Resolution"]["unit"]
    if (unit, True) not in {("Year", value <= 120), ("Month", value <= 36)}:
        return None
    years = int(value) if unit == "Year" else int(value) // 12
    return age is not None and (years in {age.min_years, age.max_years} or years - 1 == age.max_years)


def _number(case: Case) -> bool | None:
    expected = []
    for result in case.results:
        resolution = result["Resolution"]
        words = re.findall(r"[a-z]+", result["Text"].casefold())
        if resolution.get("subtype") not in {"integer", "decimal"} or not set(words) <= NUMBER_WORDS:
            return None
        expected.append(float(resolution["value"]))
    if not expected or not all(0 <= value < 1_000_000 for value in expected):
        return None
    read = [float(atom.key) for atom in Line(case.text).atoms if re.fullmatch(r"\d+(\.\d+)?", atom.key)]
    return sorted(read) == sorted(expected)


def _when(case: Case) -> bool | None:
    if len(case.results) != 1 or not (values := (case.results[0].get("Resolution") or {}).get("values")):
        return None
    kind = values[-1]["type"]
    words = re.findall(r"[a-z]+", case.results[0]["Text"].casefold())
    if (
        kind not in IN_SCOPE
        or not IN_SCOPE[kind].fullmatch(values[-1].get("timex", ""))
        or not set(words) <= VOCABULARY
        or (kind == "daterange" and not set(words) <= WEEK_WORDS)
        or re.search(r"week \d", case.results[0]["Text"].casefold())
        or any(value.get("value") == "not resolved" for value in values)
    ):
        return None
    days = {date.fromisoformat(day) for value in values if (day := _day(value))}
    if days and not any(day >= case.reference.date() for day in days):
        return None
    read = _read(case)
    # "I'm not there tomorrow" says tomorrow, which is denied.
    times = read.asked_times or read.denied_times
    if not times:
        return False
    # "From 4pm today to 5pm tomorrow" is read as what is left of today after 4 and what there is of tomorrow until 5.
    whole = replace(times[0], to_minute=times[-1].to_minute)
    return _same_day(case, times[0], kind, days) and any(_same_time(whole, value) for value in values)


def _day(value: dict[str, Any]) -> str | None:
    text = value.get("start") or value.get("value") or ""
    return text[:10] if re.match(r"\d{4}-\d\d-\d\d", text) else None


def _same_day(case: Case, when: When, kind: str, days: set[date]) -> bool:
    if kind == "set" or not days:
        return kind == "set" or (when.on is None and not when.weekdays)
    # Whole days, from midnight of the reference day: only the day is asked here, also where its hours are over.
    midnight = case.reference.replace(hour=0, minute=0, second=0)
    windows = resolve_when(When(weekdays=when.weekdays, relative=when.relative, on=when.on), midnight, "UTC")
    if when.on is not None:
        return when.on in days
    first = windows[0].starts_at.date() if windows else None
    # The week that holds the reference day has begun already.
    return first in days or (
        kind == "daterange" and first == midnight.date() and any(day <= first for day in days)
    )


def _same_time(when: When, value: dict[str, Any]) -> bool:
    timex = value.get("timex", "")
    if (part := re.search(r"T(MO|AF|EV|NI)$", timex)) is not None:
        low, high = PARTS[part.group()]
        end = 1_440 if when.to_minute is None else when.to_minute
        return when.from_minute is not None and low <= when.from_minute and end <= high
    start, end = _minute(value.get("start") or value.get("value")), _minute(value.get("end"))
    if "T" not in timex:
        return when.from_minute is None and when.to_minute is None
    if value.get("Mod") in {"before", "until"} and end is None:
        return when.to_minute == start
    if end is None:
        return start in {when.from_minute or 0, when.to_minute}
    return (when.from_minute or 0, when.to_minute or 1_440) == (start, end or 1_440)


def _minute(text: str | None) -> int | None:
    found = re.search(r"(\d\d):(\d\d):\d\d$", text or "")
    return int(found[1]) * 60 + int(found[2]) if found else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--half", choices=["dev", "held-out", "both"], default="held-out")
    parser.add_argument("--show", action="store_true", help="print what is read wrong")
    arguments = parser.parse_args()
    scores: dict[str, list[bool]] = {}
    for case in cases(arguments.folder):
        if arguments.half != "both" and case.is_dev is not (arguments.half == "dev"):
            continue
        is_right = verdict(case)
        if is_right is None:
            continue
        scores.setdefault(case.kind, []).append(is_right)
        if arguments.show and not is_right:
            said = [(result.get("Text"), result.get("Resolution")) for result in case.results]
            print(f"{case.kind}: {case.text!r}\n    expected {said}\n    read {_read(case)}")
    for kind, rights in scores.items():
        print(f"{kind:10} {sum(rights):4} of {len(rights):4} right  {sum(rights) / len(rights):6.1%}")
    everything = [right for rights in scores.values() for right in rights]
    print(f"{'all':10} {sum(everything):4} of {len(everything):4} right  {sum(everything) / len(everything):6.1%}")


if __name__ == "__main__":
    main()
