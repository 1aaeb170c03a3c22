"""The example in the kernel's documentation."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_example_prints_what_the_documentation_shows() -> None:
    ran = subprocess.run(
        [sys.executable, "examples/kernel_counter.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    documented = (ROOT / "docs" / "kernel.md").read_text()
    shown = documented.partition("$ python examples/kernel_counter.py\n")[2].partition("```")[0]
    assert ran.stdout == shown
