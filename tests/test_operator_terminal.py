"""The operators' terminal view: what it draws, and what it says of whatever answers instead of greenroom."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from greenroom.operator_terminal import OperatorClient, ServerFailure, View, duration, show_live, show_once

NODE = {
    "path": "/greenroom", "kind": "supervisor", "state": "running", "mailbox": None, "children_total": 1,
    "collapsed": None, "current": None, "latency_ms": None,
}  # fmt: skip
COMMITTER = {
    "path": "/greenroom/committer", "kind": "committer", "state": "handling", "handled": 7, "failed": 1, "restarts": 2,
    "mailbox": {"depth": 3, "capacity": 4, "bytes": 640, "oldest_ms": 1500.0}, "busy_share": 0.25, "idle_ms": 0.0,
    "latency_ms": {"p50": 1.0, "p95": 2.0, "p99": 4.0}, "current": {"message": "SendMessage", "for_ms": 12.0},
    "children": [],
}  # fmt: skip
LOOP = {"lag_ms": {"p99": 0.5}, "longest_turn_ms": 12.0, "busy_share": 0.1}
ANSWERS: dict[str, Any] = {
    "/api/v1/admin/workers": {"workers": [{"name": "1"}]},
    "/api/v1/admin/actors": NODE | {"children": [COMMITTER]},
    "/api/v1/admin/actors/top": {"actors": [COMMITTER], "next_cursor": None},
    "/api/v1/admin/loop": LOOP,
    "/api/v1/admin/dead-letters": {"total": 5, "counts": {}, "items": []},
}
Answer = tuple[int, str, bytes]


def good(path: str) -> Answer:
    return 200, "application/json", json.dumps(ANSWERS[path]).encode()


def problem(status: int, **more: Any) -> Answer:
    body = {"title": "Refused", "status": status, "detail": "No.", "code": "refused"} | more
    return status, "application/problem+json", json.dumps(body).encode()


class Server:
    """Answers whatever it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer = good
        self.asked: list[str] = []
        self.url = ""


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append(self.path)
            status, media_type, body = told.answer(self.path.partition("?")[0])
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            if 300 <= status < 400:
                self.send_header("Location", "https://elsewhere.example/")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        told.url = f"http://127.0.0.1:{port}"
        yield told


@contextmanager
def running(http: ThreadingHTTPServer) -> Iterator[int]:
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield http.server_address[1]
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def drawn(server: Server, view: View, *, as_json: bool = False, width: int = 160) -> str:
    console = Console(file=StringIO(), width=width, force_terminal=True, color_system=None)
    with OperatorClient(server.url, "a-key") as client:
        show_once(client, view, console, as_json=as_json)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_the_tree_is_drawn_with_what_stands_out(server: Server) -> None:
    shown = drawn(server, View())
    for words in (
        "committer  handling",
        "mailbox 3/4",
        "failed 1",
        "restarts 2",
        "SendMessage for 12 ms",
        "lag p99 0.5 ms",
        "dead letters 5",
    ):
        assert words in shown


def test_those_that_stand_out_are_asked_for_and_listed(server: Server) -> None:
    shown = drawn(server, View(sort="oldest", limit=5, kind="committer", key_prefix="01"))
    assert re.search(r"/greenroom/committer +committer +handling +3/4 +1\.5 s +25%", shown)
    assert "/api/v1/admin/actors/top?sort=oldest&limit=5&kind=committer&key_prefix=01" in server.asked


def test_a_narrow_terminal_gets_fewer_columns_and_whole_ones(server: Server) -> None:
    shown = drawn(server, View(sort="depth"), width=60)
    assert "mailbox" in shown
    assert "handled" not in shown
    assert all(len(line) <= 60 for line in shown.splitlines())


@pytest.mark.parametrize(
    ("sort", "column", "shown_value"),
    [("handled", "handled", "7"), ("failed", "failed", "1"), ("oldest", "oldest", "1.5 s"), ("bytes", "bytes", "640"),
     ("idle", "idle", "0.0 ms"), ("restarts", "restarts", "2"), ("depth", "mailbox", "3/4")],
)  # fmt: skip
def test_what_it_is_ranked_by_is_shown_however_narrow_the_terminal(
    server: Server, sort: str, column: str, shown_value: str
) -> None:
    *_, heading, row = drawn(server, View(sort=sort), width=70).splitlines()
    assert column in heading.split()
    assert shown_value in row


def test_nothing_is_cut_where_there_is_no_terminal(server: Server) -> None:
    long = COMMITTER | {"path": "/greenroom/conversations/" + "0" * 100, "kind": "conversation"}
    answers = ANSWERS | {
        "/api/v1/admin/actors": NODE | {"children": [long]},
        "/api/v1/admin/actors/top": {"actors": [long], "next_cursor": None},
    }
    server.answer = lambda path: (200, "application/json", json.dumps(answers[path]).encode())
    for view in (View(), View(sort="busy")):
        console = Console(file=StringIO(), width=80)
        with OperatorClient(server.url, "a-key") as client:
            show_once(client, view, console, as_json=False)
        assert isinstance(console.file, StringIO)
        lines = console.file.getvalue().splitlines()
        (row,) = (line for line in lines if "0" * 100 in line)
        assert "SendMessage for 12 ms" in row
        assert "conversation " in row.replace("/conversations/", "")
        assert max(map(len, lines)) < 400


SEVERAL = {
    "workers": [
        {"name": "1", "answers": True, "pid": 705, "started_at": "2026-01-02T03:04:05.678Z"},
        {"name": "2", "answers": False, "pid": None, "started_at": None},
        {"name": "3", "answers": True, "pid": 707, "started_at": "2026-01-02T03:04:05.678Z"},
    ]
}


def test_several_workers_are_branches_with_their_pids_and_ages(server: Server) -> None:
    answers = ANSWERS | {"/api/v1/admin/workers": SEVERAL}
    server.answer = lambda path: (200, "application/json", json.dumps(answers[path]).encode())

    shown = drawn(server, View())
    machine_read = json.loads(drawn(server, View(), as_json=True))

    assert re.findall(r"worker (\d)  (?:pid (\d+)  up \d+ h|does not answer)", shown) == [
        ("1", "705"),
        ("2", ""),
        ("3", "707"),
    ]
    assert shown.count("committer  handling") == 2
    assert "dead letters 10" in shown
    assert "/api/v1/admin/actors?depth=4&worker=3" in server.asked
    assert [(each["name"], each["answers"]) for each in machine_read["workers"]] == [
        ("1", True),
        ("2", False),
        ("3", True),
    ]
    assert machine_read["workers"][2]["tree"]["path"] == "/greenroom"


def test_those_that_stand_out_among_several_workers_are_one_list(server: Server) -> None:
    answers = ANSWERS | {"/api/v1/admin/workers": SEVERAL}

    def answer(path: str) -> Answer:
        if path == "/api/v1/admin/actors/top":
            worker = re.findall(r"worker=(\d)", server.asked[-1])[0]
            actors = [COMMITTER | {"handled": int(worker)}, COMMITTER | {"handled": 10 * int(worker)}]
            return 200, "application/json", json.dumps({"actors": actors}).encode()
        return 200, "application/json", json.dumps(answers[path]).encode()

    server.answer = answer
    shown = drawn(server, View(sort="handled", limit=3))

    assert re.findall(r"(\d):/greenroom/committer .* (\d+) +1 +4\.0 ms", shown) == [
        ("3", "30"),
        ("1", "10"),
        ("3", "3"),
    ]


def test_one_of_several_workers_can_be_asked_for(server: Server) -> None:
    with OperatorClient(server.url, "a-key", worker="2") as client:
        client.snapshot(View())
    assert [path for path in server.asked if "worker=2" not in path] == []


def test_a_list_that_nobody_is_on_says_so(server: Server) -> None:
    server.answer = lambda path: (200, "application/json", json.dumps(ANSWERS[path] | {"actors": []}).encode())
    assert "no actor fits" in drawn(server, View(kind="stream"))


def test_json_is_one_line_that_machines_read(server: Server) -> None:
    tree = json.loads(drawn(server, View(), as_json=True, width=20))
    assert tree["tree"]["children"][0]["path"] == "/greenroom/committer"
    ranked = json.loads(drawn(server, View(sort="depth"), as_json=True))
    assert [actor["path"] for actor in ranked["actors"]] == ["/greenroom/committer"]


def test_what_a_server_sends_does_not_drive_the_terminal(server: Server) -> None:
    evil = COMMITTER | {"path": "/greenroom/\x1b[2Jevil\r", "state": "run\x07ning"}
    server.answer = lambda path: (
        200,
        "application/json",
        json.dumps(ANSWERS[path] | {"children": [evil], "actors": [evil]}).encode(),
    )
    for view in (View(), View(sort="depth")):
        shown = drawn(server, view)
        assert "evil" in shown
        assert not {"\x1b", "\x07", "\r"} & set(shown)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, "text/html", b"<html>hello"), r"is not this version of greenroom \(status 200, text/html\)"),
        ((200, "application/json", b"not json"), "is not this version of greenroom"),
        ((200, "application/json", b"[]"), "is not this version of greenroom"),
        ((200, "application/json", b'{"hello": 1}'), "is not this version of greenroom"),
        ((404, "text/html", b"nothing"), "is not this version of greenroom"),
        ((200, "application/json", b" " * 9_000_000), "is not this version of greenroom"),
        ((301, "text/html", b""), "redirects to https://elsewhere.example/"),
        (problem(401), "does not accept this operator's key"),
        (problem(403), "does not accept this operator's key"),
        (problem(503, detail="It is away.\x1b[31m"), "answered 503: It is away.\N{REPLACEMENT CHARACTER}"),
        (problem(422, errors=[{"loc": ["query", "kind"], "msg": "is too long"}]), "answered 422: kind is too long"),
    ],
)  # fmt: skip
def test_whatever_answers_instead_is_named_in_one_line(server: Server, answer: Answer, words: str) -> None:
    server.answer = lambda _path: answer
    with OperatorClient(server.url, "a-key") as client, pytest.raises(ServerFailure, match=words) as failure:
        client.snapshot(View())
    assert "\n" not in str(failure.value)


def test_nobody_at_all_is_named_too() -> None:
    with (
        OperatorClient("http://127.0.0.1:9", "a-key") as client,
        pytest.raises(ServerFailure, match=r"no server answers at http://127\.0\.0\.1:9"),
    ):
        client.snapshot(View())


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1", "http://", "http://[::1", "http://host:port"])
def test_what_is_no_address_is_said_to_be_none(url: str) -> None:
    with pytest.raises(ServerFailure, match="is no address of a server"):
        OperatorClient(url, "a-key")


class Interrupted(Exception):
    """The person has seen enough."""


def test_a_live_view_says_when_the_server_is_away_and_asks_less_and_less_often(server: Server) -> None:
    slept: list[float] = []
    console = Console(file=StringIO(), width=160)

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        away = problem(503, detail="It is away.")
        server.answer = good if len(slept) in {1, 5} else lambda _path: away
        if len(slept) == 6:
            raise Interrupted

    with OperatorClient(server.url, "a-key") as client, pytest.raises(Interrupted):
        show_live(client, View(), console, as_json=False, sleep=sleep)

    assert slept == [1, 1, 2, 4, 8, 1]
    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    assert shown.count("disconnected") == 3
    assert shown.count("lag p99") == 3


def test_a_live_view_ends_when_the_key_is_no_longer_good(server: Server) -> None:
    def sleep(_seconds: float) -> None:
        server.answer = lambda _path: problem(401)

    with OperatorClient(server.url, "a-key") as client, pytest.raises(ServerFailure, match="key"):
        show_live(client, View(), Console(file=StringIO()), as_json=False, sleep=sleep)


@pytest.mark.parametrize(
    ("ms", "words"),
    [(None, ""), (0.04, "0.0 ms"), (9.94, "9.9 ms"), (999, "999 ms"), (1_500, "1.5 s"), (119_000, "119 s"),
     (180_000, "3.0 min"), (7_200_000, "2 h")],
)  # fmt: skip
def test_lengths_of_time_take_few_characters(ms: float | None, words: str) -> None:
    assert duration(ms) == words
