"""Bars that several faults share, read off the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chaos.figures import Figure
from chaos.ledger import Attempt, Ledger
from chaos.timings import healed_s, percentile

CUT = frozenset({"reset", "cut", "silent"})
"""Ends of a connection that no server chose."""

UNTOLD = CUT | {"closed", "refused"}
"""Ends of a stream without a reason given."""


def polite_refusals(ledger: Ledger) -> Sequence[Figure]:
    """Whoever can't be served is told so: by 503, and when to come back."""
    return (
        Figure("503", _count(ledger, lambda a: a.answer == "503")),
        Figure(
            "without Retry-After", _count(ledger, lambda a: a.answer == "503" and a.retry_after_s is None), "", 0
        ),
        Figure("other 5xx", _count(ledger, lambda a: a.answer.startswith("5") and a.answer != "503"), "", 0),
    )


def streams_stay(ledger: Ledger) -> Figure:
    """No stream may end from the first fault on."""
    since = ledger.faults[0].at if ledger.faults else float("inf")
    ended = [
        c for log in ledger.listeners for c in log.connections if c.ended_at is not None and c.ended_at >= since
    ]
    return Figure("streams ended", len(ended), "", 0)


def heals_within(ledger: Ledger, seconds: float) -> Figure:
    """Every sender is answered again so soon after the fault is undone."""
    return Figure("healthy after", percentile(healed_s(ledger), 1.0), "s", seconds)


def resets(ledger: Ledger) -> Figure:
    """Attempts that were cut off without an answer by a server that should have given one."""
    return Figure("resets", _count(ledger, lambda a: a.answer in {"reset", "closed"}), "", 0)


def failed_elsewhere(ledger: Ledger) -> Sequence[Figure]:
    """Requests and streams that failed, although it was not their worker that was ended."""

    def had_to(port: int, begun_at: float, ended_at: float) -> bool:
        return any(
            port in fault.cut and begun_at <= fault.over_at and ended_at >= fault.at for fault in ledger.faults
        )

    streams = [
        c for log in ledger.listeners for c in log.connections if c.ended_at is not None and c.end in UNTOLD
    ]
    return (
        Figure(
            "requests failed on other workers",
            _count(ledger, lambda a: not a.is_success and not had_to(a.port, a.at, a.ended_at)),
            "",
            0,
        ),
        Figure(
            "streams cut on other workers",
            sum(not had_to(c.port, c.begun_at, c.ended_at or 0.0) for c in streams),
            "",
            0,
        ),
    )


def all_served(ledger: Ledger) -> Sequence[Figure]:
    """No request is answered with anything but a 2xx, and no stream is cut without a farewell."""
    cut = [c for log in ledger.listeners for c in log.connections if c.ended_at is not None and c.end in UNTOLD]
    return (
        Figure("not served", _count(ledger, lambda a: not a.is_success), "", 0),
        Figure("streams cut", len(cut), "", 0),
    )


def _count(ledger: Ledger, wanted: Callable[[Attempt], bool]) -> int:
    return sum(wanted(attempt) for sent in ledger.sent for attempt in sent.attempts)
