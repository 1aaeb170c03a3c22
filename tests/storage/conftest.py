from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from greenroom.storage.postgres.embedded.cluster import held_cluster
from tests.postgres import fast_data_dir


@pytest.fixture
def new_data_dir() -> Iterator[Path]:
    """Where an embedded server of this test's own may begin its life."""
    with fast_data_dir() as folder:
        yield folder


@pytest.fixture(scope="session")
def initialised_data_dir() -> Iterator[Path]:
    """A data folder to copy, as initialising one takes most of a second."""
    with fast_data_dir() as folder:
        with held_cluster(folder):
            pass
        yield folder


@pytest.fixture
def data_dir(initialised_data_dir: Path) -> Iterator[Path]:
    """The initialised folder of an embedded server of this test's own."""
    with fast_data_dir(copy_of=initialised_data_dir) as folder:
        yield folder
