"""Metrics of several workers as one text, each sample with its worker's name.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ - the lines of a family stand together, its HELP and TYPE
once and first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Family:
    about: list[str] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)


def merge_expositions(texts: Mapping[str, str]) -> str:
    """Merge texts by worker; what they say of a family (HELP, TYPE) is taken from the first."""
    families: dict[str, _Family] = {}
    for worker, text in texts.items():
        described: set[str] = set()
        family = _Family()
        for line in text.splitlines():
            if line.startswith("# "):
                name = line.split(" ", 3)[2]
                is_known = name in families
                family = families.setdefault(name, _Family())
                if not is_known:
                    described.add(name)
                if name in described:
                    family.about.append(line)
            elif line:
                family.samples.append(_labelled(line, worker))
    lines = [line for family in families.values() for line in (*family.about, *family.samples)]
    return "\n".join(lines) + "\n"


def _labelled(sample: str, worker: str) -> str:
    """Add the worker to a sample's labels; its name has no braces, so the first one begins them."""
    name, brace, rest = sample.partition("{")
    if brace and " " not in name:
        return f'{name}{{worker="{worker}",{rest}'
    name, _, rest = sample.partition(" ")
    return f'{name}{{worker="{worker}"}} {rest}'
