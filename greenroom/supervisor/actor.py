"""The behaviours authors write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from greenroom.supervisor.errors import Refusal

if TYPE_CHECKING:
    from greenroom.supervisor.context import Context
    from greenroom.supervisor.delivery import Delivery
    from greenroom.supervisor.exits import ExitReason
    from greenroom.supervisor.messages import Down

M_contra = TypeVar("M_contra", contravariant=True)


class Actor(Generic[M_contra]):
    """A behaviour: what one incarnation does with its messages, one at a time.

    A fresh instance is made for every incarnation, so ``self`` holds nothing from before a crash. An exception
    that leaves any of these methods ends the incarnation, except a :class:`Refusal` from ``handle``.
    """

    ctx: Context  # set by the kernel before init()

    refusals: ClassVar[tuple[type[Exception], ...]] = (Refusal,)
    """Exceptions that are answers: raised by ``handle``, they go to the asker and the actor goes on. An author whose
    own errors do not derive from the kernel's :class:`Refusal` names them here."""

    async def init(self) -> None:
        """Get ready. Mail waits until this returns; bounded by the spec's ``init_timeout_s``."""

    async def handle(self, message: M_contra) -> object:
        """Handle one message. What is returned is the reply, when the message was asked.

        Use ``ctx.defer()`` or ``ctx.forward()`` to have it answered later or by another actor.
        """
        raise NotImplementedError(f"{type(self).__name__} has no handle()")

    async def handle_down(self, down: Down) -> None:
        """An incarnation watched with ``ctx.monitor()`` ended."""

    async def terminate(self, reason: ExitReason) -> None:
        """Leave things in order. Runs once after a successful ``init``, however the incarnation ended.

        Shielded from cancellation and bounded by the spec's ``terminate_s`` (or, on an orderly stop, by what is
        left of ``shutdown_s`` if that is more). Background tasks still run on an orderly stop and are gone after a
        crash.
        """

    def view(self) -> Mapping[str, object]:
        """State as an operator may see it: no secrets, no bodies. Cheap, without side effects.

        May be called while ``handle`` is half way through a message.
        """
        return {}


class BatchActor(Actor[M_contra]):
    """A behaviour that is given all that is pending at once, at most the spec's ``batch_max``: group commit."""

    async def handle_batch(self, batch: Sequence[Delivery[M_contra]]) -> None:
        """Handle a batch, oldest first. Answer each with ``delivery.reply(value)`` or ``delivery.fail(exc)``.

        Those neither answered nor deferred (``ctx.defer(delivery)``) when this returns are answered with None. A
        :class:`Refusal` raised here answers all that are still open.
        """
        raise NotImplementedError(f"{type(self).__name__} has no handle_batch()")
