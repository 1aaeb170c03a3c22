from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder for an embedded server, where the account it runs as may go."""
    with tempfile.TemporaryDirectory(prefix="greenroom-tests-") as folder:
        yield Path(folder) / "data"
