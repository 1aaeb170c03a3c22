"""The folder for what a server keeps itself: its embedded Postgres, and its own operator's key."""

from __future__ import annotations

import os
from pathlib import Path
from random import SystemRandom
from typing import Final

from pydantic import SecretStr

from greenroom.app.errors import CannotStart
from greenroom.schema.settings import Settings

KEY_FILE: Final = "admin-api-key"
"""In the data folder: the operator's key of a server that was given none."""


def make_data_dir(settings: Settings) -> None:
    """Make the folder for what this server keeps itself: its embedded Postgres, its own operator's key."""
    if settings.database_url is not None and not settings.is_loopback:
        return
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise CannotStart(f"GREENROOM_DATA_DIR: {settings.data_dir} can't be used: {exc.strerror or exc}") from exc


def with_admin_api_key(settings: Settings) -> Settings:
    """Give a server on loopback that was told no operator's key one of its own, kept in its data folder.

    A server that others can reach gets none: whoever exposes it decides about its keys.
    """
    if settings.admin_api_key is not None or not settings.is_loopback:
        return settings
    path = settings.data_dir / KEY_FILE
    if _secret(path) is None:
        # Written aside and renamed, so that a crash in between can't leave half a key behind.
        draft = path.with_suffix(".new")
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(f"{SystemRandom().getrandbits(192):048x}\n")
            draft.replace(path)
        except OSError as exc:
            raise CannotStart(f"GREENROOM_DATA_DIR: {path} can't be written: {exc.strerror or exc}") from exc
    return settings.model_copy(update={"admin_api_key": _secret(path)})


def read_admin_api_key(settings: Settings) -> str | None:
    """The operator's key that a server with these settings accepts; None if there is none."""
    if settings.admin_api_key is not None:
        return settings.admin_api_key.get_secret_value()
    key = _secret(settings.data_dir / KEY_FILE)
    return None if key is None else key.get_secret_value()


def _secret(path: Path) -> SecretStr | None:
    """The key in a file; None if there is no file or nothing in it."""
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return SecretStr(text) if text else None
