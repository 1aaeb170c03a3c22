"""What an operator sees: frozen records made from counters that are there anyway.

Nothing here asks an actor anything, so a wedged, suspended or overloaded one is seen as well as any other, and
nothing here waits, but :func:`scan` between its chunks. Every answer is bounded: by depth, by rows, by bytes.
"""

from greenroom.supervisor.inspection.calls_in_flight import CallsInFlight
from greenroom.supervisor.inspection.collapsed import Collapsed, CollapsedKind
from greenroom.supervisor.inspection.detail import ActorDetail, detail_of, stack_of
from greenroom.supervisor.inspection.hindered import hindered_below
from greenroom.supervisor.inspection.node import CurrentMessage, Latency, MailboxNode, Node, node_of
from greenroom.supervisor.inspection.ranking import EVERY_ACTOR, ActorQuery, Page, Ranking, Sort
from greenroom.supervisor.inspection.scan import SCAN_CHUNK, scan
from greenroom.supervisor.inspection.totals import KindStatistics, MessageStatistics, SystemStatistics, statistics

__all__ = [
    "EVERY_ACTOR",
    "SCAN_CHUNK",
    "ActorDetail",
    "ActorQuery",
    "CallsInFlight",
    "Collapsed",
    "CollapsedKind",
    "CurrentMessage",
    "KindStatistics",
    "Latency",
    "MailboxNode",
    "MessageStatistics",
    "Node",
    "Page",
    "Ranking",
    "Sort",
    "SystemStatistics",
    "detail_of",
    "hindered_below",
    "node_of",
    "scan",
    "stack_of",
    "statistics",
]
