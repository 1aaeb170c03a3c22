"""Asking an actor on behalf of a client: what the kernel raises becomes what a client can understand."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from greenroom.schema.errors import Unavailable
from greenroom.supervisor import ActorRestarting, Address, AskError, CallCycle, Overloaded, Request

ASK_TIMEOUT_S: Final = 5.0
"""A client's request: longer than any statement may run, shorter than a person waits."""

R = TypeVar("R")


async def ask(address: Address[Any], request: Request[R], *, timeout_s: float = ASK_TIMEOUT_S) -> R:
    """Ask and wait for the reply.

    Raises:
        DomainError: the actor refused, and why.
        Unavailable: it did not answer in time, crashed, or is overloaded. A write's outcome is then unknown.
    """
    try:
        return await address.ask(request, timeout=timeout_s)
    except (Overloaded, ActorRestarting) as exc:
        raise Unavailable("Too much is waiting for this already.", retry_after_s=exc.retry_after_s) from exc
    except CallCycle:
        raise  # a bug of ours, which no retry would mend
    except AskError as exc:
        raise Unavailable("The part of the server that does this is not answering now.") from exc
