"""``greenroom search``: look for lessons from a terminal, with the same client library that anybody may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, assert_never

import trio
from rich.console import Console
from rich.table import Table
from rich.text import Text

from greenroom.client import connect
from greenroom.schema.search.diagnostics import HARMLESS, SkipReason, StageName, StageStatus
from greenroom.schema.search.diagnostics_wire import BudgetOut, DiagnosticsOut, StageOut
from greenroom.schema.search.places import PlaceOutcome, Tier
from greenroom.schema.search.understood import NoticeKind, PartKind
from greenroom.schema.search.wire import LocationOut, NoticeOut, RegionOut, ResultOut, SearchOut

TIMELINE_WIDTH: Final = 40
"""Columns for the axis of the stages, where there is room."""

BESIDE_TIMELINE: Final = 46
"""Columns for a stage's name, time, status and reason."""

TABLE_WIDTH_MIN: Final = 90
"""In fewer columns a table would break names into pieces of six letters: each lesson is a block then."""

PIPED_WIDTH: Final = 1_000
"""Where no terminal cuts lines, nothing else should."""

_TIERS: Final[Mapping[int, str]] = MappingProxyType(
    {
        Tier.EXACT: "its name",
        Tier.ALIAS: "another name of it",
        Tier.FUZZY: "a similar spelling",
        Tier.EMBEDDING: "a similar meaning",
        Tier.MODEL: "what a model made of it",
    }
)

_MISSING: Final[Mapping[StageName, str]] = MappingProxyType(
    {
        StageName.PARSE: "the sentence was read word by word",
        StageName.MODEL_PARSE: "the sentence was read by simple rules",
        StageName.BURST1: "not all of the sentence was looked up",
        StageName.EMBEDDING: "lessons were found by words, not by meaning",
        StageName.VECTOR: "lessons were found by words, not by meaning",
        StageName.LOCATION: "the place was not looked up",
        StageName.TIER4: "the place was looked up by its name only",
        StageName.TIER5: "the place was looked up by its name only",
        StageName.BURST2: "not every lesson was looked at",
        StageName.RANKING: "the order is a rough one",
        StageName.HYDRATION: "some details are missing",
    }
)

_STATUS_STYLES: Final[Mapping[StageStatus, str]] = MappingProxyType(
    {
        StageStatus.OK: "green",
        StageStatus.CACHED: "cyan",
        StageStatus.SKIPPED: "dim",
        StageStatus.TIMEOUT: "red",
        StageStatus.FAILED: "red",
    }
)


@dataclass(frozen=True, slots=True)
class Look:
    """What to look for; ``wants_diagnostics`` is for admins."""

    text: str
    city: str | None = None
    limit: int = 10
    wants_diagnostics: bool = False


async def search(url: str, email: str, password: str, look: Look, *, console: Console, as_json: bool) -> None:
    """Sign in, look once and show what came; raises ClientError if that is refused."""
    async with connect(url) as greenroom:
        await greenroom.sign_in(email, password)
        try:
            found = await greenroom.search(
                look.text, city=look.city, limit=look.limit, debug=look.wants_diagnostics
            )
        finally:
            with trio.move_on_after(2, shield=True):
                await greenroom.sign_out()
    if as_json:
        console.print(found.model_dump_json(indent=2), markup=False, highlight=False, soft_wrap=True)
    else:
        show(found, console)


def show(found: SearchOut, console: Console) -> None:
    """Print an answer for a person."""
    if not console.is_terminal:
        console = Console(file=console.file, width=PIPED_WIDTH, color_system=None)
    console.print(_understood(found), soft_wrap=True)
    notes = (
        *_place_notes(found.meta.location, is_near_me=found.meta.parsed.near_me),
        *_excluded(found.meta.location),
        *map(_notice, found.meta.parsed.notices),
        *_missing(found.meta.budget),
        *_instead(found),
    )
    for note in notes:
        console.print(Text(note, style="yellow"), soft_wrap=True)
    console.print(_count(found), style="dim", highlight=False)
    if found.results:
        is_narrow = console.width < TABLE_WIDTH_MIN
        console.print(_blocks(found.results) if is_narrow else _results(found.results))
    if found.diagnostics is not None:
        _show_diagnostics(found.diagnostics, found.meta.budget, console)


def _understood(found: SearchOut) -> Text:
    location = found.meta.location
    line = Text("Understood  ", style="bold")
    told = [part for part in found.meta.parsed.parts if part.kind is not PartKind.FILLER]
    places = [part for part in told if part.kind is PartKind.PLACE]
    for number, part in enumerate(told):
        line.append(" · " if number else "", style="dim")
        line.append(f"{part.kind.value} ", style="dim")
        line.append(_harmless(part.text), style="cyan")
        if part.kind is PartKind.PLACE and part is places[-1] and location.outcome is PlaceOutcome.RESOLVED:
            named = " or ".join(dict.fromkeys(region.name for region in location.regions))
            line.append(f" = {_harmless(named)}", style="bold cyan")
    if not told:
        line.append("nothing in particular", style="dim")
    return line


def _place_notes(location: LocationOut, *, is_near_me: bool) -> list[str]:
    match location.outcome:
        case PlaceOutcome.NOT_LOOKED_UP:
            return [f"There was no time to look up where {location.text!r} is, so no lessons are shown."]
        case PlaceOutcome.NOT_ASKED if is_near_me:
            return ['Where you are is not known here, so "near me" was left out: name a place instead.']
        case PlaceOutcome.UNKNOWN:
            return [f"No place called {location.text!r} is known, so lessons anywhere are shown."]
        case PlaceOutcome.AMBIGUOUS:
            names = " or ".join(_named_apart(candidate.region) for candidate in location.candidates)
            return [f"{location.text!r} may be {names}: lessons in all of them are shown."]
        case PlaceOutcome.RESOLVED if location.tier is not None and location.tier >= Tier.FUZZY:
            return [f"{location.text!r} was found by {_TIERS[location.tier]}."]
        case _:
            return []


def _excluded(location: LocationOut) -> list[str]:
    names = dict.fromkeys(_harmless(region.name) for region in location.excluded)
    return [f"Left out is what can only be had in {' or '.join(names)}."] if names else []


def _instead(found: SearchOut) -> list[str]:
    """What to do where nothing was found: search again where there was no time to look, else ask for less."""
    if found.results:
        return []
    looking = {StageName.BURST1, StageName.BURST2, StageName.HYDRATION}
    if any(skip.stage in looking and skip.reason not in HARMLESS for skip in found.meta.budget.skipped):
        return ["There may be lessons that fit all the same: search again."]
    bounds = [part for part in found.meta.parsed.parts if part.kind not in {PartKind.FILLER, PartKind.SERVICE}]
    if not bounds:
        return ["Try it in other words."]
    return [f"Try it without one of these: {' · '.join(_harmless(part.text) for part in bounds)}"]


def _notice(notice: NoticeOut) -> str:
    text = repr(notice.text)
    match notice.kind:
        case NoticeKind.NO_SUCH_DATE:
            return f"{text} is no day or time that exists: it was left out."
        case NoticeKind.NO_TIME_LEFT:
            return f"{text} leaves no time at all."
        case NoticeKind.PAST:
            return f"{text} is over."
        case NoticeKind.NOT_HEEDED:
            return f"{text} can't be searched for: it was left out."
        case NoticeKind.UNKNOWN_PLACE:
            return f"No place called {text} is known: none was left out."
        case NoticeKind.NOT_ONLY:
            return f"{text}: others may come to some of these lessons too."
        case NoticeKind.NOT_UNDERSTOOD:
            return f"{text} was not understood: no lesson has it."
        case NoticeKind.CORRECTED:
            return f"Searched for {notice.taken!r}: no lesson has {text}. As it is written: '\"{_harmless(notice.text)}\"'."
        case NoticeKind.NOTHING_UNDERSTOOD:
            return f"{text} does not say what is looked for: all lessons are shown."
        case _:
            assert_never(notice.kind)


def _named_apart(region: RegionOut) -> str:
    """A region with what it lies in, by which two of one name are told apart: "Chinatown (nyc, manhattan)"."""
    above = ", ".join(region.id.split("/")[:-1])
    return _harmless(f"{region.name} ({above})" if above else region.name)


def _missing(budget: BudgetOut) -> list[str]:
    # Rules read most sentences as well as a model: that there was no time for one is not worth a word, that it is away is.
    left_out = [
        skip
        for skip in budget.skipped
        if skip.reason not in HARMLESS
        and (skip.stage is not StageName.MODEL_PARSE or skip.reason is SkipReason.FAILED)
    ]
    notes = [
        "Meaning was compared in a simpler way than usual."
        if skip.reason is SkipReason.FALLBACK
        else f"Degraded: {_MISSING[skip.stage]} ({skip.reason.value.replace('_', ' ')})."
        for skip in left_out
        if skip.stage in _MISSING
    ]
    return list(dict.fromkeys(notes))


def _count(found: SearchOut) -> str:
    total, budget = found.meta.total_candidates, found.meta.budget
    lessons = "1 lesson" if total == 1 else f"{total:,} lessons" if total else "no lessons"
    first = f", the first {len(found.results)} here" if len(found.results) < total else ""
    return f"{lessons} found in {budget.used_ms:.0f} of {budget.limit_ms:.0f} ms{first}"


def _results(results: list[ResultOut]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("#", justify="right", style="dim")
    table.add_column("Lesson", overflow="fold")
    table.add_column("With", overflow="fold")
    table.add_column("Price", justify="right", no_wrap=True)
    table.add_column("Rating", justify="right")
    table.add_column("Where", overflow="fold")
    table.add_column("Score", justify="right", style="dim")
    for number, result in enumerate(results, start=1):
        instructor = result.instructor
        table.add_row(
            str(number),
            Text(_harmless(result.title or "-"), style="bold"),
            Text(_harmless(instructor.display_name or "-")),
            _price(result),
            "-" if instructor.rating is None else f"{instructor.rating:.1f}",
            Text(_where(result)),
            f"{result.score:.2f}",
        )
    return table


def _blocks(results: list[ResultOut]) -> Table:
    """The same for few columns: a line for the lesson, and its facts below."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right", style="dim")
    table.add_column(overflow="fold")
    for number, result in enumerate(results, start=1):
        instructor = result.instructor
        rating = "" if instructor.rating is None else f"rated {instructor.rating:.1f}"
        facts = (
            instructor.display_name or "",
            _price(result),
            _where(result),
            rating,
            f"score {result.score:.2f}",
        )
        told = " · ".join(_harmless(fact) for fact in facts if fact)
        table.add_row(str(number), Text.assemble((_harmless(result.title or "-"), "bold"), "\n", told))
    return table


def _price(result: ResultOut) -> str:
    return f"{result.price_cents / 100:.2f} {result.currency or ''} / {result.duration_minutes} min"


def _where(result: ResultOut) -> str:
    ways = [way for way, is_given in (("online", result.online), ("in person", result.in_person)) if is_given]
    distance = [] if result.distance_km is None else [f"{result.distance_km:.1f} km"]
    return ", ".join([" or ".join(ways), *distance] if ways else distance) or "-"


def _show_diagnostics(diagnostics: DiagnosticsOut, budget: BudgetOut, console: Console) -> None:
    axis = max(len(f"0 to {budget.limit_ms:.0f} ms"), min(TIMELINE_WIDTH, console.width - BESIDE_TIMELINE))
    stages = Table(box=None, pad_edge=False, header_style="dim", title="Stages", title_justify="left")
    stages.add_column("stage")
    stages.add_column(f"0 to {budget.limit_ms:.0f} ms", no_wrap=True)
    stages.add_column("ms", justify="right")
    stages.add_column("status")
    stages.add_column("why", overflow="fold")
    reasons: dict[StageName, list[str]] = {}
    for skip in budget.skipped:
        said = skip.reason.value.replace("_", " ") + (f" ({_harmless(skip.detail)})" if skip.detail else "")
        reasons.setdefault(skip.stage, []).append(said)
    for stage in diagnostics.stages:
        style = _STATUS_STYLES[stage.status]
        bar = Text(_bar(stage, budget, axis), style=style)
        why = Text(", ".join(reasons.get(stage.name, [])))
        stages.add_row(
            stage.name.value, bar, f"{stage.duration_ms:.1f}", Text(stage.status.value, style=style), why
        )
    tiers = Table(box=None, pad_edge=False, header_style="dim", title="Places", title_justify="left")
    for name in ("tier", "tried", "confidence", "ms", "result"):
        tiers.add_column(name, justify="right" if name in {"confidence", "ms"} else "left")
    for tier in diagnostics.tiers:
        confidence = "-" if tier.confidence is None else f"{tier.confidence:.2f}"
        tried = "yes" if tier.tried else "no"
        tiers.add_row(str(tier.tier), tried, confidence, f"{tier.duration_ms:.1f}", Text(tier.result))
    funnel = diagnostics.funnel
    for shown in (stages, tiers if diagnostics.tiers else None):
        if shown is not None:
            console.print()
            console.print(shown)
    console.print(
        f"\nCandidates  words {funnel.text} + meaning {funnel.vector} > together {funnel.fused}"
        f" > within bounds {funnel.filtered} > ranked {funnel.final}",
        highlight=False,
    )
    for prompt in diagnostics.prompts:
        console.print(Text(f"\n{prompt.purpose}, {prompt.model}", style="bold"))
        console.print(Text(_harmless(prompt.request), style="dim"), soft_wrap=True)
        console.print(Text(_harmless(prompt.response or prompt.error or "-")), soft_wrap=True)


def _bar(stage: StageOut, budget: BudgetOut, width: int) -> str:
    """Where a stage lies on the budget's axis of so many columns; what took next to nothing is seen all the same."""
    axis_ms = max(budget.limit_ms, budget.used_ms, stage.start_ms + stage.duration_ms)
    begin = min(width - 1, int(width * stage.start_ms / axis_ms))
    length = max(1, round(width * stage.duration_ms / axis_ms))
    return (" " * begin + "━" * length)[:width]


def _harmless(text: str) -> str:
    """Keep what others wrote from commanding the terminal (ECMA-48's control sequences begin with such characters)."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
