"""A headless Chromium, a real server on a real Postgres, and two people."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.people import WAIT_MS, Account, Visitor, registered, visitor
from tests.browser.server import ServerProcess, running_server
from tests.postgres import PostgresServer

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

NewVisitor = Callable[..., Visitor]

expect.set_options(timeout=WAIT_MS)


# One per module: while Playwright's event loop lives it counts as running in this thread, which the rooms' own tests
# should not have to know.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        reason = f"no Chromium found: none of {', '.join(CHROMIUM_NAMES)} is on the PATH"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def server(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that all tests here share; what they put there is told apart by whose it is."""
    with running_server(postgres_server, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def own_server(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that a test may stop and start."""
    with running_server(postgres_server, tmp_path) as running:
        yield running


@pytest.fixture
def student(server: ServerProcess) -> Iterator[Account]:
    with registered(server.url, "Maya Lindqvist", "student") as account:
        yield account


@pytest.fixture
def instructor(server: ServerProcess) -> Iterator[Account]:
    with registered(server.url, "Tomás Herrera", "instructor") as account:
        yield account


@pytest.fixture
def new_visitor(browser: Browser, server: ServerProcess) -> Iterator[NewVisitor]:
    """Opens browser profiles that are closed after the test."""
    with ExitStack() as stack:
        opened = partial(visitor, browser, server.url)
        yield lambda **profile: stack.enter_context(opened(**profile))


@pytest.fixture
def talk(student: Account, instructor: Account) -> str:
    """The id of their conversation, in which nothing was said yet."""
    return student.open_conversation(instructor)


@pytest.fixture
def maya(new_visitor: NewVisitor, student: Account, talk: str) -> Visitor:
    """The student, with the conversation open."""
    someone = new_visitor()
    someone.log_in(student)
    someone.open_conversation("Tomás Herrera")
    return someone


@pytest.fixture
def tomas(new_visitor: NewVisitor, instructor: Account, talk: str) -> Visitor:
    """The instructor, with the conversation open."""
    someone = new_visitor()
    someone.log_in(instructor)
    someone.open_conversation("Maya Lindqvist")
    return someone
