"""What one worker keeps in memory beside its actors, so that it outlives a restart of any of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from greenroom.actors.alarms import Alarms
from greenroom.actors.feeds import LocalFeeds
from greenroom.actors.outbox_watch import OutboxBoard
from greenroom.actors.presence import PresenceBoard
from greenroom.actors.replay import Replay
from greenroom.actors.session_cache import SessionCache


@dataclass(frozen=True, slots=True)
class WorkerState:
    """Each part is written by one actor, or by the connections themselves, and read by many, without asking anybody.

    Attributes:
        name: of this run; never that of one before, whose claims on jobs may still stand.
        replay: the past of streams, a bounded number of queries at once.
    """

    name: str
    replay: Replay
    feeds: LocalFeeds = field(default_factory=LocalFeeds)
    sessions: SessionCache = field(default_factory=SessionCache)
    presence: PresenceBoard = field(default_factory=PresenceBoard)
    outbox: OutboxBoard = field(default_factory=OutboxBoard)
    alarms: Alarms = field(default_factory=Alarms)
