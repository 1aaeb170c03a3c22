"""Settings, from the environment."""

from __future__ import annotations

from typing import Final

DATABASE: Final = "FASTAPI_CHAT_DATABASE"
"""A libpq connection string."""

SEND: Final = "FASTAPI_CHAT_SEND"
"""Which way of sending, ``orm`` or ``core``."""
