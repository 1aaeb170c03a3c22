from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import fast_data_dir


@pytest.fixture
def new_data_dir() -> Iterator[Path]:
    """Where an embedded server may begin its life."""
    with fast_data_dir() as folder:
        yield folder
