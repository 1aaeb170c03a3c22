"""How a message gets into an actor's mailbox, or what its sender is told if it does not.

Nothing here waits: whoever may wait for room is given a slot to wait on. What is refused becomes a dead letter, and its
asker hears of it at once instead of by timeout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenroom.supervisor.crashes import reason_of
from greenroom.supervisor.dead_letters import DeadLetterReason
from greenroom.supervisor.errors import ActorDied, ActorRestarting, AskError, Overloaded
from greenroom.supervisor.exits import SHUTDOWN
from greenroom.supervisor.messages import TellOutcome
from greenroom.supervisor.reply_slot import ReplySlot
from greenroom.supervisor.status import Status
from greenroom.supervisor.undelivered import bin_letter

if TYPE_CHECKING:
    from greenroom.supervisor.cell import Cell
    from greenroom.supervisor.delivery import Delivery

_ACCEPTED = TellOutcome.ACCEPTED  # looking an enum's member up costs more than a global

RETRY_AFTER_S_MIN, RETRY_AFTER_S_MAX = 0.05, 30.0  # a mean over few messages tells little; nobody plans for longer


def admit(cell: Cell, delivery: Delivery[Any]) -> TellOutcome:
    """Take a message in, or tell its asker why not. Never waits."""
    mailbox = cell.mailbox
    depth = len(mailbox.queue)
    if depth >= mailbox.room or cell.system.is_draining:
        return _admit_with_care(cell, delivery)
    mailbox.queue.append(delivery)
    if depth >= mailbox.peak:
        mailbox.peak = depth + 1
    if delivery.slot is not None:
        delivery.slot.target = cell
    if cell.is_parked:
        cell.wake()
    return _ACCEPTED


def admit_when_room(cell: Cell, delivery: Delivery[Any]) -> ReplySlot | None:
    """Take a told message in, or give a slot to wait on for room.

    Raises:
        ActorDied, ActorRestarting, Overloaded: it will not be taken in, however long one waits.
    """
    objection = _objection(cell, delivery)
    if objection is not None:
        _refuse(cell, delivery, *objection)
        raise objection[0]
    try:
        fits_now = cell.mailbox.fits_now(delivery)
    except Exception as failure:
        _refuse_for_failure(cell, delivery, failure)
        raise ActorDied(cell.path, reason_of(failure)) from failure
    if fits_now is None:
        heaviest = cell.mailbox.spec.bytes_max
        error = Overloaded(cell.path, _retry_after_s(cell), f"takes no message over {heaviest} bytes")
        _refuse(cell, delivery, error, DeadLetterReason.REJECTED)
        raise error
    if fits_now:
        _admit_with_care(cell, delivery)
        return None
    room = ReplySlot()
    cell.mailbox.wait_for_room(delivery, room)
    return room


def _admit_with_care(cell: Cell, delivery: Delivery[Any]) -> TellOutcome:
    objection = _objection(cell, delivery)
    if objection is not None:
        return _refuse(cell, delivery, *objection)
    try:
        outcome, displaced = cell.mailbox.offer(delivery)
    except Exception as failure:
        return _refuse_for_failure(cell, delivery, failure)
    for older in displaced:
        _refuse_for_room(cell, older, DeadLetterReason.DISPLACED)
    if outcome is TellOutcome.REJECTED:
        _refuse_for_room(cell, delivery, DeadLetterReason.REJECTED)
    elif outcome is TellOutcome.DROPPED:
        _refuse_for_room(cell, delivery, DeadLetterReason.DROPPED)
    else:
        if delivery.slot is not None:
            delivery.slot.target = cell
        cell.wake()
        if cell.state is Status.DORMANT:
            cell.owner.activate(cell)
    return outcome


def _objection(cell: Cell, delivery: Delivery[Any]) -> tuple[AskError, DeadLetterReason] | None:
    """Why this message cannot be taken in whatever the room, or None."""
    if cell.system.is_draining:
        draining = cell.system.turns_away(cell.path)
        if draining is not None:
            return draining, DeadLetterReason.DRAINING
    is_closing = cell.state in (Status.STOPPING, Status.WEDGED) and not cell.mailbox.is_open
    if cell.state is Status.STOPPED or is_closing:
        return ActorDied(cell.path, cell.last_reason or SHUTDOWN), DeadLetterReason.DEAD
    if cell.state is Status.BACKOFF and delivery.slot is not None and delivery.deadline <= cell.backoff_until:
        wait_s = cell.backoff_until - cell.system.now()
        return ActorRestarting(cell.path, wait_s), DeadLetterReason.RESTARTING
    return None


def _refuse(cell: Cell, delivery: Delivery[Any], error: AskError, why: DeadLetterReason) -> TellOutcome:
    delivery.fail(error)
    bin_letter(cell, delivery, why)
    return TellOutcome.REJECTED if isinstance(error, Overloaded) else TellOutcome.DEAD


def _refuse_for_failure(cell: Cell, delivery: Delivery[Any], failure: Exception) -> TellOutcome:
    """The mailbox's own key or size function failed on a message. That is the actor's author's mistake, so the
    actor crashes over it and the teller does not."""
    delivery.fail(ActorDied(cell.path, reason_of(failure)))
    bin_letter(cell, delivery, DeadLetterReason.REJECTED)
    cell.crash(cell.incarnation, failure)
    return TellOutcome.REJECTED


def _refuse_for_room(cell: Cell, delivery: Delivery[Any], why: DeadLetterReason) -> None:
    cell.meter.refused += 1
    delivery.fail(Overloaded(cell.path, _retry_after_s(cell)))
    bin_letter(cell, delivery, why)


def _retry_after_s(cell: Cell) -> float:
    """When there should be room again: the time to work off what is queued, within bounds."""
    return min(RETRY_AFTER_S_MAX, max(RETRY_AFTER_S_MIN, len(cell.mailbox) * cell.meter.mean_s()))
