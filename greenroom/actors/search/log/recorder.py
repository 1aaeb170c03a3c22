"""Tells the log what was answered and what was clicked, without ever waiting for it."""

from __future__ import annotations

from greenroom.actors.identity import Identity
from greenroom.actors.search.answer import SearchAnswer
from greenroom.actors.search.log.recent import RecentSearches
from greenroom.actors.search.log.writer import LogCounts, search_log
from greenroom.actors.search.request import SearchRequest
from greenroom.schema.clock import WallClock
from greenroom.schema.ids import ServiceId
from greenroom.schema.search.log import NewClick, QueryId, SearchRecord
from greenroom.supervisor import ActorSystem, TellOutcome


class Recorder:
    def __init__(self, *, system: ActorSystem, recent: RecentSearches, counts: LogCounts, wall: WallClock) -> None:
        self._address = search_log(system)
        self._recent = recent
        self._counts = counts
        self._wall = wall

    def answered(self, request: SearchRequest, answer: SearchAnswer) -> None:
        record = SearchRecord(
            query_id=QueryId(answer.query_id),
            user_id=request.user_id,
            at=self._wall(),
            city=request.city,
            understood=answer.understood,
            place=answer.place,
            budget=answer.budget,
            cache=answer.cache.value,
            total=answer.total,
            position=answer.position,
            shown=tuple(hit.ranked.candidate.service_id for hit in answer.hits),
            diagnostics=answer.diagnostics,
        )
        self._recent.add(record)
        self._tell(record)

    def clicked(self, identity: Identity, query_id: QueryId, service_id: ServiceId) -> None:
        """Note that somebody opened a result; whether it counts is found out later.

        Raises:
            PermissionDenied: whoever may not search has nothing to click.
        """
        identity.require("search:read")
        self._tell(NewClick(query_id, identity.user.id, service_id, self._wall()))

    def _tell(self, message: SearchRecord | NewClick) -> None:
        if self._address.tell(message) not in {TellOutcome.ACCEPTED, TellOutcome.CONFLATED}:
            self._counts.dropped += 1
