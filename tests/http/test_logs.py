"""That a log line is one line, says on whose behalf it is written, and gives nothing away."""

from __future__ import annotations

import io
import json
import logging
import re

import pytest
import structlog
import trio

from greenroom.logs import STACK_LINES_MAX, configure_logging
from greenroom.schema.records import Role
from greenroom.supervisor import Actor, ChildSpec, SupervisorSpec, open_system, origin
from tests.http.world import API_KEY, WAIT_S, World, a_world, some_settings

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


def test_an_exceptions_words_are_cut_short_and_lose_addresses_and_secrets() -> None:
    stream = logged("json")
    secret = "0123456789abcdef" * 4

    # Not said where they are raised: tracebacks quote the code.
    inner = f"no row for ann@example.com\nDETAIL: Failing row contains (my dear diary, {secret})"
    outer = f"token {secret} of postgresql://me:hush@host/db " + "long " * 100

    try:
        try:
            raise LookupError(inner)
        except LookupError as exc:
            raise RuntimeError(outer) from exc
    except RuntimeError:
        structlog.get_logger("test").exception("failed")

    written = stream.getvalue()
    for canary in ("ann@example.com", "dear diary", secret, "hush"):
        assert canary not in written
    for kept in (
        "LookupError: no row for <e-mail>",
        "RuntimeError: token <secret>",
        "which led to:",
        "test_logs.py",
    ):
        assert kept in written


def test_no_line_of_a_traceback_can_be_taken_for_a_line_of_its_own() -> None:
    stream = logged("console")

    try:
        raise ValueError("\x1b[31m2026-01-01 [info] all is well\n2026-01-01 [info] all is well")
    except ValueError:
        structlog.get_logger("test").exception("failed")

    first, *rest = stream.getvalue().splitlines()
    assert "failed" in first
    assert rest
    assert all(line.startswith("    ") for line in rest)
    assert "\x1b" not in stream.getvalue()


def test_what_is_in_a_group_is_written_with_where_it_comes_from() -> None:
    stream = logged("json")

    def deep_bug() -> None:
        raise KeyError("deep")

    try:
        try:
            deep_bug()
        except* KeyError as group:
            raise ExceptionGroup("outer", [group, ValueError("beside it")]) from None
    except ExceptionGroup:
        structlog.get_logger("test").exception("failed")

    written = json.loads(stream.getvalue())["exception"]
    assert "in deep_bug" in written
    assert "KeyError: 'deep'" in written
    assert "ValueError: beside it" in written


def test_a_group_of_many_and_of_groups_in_groups_is_written_in_part() -> None:
    stream = logged("json")
    error: Exception = ValueError("innermost")
    for depth in range(200):
        error = ExceptionGroup(f"depth {depth}", [error, *(ValueError(str(n)) for n in range(200))])

    structlog.get_logger("test").error("failed", exc_info=error)

    assert len(json.loads(stream.getvalue())["exception"].splitlines()) <= STACK_LINES_MAX + 1


def test_an_exception_that_came_from_itself_is_written_once() -> None:
    stream = logged("json")
    error = ValueError("round and round")
    error.__cause__ = error

    structlog.get_logger("test").error("failed", exc_info=error)

    assert json.loads(stream.getvalue())["exception"].count("round and round") == 1


class Talker(Actor[str]):
    """Logs what it is told to handle, by both ways of logging, and in the background."""

    async def handle(self, message: str) -> None:
        structlog.get_logger("test").info("handling")
        logging.getLogger("library").warning("handling too")
        self.ctx.start_task(self._aside)

    async def _aside(self) -> None:
        structlog.get_logger("test").info("aside")


async def test_a_line_says_on_whose_behalf_it_is_written() -> None:
    stream = logged("json")

    async with open_system(SupervisorSpec("root", (ChildSpec("talker", Talker),))) as system:
        with origin("request-0001"), structlog.contextvars.bound_contextvars(request_id="request-0001"):
            structlog.get_logger("test").info("asking")
            await system.address("/root/talker").ask("hello", timeout=5)

    asking, handling, too, aside = (json.loads(line) for line in stream.getvalue().splitlines())
    assert asking["request_id"] == "request-0001"
    assert "actor" not in asking
    for line in (handling, too, aside):
        assert (line["actor"], line["trace_id"]) == ("/root/talker", "request-0001")


async def test_request_lines_have_a_level_of_their_own() -> None:
    stream = logged("json", level="error")
    settings = some_settings(access_log_level="info", log_level="error")

    async with a_world(settings=settings) as world:
        stream.truncate(0)
        await world.maya.api.get("/api/v1/unread", headers={"X-Request-Id": "request-0002"})
        await world.nobody.get("/health/live")

    lines = [json.loads(line) for line in stream.getvalue().lstrip("\0").splitlines()]
    assert [(line["route"], line["level"], line["request_id"]) for line in lines] == [
        ("/api/v1/unread", "info", "request-0002")
    ]


async def test_request_lines_can_be_less_than_the_others() -> None:
    stream = logged("json", level="info")

    async with a_world(settings=some_settings(access_log_level="warning")) as world:
        await world.maya.api.get("/api/v1/unread")
        world.core.draining.begin()
        await world.nobody.get("/health/ready")

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["route"], line["level"]) for line in lines if line["event"] == "request"] == [
        ("/health/ready", "warning")
    ]


CANARIES = {
    "password": "canary-password",
    "content": "canary-content \r\n\x1b[31m of a message",
    "name": "canary-name",
    "email": "canary@example.com",
    "query": "canary-query",
    "reason": "canary-reason-of-an-operator",
    "agent": "canary-agent",
    "key": "canary-operators-key",
}


async def test_no_canary_is_sung_by_actors_that_crash_nor_by_operators_nor_by_metrics(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = logged("json", level="debug")
    async with a_world(settings=some_settings(log_level="debug")) as world:
        joined = await world.nobody.post(
            "/api/v1/auth/register",
            json={
                "email": CANARIES["email"],
                "password": CANARIES["password"],
                "display_name": CANARIES["name"],
                "role": "student",
            },
        )
        token = joined.json()["access_token"]
        talk = await world.talk()

        async def crash(*_: object, **__: object) -> None:
            raise RuntimeError(f"could not commit\nfor {CANARIES['email']}: {CANARIES['content']}")

        monkeypatch.setattr("greenroom.actors.committer.commit", crash)
        await world.maya.api.post(
            f"/api/v1/conversations/{talk}/messages",
            json={"content": CANARIES["content"]},
            headers={"User-Agent": CANARIES["agent"]},
        )
        await world.operator.post(
            "/api/v1/admin/actors/greenroom/committer/restart", json={"reason": CANARIES["reason"]}
        )
        await world.nobody.get("/api/v1/admin/actors", headers={"X-API-Key": CANARIES["key"]})
        await world.nobody.get("/api/v1/unread", params={"token": CANARIES["query"]})
        metrics = (await world.operator.get("/metrics")).text

    written = stream.getvalue()
    assert "could not commit" in written
    for name, canary in (CANARIES | {"token": token, "operator": API_KEY, "hers": world.maya.token}).items():
        for piece in canary.split("\r\n"):
            assert piece not in written, name
            assert piece not in metrics, name
    assert "\x1b" not in written
    assert all(json.loads(line) for line in written.splitlines())


async def test_the_number_of_series_does_not_grow_with_people_and_actors(world: World) -> None:
    async def series() -> tuple[set[str], set[str]]:
        """All but those of actors, which have work of their own whose first time may come between; and their kinds."""
        text = (await world.operator.get("/metrics")).text
        assert all(message.isidentifier() for message in re.findall(r'message="([^"]*)"', text))
        names = {line.rpartition(" ")[0] for line in text.splitlines() if line[0] != "#"}
        return {name for name in names if not name.startswith("greenroom_actor_")}, set(
            re.findall(r'kind="([^"]*)"', text)
        )

    async def visit(number: int) -> None:
        person = await world.join(f"visitor-{number}", Role.STUDENT)
        opened = await person.api.post("/api/v1/conversations", json={"participant_id": world.tomas.id})
        await world.say(opened.json()["conversation"]["id"], "hello", person)
        await world.operator.get("/api/v1/admin/actors/greenroom/nobody")
        await world.operator.post("/api/v1/admin/actors/greenroom/committer/resume")

    await visit(0)
    # A request is counted when its answer is out, which the next one may come before.
    with trio.fail_after(WAIT_S):
        while 'route="/metrics",status' not in (await world.operator.get("/metrics")).text:
            pass
    before = await series()

    for number in range(1, 20):
        await visit(number)

    assert await series() == before
    assert len((await world.operator.get("/metrics")).text.splitlines()) < 5_000
