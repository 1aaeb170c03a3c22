"""Limits as clients meet them, over HTTP and WebSocket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import httpx
import pytest
import trio
from pydantic import SecretStr

from greenroom.actors.core_settings import CoreSettings
from greenroom.actors.limiting import LimitPolicies
from greenroom.http.admission import BYPASS, client_network
from greenroom.http.request import Request
from greenroom.schema.clock import rfc3339, system_wall_clock
from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.rate_limits import Decision, Policy
from greenroom.schema.records import Role, Service
from greenroom.storage.limits.local import LocalLimits
from tests.http.test_sockets import a_socket, handshake
from tests.http.world import PASSWORD, WAIT_S, World, a_world, assert_problem, some_settings

TOKEN = "a-token-of-a-load-test"


def limited(**policies: Policy) -> AbstractAsyncContextManager[World]:
    """A world with these limits and no other, in which load tests have a token."""
    return a_world(
        settings=some_settings(loadtest_bypass_token=SecretStr(TOKEN)),
        core_settings=CoreSettings(limits=LimitPolicies(**policies)),
    )


async def statuses(count: int, ask: Callable[[], Awaitable[httpx.Response]]) -> list[int]:
    return [(await ask()).status_code for _ in range(count)]


async def from_address(world: World, address: str) -> httpx.AsyncClient:
    """A client of another address of this machine."""
    transport = httpx.AsyncHTTPTransport(local_address=address)
    client = httpx.AsyncClient(base_url=world.url, transport=transport, timeout=WAIT_S)
    return await world.resources.enter_async_context(client)


async def test_a_refusal_says_which_limit_and_when_to_come_back() -> None:
    async with limited(sends=Policy("sends", 2, 60)) as world:
        talk = await world.talk()
        path = f"/api/v1/conversations/{talk}/messages"
        await world.say(talk, "one")
        await world.say(talk, "two")

        answer = await world.maya.api.post(path, json={"content": "three"})

        problem = assert_problem(answer, 429, "rate_limited")
        assert problem["policy"] == "sends"
        assert "2 in a minute" in problem["detail"]
        wait_s = problem["retry_after"]
        assert 30 - WAIT_S <= wait_s <= 30  # some of it may have passed
        assert answer.headers["Retry-After"] == str(wait_s)
        assert answer.headers["RateLimit-Policy"] == '"sends";q=2;w=60'
        assert answer.headers["RateLimit"] == f'"sends";r=0;t={wait_s}'


async def test_what_is_refused_is_not_half_done() -> None:
    async with limited(sends=Policy("sends", 1, 60)) as world:
        talk = await world.talk()
        path = f"/api/v1/conversations/{talk}/messages"
        await world.say(talk, "one")

        headers = {"Idempotency-Key": "k-1"}
        refused = await world.maya.api.post(path, json={"content": "two"}, headers=headers)
        assert_problem(refused, 429, "rate_limited")

        stored = (await world.maya.api.get(path)).json()["items"]
        assert [message["content"] for message in stored] == ["one"]
        # Nor does the key remember the refusal.
        again = await world.maya.api.post(path, json={"content": "two"}, headers=headers | {BYPASS: TOKEN})
        assert again.status_code == 201


async def test_messages_by_http_and_by_socket_count_together_and_each_user_by_themselves() -> None:
    async with limited(sends=Policy("sends", 3, 60)) as world:
        talk = await world.talk()
        async with a_socket(world, world.maya) as socket:
            await world.say(talk, "one")
            assert (await socket.ask(1, cmd="send", conversation_id=talk, content="two"))["ok"]
            await world.say(talk, "three")
            refused = await socket.ask(2, cmd="send", conversation_id=talk, content="four")

        assert not refused["ok"]
        assert refused["error"]["code"] == "rate_limited"
        assert refused["error"]["policy"] == "sends"
        assert 0 < refused["error"]["retry_after"] <= 20
        await world.say(talk, "hello", by=world.tomas)


class LateLimits(LocalLimits):
    """Limits that have to be asked for; whoever asks first is answered last."""

    def __init__(self) -> None:
        super().__init__()
        self._asked = 0

    async def take(self, policy: Policy, subject: str) -> Decision:
        self._asked += 1
        await trio.sleep(max(0.0, 0.12 - 0.02 * self._asked))
        return await super().take(policy, subject)


async def test_messages_of_a_socket_keep_their_order_when_their_limit_has_to_be_asked_for() -> None:
    policies = LimitPolicies(sends=Policy("sends", 100, 60))
    async with a_world(core_settings=CoreSettings(limits=policies), rates=LateLimits()) as world:
        talk = await world.talk()
        async with a_socket(world, world.maya) as socket:
            for n in range(5):
                await socket.send(ref=n, cmd="send", conversation_id=talk, content=str(n))
            replies = [await socket.reply(n) for n in range(5)]

    assert [reply["data"]["seq"] for reply in replies] == [1, 2, 3, 4, 5]


async def test_changes_of_messages_by_socket_are_requests_of_the_session() -> None:
    async with limited(requests=Policy("requests", 3, 60), sends=Policy("sends", 100, 60)) as world:
        talk = await world.talk()  # the first request
        async with a_socket(world, world.maya) as socket:
            sent = await socket.ask(1, cmd="send", conversation_id=talk, content="one")
            message_id = sent["data"]["id"]
            assert (await socket.ask(2, cmd="edit", message_id=message_id, content="two"))["ok"]
            assert (await socket.ask(3, cmd="react", message_id=message_id, emoji="\U0001f44d"))["ok"]
            refused = await socket.ask(4, cmd="edit", message_id=message_id, content="three")
            assert (await socket.ask(5, cmd="read", conversation_id=talk, seq=1))["ok"]
            assert (await socket.ask(6, cmd="send", conversation_id=talk, content="four"))["ok"]

    assert refused["error"]["policy"] == "requests"


async def test_requests_are_counted_by_session() -> None:
    async with limited(requests=Policy("requests", 3, 60)) as world:
        assert await statuses(4, lambda: world.maya.api.get("/api/v1/auth/me")) == [200, 200, 200, 429]
        assert await statuses(1, lambda: world.tomas.api.get("/api/v1/auth/me")) == [200]


async def test_opening_a_stream_is_no_request_to_be_refused() -> None:
    async with limited(requests=Policy("requests", 1, 60)) as world:
        assert await statuses(2, lambda: world.maya.api.get("/api/v1/auth/me")) == [200, 429]

        async with world.maya.api.stream("GET", "/api/v1/events") as stream:
            assert stream.status_code == 200
        async with a_socket(world, world.maya) as socket:
            assert await socket.event("ready")


async def test_strangers_and_guesses_at_credentials_are_counted_by_address() -> None:
    async with limited(anonymous_requests=Policy("anonymous-requests", 3, 60)) as world:
        guess = {"Authorization": "Bearer x"}
        assert await statuses(1, lambda: world.nobody.get("/openapi.json")) == [200]
        assert await statuses(1, lambda: world.nobody.get("/api/v1/auth/me", headers=guess)) == [401]
        assert await statuses(1, lambda: world.nobody.get("/api/v1/admin/actors", headers={"X-API-Key": "x"})) == [
            401
        ]

        assert_problem(await world.nobody.get("/api/v1/auth/me", headers=guess), 429, "rate_limited")
        assert_problem(await world.nobody.get("/openapi.json"), 429, "rate_limited")
        assert (await handshake(world))[0] == 429
        elsewhere = await from_address(world, "127.0.0.2")
        assert (await elsewhere.get("/openapi.json")).status_code == 200
        assert (await world.maya.api.get("/api/v1/auth/me")).status_code == 200


async def test_health_metrics_and_operators_are_not_limited() -> None:
    policies = {"anonymous_requests": Policy("a", 1, 60), "requests": Policy("r", 1, 60)}
    async with limited(**policies) as world:
        assert await statuses(4, lambda: world.nobody.get("/health/live")) == [200] * 4
        assert await statuses(4, lambda: world.operator.get("/metrics")) == [200] * 4
        assert await statuses(4, lambda: world.operator.get("/api/v1/admin/actors")) == [200] * 4


async def test_sign_ins_are_counted_by_address_whether_they_succeed_or_not() -> None:
    async with limited(logins_by_minute=Policy("m", 3, 60), logins_by_hour=Policy("h", 4, 3600)) as world:

        async def login(password: str, by: httpx.AsyncClient = world.nobody) -> int:
            answer = await by.post("/api/v1/auth/login", json={"email": world.maya.email, "password": password})
            return answer.status_code

        assert [await login("wrong password"), await login(PASSWORD), await login("wrong password")] == [
            401,
            200,
            401,
        ]
        assert await login(PASSWORD) == 429
        assert await login(PASSWORD, await from_address(world, "127.0.0.3")) == 200


async def test_registrations_are_counted_by_address_and_so_is_signing_in_by_registering_again() -> None:
    async with limited(registrations=Policy("registrations", 2, 60), logins_by_hour=Policy("h", 1, 3600)) as world:

        async def register(email: str) -> int:
            body = {"email": email, "password": PASSWORD, "display_name": "Zoe", "role": "student"}
            answer = await world.nobody.post("/api/v1/auth/register", json=body, headers={"Idempotency-Key": "k"})
            return answer.status_code

        assert [await register("zoe@example.com"), await register("zoe@example.com")] == [201, 201]
        assert await register("ann@example.com") == 429


async def test_only_new_conversations_count() -> None:
    async with limited(conversations=Policy("conversations", 1, 3600)) as world:
        opening: Any = {"participant_id": world.tomas.id}

        async def open_it() -> httpx.Response:
            return await world.maya.api.post("/api/v1/conversations", json=opening)

        async def as_tomas() -> httpx.Response:
            return await world.tomas.api.post("/api/v1/conversations", json={"participant_id": world.maya.id})

        assert (await open_it()).status_code == 201
        assert await statuses(3, as_tomas) == [200] * 3
        assert (await open_it()).status_code == 200, "it exists, so it is free even with nothing left"

        ines = await world.join("ines", Role.INSTRUCTOR)
        other = await world.maya.api.post("/api/v1/conversations", json={"participant_id": ines.id})
        assert_problem(other, 429, "rate_limited")


async def test_bookings_and_changes_to_them_count_together_and_reading_them_is_free() -> None:
    async with limited(bookings=Policy("bookings", 2, 3600)) as world:
        service = Service(
            ServiceId("01HSERVKE00000000000000000"), UserId(world.tomas.id), "Piano", "", 6_000, "USD", 60
        )
        await world.storage.directory.add_services([service])
        starts_at = system_wall_clock() + timedelta(days=3)
        wanted = {
            "instructor_id": world.tomas.id,
            "service_id": service.id,
            "starts_at": starts_at.isoformat(),
            "duration_minutes": 60,
        }
        booked = await world.maya.api.post("/api/v1/bookings", json=wanted)
        path = f"/api/v1/bookings/{booked.json()['id']}"
        later = {"starts_at": (starts_at + timedelta(days=1)).isoformat()}

        moved = await world.maya.api.post(f"{path}/reschedule", json=later)
        refused = await world.maya.api.post(f"{path}/cancel")

        assert (booked.status_code, moved.status_code) == (201, 200)
        assert_problem(refused, 429, "rate_limited")
        assert (await world.maya.api.get(path)).json()["status"] == "booked"
        assert (await world.tomas.api.post(f"{path}/cancel")).status_code == 200


async def test_a_conversation_that_a_booking_opens_counts_too() -> None:
    async with limited(conversations=Policy("conversations", 1, 3600)) as world:
        await world.talk()
        ines = await world.join("ines", Role.INSTRUCTOR)
        services = [
            Service(ServiceId(f"01HSERVKE0000000000000000{n}"), UserId(who.id), "Piano", "", 6_000, "USD", 45)
            for n, who in enumerate([world.tomas, ines])
        ]
        await world.storage.directory.add_services(services)

        async def book(service: Service) -> httpx.Response:
            wanted = {
                "instructor_id": service.instructor_id,
                "service_id": service.id,
                "starts_at": rfc3339(system_wall_clock() + timedelta(days=3)),
                "duration_minutes": 60,
            }
            return await world.maya.api.post("/api/v1/bookings", json=wanted)

        assert (await book(services[0])).status_code == 201
        assert_problem(await book(services[1]), 429, "rate_limited")
        assert (await ines.api.get("/api/v1/conversations")).json()["items"] == []


async def test_the_end_of_typing_is_always_passed_on() -> None:
    async with limited(typing=Policy("typing", 1, 60)) as world:
        path = f"/api/v1/conversations/{await world.talk()}/typing"

        async def typing(is_typing: bool) -> int:
            return (await world.maya.api.post(path, json={"is_typing": is_typing})).status_code

        assert [await typing(True), await typing(True), await typing(False)] == [204, 429, 204]


@pytest.mark.parametrize(("token", "status"), [(TOKEN, 200), (TOKEN[:-1], 429), ("é", 429), ("", 429)])
async def test_a_load_test_with_the_token_is_not_limited(token: str, status: int) -> None:
    async with limited(requests=Policy("requests", 1, 60)) as world:
        await world.maya.api.get("/api/v1/auth/me")

        answer = await world.maya.api.get("/api/v1/auth/me", headers={BYPASS: token.encode()})

        assert answer.status_code == status


async def test_a_load_test_lifts_limits_and_nothing_else() -> None:
    async with limited(anonymous_requests=Policy("a", 1, 60)) as world:
        bypass = {BYPASS: TOKEN}
        assert await statuses(3, lambda: world.nobody.get("/api/v1/auth/me", headers=bypass)) == [401] * 3
        metrics = (await world.operator.get("/metrics")).text

    assert "greenroom_rate_unlimited_total 3.0" in metrics


async def test_without_a_token_of_the_settings_the_header_means_nothing() -> None:
    policies = LimitPolicies(requests=Policy("requests", 1, 60))
    async with a_world(core_settings=CoreSettings(limits=policies)) as world:
        bypass = {BYPASS: ""}
        assert await statuses(2, lambda: world.maya.api.get("/api/v1/auth/me", headers=bypass)) == [200, 429]


async def test_metrics_tell_what_was_refused_by_which_limit() -> None:
    async with limited(sends=Policy("sends", 1, 60)) as world:
        talk = await world.talk()
        await world.say(talk, "one")
        await world.maya.api.post(f"/api/v1/conversations/{talk}/messages", json={"content": "two"})

        metrics = (await world.operator.get("/metrics")).text

    assert 'greenroom_rate_limited_total{policy="sends"} 1.0' in metrics
    assert 'greenroom_rate_limit_home_up{home="memory"} 1.0' in metrics


async def test_the_document_tells_of_the_limits(world: World) -> None:
    document = (await world.nobody.get("/openapi.json")).json()

    answer = document["paths"]["/api/v1/conversations/{conversation_id}/messages"]["post"]["responses"]["429"]
    assert set(answer["headers"]) == {"X-Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy"}
    schema = answer["content"]["application/problem+json"]["schema"]["$ref"].rpartition("/")[2]
    assert {"policy", "retry_after"} <= set(document["components"]["schemas"][schema]["required"])
    assert "429" not in document["paths"]["/health/live"]["get"]["responses"]


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "local"),
    ],
)
def test_an_ipv6_customer_counts_as_one(host: str, network: str) -> None:
    request = Request({"path": "/", "query_string": b"", "headers": [], "client": (host, 4711)})

    assert client_network(request) == network


async def test_a_locked_account_says_for_how_long() -> None:
    async with a_world(core_settings=CoreSettings(lockout_failures=2)) as world:

        async def login(password: str) -> httpx.Response:
            return await world.nobody.post(
                "/api/v1/auth/login", json={"email": world.maya.email, "password": password}
            )

        assert [(await login("wrong password")).status_code for _ in range(2)] == [401, 401]
        locked = await login(PASSWORD)
        metrics = (await world.operator.get("/metrics")).text

    problem = assert_problem(locked, 429, "account_locked")
    assert 30 - WAIT_S <= problem["retry_after"] <= 30  # some of it may have passed
    assert locked.headers["Retry-After"] == str(problem["retry_after"])
    assert 'greenroom_logins_total{outcome="invalid"} 2.0' in metrics
    assert 'greenroom_logins_total{outcome="locked"} 1.0' in metrics
    assert 'greenroom_logins_total{outcome="success"} 0.0' in metrics
