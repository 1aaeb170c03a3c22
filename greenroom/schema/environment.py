"""Settings as the environment and ``.env`` give them: read once, and by their names there. Nothing else reads the environment."""

from __future__ import annotations

import os
from difflib import get_close_matches
from typing import Final

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError

from greenroom.schema.refusals import in_our_words
from greenroom.schema.search_settings import SearchSettings
from greenroom.schema.settings import ENV_FILE, PREFIX, BadSettings, Settings

SEARCH_PREFIXES: Final = ("NL_SEARCH_", "SEARCH_", "OPENAI_", "LOCATION_", "EMBEDDING_", "UNCACHED_")
SEARCH_NAME_CUTOFF: Final = 0.85
"""How alike a variable and a setting are called, of 1, to be taken for a misspelling. Other programs' OPENAI_API_BASE, at 0.83, is none."""


def load_settings() -> Settings:
    """Read the settings once.

    Raises:
        BadSettings: one line per setting that can't be used, by its environment name and with the reason. A
            variable with our prefix that is no setting is one of them: it is a misspelling more often than not. So is one that
            is nearly called like a setting of the search, which have no prefix of their own.
    """
    lines = _unknown_names()
    settings: Settings | None = None
    try:
        # On its own first: read with the others, its faults would hide theirs.
        SearchSettings()
        settings = Settings()
    except ValidationError as exc:
        lines += [_line(error) for error in exc.errors()]
    except SettingsError as exc:
        lines.append(str(exc))
    if lines or settings is None:
        raise BadSettings("\n".join(lines))
    return settings


def environment_name(field: str) -> str:
    """The environment variable behind a field of :class:`Settings`, or of those of the search."""
    if field in SearchSettings.model_fields:
        return field.upper()
    alias = Settings.model_fields[field].validation_alias if field in Settings.model_fields else None
    return alias if isinstance(alias, str) else f"{PREFIX}{field.upper()}"


def _unknown_names() -> list[str]:
    ours = sorted(map(environment_name, Settings.model_fields))
    of_search = sorted(map(environment_name, SearchSettings.model_fields))
    # The file is read as pydantic-settings reads it, by the library it reads it with. Names count in any case, as they do there.
    given = sorted({name.upper() for name in (*os.environ, *dotenv_values(ENV_FILE))} - {*ours, *of_search})
    lines = []
    for name in given:
        if name.startswith(PREFIX):
            bare = {each.removeprefix(PREFIX): each for each in ours}
            near = [bare[each] for each in get_close_matches(name.removeprefix(PREFIX), bare, n=1)]
            near = near or get_close_matches(name.removeprefix(PREFIX), of_search, n=1)
            lines.append(_unknown(name, near))
        elif name.startswith(SEARCH_PREFIXES):
            near = get_close_matches(name, of_search, n=1, cutoff=SEARCH_NAME_CUTOFF)
            lines += [_unknown(name, near)] if near else []
    return lines


def _unknown(name: str, near: list[str]) -> str:
    return f"{name}: there is no such setting" + (f"; did you mean {near[0]}?" if near else "")


def _line(error: ErrorDetails) -> str:
    words = in_our_words(error)
    # A name of the environment where a field goes by one that is not its own.
    return f"{environment_name(str(error['loc'][0]).lower())}: {words}" if error["loc"] else words
