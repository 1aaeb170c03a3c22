"""The first burst of the database: what the places may be, where the asker is, and how much the words alone find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from greenroom.actors.search.pending import TooLate, together
from greenroom.actors.search.places.denied import DENIED_MAX
from greenroom.actors.search.run import LAST_STAGES, SearchRun
from greenroom.schema.errors import FieldError, InvalidInput
from greenroom.schema.search.candidates import TextStrength
from greenroom.schema.search.diagnostics import SkipReason, StageName
from greenroom.schema.search.places import Region, RegionId
from greenroom.schema.search.understood import Understood
from greenroom.storage.ports.search import PlaceRows, Places


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What was found out in time.

    Attributes:
        is_placed: nothing that was asked for about the place is missing.
        rows: what the place that was asked for may be; None where none was.
        denied: the same of places where it must not be, by their texts.
        spelt: the sentence with misspelt words taken for those that were meant; the same where there are none, or it was late.
        strength: of these words; None where the sentence has none for a lesson, or it was late.
        here: the city that was asked for, or where the asker is.
    """

    is_placed: bool
    rows: PlaceRows | None
    denied: Mapping[str, PlaceRows]
    spelt: Understood
    strength: TextStrength | None
    here: Region | None


async def first_look(run: SearchRun, understood: Understood, doubtful: Sequence[str]) -> FirstLook:
    """Look all of it up at the same time.

    Args:
        doubtful: words for the lesson that may be misspelt.

    Raises:
        InvalidInput: the city is unknown.
        Unavailable: the database can't answer, or has no connection free.
    """
    tools, request, budget = run.tools, run.request, run.budget
    cities = (request.city,) if request.city is not None else ()
    rows: list[PlaceRows] = []
    denied: dict[str, PlaceRows] = {}
    texts_denied = understood.denied_places[:DENIED_MAX]
    spelt = [understood]
    strengths: list[TextStrength] = []
    here: list[Region | None] = []

    async def look_up() -> None:
        if understood.place_text is not None:
            rows.append(await tools.places.look_up(understood.place_text, cities=cities))

    async def look_up_denied() -> None:
        for text in texts_denied:
            denied[text] = await tools.places.look_up(text, cities=cities)

    async def weigh() -> None:
        if understood.service_text:
            if doubtful:
                spellings = await tools.retrieval.spellings(understood.service_text, doubtful)
                spelt[0] = tools.reader.spelt(understood, spellings)
            strengths.append(await tools.retrieval.text_strength(spelt[0].service_text))

    async def locate() -> None:
        if request.city is not None:
            here.append(await _city(tools.places, request.city))
        elif request.near is not None:
            here.append(await tools.places.containing(request.near))

    async def all_of_it() -> None:
        with run.trace.stage(StageName.BURST1):
            await together(look_up, look_up_denied, weigh, locate)

    looking = run.begin(all_of_it, StageName.BURST1)
    try:
        # Later than that there would be no time left to find anything.
        await looking.result(by=budget.deadline - budget.reserved_s(*LAST_STAGES))
    except TooLate:
        looking.abandon()
        budget.skip(StageName.BURST1, SkipReason.TIMEOUT)
    wants_rows = understood.place_text is not None
    wants_here = request.city is not None or request.near is not None
    return FirstLook(
        is_placed=(bool(rows) or not wants_rows)
        and (bool(here) or not wants_here)
        and denied.keys() >= set(texts_denied),
        rows=rows[0] if rows else None,
        denied=denied,
        spelt=spelt[0],
        strength=strengths[0] if strengths else None,
        here=here[0] if here else None,
    )


async def _city(places: Places, city: RegionId) -> Region:
    found = await places.regions([city])
    if not found or found[0].id != found[0].city:
        raise InvalidInput(FieldError(("query", "city"), "is no city that we know"))
    return found[0]
