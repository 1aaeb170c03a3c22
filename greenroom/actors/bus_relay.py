"""The bus relay: this worker's only bus subscription, handing notes to the streams of users who are connected here."""

from __future__ import annotations

from collections.abc import Mapping

from greenroom.actors.addresses import presence, stream_of, sweep
from greenroom.actors.feeds import LocalFeeds
from greenroom.actors.presence import NewsMissed
from greenroom.actors.session_cache import SessionCache
from greenroom.actors.sweep import SweepNow
from greenroom.actors.user_stream import Grown, SweptTo
from greenroom.schema.events import ClosingReason
from greenroom.storage.ports import Bus, BusNote, Ephemeral, GrownTo, Hint, Present, Revocation, RollCall
from greenroom.supervisor import Actor


class BusRelay(Actor[None]):
    """Receives from the bus for as long as it lives; it has no messages of its own."""

    def __init__(self, *, bus: Bus, feeds: LocalFeeds, sessions: SessionCache) -> None:
        self._bus = bus
        self._feeds = feeds
        self._sessions = sessions
        self._notes = 0
        self._suspicions = 0

    async def init(self) -> None:
        self.ctx.start_task(self._receive)

    async def handle(self, message: None) -> None:
        """Nothing is sent to it."""

    def view(self) -> Mapping[str, object]:
        return {"notes": self._notes, "suspicions": self._suspicions}

    async def _receive(self) -> None:
        async with self._bus.subscribe(concerns=self._feeds.concerns) as subscription:
            # Whatever was published before this subscription existed was missed.
            sweep(self.ctx.system).tell(SweepNow())
            while True:
                batch = await subscription.receive()
                if batch.is_suspect:
                    self._suspicions += 1
                    sweep(self.ctx.system).tell(SweepNow())
                    presence(self.ctx.system).tell(NewsMissed())
                for note in batch.notes:
                    self._notes += 1
                    self._hand_on(note)

    def _hand_on(self, note: BusNote) -> None:
        # A refused tell needs no care here: the stream finds the gap at its next hint, or the sweep does.
        match note:
            case Hint(user_id=user_id, events=events):
                if self._feeds.concerns(user_id):
                    stream_of(self.ctx.system, user_id).tell(Grown(events))
            case GrownTo(user_id=user_id, last_seq=last_seq):
                if self._feeds.concerns(user_id):
                    stream_of(self.ctx.system, user_id).tell(SweptTo(last_seq))
            case Ephemeral(user_ids=user_ids):
                for user_id in user_ids:
                    if self._feeds.concerns(user_id):
                        stream_of(self.ctx.system, user_id).tell(note)
            case Revocation(user_id=user_id, session_id=session_id):
                self._sessions.forget(session_id)
                self._feeds.close_session(user_id, session_id, ClosingReason.REVOKED)
            case Present() | RollCall():
                presence(self.ctx.system).tell(note)
