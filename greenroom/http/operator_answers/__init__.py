"""Shapes that operators see: the actor tree, one actor, dead letters, the loop, the audit, and the events of their stream.

They are read from the kernel's own records by attribute, so that the two can't be mixed up field by field.
"""

from greenroom.http.operator_answers.actors import (
    ActorDetailOut,
    ActorNodeOut,
    ActorOut,
    ActorsOut,
    CallsOut,
    CollapsedKindOut,
    CollapsedOut,
    CurrentOut,
    ExitOut,
    HandledOut,
    LatencyOut,
    MailboxOut,
    MessageTotalsOut,
    StackOut,
)
from greenroom.http.operator_answers.audit import AuditEntryOut, AuditOut
from greenroom.http.operator_answers.dead_letters import DeadLetterOut, DeadLettersOut
from greenroom.http.operator_answers.event_loop import (
    GcPausesOut,
    LongStepOut,
    LoopOut,
    LoopSecondOut,
    PercentilesOut,
    StallOut,
    StepReportOut,
)
from greenroom.http.operator_answers.feed import BeatOut, LaggedOut, LifecycleOut, PulseOut, TreeDeltaOut
from greenroom.http.operator_answers.outbox import JobDetailOut, JobOut, OutboxFiguresOut, OutboxOut
from greenroom.http.operator_answers.workers import WorkerOut, WorkersOut

__all__ = [
    "ActorDetailOut",
    "ActorNodeOut",
    "ActorOut",
    "ActorsOut",
    "AuditEntryOut",
    "AuditOut",
    "BeatOut",
    "CallsOut",
    "CollapsedKindOut",
    "CollapsedOut",
    "CurrentOut",
    "DeadLetterOut",
    "DeadLettersOut",
    "ExitOut",
    "GcPausesOut",
    "HandledOut",
    "JobDetailOut",
    "JobOut",
    "LaggedOut",
    "LatencyOut",
    "LifecycleOut",
    "LongStepOut",
    "LoopOut",
    "LoopSecondOut",
    "MailboxOut",
    "MessageTotalsOut",
    "OutboxFiguresOut",
    "OutboxOut",
    "PercentilesOut",
    "PulseOut",
    "StackOut",
    "StallOut",
    "StepReportOut",
    "TreeDeltaOut",
    "WorkerOut",
    "WorkersOut",
]
