"""What becomes of mail that no handler takes up: its asker is told, and a dead letter is kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenroom.supervisor.dead_letters import DeadLetterReason
from greenroom.supervisor.errors import ActorDied
from greenroom.supervisor.exits import SHUTDOWN
from greenroom.supervisor.mailbox import has_expired

if TYPE_CHECKING:
    from greenroom.supervisor.cell import Cell
    from greenroom.supervisor.delivery import Delivery


def bin_letter(cell: Cell, delivery: Delivery[Any], why: DeadLetterReason) -> None:
    """Record an undelivered message. Its asker, if there is one, has to be told as well."""
    cell.system.dead_letters.add(cell.path, delivery.message, why, delivery.trace)


def bin_expired(cell: Cell, delivery: Delivery[Any]) -> None:
    """Record a message that nobody waits for any more, dropped before work on it began."""
    is_abandoned = delivery.slot is not None and delivery.slot.is_over and not delivery.slot.expired
    cell.meter.note_expired(delivery.message)
    bin_letter(cell, delivery, DeadLetterReason.ABANDONED if is_abandoned else DeadLetterReason.EXPIRED)


def bury_mail(cell: Cell) -> None:
    """Fail what is queued, and whoever waits for room: nobody is going to handle it. Lets nothing in from now on."""
    reason = cell.last_reason or SHUTDOWN
    cell.mailbox.close()
    queued, waiting = cell.mailbox.clear()
    for delivery in queued:
        delivery.fail(cell.refusal or ActorDied(cell.path, reason))
        bin_letter(cell, delivery, DeadLetterReason.DEAD)
    for delivery, slot in waiting:
        slot.fail(cell.refusal or ActorDied(cell.path, reason))
        bin_letter(cell, delivery, DeadLetterReason.DEAD)


def sort_mail_for_restart(cell: Cell) -> None:
    """Apply the mailbox's restart policy: what nobody waits for any more goes in any case."""
    now = cell.system.now()
    for delivery in cell.mailbox.keep_for_restart(now):
        if has_expired(delivery, now):
            bin_expired(cell, delivery)
        else:
            delivery.fail(ActorDied(cell.path, cell.last_reason or SHUTDOWN))
            bin_letter(cell, delivery, DeadLetterReason.RESTART)
