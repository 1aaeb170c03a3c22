"""Structured logs: one line per event, as JSON for machines or readable on a terminal.

A line written while a request or an actor's message is in hand says so: ``request_id``, ``actor``, ``trace_id``. Every
value is escaped, so nothing a client sends can forge a second line or colour a terminal. Of an exception's own words only
the beginning is kept, without what looks like an address or a secret: what a database or a bug puts into them may be
somebody's message.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from greenroom.schema.settings import Settings
from greenroom.supervisor import whereabouts

EXCEPTION_LENGTH_MAX: Final = 200
"""Characters of an exception's own words."""

GROUP_MEMBERS_MAX: Final = 5
GROUP_DEPTH_MAX: Final = 4
"""Of exceptions in a group, and of groups within groups: nurseries within nurseries have one each, as a rule."""

STACK_LINES_MAX: Final = 200

_EMAIL: Final = re.compile(r"[^\s@\"'<>()]+@[^\s@\"'<>()]+\.[^\s@\"'<>()]+")
_SECRET: Final = re.compile(r"\b[0-9A-Fa-f]{32,}\b|(?<=://)[^\s/@:]*:[^\s/@]*(?=@)")
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
        _add_whereabouts,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _escape_text,
    ]
    if is_console:
        rendering: list[Processor] = [
            # The default formatter shows local variables: passwords and tokens among them.
            structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=_print_exception)
        ]
    else:
        rendering = [
            structlog.processors.ExceptionRenderer(format_exception),
            structlog.processors.JSONRenderer(default=str),
        ]
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # A line and its end in one write, so that several processes can share a stream without tearing lines.
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, _redact_event, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
    # Our own lines as they are wished for; those of libraries only when something is wrong.
    logging.getLogger("greenroom").setLevel(level)


def format_exception(exc_info: ExcInfo) -> str:
    """Render a traceback, causes first, without local variables and with the beginning of each exception's words.

    Each exception's words are one line of at most EXCEPTION_LENGTH_MAX characters; what looks like an e-mail address, a
    token or a password in a URL is struck out.
    """
    _, error, _ = exc_info
    lines = [] if error is None else _exception_lines(error, depth=0)
    if len(lines) > STACK_LINES_MAX:
        half = STACK_LINES_MAX // 2
        lines = [*lines[:half], "...", *lines[-half:]]
    return "\n".join(lines)


def _exception_lines(error: BaseException, *, depth: int) -> list[str]:
    lines: list[str] = []
    for each in _causes(error):
        if lines:
            lines.append("which led to:")
        lines += [line for entry in traceback.format_tb(each.__traceback__) for line in entry.splitlines()]
        lines.append(f"{type(each).__qualname__}: {redact(str(each))}".rstrip(": "))
        if isinstance(each, BaseExceptionGroup):
            lines += [f"  | {line}" for line in _member_lines(each, depth=depth + 1)]
    return lines


def _member_lines(group: BaseExceptionGroup[BaseException], *, depth: int) -> list[str]:
    """Render what is in a group: without the frames of its members it says nothing of where they come from."""
    lines: list[str] = []
    for number, member in enumerate(group.exceptions[:GROUP_MEMBERS_MAX], start=1):
        if len(group.exceptions) > 1:
            lines.append(f"{number} of {len(group.exceptions)}:")
        if depth < GROUP_DEPTH_MAX:
            lines += _exception_lines(member, depth=depth)
        else:
            lines.append(f"{type(member).__qualname__}: {redact(str(member))}")
    if len(group.exceptions) > GROUP_MEMBERS_MAX:
        lines.append("...")
    return lines


def redact(words: str) -> str:
    """The first line of ``words``, short, escaped, and without what looks like an address or a secret."""
    first, _, rest = words.partition("\n")
    first = _SECRET.sub("<secret>", _EMAIL.sub("<e-mail>", first))
    if len(first) > EXCEPTION_LENGTH_MAX or rest:
        first = f"{first[:EXCEPTION_LENGTH_MAX]} ..."
    return _escaped(first)


def _causes(error: BaseException) -> list[BaseException]:
    """An exception after what it came from; a cycle ends where it closes."""
    chain: list[BaseException] = []
    now: BaseException | None = error
    while now is not None and now not in chain:
        chain.append(now)
        now = now.__cause__ or (None if now.__suppress_context__ else now.__context__)
    return chain[::-1]


def _print_exception(stream: TextIO, exc_info: ExcInfo) -> None:
    # Indented, so that no line of it can be taken for a line of its own.
    stream.write("\n" + "\n".join(f"    {line}" for line in format_exception(exc_info).split("\n")))


def _redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Treat what libraries and the kernel log as an exception's words, which it often has in it."""
    event["event"] = redact(str(event["event"]))
    return event


def _add_whereabouts(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Say on whose behalf this is logged, as the kernel knows it."""
    now = whereabouts()
    if now is not None:
        if now.actor is not None:
            event.setdefault("actor", now.actor)
        if now.trace_id and now.trace_id != event.get("request_id"):
            event.setdefault("trace_id", now.trace_id)
    return event


def _escaped(text: str) -> str:
    return text if text.isprintable() else json.dumps(text)[1:-1]


def _escape_text(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Escape control characters in every text, but not in tracebacks, which are ours."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _escaped(value)
    return event
