"""Every operation against input it must not accept: a clear problem, nothing changed, never a 500."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import trio

from greenroom.http.app import OPERATIONS
from greenroom.http.operations import Operation
from greenroom.http.request_body import BODY_BYTES_MAX
from greenroom.http.signature import Access
from tests.http.raw import read_to_end
from tests.http.world import ULID, World, assert_problem, example_path

TALK = "/api/v1/conversations/{talk}"
REGISTER = {"email": "n@example.com", "password": "long enough", "display_name": "N", "role": "student"}

# Path, accepted body, then changes of it that are refused, with the place of the fault.
BODIES: list[tuple[str, dict[str, Any], list[tuple[dict[str, Any], list[Any]]]]] = [
    (
        "/api/v1/auth/register",
        REGISTER,
        [
            ({"email": "no-at"}, ["email"]),
            ({"email": "a@b"}, ["email"]),
            ({"email": "a b@example.com"}, ["email"]),
            ({"email": "a@example.com\n"}, ["email"]),
            ({"email": "a" * 250 + "@example.com"}, ["email"]),
            ({"email": 5}, ["email"]),
            ({"email": None}, ["email"]),
            ({"password": "short"}, ["password"]),
            ({"password": "x" * 1_025}, ["password"]),
            ({"password": "\u00e9" * 513}, ["password"]),
            ({"password": "nul\x00nul nul"}, ["password"]),
            ({"password": 12345678}, ["password"]),
            ({"display_name": ""}, ["display_name"]),
            ({"display_name": "   "}, ["display_name"]),
            ({"display_name": "x" * 81}, ["display_name"]),
            ({"display_name": "two\nlines"}, ["display_name"]),
            ({"display_name": "\x1b[31mred"}, ["display_name"]),
            ({"role": "admin"}, ["role"]),
            ({"role": "STUDENT"}, ["role"]),
            ({"is_admin": True}, ["is_admin"]),
        ],
    ),
    (
        "/api/v1/auth/login",
        {"email": "maya@example.com", "password": "x"},
        [
            ({"password": ["x"]}, ["password"]),
            ({"password": "x" * 5_000}, ["password"]),
            ({"captcha_token": "x" * 2_049}, ["captcha_token"]),
            ({"captcha_token": 1}, ["captcha_token"]),
            ({"remember": True}, ["remember"]),
        ],
    ),
    (
        "/api/v1/conversations",
        {"participant_id": ULID},
        [
            ({"participant_id": "tomas"}, ["participant_id"]),
            ({"participant_id": ULID.lower()}, ["participant_id"]),
            ({"participant_id": ULID + "\n"}, ["participant_id"]),
            ({"participant_id": "8" + ULID[1:]}, ["participant_id"]),
            ({"participant_id": 1}, ["participant_id"]),
            ({"message": "hi"}, ["message"]),
            ({"message": {}}, ["message", "content"]),
            ({"message": {"content": ""}}, ["message", "content"]),
            ({"message": {"content": "x", "client_id": ""}}, ["message", "client_id"]),
            ({"message": {"content": "x", "extra": 1}}, ["message", "extra"]),
        ],
    ),
    (
        TALK + "/messages",
        {"content": "hello"},
        [
            ({"content": ""}, ["content"]),
            ({"content": " \n\t"}, ["content"]),
            ({"content": "x" * 5_001}, ["content"]),
            ({"content": "a\x00b"}, ["content"]),
            ({"content": 1}, ["content"]),
            ({"content": None}, ["content"]),
            ({"content": ["x"]}, ["content"]),
            ({"client_id": "x" * 65}, ["client_id"]),
            ({"client_id": "a b"}, ["client_id"]),
            ({"client_id": "a\n"}, ["client_id"]),
            ({"client_id": 7}, ["client_id"]),
            ({"booking_id": "x"}, ["booking_id"]),
            ({"booking_id": ULID}, ["booking_id"]),
            ({"sender_id": ULID}, ["sender_id"]),
        ],
    ),
    (
        TALK + "/read",
        {"seq": 1},
        [
            ({"seq": 0}, ["seq"]),
            ({"seq": -1}, ["seq"]),
            ({"seq": 1.5}, ["seq"]),
            ({"seq": 1.0}, ["seq"]),
            ({"seq": "1"}, ["seq"]),
            ({"seq": True}, ["seq"]),
            ({"seq": None}, ["seq"]),
            ({"seq": 2**53}, ["seq"]),
            ({"seq": 10**30}, ["seq"]),
            ({"user_id": ULID}, ["user_id"]),
        ],
    ),
    (TALK + "/delivered", {"seq": 1}, [({"seq": -1}, ["seq"]), ({"seq": "x"}, ["seq"])]),
    (
        TALK + "/typing",
        {"is_typing": True},
        [({"is_typing": "yes"}, ["is_typing"]), ({"is_typing": 1}, ["is_typing"]), ({"to": ULID}, ["to"])],
    ),
    (TALK, {"state": "active"}, [({"state": "gone"}, ["state"]), ({"state": None}, ["state"])]),
]

QUERIES = [
    ("/api/v1/conversations", "limit=0", "limit"),
    ("/api/v1/conversations", "limit=101", "limit"),
    ("/api/v1/conversations", "limit=-1", "limit"),
    ("/api/v1/conversations", "limit=1.0", "limit"),
    ("/api/v1/conversations", "limit=%201", "limit"),
    ("/api/v1/conversations", "limit=1_0", "limit"),
    ("/api/v1/conversations", "limit=+1", "limit"),
    ("/api/v1/conversations", "limit=", "limit"),
    ("/api/v1/conversations", "limit=%D9%A1", "limit"),
    ("/api/v1/conversations", "limit=99999999999999999999", "limit"),
    ("/api/v1/conversations", "state=open", "state"),
    ("/api/v1/conversations", "cursor=nonsense", "cursor"),
    ("/api/v1/conversations", "cursor=", "cursor"),
    ("/api/v1/conversations", "cursor=%00", "cursor"),
    ("/api/v1/conversations", "cursor=" + "a" * 257, "cursor"),
    ("/api/v1/conversations", "offset=3", "offset"),
    ("/api/v1/conversations", "limit=3&limit=4", "limit"),
    ("/api/v1/conversations", "limit=3&limit=3", "limit"),
    (TALK + "/messages", "before=x", "before"),
    (TALK + "/messages", "before=-1", "before"),
    (TALK + "/messages", "after=9007199254740992", "after"),
    (TALK + "/messages", "limit=101", "limit"),
    (TALK, "verbose=1", "verbose"),
    ("/api/v1/events/log", "wait=26", "wait"),
    ("/api/v1/events/log", "wait=-1", "wait"),
    ("/api/v1/events/log", "wait=inf", "wait"),
    ("/api/v1/events/log", "wait=nan", "wait"),
    ("/api/v1/events/log", "wait=1e1", "wait"),
    ("/api/v1/events/log", "limit=0", "limit"),
    ("/api/v1/events", "cursor=v1.x.1", "cursor"),
    ("/api/v1/instructors", "cursor=nonsense", "cursor"),
    ("/api/v1/instructors", "cursor=" + ULID, "cursor"),
    ("/api/v1/instructors", "limit=200", "limit"),
    ("/api/v1/unread", "limit=1", "limit"),
    ("/api/v1/auth/me", "x=1", "x"),
    ("/api/v1/sync", "since=1", "since"),
    ("/health/live", "x=1", "x"),
]

UNREADABLE_QUERIES = ["&", "a", "limit=%FF", "limit=%ED%A0%80", "&".join(f"p{n}=1" for n in range(50))]

# Bodies that are no JSON, or not unambiguously.
BROKEN_JSON: dict[str, bytes] = {
    "nothing": b"",
    "spaces": b"  ",
    "cut short": b'{"content": "x"',
    "trailing text": b'{"content": "x"} x',
    "two objects": b'{"content": "x"}{"content": "y"}',
    "single quotes": b"{'content': 'x'}",
    "a trailing comma": b'{"content": "x",}',
    "a comment": b'{"content": "x"} // hi',
    "a name twice": b'{"content": "x", "content": "y"}',
    "a name twice inside": b'{"content": "x", "more": {"a": 1, "a": 2}}',
    "NaN": b'{"content": NaN}',
    "Infinity": b'{"content": -Infinity}',
    "not UTF-8": b'{"content": "\xff"}',
    "UTF-16": '{"content": "x"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"content": "x"}',
    "a raw NUL": b'{"content": "a\x00b"}',
    "a raw newline": b'{"content": "a\nb"}',
    "an encoded surrogate": b'{"content": "\xed\xa0\x80"}',
    "a bad escape": b'{"content": "\\x41"}',
    "21 levels": b'{"content": ' + b"[" * 20 + b"]" * 20 + b"}",
    "30,000 levels": b"[" * 30_000 + b"]" * 30_000,
    "30,000 open brackets": b"[" * 30_000,
    "a number of 50,000 digits": b'{"content": ' + b"9" * 50_000 + b"}",
}

# Bodies with half a character, and where it is.
LONE_SURROGATES: list[tuple[bytes, list[Any]]] = [
    (rb'{"content": "\ud800"}', ["body", "content"]),
    (rb'{"content": "\uDC00 x"}', ["body", "content"]),
    (rb'{"content": "\ud83d\ud83d\ude00"}', ["body", "content"]),
    (rb'{"content": "x", "client_id": "\udfff"}', ["body", "client_id"]),
    (rb'{"content": "x", "more": [{"a": "y"}, {"a": "\ud800"}]}', ["body", "more", 1, "a"]),
    (rb'{"content": "x", "\ud800": 1}', ["body"]),
    (rb'"\ud800"', ["body"]),
]

NOT_OBJECTS = [b"[]", b'"text"', b"1", b"null", b"true", b"[" * 10 + b"]" * 10]


def bad_bodies() -> Iterator[Any]:
    for path, good, changes in BODIES:
        for change, loc in changes:
            name = f"{path.rpartition('/')[2]}-{str(change)[:40]}"
            yield pytest.param(path, good | change, loc, id=name)
        for missing in good:
            rest = {name: value for name, value in good.items() if name != missing}
            yield pytest.param(path, rest, [missing], id=f"{path.rpartition('/')[2]}-without-{missing}")


async def send(api: httpx.AsyncClient, path: str, **options: Any) -> httpx.Response:
    method = "PATCH" if path.count("/") == 4 and "conversations/" in path else "POST"
    return await api.request(method, path, **options)


@pytest.fixture
async def talk(world: World) -> str:
    return await world.talk()


async def test_bodies_that_are_wrong_are_refused_by_field(world: World, talk: str) -> None:
    # One world for the whole table: each case is a request, and making a world takes longer than fifty of them.
    for parameters in bad_bodies():
        path, body, loc = parameters.values

        answer = await send(world.maya.api, path.format(talk=talk), json=body)

        problem = assert_problem(answer, 422, "invalid_input")
        assert [fault["loc"] for fault in problem["errors"]] == [["body", *loc]], parameters.id
        assert all(fault["msg"] for fault in problem["errors"])

    page = (await world.maya.api.get(f"/api/v1/conversations/{talk}/messages")).json()
    assert page["items"] == []


async def test_accepted_bodies_of_the_table_are_accepted(world: World, talk: str) -> None:
    await world.say(talk, "something to mark")
    for path, good, _ in BODIES:
        answer = await send(world.maya.api, path.format(talk=talk), json=good)
        assert answer.status_code < 500
        assert answer.status_code not in {400, 415, 422}, (path, answer.text)


async def test_a_body_of_all_that_fits_is_accepted(world: World, talk: str) -> None:
    content = "\U0001f3b9" * 5_000

    message = await world.say(talk, content)

    assert message["content"] == content


@pytest.mark.parametrize(("path", "query", "name"), QUERIES)
async def test_query_parameters_out_of_range_are_refused(world: World, path: str, query: str, name: str) -> None:
    answer = await world.maya.api.get(f"{path.format(talk=await world.talk())}?{query}")

    problem = assert_problem(answer, 422, "invalid_input")
    assert ["query", name] in [fault["loc"] for fault in problem["errors"]]


@pytest.mark.parametrize("query", UNREADABLE_QUERIES)
async def test_query_strings_that_cannot_be_read_are_refused(world: World, query: str) -> None:
    assert_problem(await world.maya.api.get(f"/api/v1/conversations?{query}"), 422, "invalid_input")


async def test_before_and_after_exclude_each_other(world: World, talk: str) -> None:
    answer = await world.maya.api.get(f"/api/v1/conversations/{talk}/messages?before=5&after=1")

    assert_problem(answer, 422, "invalid_input")


@pytest.mark.parametrize("case", BROKEN_JSON)
async def test_bodies_that_are_no_json_are_refused(world: World, talk: str, case: str) -> None:
    headers = {"Content-Type": "application/json"}

    answer = await world.maya.api.post(
        f"/api/v1/conversations/{talk}/messages", content=BROKEN_JSON[case], headers=headers
    )

    assert_problem(answer, 400, "malformed_body")


@pytest.mark.parametrize(("body", "loc"), LONE_SURROGATES)
async def test_half_a_character_is_refused_by_field(world: World, talk: str, body: bytes, loc: list[Any]) -> None:
    headers = {"Content-Type": "application/json"}

    answer = await world.maya.api.post(f"/api/v1/conversations/{talk}/messages", content=body, headers=headers)

    problem = assert_problem(answer, 422, "invalid_input")
    assert [fault["loc"] for fault in problem["errors"]] == [loc]
    assert "lone surrogate" in problem["errors"][0]["msg"]


async def test_a_character_in_two_halves_is_whole(world: World, talk: str) -> None:
    answer = await world.maya.api.post(
        f"/api/v1/conversations/{talk}/messages",
        content=rb'{"content": "\ud83c\udfb9"}',
        headers={"Content-Type": "application/json"},
    )

    assert answer.json()["content"] == "\U0001f3b9"


@pytest.mark.parametrize("body", NOT_OBJECTS)
async def test_bodies_that_are_no_objects_are_refused(world: World, talk: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}

    answer = await world.maya.api.post(f"/api/v1/conversations/{talk}/messages", content=body, headers=headers)

    assert_problem(answer, 422, "invalid_input")


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml",
     "application/json; charset=latin-1", "application/json+x", "json", "application/problem+json"],
)  # fmt: skip
async def test_bodies_not_declared_as_json_are_refused(world: World, talk: str, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}

    answer = await world.maya.api.post(
        f"/api/v1/conversations/{talk}/messages", content=b'{"content": "x"}', headers=headers
    )

    assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=UTF-8"])
async def test_bodies_declared_as_json_are_accepted(world: World, talk: str, content_type: str) -> None:
    answer = await world.maya.api.post(
        f"/api/v1/conversations/{talk}/messages",
        content=b'{"content": "x"}',
        headers={"Content-Type": content_type},
    )

    assert answer.status_code == 201


async def test_a_body_of_more_than_the_limit_is_refused(world: World, talk: str) -> None:
    path = f"/api/v1/conversations/{talk}/messages"
    padding = BODY_BYTES_MAX - len('{"content": "x"}')
    headers = {"Content-Type": "application/json"}

    exact = await world.maya.api.post(path, content=b'{"content": "x"}' + b" " * padding, headers=headers)
    above = await world.maya.api.post(path, content=b'{"content": "x"}' + b" " * (padding + 1), headers=headers)

    assert exact.status_code == 201
    assert_problem(above, 413, "body_too_large")
    assert above.headers["Connection"] == "close"


@pytest.mark.parametrize(
    "framed",
    [
        b"Content-Length: 9000000\r\n\r\n" + bytes(300_000),
        b"Transfer-Encoding: chunked\r\n\r\n" + (b"400\r\n" + bytes(1024) + b"\r\n") * 100,
    ],
)
async def test_a_body_far_beyond_the_limit_is_refused_while_it_is_sent(world: World, framed: bytes) -> None:
    received = await speak(world, framed)

    assert received.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"body_too_large"' in received


async def test_a_slow_body_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenroom.http.request_body.BODY_TIMEOUT_S", 0.2)

    received = await speak(world, b"Content-Length: 100\r\n\r\n{")

    assert received.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"body_timeout"' in received
    assert b"connection: close" in received.lower()


async def speak(world: World, headers_and_body: bytes) -> bytes:
    """POST in bytes of one's own; return everything that comes back."""
    host, _, port = world.host.rpartition(":")
    head = f"POST /api/v1/events/ticket HTTP/1.1\r\nHost: {world.host}\r\nAuthorization: Bearer {world.maya.token}\r\n"
    async with await trio.open_tcp_stream(host, int(port)) as stream:
        await stream.send_all(head.encode() + headers_and_body)
        return await read_to_end(stream)


async def test_operations_without_a_body_refuse_one(world: World) -> None:
    path = "/api/v1/events/ticket"

    assert (await world.maya.api.post(path)).status_code == 200
    assert (await world.maya.api.post(path, json={})).status_code == 200
    assert_problem(await world.maya.api.post(path, json={"for": "me"}), 422, "invalid_input")


@pytest.mark.parametrize(
    "identifier", ["x", "1", "%00", "..", "01hzzzzzzzzzzzzzzzzzzzzzzz", "8" + "Z" * 25, ULID + "%0A"]
)
async def test_malformed_ids_in_paths_are_not_found(world: World, identifier: str) -> None:
    for path in ("/api/v1/conversations/{}", "/api/v1/conversations/{}/messages", "/api/v1/instructors/{}"):
        assert_problem(await world.maya.api.get(path.format(identifier)), 404)


async def test_well_formed_ids_of_nothing_are_not_found(world: World) -> None:
    for path in (f"/api/v1/conversations/{ULID}", f"/api/v1/instructors/{ULID}"):
        assert_problem(await world.maya.api.get(path), 404)
    opened = await world.maya.api.post("/api/v1/conversations", json={"participant_id": ULID})
    assert_problem(opened, 404, "user_not_found")


@pytest.mark.parametrize(
    "path",
    ["/nope", "/api", "/api/v1", "/api/v1/", "/api/v1/conversations/", "//api/v1/unread", "/api//v1/unread",
     "/API/V1/UNREAD", "/api/v1/searches", "/api/v1/bookings/", "/static/", "/static/../../app.py",
     "/static/%2e%2e/%2e%2e/app.py", "/static/..%2f..%2fapp.py", "/%00", "/static/%5c..%5capp.py"],
)  # fmt: skip
async def test_paths_that_lead_nowhere_are_not_found(world: World, path: str) -> None:
    problem = assert_problem(await world.maya.api.get(path), 404, "not_found")

    assert path not in str(problem)


async def test_a_known_path_with_another_method_names_what_it_allows(world: World) -> None:
    answer = await world.maya.api.delete("/api/v1/conversations")

    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, POST"
    assert_problem(await world.maya.api.request("PROPFIND", "/api/v1/unread"), 405)


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.access is not Access.ANYBODY], ids=lambda o: o.signature.name
)
async def test_without_valid_credentials_nothing_is_told_or_done(world: World, operation: Operation) -> None:
    body = {"json": {"anything": 1}} if operation.signature.body else {}
    for headers in (
        {},
        {"Authorization": "Bearer " + "0" * 64},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic bWF5YTp4"},
        {"Authorization": "Bearer a b"},
        {"Authorization": "Bearer " + "x" * 5_000},
        {"Authorization": b"Bearer \xff\xfe"},
        {"Cookie": "greenroom=" + "0" * 64, "Sec-Fetch-Site": "same-origin"},
        {"Cookie": b"greenroom=\xff;;=;greenroom", "Sec-Fetch-Site": "same-origin"},
    ):
        answer = await world.nobody.request(operation.method, example_path(operation), headers=headers, **body)  # type: ignore[arg-type]

        assert_problem(answer, 401, "not_authenticated")


async def test_what_is_wrong_is_said_in_the_same_words_whoever_found_it(world: World) -> None:
    given = {"email": "no-at", "password": 5, "role": "admin", "is_admin": True}

    body = assert_problem(await world.nobody.post("/api/v1/auth/register", json=given), 422)["errors"]
    query = assert_problem(await world.maya.api.get("/api/v1/conversations?state=x&limit=101&page=2"), 422)[
        "errors"
    ]

    assert {(each["loc"][-1], each["msg"]) for each in body} == {
        ("email", "must be an e-mail address"),
        ("password", "must be a string"),
        ("display_name", "is required"),
        ("role", "must be 'student' or 'instructor'"),
        ("is_admin", "is not a field of this"),
    }
    assert {(each["loc"][-1], each["msg"]) for each in query} == {
        ("state", "must be 'active', 'archived' or 'trashed'"),
        ("limit", "must be at most 100"),
        ("page", "is not a parameter of this"),
    }


@pytest.mark.parametrize(
    ("limit", "reason"),
    [("-1", "must be at least 1"), ("0", "must be at least 1"), ("1.5", "must be a whole number")],
)
async def test_a_number_out_of_its_range_is_told_apart_from_what_is_none(
    world: World, limit: str, reason: str
) -> None:
    answer = await world.maya.api.get("/api/v1/conversations", params={"limit": limit})

    assert [each["msg"] for each in assert_problem(answer, 422)["errors"]] == [reason]


async def test_what_stands_for_an_id_and_is_none_is_named(world: World) -> None:
    problem = assert_problem(await world.maya.api.get("/api/v1/conversations/12"), 404, "not_found")

    assert problem["detail"] == "The conversation_id in this path is not an id (a ULID)."
