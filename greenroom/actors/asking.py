"""Asking an actor on behalf of a client: what the kernel raises becomes what a client can understand."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from greenroom.schema.errors import OutOfService, Unavailable
from greenroom.supervisor import ActorRestarting, ActorSystem, Address, AskError, CallCycle, Overloaded, Request

ASK_TIMEOUT_S: Final = 5.0
"""A client's request: longer than any statement may run, shorter than a person waits."""

R = TypeVar("R")


async def ask(
    system: ActorSystem,
    address: Address[Any],
    request: Request[R],
    *,
    through: Address[Any] | None = None,
    timeout_s: float = ASK_TIMEOUT_S,
) -> R:
    """Ask and wait for the reply.

    Args:
        through: whom the actor hands such a request on to.

    Raises:
        DomainError: the actor refused, and why.
        OutOfService: one of the two is known not to work, so nothing was asked.
        Unavailable: it did not answer in time, crashed, or is overloaded. A write's outcome is then unknown.
    """
    for needed in (through, address):
        hindrance = None if needed is None else system.hindrance(needed.path)
        if hindrance is not None and hindrance.is_lasting:
            raise OutOfService(f"The part of the server that does this is {hindrance.value}.")
    try:
        return await address.ask(request, timeout=timeout_s)
    except (Overloaded, ActorRestarting) as exc:
        raise Unavailable("Too much is waiting for this already.", retry_after_s=exc.retry_after_s) from exc
    except CallCycle:
        raise  # a bug of ours, which no retry would mend
    except AskError as exc:
        raise Unavailable("The part of the server that does this is not answering now.") from exc
