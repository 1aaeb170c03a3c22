"""That a log line is one line, whatever is in it."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from greenroom.logs import configure_logging
from tests.http.world import some_settings

NASTY = 'one\r\ntwo\x1b[31mred\x00 "quoted" \u2028 caf\u00e9'


def logged(log_format: str, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    configure_logging(some_settings(log_level=level, log_format=log_format), stream=stream)
    return stream


@pytest.mark.parametrize("log_format", ["json", "console", "auto"])
def test_nothing_forges_a_second_line_or_colours_a_terminal(log_format: str) -> None:
    stream = logged(log_format)

    structlog.get_logger("test").info("event", value=NASTY, other=NASTY)
    logging.getLogger("library").warning("%s", NASTY)

    lines = stream.getvalue().split("\n")
    assert len(lines) == 3
    assert lines[-1] == ""
    assert "\x1b" not in stream.getvalue()
    assert "\r" not in stream.getvalue()


def test_json_lines_carry_level_and_time() -> None:
    stream = logged("json")

    structlog.get_logger("test").warning("event", value=1)

    line = json.loads(stream.getvalue())
    assert line["event"] == "event"
    assert line["level"] == "warning"
    assert line["timestamp"].endswith("Z")


def test_lines_below_the_level_are_left_out() -> None:
    stream = logged("json", level="warning")

    structlog.get_logger("test").info("quiet")
    structlog.get_logger("test").warning("loud")

    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()


def test_tracebacks_show_no_local_variables() -> None:
    stream = logged("console")
    password = "canary-password"

    try:
        raise RuntimeError(len(password))
    except RuntimeError:
        structlog.get_logger("test").exception("failed")

    assert "RuntimeError" in stream.getvalue()
    assert "canary-password" not in stream.getvalue().replace('password = "canary-password"', "")
