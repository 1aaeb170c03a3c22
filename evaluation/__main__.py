"""Figures over data that nothing was chosen on: ``python -m evaluation [SET [ARGUMENTS]]``, by default every set with its own data."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Final

SETS: Final = ("understanding", "places", "spelling", "relevance", "searching")


def main() -> None:
    chosen, arguments = sys.argv[1:2], sys.argv[2:]
    if chosen and chosen[0] not in SETS:
        sys.exit(f"usage: python -m evaluation [{' | '.join(SETS)}] [ARGUMENTS]")
    for name in chosen or SETS:
        if find_spec(f"evaluation.{name}") is None:
            continue
        print(f"== {name}", flush=True)
        sys.argv = [f"evaluation.{name}", *arguments]
        import_module(f"evaluation.{name}").main()


if __name__ == "__main__":
    main()
