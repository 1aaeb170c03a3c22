"""Supervised actors on Trio: OTP's supervision, bounded mailboxes, deadlines that travel with the message.

Start with :func:`open_system`, :class:`Actor` and :class:`SupervisorSpec`; `docs/kernel.md` tells the whole story.
"""

from greenroom.supervisor.actor import Actor, BatchActor
from greenroom.supervisor.address import Address
from greenroom.supervisor.backoff import NO_BACKOFF, Backoff
from greenroom.supervisor.calls import Whereabouts, origin, whereabouts
from greenroom.supervisor.child import ExitRecord
from greenroom.supervisor.context import Context
from greenroom.supervisor.dead_letters import DeadLetter, DeadLetterReason, DeadLetters
from greenroom.supervisor.delivery import Delivery, Reply
from greenroom.supervisor.errors import (
    ActorDied,
    ActorRestarting,
    AskError,
    AskTimeout,
    BudgetExceeded,
    CallCycle,
    ChildExists,
    Draining,
    KernelError,
    MailboxFull,
    NoSuchActor,
    NotAnActor,
    NotASupervisor,
    Overloaded,
    Refusal,
    RootExited,
    StartFailed,
)
from greenroom.supervisor.exits import (
    INIT_TIMEOUT,
    KILLED,
    NOPROC,
    NORMAL,
    SHUTDOWN,
    SHUTDOWN_TIMEOUT,
    ExitKind,
    ExitReason,
)
from greenroom.supervisor.hindrance import Hindrance
from greenroom.supervisor.inspection import (
    ActorDetail,
    ActorQuery,
    Collapsed,
    CollapsedKind,
    CurrentMessage,
    KindStatistics,
    Latency,
    MailboxNode,
    MessageStatistics,
    Node,
    Page,
    Sort,
    SystemStatistics,
)
from greenroom.supervisor.lifecycle import LifecycleEvent, Subscription
from greenroom.supervisor.messages import Down, MonitorRef, Request, TellOutcome
from greenroom.supervisor.meter import BUCKET_BOUNDS_S, MessageHeader
from greenroom.supervisor.opening import open_system
from greenroom.supervisor.specs import (
    AutoShutdown,
    ChildSpec,
    DynamicSpec,
    Holdings,
    MailboxSpec,
    OnRestart,
    Overflow,
    Restart,
    Strategy,
    SupervisorSpec,
)
from greenroom.supervisor.status import Status
from greenroom.supervisor.system import ActorSystem, ShutdownReport
from greenroom.supervisor.timers import Timer

__all__ = [
    "BUCKET_BOUNDS_S",
    "INIT_TIMEOUT",
    "KILLED",
    "NOPROC",
    "NORMAL",
    "NO_BACKOFF",
    "SHUTDOWN",
    "SHUTDOWN_TIMEOUT",
    "Actor",
    "ActorDetail",
    "ActorDied",
    "ActorQuery",
    "ActorRestarting",
    "ActorSystem",
    "Address",
    "AskError",
    "AskTimeout",
    "AutoShutdown",
    "Backoff",
    "BatchActor",
    "BudgetExceeded",
    "CallCycle",
    "ChildExists",
    "ChildSpec",
    "Collapsed",
    "CollapsedKind",
    "Context",
    "CurrentMessage",
    "DeadLetter",
    "DeadLetterReason",
    "DeadLetters",
    "Delivery",
    "Down",
    "Draining",
    "DynamicSpec",
    "ExitKind",
    "ExitReason",
    "ExitRecord",
    "Hindrance",
    "Holdings",
    "KernelError",
    "KindStatistics",
    "Latency",
    "LifecycleEvent",
    "MailboxFull",
    "MailboxNode",
    "MailboxSpec",
    "MessageHeader",
    "MessageStatistics",
    "MonitorRef",
    "NoSuchActor",
    "Node",
    "NotASupervisor",
    "NotAnActor",
    "OnRestart",
    "Overflow",
    "Overloaded",
    "Page",
    "Refusal",
    "Reply",
    "Request",
    "Restart",
    "RootExited",
    "ShutdownReport",
    "Sort",
    "StartFailed",
    "Status",
    "Strategy",
    "Subscription",
    "SupervisorSpec",
    "SystemStatistics",
    "TellOutcome",
    "Timer",
    "Whereabouts",
    "open_system",
    "origin",
    "whereabouts",
]
