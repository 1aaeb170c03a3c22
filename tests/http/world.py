"""The whole server over the in-memory twins, behind real HTTP on loopback, with two people in it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import httpx
import trio
from httpx_sse import EventSource, ServerSentEvent
from pydantic import SecretStr

from greenroom.actors.core import Core, open_core
from greenroom.actors.core_settings import CoreSettings
from greenroom.actors.search.board import SearchBoard
from greenroom.actors.search.room import SearchPlan, plan_without_network
from greenroom.http import sockets
from greenroom.http.app import Application, connection_refusal, create_app
from greenroom.http.metrics import ServingCollector
from greenroom.http.operations import Operation
from greenroom.http.serving import Limits, Server, listen
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.event_kinds import EVENT_KINDS, Nature
from greenroom.schema.ids import RandomIds
from greenroom.schema.records import Role
from greenroom.schema.settings import Settings
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.memory import MemoryDatabase, memory_storage
from greenroom.storage.passwords import SimulatedPasswords
from greenroom.storage.ports import RateLimits, Storage
from tests.http.raw import PATIENT, WAIT_S

PASSWORD = "correct horse battery"
API_KEY = "an-operators-key-for-tests"


@dataclass
class Person:
    """Somebody with an account; ``api`` sends their token."""

    id: str
    email: str
    token: str
    api: httpx.AsyncClient


@dataclass
class World:
    core: Core
    app: Application
    server: Server
    settings: Settings
    database: MemoryDatabase
    storage: Storage
    resources: AsyncExitStack
    maya: Person = field(init=False)
    tomas: Person = field(init=False)
    nobody: httpx.AsyncClient = field(init=False)
    operator: httpx.AsyncClient = field(init=False)

    @property
    def host(self) -> str:
        return self.server.addresses[0]

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    async def client(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        return await self.resources.enter_async_context(
            # Without TLS to verify, there are no certificates to load, which would take longer than most tests.
            httpx.AsyncClient(base_url=self.url, headers=headers, timeout=WAIT_S, verify=False, trust_env=False)  # noqa: S501
        )

    async def join(self, name: str, role: Role) -> Person:
        signed_in = await self.core.sign_in.register(
            email=f"{name}@example.com", password=PASSWORD, display_name=name.title(), role=role
        )
        api = await self.client({"Authorization": f"Bearer {signed_in.token}"})
        return Person(signed_in.identity.user.id, f"{name}@example.com", signed_in.token, api)

    async def talk(self) -> str:
        """The id of the conversation of the two."""
        answer = await self.maya.api.post("/api/v1/conversations", json={"participant_id": self.tomas.id})
        return str(answer.json()["conversation"]["id"])

    async def say(self, talk: str, content: str, by: Person | None = None) -> dict[str, Any]:
        api = (by or self.maya).api
        answer = await api.post(f"/api/v1/conversations/{talk}/messages", json={"content": content})
        assert answer.status_code == 201, answer.text
        message: dict[str, Any] = answer.json()
        return message


def some_settings(**changes: Any) -> Settings:
    given: dict[str, Any] = {"bind": "127.0.0.1:0", "admin_api_key": SecretStr(API_KEY)}
    return Settings(_env_file=None, **(given | changes))  # type: ignore[call-arg]


def unhurried_search() -> SearchPlan:
    """The defaults without any network, but that a machine that is held up leaves nothing out and notes everything."""
    plan = plan_without_network()
    settings = plan.settings.model_copy(
        update={
            "search_budget_ms": 30_000,
            "search_high_load_budget_ms": 30_000,
            "search_analytics_timeout_s": 30.0,
        }
    )
    return replace(plan, settings=settings, board=SearchBoard(settings.config()))


@asynccontextmanager
async def a_world(
    *,
    settings: Settings | None = None,
    limits: Limits | None = None,
    core_settings: CoreSettings | None = None,
    database: MemoryDatabase | None = None,
    rates: RateLimits | None = None,
) -> AsyncIterator[World]:
    settings = settings or some_settings()
    limits = limits or PATIENT
    database = database or MemoryDatabase()
    ids = RandomIds(Random(1), system_wall_clock)
    async with AsyncExitStack() as resources:
        storage = memory_storage(database, bus=LocalBus(), limits=rates)
        core = await resources.enter_async_context(
            open_core(
                storage,
                passwords=SimulatedPasswords(),
                ids=ids,
                wall=system_wall_clock,
                seed=1,
                settings=core_settings,
                search=unhurried_search(),
            )
        )
        server: Server
        app = create_app(core, settings, ids=ids, collectors=[ServingCollector(lambda: server.statistics())])
        listeners = await listen("127.0.0.1", 0, limits=limits)
        server = Server(
            app,
            listeners,
            limits=limits,
            door=app.front_door,
            refusal=connection_refusal(settings, ids),
            websocket_paths=[sockets.PATH],
        )
        async with trio.open_nursery() as nursery:
            await nursery.start(server.run)
            async with AsyncExitStack() as clients:
                world = World(core, app, server, settings, database, storage, clients)
                world.maya = await world.join("maya", Role.STUDENT)
                world.tomas = await world.join("tomas", Role.INSTRUCTOR)
                world.nobody = await world.client()
                world.operator = await world.client({"X-API-Key": API_KEY})
                yield world
            nursery.cancel_scope.cancel()


class Listener:
    """An EventSource: follows a stream and remembers what it saw."""

    def __init__(self) -> None:
        self.events: list[ServerSentEvent] = []
        self.headers = httpx.Headers()
        self.last_id = ""
        self.has_ended = False
        self._changed = trio.Event()

    @property
    def contents(self) -> list[str]:
        """Texts of the messages seen, in order."""
        return [json.loads(e.data)["message"]["content"] for e in self.named("message.created")]

    def named(self, name: str) -> list[ServerSentEvent]:
        return [event for event in self.events if event.event == name]

    def data(self, name: str) -> dict[str, Any]:
        """The data of the newest event of this name."""
        found: dict[str, Any] = json.loads(self.named(name)[-1].data)
        return found

    async def until(self, condition: Callable[[Listener], bool]) -> None:
        with trio.fail_after(WAIT_S):
            while not condition(self):
                self._changed = trio.Event()
                await self._changed.wait()

    async def follow(
        self,
        api: httpx.AsyncClient,
        path: str = "/api/v1/events",
        *,
        headers: dict[str, str] | None = None,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Follow until the stream ends; started once its first event is here."""
        async with api.stream("GET", path, headers=headers, timeout=None) as answer:
            assert answer.status_code == 200, await answer.aread()
            self.headers = answer.headers
            async for event in EventSource(answer).aiter_sse():
                if path.startswith("/api/v1/events"):
                    assert_known(event.event, event.data, has_id=event.id != self.last_id)
                self.events.append(event)
                self.last_id = event.id or self.last_id
                self._changed.set()
                if len(self.events) == 1:
                    task_status.started()
        self.has_ended = True
        self._changed.set()


def assert_known(name: str, data: str, *, has_id: bool) -> None:
    """Check that this is an event of the table, with the data that it says and nothing more."""
    kind = EVENT_KINDS[name]
    kind.model.model_validate_json(data)
    if kind.nature is Nature.EPHEMERAL or name == "closing":
        assert not has_id
    elif kind.nature is Nature.DURABLE:
        assert has_id


ULID = "01HZZZZZZZZZZZZZZZZZZZZZZZ"
"""An id of nothing."""


def example_path(operation: Operation) -> str:
    """A path that the operation serves, with ids of nothing in it."""
    path = operation.path
    for name in operation.signature.path_parameters:
        path = path.replace(f"{{{name}}}", "greenroom/committer" if name == "actor_path" else ULID)
    return path


def assert_problem(answer: httpx.Response, status: int, code: str | None = None) -> dict[str, Any]:
    """Check that this is a complete problem, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert set(problem) >= {"type", "title", "status", "detail", "code", "request_id"}
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert code is None or problem["code"] == code, problem
    return problem
