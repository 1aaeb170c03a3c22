"""Everything that is registered, as a scraper reads it."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def render_metrics(registry: CollectorRegistry) -> bytes:
    """Render everything that is registered in Prometheus' text format."""
    return generate_latest(registry)
