"""Snapshots: what runs came to, kept in ``metrics_history.json``, oldest first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from bench.figures import Bar, Better, Figure, Of
from bench.surroundings import ROOT, Surroundings

HISTORY: Final = ROOT / "metrics_history.json"

DATA: Final = (
    "Embedded PostgreSQL as it comes with greenroom, one per server, empty at the start, fsync and synchronous_commit "
    "on; everything over loopback or a Unix socket, clients and servers on the same machine."
)

Settings = Mapping[str, Mapping[str, float]]
"""Counts, lengths and seconds of each part, by the names they have in it."""


class NoHistory(Exception):
    """The file is there and holds no list of snapshots."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One run of everything."""

    surroundings: Surroundings
    settings: Settings
    figures: Sequence[Figure]

    def to_json(self) -> dict[str, Any]:
        """As it is kept; samples have four digits, as nobody can measure more."""
        return {
            "surroundings": asdict(self.surroundings),
            "data": DATA,
            "settings": {part: dict(settings) for part, settings in self.settings.items()},
            "figures": [_figure_to_json(figure) for figure in self.figures],
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read it back."""
        return cls(
            surroundings=Surroundings(**kept["surroundings"]),
            settings=kept["settings"],
            figures=[_figure_of_json(figure) for figure in kept["figures"]],
        )


def latest(history: Path = HISTORY) -> Snapshot | None:
    """The newest snapshot.

    Raises:
        NoHistory: what is there is none.
    """
    kept = _read(history)
    return Snapshot.of_json(kept[-1]) if kept else None


def record(snapshot: Snapshot, history: Path = HISTORY) -> None:
    """Append a snapshot; the file is replaced in one step.

    Raises:
        NoHistory: what is there is none; it is left as it is.
    """
    kept = [*_read(history), snapshot.to_json()]
    written = history.with_suffix(".new")
    written.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")
    written.replace(history)


def settings_of(parts: Mapping[str, object]) -> Settings:
    """The numbers that modules are set to: their constants in capitals, by part and name."""
    return {
        part: {
            name: value
            for name, value in vars(module).items()
            if name.isupper() and not name.startswith("_") and isinstance(value, int | float)
        }
        for part, module in parts.items()
    }


def _read(history: Path) -> list[Any]:
    if not history.exists():
        return []
    try:
        kept = json.loads(history.read_text())
    except ValueError as exc:
        raise NoHistory(f"{history} is no JSON") from exc
    if not isinstance(kept, list):
        raise NoHistory(f"{history} holds no list of snapshots")
    return kept


def _figure_to_json(figure: Figure) -> dict[str, Any]:
    bar = figure.bar
    return {
        "name": figure.name,
        "unit": figure.unit,
        "better": figure.better.value,
        "baseline_name": figure.baseline_name,
        "greenroom": [_rounded(sample) for sample in figure.greenroom],
        "baseline": [_rounded(sample) for sample in figure.baseline],
        "ratio": _rounded(figure.ratio),
        "want": None if bar is None else {"of": bar.of.value, "limit": bar.limit},
        "is_met": figure.is_met,
    }


def _figure_of_json(kept: Mapping[str, Any]) -> Figure:
    want = kept["want"]
    return Figure(
        name=kept["name"],
        unit=kept["unit"],
        better=Better(kept["better"]),
        baseline_name=kept["baseline_name"],
        greenroom=tuple(kept["greenroom"]),
        baseline=tuple(kept["baseline"]),
        bar=None if want is None else Bar(want["limit"], Of(want["of"])),
    )


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
