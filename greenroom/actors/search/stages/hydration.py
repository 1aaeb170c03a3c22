"""A page of what was found, as it is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from greenroom.actors.search.answer import Hit, Ranked
from greenroom.actors.search.answer_cache import KeptAnswer
from greenroom.actors.search.pending import TooLate
from greenroom.actors.search.run import SearchRun
from greenroom.schema.ids import ServiceId
from greenroom.schema.search.candidates import Card
from greenroom.schema.search.diagnostics import SkipReason, StageName


@dataclass(slots=True)
class Page:
    """A page that fills; ``end`` is where in the ranking it ends, ``gone`` how many were left out of it.

    ``is_cut``: there was no time to fill it.
    """

    hits: list[Hit]
    end: int
    gone: int = 0
    is_cut: bool = False

    def add(self, ranked: Sequence[Ranked], cards: Mapping[ServiceId, Card]) -> None:
        """Go on over ``ranked``, of which only what has a card is shown."""
        self.hits += [Hit(each, card) for each in ranked if (card := cards.get(each.candidate.service_id))]
        self.gone += sum(each.candidate.service_id not in cards for each in ranked)
        self.end += len(ranked)


async def read_page(run: SearchRun, kept: KeptAnswer, start: int) -> Page:
    """Up to a page's worth of hits; in the place of those that are gone, or pass the filters no more, the next ones.

    Raises:
        Unavailable: the database can't answer.
    """
    page = Page([], start)
    if start >= len(kept.ranked):
        return page
    if not run.budget.covers(StageName.HYDRATION):
        page.is_cut = True
        return page

    async def read() -> None:
        with run.trace.stage(StageName.HYDRATION):
            while wanted := kept.ranked[page.end : page.end + run.request.limit - len(page.hits)]:
                ids = [each.candidate.service_id for each in wanted]
                cards = await run.tools.retrieval.cards(ids, filters=kept.filters, now=run.tools.wall())
                page.add(wanted, {card.service_id: card for card in cards})

    try:
        await run.begin(read, StageName.HYDRATION).result()
    except TooLate:
        run.budget.skip(StageName.HYDRATION, SkipReason.TIMEOUT)
        page.is_cut = True
    return page


def unread_page(run: SearchRun, kept: KeptAnswer, start: int) -> Page:
    """The same page where no time was left to read it: what was found by this very search, without cards."""
    found = kept.ranked[start : start + run.request.limit]
    return Page([Hit(each, None) for each in found], start + len(found))
