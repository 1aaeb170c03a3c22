"""The loop of one incarnation: system lane first, then mail in turns, then sleep.

The path of a message is short on purpose. There is no cancel scope, no nursery and no allocation per message beyond
the delivery itself; an idle actor costs one parked task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from greenroom.supervisor.actor import Actor, BatchActor
from greenroom.supervisor.delivery import Delivery
from greenroom.supervisor.exits import SHUTDOWN, ExitReason
from greenroom.supervisor.mailbox import has_expired
from greenroom.supervisor.park_slot import SleepRequest, sleep_request, sleep_until_woken
from greenroom.supervisor.undelivered import bin_expired

if TYPE_CHECKING:
    from greenroom.supervisor.cell import Cell
    from greenroom.supervisor.reply_slot import ReplySlot

# A turn also ends after this long, so that an actor with slow messages does not keep the others waiting for
# batch_max of them.
TURN_S = 0.005


async def serve(cell: Cell, actor: Actor[Any]) -> ExitReason:
    """Serve the cell's mail one message at a time until there is a reason to end; returns that reason.

    A turn ends when no mail is left, when it has lasted long enough, or when the system lane calls.
    """
    mailbox, meter, spec, now = cell.mailbox, cell.meter, cell.spec, cell.system.now
    queue, handle, refusals = mailbox.queue, actor.handle, actor.refusals
    is_plain, popleft = mailbox.is_plain, queue.popleft
    budget_s, cancellable, batch_max, rng = (
        spec.message_budget_s,
        spec.cancellable,
        spec.batch_max,
        cell.system.turn_rng,
    )
    sleep = sleep_request(cell.unpark)
    while True:
        if not queue and not cell.attention and not cell.is_draining:
            cell.is_parked = True
            await sleep_until_woken(sleep)
        if cell.attention or cell.is_suspended or not queue:
            reason = await _wait_for_mail(cell, actor, sleep)
            if reason is not None:
                return reason
        left = batch_max if rng is None else rng.randint(1, batch_max)
        started = now()
        turn_ends = started + TURN_S
        turn = meter.begin_turn(started) if len(queue) > 1 else None
        if turn is not None:
            handled, ended = turn.deliveries.append, turn.ends.append
        while queue and left > 0 and started < turn_ends and not cell.attention:
            left -= 1
            delivery = popleft() if is_plain and not mailbox.waiting else mailbox.take()
            slot = delivery.slot
            if slot is not None:
                if has_expired(delivery, started):
                    bin_expired(cell, delivery)
                    continue
                slot.started_at = started
            cell.current = delivery
            cell.current_since = started
            if budget_s is not None and cell.watches is not None:
                cell.watches.message_taken(started, budget_s)
            failed = False
            try:
                if slot is not None and cancellable and isinstance(delivery.message, cancellable):
                    answer = await _handle_cancellable(actor, delivery, slot)
                else:
                    answer = await handle(delivery.message)
            except refusals as refusal:
                failed = True
                delivery.fail(refusal)
            else:
                # Empty by now if the answer was deferred, forwarded or stashed.
                slot = delivery.slot
                if slot is not None and not slot.send(answer):
                    cell.system.counters.late_replies += 1
            # On a crash `current` stays set, and the end of the incarnation settles it.
            cell.current = None
            finished = now()
            if turn is None:
                meter.note(delivery, started, finished, failed)
            elif not failed:
                handled(delivery)
                ended(finished)
            else:
                meter.end_turn()
                turn = None
                meter.note(delivery, started, finished, failed)
            if cell.traced_until > finished:
                cell.trace_message()
            started = finished
        meter.end_turn()
        if queue:
            await trio.lowlevel.checkpoint()


async def serve_batches(cell: Cell, actor: BatchActor[Any]) -> ExitReason:
    """As :func:`serve`, for an actor that takes all that is pending at once."""
    queue = cell.mailbox.queue
    sleep = sleep_request(cell.unpark)
    while True:
        if cell.attention or cell.is_suspended or not queue:
            reason = await _wait_for_mail(cell, actor, sleep)
            if reason is not None:
                return reason
        await _batch(cell, actor)
        if queue:
            await trio.lowlevel.checkpoint()


async def _wait_for_mail(cell: Cell, actor: Actor[Any], sleep: SleepRequest) -> ExitReason | None:
    """Look at the system lane and sleep until there is mail to handle. Returns a reason when it is time to end."""
    queue = cell.mailbox.queue
    while True:
        if cell.attention:
            await _attend(cell, actor)
            if cell.leave_reason is not None:
                return cell.leave_reason
        if queue and not cell.is_suspended:
            return None
        if cell.is_draining:
            return cell.stop_reason or SHUTDOWN
        if not cell.attention:
            cell.is_parked = True
            await sleep_until_woken(sleep)


async def _attend(cell: Cell, actor: Actor[Any]) -> None:
    """Look at the system lane. Downs wait while the actor is suspended or about to leave."""
    cell.attention = False
    while cell.downs and not cell.is_suspended and cell.leave_reason is None:
        down = cell.downs.pop(0)
        if cell.context is not None and cell.context.forget_watch(down.ref):
            await actor.handle_down(down)


async def _handle_cancellable(actor: Actor[Any], delivery: Delivery[Any], slot: ReplySlot) -> object:
    """Handle a message whose work is of no use once its asker has given up. The only scope per message there is."""
    with trio.CancelScope(deadline=delivery.deadline) as slot.handler_scope:
        return await actor.handle(delivery.message)
    delivery.slot = None  # nobody waits for it, or won't in a moment: this is no answer
    return None


async def _batch(cell: Cell, actor: BatchActor[Any]) -> None:
    """Handle all that is pending, up to a turn's length, in one go."""
    started = cell.system.now()
    batch: list[Delivery[Any]] = []
    rng, left = cell.system.turn_rng, cell.spec.batch_max
    if rng is not None:
        left = rng.randint(1, left)
    while cell.mailbox.queue and left > 0:
        delivery = cell.mailbox.take()
        left -= 1
        if delivery.slot is not None:
            if has_expired(delivery, started):
                bin_expired(cell, delivery)
                continue
            delivery.slot.started_at = started
        batch.append(delivery)
    if not batch:
        return
    cell.batch = batch
    cell.current = _sum_of(batch)
    cell.current_since = started
    if cell.spec.message_budget_s is not None and cell.watches is not None:
        cell.watches.message_taken(started, cell.spec.message_budget_s)
    refusal: Exception | None = None
    try:
        await actor.handle_batch(batch)
    except actor.refusals as refused:
        refusal = refused
    cell.current = cell.batch = None
    finished = cell.system.now()
    for delivery in batch:
        if refusal is None:
            delivery.reply(None)
        else:
            delivery.fail(refusal)
    cell.meter.note_batch(batch, started, finished, refusal is not None)


def _sum_of(batch: list[Delivery[Any]]) -> Delivery[Any]:
    """A delivery that stands for a batch: as late as its latest, and waited for by everybody who waits for any."""
    chain = tuple(dict.fromkeys(path for delivery in batch for path in delivery.chain))
    latest = max(delivery.deadline for delivery in batch)
    return Delivery(batch, latest, batch[0].trace, chain, None, batch[0].enqueued_at)
