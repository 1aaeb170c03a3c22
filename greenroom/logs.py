"""Structured logs: one line per event, as JSON for machines or readable on a terminal.

Every value is escaped by its renderer, so nothing a client sends can forge a second line or colour a terminal.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from greenroom.schema.settings import Settings

_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logging(settings: Settings, *, stream: TextIO | None = None) -> None:
    """Set up logging for the whole process; libraries' own warnings come out in the same form.

    Args:
        settings: ``log_level``, and ``log_format``, whose ``auto`` means ``console`` where ``stream`` is a terminal.
        stream: standard error by default, so that a command's output stays its own.
    """
    level = _LEVELS[settings.log_level]
    stream = stream or sys.stderr
    is_console = settings.log_format == "console" or (settings.log_format == "auto" and stream.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _escape_text,
    ]
    if is_console:
        rendering: list[Processor] = [
            # The default formatter shows local variables: passwords and tokens among them.
            structlog.dev.ConsoleRenderer(
                colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    else:
        rendering = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))


def _escape_text(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Escape control characters in every text, but not in tracebacks, which are ours."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[key] = json.dumps(value)[1:-1]
    return event
