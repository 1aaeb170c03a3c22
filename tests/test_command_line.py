"""The command as its users run it: real processes, real Postgres, real HTTP on loopback."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from rich.console import Console

from greenroom import cli, demo
from greenroom.client import Refused
from greenroom.schema.environment import load_settings
from greenroom.schema.settings import BadSettings
from tests.postgres import fast_data_dir

DEMO = "demo --instructors 20"
"""With as few as there can be to search among: making some thousand each time would be time for nothing."""

READY_TIMEOUT_S = 120
"""Only ever waited for in full by a test that fails."""
STOP_TIMEOUT_S = 30


@contextmanager
def greenroom(command: str, data_dir: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a server on a free port; yields the process and its URL once it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "greenroom", *command.split()],
        env=_environment(data_dir, environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process, _wait_for_url(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=STOP_TIMEOUT_S)


def run(command: str, data_dir: Path, *, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "greenroom", *command.split()],
        input=given,
        env=_environment(data_dir, environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def filled() -> Iterator[Path]:
    """The data folder of a demo that was stopped: filling one takes seconds, and most tests need not see that."""
    with fast_data_dir() as folder:
        with greenroom(DEMO, folder) as (process, _):
            process.terminate()
            assert process.wait(STOP_TIMEOUT_S) == 0
        yield folder


@pytest.fixture
def demo_dir(filled: Path) -> Iterator[Path]:
    """A filled data folder of this test's own."""
    with fast_data_dir(copy_of=filled) as folder:
        yield folder


def _environment(data_dir: Path, given: dict[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    own = {"GREENROOM_BIND": "127.0.0.1:0", "GREENROOM_DATA_DIR": str(data_dir), "COLUMNS": "200"}
    return inherited | own | given


def _wait_for_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    deadline = time.monotonic() + READY_TIMEOUT_S
    seen = []
    while time.monotonic() < deadline and (line := process.stdout.readline()):
        seen.append(line)
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found[0]
    raise AssertionError(f"it did not say where it serves: {''.join(seen)}")


def _login(client: httpx.Client, email: str) -> dict[str, str]:
    answer = client.post("/api/v1/auth/login", json={"email": email, "password": demo.PASSWORD})
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def _conversations(client: httpx.Client, headers: dict[str, str]) -> Any:
    return client.get("/api/v1/conversations", headers=headers).json()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_keeps_what_was_said_across_a_stop_and_a_start(stop: signal.Signals, demo_dir: Path) -> None:
    with greenroom(DEMO, demo_dir) as (process, url), httpx.Client(base_url=url, timeout=10) as client:
        student = _login(client, demo.STUDENT_EMAIL)
        before = _conversations(client, student)
        talk = before["items"][0]["id"]
        sent = client.post(
            f"/api/v1/conversations/{talk}/messages", json={"content": "Still there?"}, headers=student
        )
        assert sent.status_code == 201
        process.send_signal(stop)
        assert process.wait(STOP_TIMEOUT_S) == 0

    with greenroom(DEMO, demo_dir) as (process, url), httpx.Client(base_url=url, timeout=10) as client:
        after = _conversations(client, student)
        assert len(after["items"]) == len(before["items"]) == 3
        assert after["items"][0]["last_message"]["content"] == "Still there?"
        process.send_signal(stop)
        assert process.wait(STOP_TIMEOUT_S) == 0


def test_a_stop_tells_open_streams_to_come_back_and_a_resumed_one_misses_nothing(demo_dir: Path) -> None:
    with greenroom(DEMO, demo_dir) as (process, url), httpx.Client(base_url=url, timeout=10) as client:
        student, instructor = _login(client, demo.STUDENT_EMAIL), _login(client, demo.INSTRUCTOR_EMAIL)
        talks = _conversations(client, student)["items"]
        (talk,) = [t["id"] for t in talks if t["other"]["display_name"] == "Tomás Herrera"]
        with client.stream("GET", "/api/v1/events", headers=student) as stream:
            lines = stream.iter_lines()
            cursor = next(line for line in lines if line.startswith("id: ")).removeprefix("id: ")
            process.send_signal(signal.SIGTERM)
            rest = list(lines)
        assert 'data: {"reason":"draining","reconnect":true}' in rest
        assert process.wait(STOP_TIMEOUT_S) == 0

    with greenroom(DEMO, demo_dir) as (process, url), httpx.Client(base_url=url, timeout=10) as client:
        for n in range(3):
            body = {"content": f"while you were away {n}"}
            client.post(f"/api/v1/conversations/{talk}/messages", json=body, headers=instructor).raise_for_status()
        seen = []
        resumed = student | {"Last-Event-ID": cursor}
        with client.stream("GET", "/api/v1/events", headers=resumed) as stream:
            for line in stream.iter_lines():
                seen += re.findall(r'"content":"(while you were away \d)"', line)
                if len(seen) == 3:
                    break
        assert seen == [f"while you were away {n}" for n in range(3)]


def test_kill_9_loses_nothing_that_was_acknowledged(demo_dir: Path) -> None:
    with greenroom(DEMO, demo_dir) as (process, url), httpx.Client(base_url=url, timeout=10) as client:
        student = _login(client, demo.STUDENT_EMAIL)
        talk = _conversations(client, student)["items"][0]["id"]
        for n in range(20):
            body = {"content": f"line {n}"}
            client.post(f"/api/v1/conversations/{talk}/messages", json=body, headers=student).raise_for_status()
        process.kill()
        process.wait(STOP_TIMEOUT_S)

    with greenroom(DEMO, demo_dir) as (_, url), httpx.Client(base_url=url, timeout=10) as client:
        path = f"/api/v1/conversations/{talk}/messages"
        kept = client.get(path, params={"limit": 20}, headers=student).json()["items"]
        assert [message["content"] for message in kept] == [f"line {n}" for n in range(20)]


def test_a_server_with_no_settings_starts_empty_and_people_can_register(tmp_path: Path) -> None:
    with greenroom("serve", tmp_path) as (_, url), httpx.Client(base_url=url, timeout=10) as client:
        body = {"email": "a@example.com", "password": "correct horse", "display_name": "A", "role": "student"}
        answer = client.post("/api/v1/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert _conversations(client, headers)["items"] == []


def test_the_actor_tree_is_shown_in_the_terminal(demo_dir: Path) -> None:
    with greenroom("serve", demo_dir) as (_, url):
        shown = run("actors", demo_dir, GREENROOM_BIND=url.removeprefix("http://"))
        no_such_kind = run("actors --kind nosuch", demo_dir, GREENROOM_BIND=url.removeprefix("http://"))
    assert shown.returncode == 0, shown.stderr
    for name in ("committer", "conversations", "streams", "running"):
        assert name in shown.stdout
    assert no_such_kind.returncode == 1
    assert re.search(r"kind is not known; there is .*committer, conversation, ", no_such_kind.stderr)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Any, ...]]:
    """What ``greenroom search`` asks a server for, which answers an empty object."""
    calls: list[tuple[Any, ...]] = []

    async def search(url: str, email: str, password: str, look: Any, *, console: Console, as_json: bool) -> None:
        calls.append((email, password, look.text))
        console.print("{}")

    for name in os.environ:
        if name.startswith("GREENROOM_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GREENROOM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(cli, "search", search)
    return calls


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str, given: str = "") -> int:
    """The exit status of a command in this process, with a pipe for its standard input."""
    monkeypatch.setattr(sys, "argv", ["greenroom", *arguments])
    monkeypatch.setattr(sys, "stdin", StringIO(given))
    with pytest.raises(SystemExit) as exited:
        cli.main()
    return int(exited.value.code or 0)


def test_programs_that_search_find_nothing_but_the_answer(
    asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "out", Console(width=200))

    status = ended(monkeypatch, "search", "piano", "--json", given="a@example.com\npass word\n")

    assert (status, asked) == (0, [("a@example.com", "pass word", "piano")])
    assert capsys.readouterr().out == "{}\n"


def test_a_search_without_an_account_is_a_wrong_use(
    asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "err", Console(stderr=True, width=200))

    assert ended(monkeypatch, "search", "piano", "--email", "a@example.com") == 2

    assert asked == []
    assert "no password: give --password, or a line of standard input" in capsys.readouterr().err


def test_a_search_that_is_refused_is_one_line_and_status_1(
    asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def refuse(*_: Any, **__: Any) -> None:
        raise Refused(status=503, code="search_busy", detail="Too many searches are being answered.")

    monkeypatch.setattr(cli, "search", refuse)
    monkeypatch.setattr(cli, "err", Console(stderr=True, width=200))

    assert ended(monkeypatch, "search", "piano", "--email", "a@example.com", "--password", "x") == 1

    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "Too many searches are being answered. (503 search_busy)\n")


def test_levels_of_the_tree_and_an_order_are_not_asked_for_together(tmp_path: Path) -> None:
    ended = run("actors --sort busy --depth 2", tmp_path)
    assert ended.returncode == 2
    assert "--depth is of the tree" in ended.stderr


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"GREENROOM_BIND": "nowhere"}, "GREENROOM_BIND: must be host:port"),
        (
            {"GREENROOM_DATABASE_POOL_SIZE": "many"},
            "GREENROOM_DATABASE_POOL_SIZE: must be a whole number",
        ),
        (
            {"GREENROOM_DATABASE_POOL_SIZE": "1"},
            "GREENROOM_DATABASE_POOL_SIZE: must be at least 2",
        ),
        ({"GREENROOM_DATABASE_URL": "mysql://x"}, "GREENROOM_DATABASE_URL: must begin with postgresql://"),
        ({"GREENROOM_ADMIN_API_KEY": "short"}, "GREENROOM_ADMIN_API_KEY: must have at least 16 characters"),
        (
            {"GREENROOM_TURNSTILE_SITE_KEY": "0x4AAA"},
            "GREENROOM_TURNSTILE_SITE_KEY: needs GREENROOM_TURNSTILE_SECRET too",
        ),
        (
            {"GREENROOM_TURNSTILE_SCRIPT_URL": "https://evil.example; script-src *"},
            "GREENROOM_TURNSTILE_SCRIPT_URL: must be an address without a query",
        ),
        ({"SEARCH_BUDGET_MS": "soon"}, "SEARCH_BUDGET_MS: must be a whole number"),
        ({"EMBEDDING_PROVIDER": "openai"}, "EMBEDDING_PROVIDER: openai needs OPENAI_API_KEY"),
        ({"EMBEDDING_DIMENSIONS": "300"}, "EMBEDDING_DIMENSIONS: local embeddings have 64, 128, 256 dimensions"),
        ({"GREENROOM_DATABASE_POLL_SIZE": "8"}, "did you mean GREENROOM_DATABASE_POOL_SIZE?"),
        ({"GREENROOM_SERACH_BUDGET_MS": "8"}, "did you mean SEARCH_BUDGET_MS?"),
        ({"NL_SEARCH_BUDGET_MS": "8"}, "did you mean SEARCH_BUDGET_MS?"),
        (
            {"OPENAI_API_KEYS": "key", "OPENAI_API_BASE": "http://x", "SEARCH_DOMAIN": "y"},
            "did you mean OPENAI_API_KEY?",
        ),
    ],
)
def test_a_wrong_setting_is_one_clear_line_and_status_2(
    environment: dict[str, str],
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in os.environ:
        if name.startswith("GREENROOM_"):
            monkeypatch.delenv(name)
    for name, value in ({"GREENROOM_DATA_DIR": str(tmp_path)} | environment).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(cli, "err", Console(stderr=True, width=200))
    for command in ("serve", "config"):
        # In this process: it ends before anything is opened, and starting one for each takes a second.
        monkeypatch.setattr(sys, "argv", ["greenroom", command])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 2
        told = capsys.readouterr().err
        assert line in told
        assert len(told.strip().splitlines()) == 1
        assert list(tmp_path.iterdir()) == []


def test_a_name_in_the_file_is_checked_like_one_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=x\nGREENROOM_BINDS=127.0.0.1:0\n")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(BadSettings) as refused:
        load_settings()

    assert "GREENROOM_BINDS: there is no such setting; did you mean GREENROOM_BIND?" in str(refused.value)


def test_a_process_with_a_wrong_setting_ends_with_status_2(tmp_path: Path) -> None:
    ended = run("serve", tmp_path, GREENROOM_DATABASE_POLL_SIZE="8")
    assert ended.returncode == 2
    assert len(ended.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_data_folder_that_cannot_be_used_is_one_clear_line(command: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    ended = run(command, tmp_path / "file")
    assert ended.returncode == 2
    assert ended.stderr.startswith("GREENROOM_DATA_DIR: ")
    assert len(ended.stderr.strip().splitlines()) == 1


def test_a_data_folder_in_use_is_named_with_what_to_do(demo_dir: Path) -> None:
    with greenroom("serve", demo_dir):
        ended = run("migrate", demo_dir)
    assert ended.returncode == 1
    assert "is in use by" in ended.stderr
    assert "set another GREENROOM_DATA_DIR" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    with greenroom("serve", tmp_path) as (_, url):
        ended = run("serve", tmp_path / "other", GREENROOM_BIND=url.removeprefix("http://"))
    assert ended.returncode == 2
    assert "Address already in use" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_a_database_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    ended = run("serve", tmp_path, GREENROOM_DATABASE_URL="postgresql://nobody:hush-hush@127.0.0.1:1/none")
    assert ended.returncode == 1
    assert "The database can't be reached" in ended.stderr
    assert "hush-hush" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_config_lists_every_setting_and_hides_secrets(tmp_path: Path) -> None:
    shown = run("config", tmp_path, GREENROOM_ADMIN_API_KEY="a-very-secret-key-indeed")
    assert shown.returncode == 0
    assert "GREENROOM_EVENT_RETENTION_DAYS" in shown.stdout
    assert "a-very-secret-key" not in shown.stdout
    assert "GREENROOM_DATABASE_PREPARE=true  (default true)" in shown.stdout
    assert "GREENROOM_ADMIN_API_KEY=(set)  (default -)" in shown.stdout


def test_an_administrator_is_made_by_whoever_runs_the_server(tmp_path: Path) -> None:
    made = run("create-admin olga@example.com", tmp_path, given=f"{demo.PASSWORD}\n")
    again = run("create-admin Olga@example.com", tmp_path, given=f"{demo.PASSWORD}\n")

    assert (made.returncode, made.stdout) == (0, "olga@example.com may sign in at /admin now\n"), made.stderr
    assert (again.returncode, again.stderr) == (2, "there is an account of Olga@example.com already\n")
    with greenroom("serve", tmp_path) as (_, url), httpx.Client(base_url=url, timeout=10) as client:
        headers = _login(client, "olga@example.com")
        assert client.get("/api/v1/admin/actors", headers=headers).status_code == 200


def test_an_account_that_registration_would_refuse_is_refused_by_name(tmp_path: Path) -> None:
    ended = run("create-admin no-address", tmp_path, given="short\n")

    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "email must be an e-mail address",
        "password must be at least 8 characters",
    ]
    assert list(tmp_path.iterdir()) == []


def test_when_postgres_is_killed_it_is_restarted_and_nothing_acknowledged_is_lost(demo_dir: Path) -> None:
    with greenroom(DEMO, demo_dir) as (_, url), httpx.Client(base_url=url, timeout=10) as client:
        student = _login(client, demo.STUDENT_EMAIL)
        talk = _conversations(client, student)["items"][0]["id"]
        path = f"/api/v1/conversations/{talk}/messages"
        (postmaster,) = [int(p.read_text().splitlines()[0]) for p in demo_dir.rglob("postmaster.pid")]
        statuses = []
        for n in range(30):
            if n == 10:
                os.kill(postmaster, signal.SIGKILL)
            body = {"content": f"line {n}", "client_id": f"c{n}"}
            deadline = time.monotonic() + READY_TIMEOUT_S
            while time.monotonic() < deadline:
                answer = client.post(path, json=body, headers=student)
                statuses.append(answer.status_code)
                if answer.status_code != 503:
                    break
                assert answer.headers["Retry-After"]
                trio.run(trio.sleep, 0.05)
        kept = client.get(path, params={"limit": 30}, headers=student).json()["items"]

    assert [message["content"] for message in kept] == [f"line {n}" for n in range(30)]
    assert set(statuses) <= {200, 201, 503}  # nothing worse while it is away, and it may be back in time
