"""One call for all workers that want the vector of the same text at the same time.

1. Who is the first to ask leads, and calls. The others ask again every 20 ms, each within its own time.
2. What came of it is told to all, a failure too, so that they don't call one after the other. A failure is forgotten after a second.
3. A timeout is told with the time that was given to it: those who have more may try themselves.
4. A leader that was cancelled, or got no slot of its own worker's, says nothing of what another would get: it leaves, and
   another leads. One that died is missed when its lease lapses, a third of a second later.
5. Where others can't be seen each goes alone, at once.

Asking again rather than being told: it takes no second connection, no subscription that could be lost, and whoever asks finds out in
the same step that the leader is gone. In each worker one asks for all (:class:`~greenroom.models.kept_vectors.KeptVectors`).

Source: the name and the idea are those of Go's ``golang.org/x/sync/singleflight``; leases after C. Gray, D. Cheriton, "Leases: an
efficient fault-tolerant mechanism for distributed file cache consistency", SOSP 1989.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, assert_never

import trio

from greenroom.models.landings import Unreadable, pack_error, pack_vector, read_landing
from greenroom.models.ports import Embedder, Flights, ModelError, ModelTimeout, NoSlot, Vector
from greenroom.models.wrapped import WrappedEmbedder
from greenroom.schema.search.flights import Landed, Lead, Sky

ASK_AGAIN_S: Final = 0.02

VECTOR_KEPT_S: Final = 120.0
"""For workers that are asked the same soon after. At twenty calls a second, 6 KB each, that is 15 MB of Redis."""

FAILURE_KEPT_S: Final = 1.0
"""Until all who wait have asked again, many times over."""


class FlightOutcome(StrEnum):
    LED = "led"
    FOLLOWED = "followed"
    FAILED = "failed"
    """Heard that another's call had failed."""

    LATE = "late"
    """Another's call took longer than there was time."""

    ALONE = "alone"
    UNREADABLE = "unreadable"
    """What was told could not be used, so it went alone."""


class FlownVectors(WrappedEmbedder):
    """An embedder in front of one that takes a call over the network."""

    def __init__(self, embedder: Embedder, flights: Flights) -> None:
        super().__init__(embedder)
        self._flights = flights
        self._outcomes: Counter[FlightOutcome] = Counter()

    @property
    def sees_others(self) -> bool:
        return self._flights.is_up

    def outcomes(self) -> Mapping[FlightOutcome, int]:
        """What became of texts to embed, since the start."""
        return {outcome: self._outcomes[outcome] for outcome in FlightOutcome}

    async def embed(self, texts: Sequence[str], *, timeout_s: float) -> list[Vector]:
        """See :class:`~greenroom.models.ports.Embedder`. Batches go alone: they come from indexing, once each."""
        if len(texts) != 1 or not texts[0].strip():
            return await self._embedder.embed(texts, timeout_s=timeout_s)
        text = " ".join(texts[0].split())
        key, deadline = f"{self.model}\n{self.dimensions}\n{text}", trio.current_time() + timeout_s
        while True:
            boarding = await self._flights.board(key, rest_s=max(0.0, deadline - trio.current_time()))
            match boarding:
                case Lead():
                    self._outcomes[FlightOutcome.LED] += 1
                    return [await self._lead(boarding, text, deadline)]
                case Landed(body):
                    try:
                        landing = read_landing(body, model=self.model, dimensions=self.dimensions)
                    except Unreadable:
                        return [await self._alone(FlightOutcome.UNREADABLE, text, deadline)]
                    return [self._heard(landing)]
                case Sky.UNSEEN:
                    return [await self._alone(FlightOutcome.ALONE, text, deadline)]
                case Sky.ALOFT:
                    await trio.sleep_until(min(deadline, trio.current_time() + ASK_AGAIN_S))
                    if trio.current_time() >= deadline:
                        self._outcomes[FlightOutcome.LATE] += 1
                        raise ModelTimeout("no answer in time")
                case _:
                    assert_never(boarding)

    async def _lead(self, lead: Lead, text: str, deadline: float) -> Vector:
        flights, began_at = self._flights, trio.current_time()
        try:
            [vector] = await self._embedder.embed([text], timeout_s=deadline - began_at)
        except ModelTimeout as error:
            taken_s = trio.current_time() - began_at
            flights.fail(lead, pack_error(error), kept_s=FAILURE_KEPT_S, within_s=taken_s)
            raise
        except NoSlot:
            flights.leave(lead)
            raise
        except ModelError as error:
            flights.fail(lead, pack_error(error), kept_s=FAILURE_KEPT_S)
            raise
        except BaseException:
            # Cancelled, most of all: whoever asked is gone, which is no reason for the others to go without.
            flights.leave(lead)
            raise
        flights.land(lead, pack_vector(vector, model=self.model), kept_s=VECTOR_KEPT_S)
        return vector

    async def _alone(self, outcome: FlightOutcome, text: str, deadline: float) -> Vector:
        self._outcomes[outcome] += 1
        [vector] = await self._embedder.embed([text], timeout_s=max(0.0, deadline - trio.current_time()))
        return vector

    def _heard(self, landing: Vector | ModelError) -> Vector:
        if isinstance(landing, ModelError):
            self._outcomes[FlightOutcome.FAILED] += 1
            raise landing
        self._outcomes[FlightOutcome.FOLLOWED] += 1
        return landing
