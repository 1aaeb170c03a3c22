"""How many of a file of searches the rules understand as their writer meant them.

    python -m evaluation.understanding [FILE] [--half dev|held-out|both] [--show]

FILE (by default ``tests/actors/search/sentences/searches.jsonl``, ours) has one search a line: ``{"text", "services": [slugs, any of which may
come first], "place" or "near", "price": "50-80", "-80", "40-" with "h" behind for by the hour, "age": "6-10", "18-", "level",
"days": "sat,sun", "rel": a relative day, "on": a date or two with ".." between, "time": "15:00-17:00" or open at an end, "times": some of which any will do, each as "sat,sun 15:00-17:00", "online": "true" or "false"}``; what is
missing must not be read either. Today is Monday 2026-11-23. Lines are split by a hash of their text: rules may be improved on
``dev``; what is reported is ``held-out``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from greenroom.actors.search.understanding import keys, load_lexicon, understand
from greenroom.schema.search.understood import PriceUnit, Understood, Weekday, When

FILE: Final = Path(__file__).parent.parent / "tests/actors/search/sentences/searches.jsonl"
TODAY: Final = date(2026, 11, 23)
PLACES: Final = frozenset(
    keys(name)
    for name in [
        "Carroll Gardens",
        "Bushwick",
        "Harlem",
        "Upper East Side",
        "Upper West Side",
        "Brooklyn",
        "Brooklyn Heights",
        "Queens",
        "Queens Village",
        "Manhattan",
        "Bronx",
        "Astoria",
        "Tribeca",
        "Ditmas Park",
        "Jackson Heights",
        "Flatbush",
        "Park Slope",
        "Williamsburg",
        "LES",
        "Crown Heights",
        "Midtown",
        "Financial District",
        "Lower East Side",
        "Brighton Beach",
        "Fort Greene",
        "Long Island City",
        "Bay Ridge",
        "Gowanus",
        "Chinatown",
        "Flushing",
        "Greenpoint",
        "Rockaway",
        "Bed Stuy",
        "Inwood",
        "Riverdale",
        "Union Square",
        "Central Park",
        "Prospect Park",
        "Lincoln Center",
        "Columbus Circle",
        "Jamaica",
        "Forest Hills",
        "NYC",
        "UWS",
        "Midtown East",
        "Grand Central",
        "Koreatown",
        "Corona",
        "Gravesend",
        "Coney Island",
    ]
)
"""Names that the marketplace would know."""

LEXICON: Final = load_lexicon()


def read(text: str) -> Understood:
    return understand(text, lexicon=LEXICON, is_place=PLACES.__contains__, today=TODAY)


def wrong_fields(row: Mapping[str, Any], services: list[str], understood: Understood) -> Iterator[str]:
    """Names of the fields that are read otherwise than meant."""
    guesses = [guess.category for guess in understood.services]
    if not guesses or guesses[0] not in services:
        yield "services"
    place = row.get("near") or row.get("place")
    if understood.place_text != place or understood.is_near != ("near" in row):
        yield "place"
    if "times" in row or understood.times:
        yield from () if row.get("times") == [_time(when) for when in understood.times] else ("times",)
        row = {**row, **_facts(understood.when)}
    facts = {
        "price": _price(understood),
        "age": None if understood.age is None else f"{understood.age.min_years}-{_open(understood.age.max_years)}",
        "level": ",".join(sorted(understood.levels)) or None,
        **_facts(understood.when),
        "online": None if understood.online is None else str(understood.online).lower(),
    }
    yield from (name for name, fact in facts.items() if fact != row.get(name))


def _facts(when: When) -> dict[str, str | None]:
    is_any_hour = when.from_minute is None and when.to_minute is None
    return {
        "days": ",".join(day for day in Weekday if day in when.weekdays) or None,
        "rel": when.relative and when.relative.value,
        "on": when.on and (when.on.isoformat() if when.until is None else f"{when.on}..{when.until}"),
        "time": None if is_any_hour else f"{_clock(when.from_minute)}-{_clock(when.to_minute)}",
    }


def _time(when: When) -> str:
    return " ".join(fact for fact in _facts(when).values() if fact)


def _price(understood: Understood) -> str | None:
    price = understood.price
    if price is None:
        return None
    low, high = (None if bound is None else bound // 100 for bound in (price.min_cents, price.max_cents))
    return f"{_open(low)}-{_open(high)}{'h' if price.unit is PriceUnit.HOUR else ''}"


def _open(bound: int | None) -> str:
    return "" if bound is None else str(bound)


def _clock(minute: int | None) -> str:
    return "" if minute is None else f"{minute // 60}:{minute % 60:02}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", default=FILE)
    parser.add_argument("--half", choices=["dev", "held-out", "both"], default="held-out")
    parser.add_argument("--show", action="store_true", help="print what is read wrong")
    arguments = parser.parse_args()
    total = whole = 0
    wrong: dict[str, int] = {}
    for line in arguments.file.read_text("utf-8").splitlines():
        row = json.loads(line)
        is_dev = hashlib.sha256(row["text"].encode()).digest()[0] % 2 == 0
        if arguments.half != "both" and is_dev is not (arguments.half == "dev"):
            continue
        services = row.pop("services")
        understood = read(row["text"])
        missed = list(wrong_fields(row, services, understood))
        total += 1
        whole += not missed
        for name in missed:
            wrong[name] = wrong.get(name, 0) + 1
        if missed and arguments.show:
            print(f"{row['text']!r}: {', '.join(missed)}\n    {understood}")
    print(f"{whole} of {total} searches read as meant in every field: {whole / total:.1%}")
    for name, count in sorted(wrong.items(), key=lambda item: -item[1]):
        print(f"  {name:10} wrong in {count}")


if __name__ == "__main__":
    main()
