"""Totals of a whole system, for an operator's dashboards."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Since the system was opened."""

    restarts: int = 0
    escalations: int = 0  # supervisors (or partitions) that gave up
    wedged: int = 0
    late_replies: int = 0  # answers to askers who had given up
