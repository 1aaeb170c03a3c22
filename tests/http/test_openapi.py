"""That the OpenAPI document tells the truth: about every route, and about what is answered."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from greenroom.http.app import OPERATIONS
from greenroom.http.faults import HttpFault
from greenroom.http.pages_site import FOLDER, load_pages
from greenroom.http.problems import CONNECTION_STATUSES, STATUSES, bare_kind, kind_of
from greenroom.schema import errors
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.event_kinds import EVENT_KINDS
from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.outbox import JobState
from greenroom.schema.records import Service
from greenroom.schema.socket_frames import COMMAND_KINDS
from tests.http.json_schema import check
from tests.http.world import PASSWORD, World

PAGES = frozenset(load_pages(FOLDER))


@pytest.fixture
async def document(world: World) -> dict[str, Any]:
    found: dict[str, Any] = (await world.nobody.get("/openapi.json")).json()
    return found


async def test_every_route_is_described_and_nothing_else(world: World, document: dict[str, Any]) -> None:
    described = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    pages = {rule.rule for rule in world.app.url_map.iter_rules()}

    assert described == world.app.routes.served()
    assert pages == set(PAGES)


async def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = set(re.findall(r"'\$ref': '#/components/(\w+)/([\w.-]+)'", str(document)))

    assert references
    for section, name in references:
        assert name in document["components"][section]
    names = [o["operationId"] for operations in document["paths"].values() for o in operations.values()]
    assert len(names) == len(set(names))


async def test_a_search_is_described_parameter_by_parameter_and_field_by_field(document: dict[str, Any]) -> None:
    parameters = document["paths"]["/api/v1/search"]["get"]["parameters"]
    shapes = document["components"]["schemas"]
    told = {
        name for name in shapes if re.match(r"(SearchMeta|Parsed|Location|Budget|Skip|Notice|Part|When)Out", name)
    }

    assert {each["name"]: bool(each["description"]) for each in parameters} == dict.fromkeys(
        ("q", "city", "lat", "lng", "limit", "cursor", "debug", "skip", "simulate_high_load"), True
    )
    assert len(told) == 8
    assert [
        f"{name}.{field}"
        for name in sorted(told)
        for field, schema in shapes[name]["properties"].items()
        if not schema.get("description")
    ] == []


async def test_every_operation_says_how_it_fails(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert {"422", "500"} <= set(operation["responses"])
            if operation["security"]:
                assert {"401", "403", "503"} <= set(operation["responses"])
            if "{" in path:
                assert "404" in operation["responses"]
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"]


async def test_every_domain_error_has_a_status() -> None:
    def below(base: type[errors.DomainError]) -> set[type[errors.DomainError]]:
        return {base, *(each for child in base.__subclasses__() for each in below(child))}

    for error in below(errors.DomainError) - {errors.DomainError}:
        if error.__module__ != errors.__name__:
            continue  # storage's own, which is for its callers a StorageUnavailable
        assert error in STATUSES, f"{error.__name__} falls back on its base"
        assert kind_of(error).code == error.code


def described(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    """The operation that serves a concrete path: of those that fit, the one with most of it spelt out."""
    paths = sorted(document["paths"].items(), key=lambda item: len(re.sub(r"\{\w+\}", "", item[0])), reverse=True)
    for template, operations in paths:
        pattern = re.sub(r"\\\{actor_path\\\}", ".+?", re.escape(template))
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", pattern)
        if re.fullmatch(pattern, path) and method.lower() in operations:
            found: dict[str, Any] = operations[method.lower()]
            return found
    raise AssertionError(f"{method} {path} is not described")


async def test_live_answers_are_what_was_described(world: World, document: dict[str, Any]) -> None:
    checked: set[tuple[str, int]] = set()

    async def hold_to_it(answer: httpx.Response) -> None:
        request = answer.request
        operation = described(document, request.method, request.url.path)
        responses = operation["responses"]
        assert str(answer.status_code) in responses, f"{request.method} {request.url.path}: {answer.status_code}"
        response = responses[str(answer.status_code)]
        await answer.aread()
        checked.add((operation["operationId"], answer.status_code))
        if "content" not in response:
            assert answer.content == b""
            assert "Content-Type" not in answer.headers
            return
        [(media_type, content)] = response["content"].items()
        assert answer.headers["Content-Type"] == media_type
        if "json" in media_type:
            check(answer.json(), content["schema"], document)

    for api in (world.maya.api, world.tomas.api, world.nobody, world.operator):
        api.event_hooks["response"].append(hold_to_it)
    maya, tomas, nobody, operator = world.maya.api, world.tomas.api, world.nobody, world.operator
    ulid = "01HZZZZZZZZZZZZZZZZZZZZZZZ"

    newcomer = {"email": "n@example.com", "password": PASSWORD, "display_name": "N", "role": "student"}
    await nobody.post("/api/v1/auth/register", json=newcomer)
    await nobody.post("/api/v1/auth/register", json=newcomer)
    await nobody.post("/api/v1/auth/register", json={})
    await nobody.post("/api/v1/auth/login", json={"email": newcomer["email"], "password": PASSWORD})
    await nobody.get("/api/v1/auth/captcha")
    await nobody.post("/api/v1/auth/login", json={"email": newcomer["email"], "password": "wrong"})
    await nobody.post("/api/v1/auth/login", content=b"{", headers={"Content-Type": "application/json"})
    await nobody.post("/api/v1/auth/login", content=b"{}")
    nobody.cookies.clear()
    await maya.get("/api/v1/auth/me")
    await nobody.get("/api/v1/auth/me")
    opening = {"participant_id": world.tomas.id, "message": {"content": "hello"}}
    talk = (await maya.post("/api/v1/conversations", json=opening)).json()["conversation"]["id"]
    await maya.post("/api/v1/conversations", json={"participant_id": world.tomas.id})
    await maya.post("/api/v1/conversations", json={"participant_id": ulid})
    path = f"/api/v1/conversations/{talk}"
    for api in (maya, tomas):
        await api.get("/api/v1/conversations")
        await api.get(path)
        await api.get(f"{path}/messages")
        await api.get("/api/v1/unread")
        await api.get("/api/v1/sync")
    await maya.get(f"/api/v1/conversations/{ulid}")
    await maya.get("/api/v1/conversations/x")
    await maya.get(f"{path}/messages?limit=0")
    await maya.post(f"{path}/messages", json={"content": "a", "client_id": "c"})
    await maya.post(f"{path}/messages", json={"content": "a", "client_id": "c"})
    message = (await maya.get(f"{path}/messages")).json()["items"][-1]["id"]
    await maya.patch(f"/api/v1/messages/{message}", json={"content": "b"}, headers={"If-Match": '"1"'})
    await maya.patch(f"/api/v1/messages/{message}", json={"content": "c"}, headers={"If-Match": '"1"'})
    await tomas.patch(f"/api/v1/messages/{message}", json={"content": "c"})
    await tomas.put(f"/api/v1/messages/{message}/reactions/\U0001f44d")
    await tomas.delete(f"/api/v1/messages/{message}/reactions/\U0001f44d")
    await tomas.put(f"/api/v1/messages/{message}/reactions/x")
    await tomas.get(f"/api/v1/messages/{message}/edits")
    await maya.delete(f"/api/v1/messages/{message}")
    await maya.delete(f"/api/v1/messages/{ulid}")
    await tomas.put(f"/api/v1/messages/{message}/reactions/\U0001f44d")
    await tomas.post(f"{path}/read", json={"seq": 1})
    await tomas.post(f"{path}/delivered", json={"seq": 2})
    await tomas.post(f"{path}/typing", json={"is_typing": True})
    await tomas.patch(path, json={"state": "archived"})
    cursor = (await tomas.get("/api/v1/sync")).json()["cursor"]
    await tomas.get("/api/v1/events/log", params={"after": cursor.rpartition(".")[0] + ".0"})
    await tomas.get("/api/v1/events/log", params={"after": "nonsense"})
    await tomas.post("/api/v1/events/ticket")
    await maya.get("/api/v1/instructors")
    await maya.get(f"/api/v1/instructors/{world.tomas.id}")
    await maya.get(f"/api/v1/instructors/{ulid}")
    await maya.get("/api/v1/regions?name=nowhere")
    await maya.get("/api/v1/categories")
    lesson = {"title": "Organ", "description": "", "price_cents": 1, "currency": "USD", "duration_minutes": 60}
    free = {"weekday": "sat", "starts": "09:00", "ends": "24:00"}
    teaching: dict[str, Any] = {
        "services": [lesson | {"ages": {"min": 6}, "levels": ["beginner"]}],
        "areas": [],
        "availability": [free],
    }
    await tomas.put("/api/v1/instructors/me", json=teaching)
    await tomas.put("/api/v1/instructors/me", json=teaching | {"areas": ["nowhere"]})
    await maya.put("/api/v1/instructors/me", json=teaching)
    service = ServiceId("01HSERVKE00000000000000000")
    offered = Service(service, UserId(world.tomas.id), "Piano", "", 6_000, "USD", 60)
    await world.storage.directory.add_services([offered])
    starts_at = (system_wall_clock() + timedelta(days=3)).isoformat()
    booking = {
        "instructor_id": world.tomas.id,
        "service_id": service,
        "starts_at": starts_at,
        "duration_minutes": 60,
    }
    booked = (await maya.post("/api/v1/bookings", json=booking)).json()["id"]
    await maya.post("/api/v1/bookings", json=booking)
    await maya.post("/api/v1/bookings", json=booking | {"duration_minutes": 30})
    await maya.post("/api/v1/bookings", json=booking | {"service_id": ulid})
    await maya.post("/api/v1/bookings", json=booking | {"instructor_id": ulid})
    await tomas.post("/api/v1/bookings", json=booking)
    await maya.get("/api/v1/bookings")
    await maya.get("/api/v1/bookings?state=upcoming")
    await maya.get("/api/v1/bookings?state=now")
    await tomas.get(f"/api/v1/bookings/{booked}")
    await maya.get(f"/api/v1/bookings/{ulid}")
    later = (system_wall_clock() + timedelta(days=4)).isoformat()
    await tomas.post(f"/api/v1/bookings/{booked}/reschedule", json={"starts_at": later})
    await tomas.post(f"/api/v1/bookings/{booked}/complete")
    await maya.post(f"/api/v1/bookings/{booked}/complete")
    await maya.post(f"/api/v1/bookings/{booked}/cancel", json={"reason": "ill"})
    await tomas.post(f"/api/v1/bookings/{booked}/cancel")
    await maya.post(f"/api/v1/bookings/{booked}/reschedule", json={"starts_at": later})
    await maya.get(path)
    job = (await operator.get("/api/v1/admin/outbox?limit=1")).json()["items"][0]["id"]
    await operator.get("/api/v1/admin/outbox?cursor=x")
    await operator.get("/api/v1/admin/outbox?state=running")
    await operator.get(f"/api/v1/admin/outbox/{job}")
    await operator.get(f"/api/v1/admin/outbox/{ulid}")
    await operator.post(f"/api/v1/admin/outbox/{job}/retry")
    await operator.post(f"/api/v1/admin/outbox/{ulid}/retry")
    [dead] = [j for j in world.database.tables.outbox.values() if j.id == job]
    world.database.tables.outbox[dead.place] = replace(dead, state=JobState.DEAD)
    await operator.post(f"/api/v1/admin/outbox/{job}/retry", json={"reason": "the mail server is back"})
    await operator.get("/api/v1/admin/actors")
    await operator.get("/api/v1/admin/actors?depth=0")
    await operator.get("/api/v1/admin/workers")
    await maya.get("/api/v1/admin/actors")
    await nobody.get("/api/v1/admin/actors")
    await operator.get("/api/v1/admin/actors/top?sort=handled")
    await operator.get("/api/v1/admin/actors/greenroom/committer")
    await operator.get("/api/v1/admin/actors/greenroom")
    await operator.get("/api/v1/admin/actors/greenroom/nobody")
    for action in ("suspend", "resume", "restart"):
        await operator.post(f"/api/v1/admin/actors/greenroom/retention/{action}")
    await operator.post("/api/v1/admin/actors/greenroom/streams/suspend")
    await operator.post("/api/v1/admin/actors/greenroom/nobody/stop")
    await operator.get("/api/v1/admin/dead-letters")
    await nobody.get("/health/live")
    await nobody.get("/health/ready")
    await nobody.get("/metrics")
    await operator.get("/metrics")
    await operator.get("/api/v1/admin/actors/greenroom/committer/stack")
    await operator.get("/api/v1/admin/actors/greenroom/nobody/stack")
    await operator.get("/api/v1/admin/calls")
    await operator.get("/api/v1/admin/audit")
    await maya.get("/api/v1/cities")
    await maya.get("/api/v1/search?q=organ on saturdays")
    await maya.get("/api/v1/search?q=organ&city=atlantis")
    await maya.get("/api/v1/search?q=organ&debug=true")
    await operator.get("/api/v1/admin/location-aliases")
    await operator.post(
        "/api/v1/admin/location-aliases", json={"text": "x", "region_id": "x", "action": "approve"}
    )
    searched = (await maya.get("/api/v1/search?q=organ")).json()["query_id"]
    await maya.post(f"/api/v1/search/{searched}/click", json={"service_id": ulid, "position": 0})
    await operator.get("/api/v1/admin/search/queries?zero=true")
    await operator.get(f"/api/v1/admin/search/queries/{searched}")
    await operator.get(f"/api/v1/admin/search/queries/{ulid}")
    for name in ("summary", "popular", "zero-results", "latency", "degradation", "click-through", "tiers"):
        await operator.get(f"/api/v1/analytics/search/{name}")
    await operator.get("/api/v1/analytics/search/summary?from=2026-01-01T00:00:00Z&to=2025-01-01T00:00:00Z")
    await operator.get("/api/v1/admin/search-config")
    await operator.put("/api/v1/admin/search-config", json={"budget_ms": 800})
    await operator.put("/api/v1/admin/search-config", json={"budget_ms": 1})
    await operator.put("/api/v1/admin/search-config", json={"budget_ms": 900, "revision": 0})
    await operator.get("/api/v1/admin/loop")
    await operator.post("/api/v1/admin/loop/steps", json={"for_s": 1})
    await operator.post(f"/api/v1/admin/actors/greenroom/conversations/{talk}/passivate")
    await nobody.get("/docs")
    world.core.draining.begin()
    await nobody.get("/health/ready")
    await maya.post("/api/v1/auth/logout")
    await maya.post("/api/v1/auth/logout")

    assert {name for name, _ in checked} >= {o.signature.name for o in OPERATIONS if not o.opens_stream} - {
        "openapi",
        "stop_actor",
    }
    assert len(checked) >= 50


async def test_the_docs_page_shows_everything_without_another_server(world: World) -> None:
    page = (await world.nobody.get("/docs")).text

    class Links(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.found: set[str] = set()
            self.ids: set[str] = set()

        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            values = dict(attributes)
            self.found |= {values[name] or "" for name in ("src", "href") if name in values}
            self.ids |= {values["id"] or ""} if "id" in values else set()
            assert tag != "script"

    links = Links()
    links.feed(page)
    inside = {link.removeprefix("#") for link in links.found if link.startswith("#")}
    assert {link for link in links.found if not link.startswith("#")} == {"/openapi.json"}
    assert inside <= links.ids
    for operation in OPERATIONS:
        assert operation.path in page
        assert operation.signature.name in links.ids


async def test_every_problem_ever_sent_is_explained_where_its_type_leads(world: World) -> None:
    page = (await world.nobody.get("/docs")).text

    def below(base: type[BaseException]) -> set[type[BaseException]]:
        return {each for child in base.__subclasses__() for each in (child, *below(child))}

    refusals = {refusal for operation in OPERATIONS for refusal in operation.refusals}
    sent = refusals | {each for refusal in refusals for each in below(refusal)} | below(HttpFault) | {Exception}
    for kind in (*map(kind_of, sent), *map(bare_kind, CONNECTION_STATUSES)):
        assert page.count(f'id="{kind.code}"') == 1, kind.code
    unexplained = re.findall(r'<tr id="(\w+)">(?:<td>[^<]*(?:<code>[^<]*</code>)?)*<td>(?=<tr|</table)', page)
    assert unexplained == []


async def test_the_docs_page_tells_types_bounds_and_headers(world: World) -> None:
    page = (await world.nobody.get("/docs")).text

    send = re.search(r'<article id="send_message">(.*?)</article>', page, re.DOTALL)
    edit = re.search(r'<article id="edit_message">(.*?)</article>', page, re.DOTALL)
    list_ = re.search(r'<article id="list_conversations">(.*?)</article>', page, re.DOTALL)
    open_ = re.search(r'<article id="open_conversation">(.*?)</article>', page, re.DOTALL)
    assert send
    assert edit
    assert list_
    assert open_
    assert "<code>content</code><td>string<td>required<td>1 to 5,000 characters" in send[1]
    assert "<code>booking_id</code><td>string or null<td>optional<td>a ULID" in send[1]
    assert "<code>Idempotency-Key</code><td>string<td>optional" in send[1]
    assert "<code>If-Match</code><td>string<td>optional" in edit[1]
    assert "<code>limit</code><td>integer<td>optional<td>1 to 100; <code>20</code> if left out" in list_[1]
    assert "<code>active</code> or <code>archived</code> or <code>trashed</code>" in list_[1]
    assert "<code>message.content</code>" in open_[1]


async def test_bounds_are_told_as_json_schema_names_them(document: dict[str, Any]) -> None:
    """Behind a validator, pydantic writes its own names, which no reader of the document knows."""

    def keys(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value) | {key for each in value.values() for key in keys(each)}
        return {key for each in value for key in keys(each)} if isinstance(value, list) else set()

    assert not keys(document) & {"ge", "le", "gt", "lt", "min_length", "max_length"}


async def test_streams_and_sockets_say_what_they_carry(document: dict[str, Any], world: World) -> None:
    page = (await world.nobody.get("/docs")).text
    stream = document["paths"]["/api/v1/events"]["get"]["responses"]["200"]
    socket = document["paths"]["/api/v1/ws"]["get"]["responses"]["101"]

    assert set(stream["x-events"]) == set(socket["x-events"]) == set(EVENT_KINDS)
    assert set(socket["x-commands"]) == set(COMMAND_KINDS)
    created = stream["x-events"]["message.created"]
    assert created["nature"] == "durable"
    assert created["data"] == {"$ref": "#/components/schemas/MessageCreated"}
    for name in EVENT_KINDS:
        assert page.count(f'id="event-{name}"') == 1
    for name in COMMAND_KINDS:
        assert page.count(f'id="command-{name}"') == 1
    article = re.search(r'<article id="event-typing">(.*?)</article>', page, re.DOTALL)
    assert article
    assert "Ephemeral." in article[1]
    assert "<code>is_typing</code><td>boolean" in article[1]


async def test_metrics_are_for_operators(document: dict[str, Any], world: World) -> None:
    security = document["paths"]["/metrics"]["get"]["security"]
    page = (await world.nobody.get("/docs")).text

    assert {"operator": []} in security
    assert "For operators, with" in re.search(r'<article id="read_metrics">(.*?)</article>', page, re.DOTALL)[1]  # type: ignore[index]


async def test_operators_are_told_how_to_ask_one_of_several_workers(document: dict[str, Any]) -> None:
    takes_worker = {
        path
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if any(parameter["name"] == "worker" for parameter in operation.get("parameters", ()))
    }

    admin = {path for path in document["paths"] if path.startswith("/api/v1/admin/")}
    assert takes_worker == admin - {"/api/v1/admin/workers"}
