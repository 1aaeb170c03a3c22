"""What a scenario measured, beside the ledger, and the bars it is held to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    Attributes:
        at_most: the bar, inclusive; None where the number only informs. A bar of 0 is a promise: it counts what may not
            happen at all, however slow the machine is.
    """

    name: str
    value: float
    unit: str = ""
    at_most: float | None = None

    @property
    def is_missed(self) -> bool:
        return self.at_most is not None and self.value > self.at_most

    @property
    def is_promise(self) -> bool:
        return self.at_most == 0

    def __str__(self) -> str:
        bar = "" if self.at_most is None else f" (at most {_shown(self.at_most)})"
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.name} {_shown(self.value)}{unit}{bar}"


def _shown(value: float) -> str:
    return f"{value:.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.2f}"
