"""The alias learner: now and then, on one worker, counts what clicks say about names and writes down what is clear."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from greenroom.actors.search.learning.ballot import LearningRules, Proposal, count
from greenroom.schema.errors import RegionNotFound, Unavailable
from greenroom.schema.search.places import AliasSource, AliasState, NewAlias
from greenroom.storage.ports import AliasEvidence, Gazetteer, Places
from greenroom.supervisor import Actor

LEARN_S: Final = (540.0, 660.0)
"""Jittered between these. Votes come in over weeks."""

FIRST_S: Final = 60.0
"""After the start, when others have more need of the database."""

HOLD_S: Final = 1_500.0
"""Longer than two turns, so that it stays with one worker; so long another waits if that one dies."""

HALF_LIVES: Final = 3
"""Older votes have less than an eighth of their weight left, and are not read."""

NAMES_MAX: Final = 200
VOTES_MAX: Final = 20_000
"""Per turn: some MB, counted within a tenth of a second."""

PROPOSED_PER_TURN: Final = 20
LEARNED_MAX: Final = 500
"""Learned names that nobody decided on. What would be one more waits until an operator has looked at some."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LearnDue:
    """To itself: the next turn has come."""


class AliasLearner(Actor[LearnDue]):
    """
    Args:
        worker: names this one among those that share the database.
    """

    def __init__(
        self,
        *,
        evidence: AliasEvidence,
        places: Places,
        gazetteer: Gazetteer,
        rules: LearningRules,
        wall: Callable[[], datetime],
        worker: str,
    ) -> None:
        self._evidence = evidence
        self._places = places
        self._gazetteer = gazetteer
        self._rules = rules
        self._wall = wall
        self._worker = worker
        self._is_holder = False
        self._learned = 0

    async def init(self) -> None:
        self.ctx.tell_after(FIRST_S, LearnDue())

    async def handle(self, message: LearnDue) -> None:
        self.ctx.tell_after(self.ctx.rng.uniform(*LEARN_S), LearnDue())
        with suppress(Unavailable):  # the votes are still there at the next turn
            await self.run_once()

    def view(self) -> Mapping[str, object]:
        return {"is_holder": self._is_holder, "learned": self._learned, "is_automatic": self._rules.is_automatic}

    async def run_once(self) -> int:
        """Learn what there is to learn, if it is this worker's turn; return how many names that was."""
        self._is_holder = await self._evidence.hold(self._worker, for_s=HOLD_S)
        if not self._is_holder:
            return 0
        now = self._wall()
        votes = await self._evidence.votes(
            since=now - HALF_LIVES * self._rules.half_life,
            users_min=self._rules.users_min,
            names_max=NAMES_MAX,
            limit=VOTES_MAX,
        )
        room = min(PROPOSED_PER_TURN, LEARNED_MAX - await self._evidence.undecided())
        learned = 0
        for proposal in count(votes, self._rules, now=now):
            if learned >= room:
                break
            learned += await self._write(proposal, now)
        self._learned += learned
        return learned

    async def _write(self, proposal: Proposal, now: datetime) -> bool:
        if not await self._is_news(proposal):
            return False
        state = AliasState.ACTIVE if self._rules.is_automatic else AliasState.PROPOSED
        alias = NewAlias(proposal.name, proposal.region_id, AliasSource.LEARNED, proposal.weight, state)
        try:
            await self._gazetteer.upsert_aliases([alias], now=now)
        except RegionNotFound:
            return False  # it was taken off the map in between
        _log.info(
            "alias learned",
            region=proposal.region_id,
            state=state.value,
            users=proposal.users,
            share=proposal.share,
        )
        return True

    async def _is_news(self, proposal: Proposal) -> bool:
        """Whether the name means nothing yet, and nobody was told of it or decided on it."""
        known = await self._places.look_up(proposal.name, cities=())
        if known.exact or known.alias:
            return False
        alias = await self._gazetteer.alias_of(proposal.name, proposal.region_id)
        if alias is None:
            return True
        # What waited for approval holds from now on where that is no longer asked for.
        is_open = alias.source is AliasSource.LEARNED and alias.decided_at is None
        return is_open and alias.state is AliasState.PROPOSED and self._rules.is_automatic
