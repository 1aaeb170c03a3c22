"""The operators' console over several workers: all of them at once, each a branch, and one that dies and comes back."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.people import Visitor, visitor
from tests.browser.server import AWAY
from tests.browser.test_looks import fits
from tests.browser.test_operating import CUT, sign_in_with_key
from tests.postgres import PostgresServer, fresh_name
from tests.workers.server import WorkersServer, workers_server

pytestmark = pytest.mark.browser

KEY = "an operator's key, long enough"


@pytest.fixture(scope="module")
def workers(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkersServer]:
    with (
        postgres_server.migrated_database(fresh_name()) as options,
        workers_server(
            options.conninfo, tmp_path_factory.mktemp("workers"), settings={"GREENROOM_ADMIN_API_KEY": KEY}
        ) as server,
    ):
        server.wait_line("worker_ready", count=2)
        yield server


@pytest.fixture
def operator(browser: Browser, workers: WorkersServer) -> Iterator[Visitor]:
    with visitor(browser, workers.url) as someone:
        sign_in_with_key(someone.page, workers.url, KEY)
        expect(branch(someone.page, "2")).to_contain_text("running")
        yield someone


def branch(page: Page, worker: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("button", name=f"worker {worker}", exact=True))


def row(page: Page, path: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_title(path, exact=True))


def test_every_worker_is_a_branch_with_its_pid_and_age(operator: Visitor, workers: WorkersServer) -> None:
    page = operator.page
    for worker, pid in zip(("1", "2"), workers.serving(), strict=True):
        expect(branch(page, worker)).to_contain_text(re.compile(rf"pid {pid} · up \d+"))
        expect(row(page, f"/{worker}/greenroom/committer")).to_contain_text("running")
    names = page.locator(".actors-table .actor-name").all_inner_texts()
    assert names.index("worker 1") < names.index("worker 2")
    assert page.evaluate(CUT) == []
    assert fits(page)
    assert operator.unexpected() == []


def test_what_is_done_is_done_to_the_actor_of_the_worker_one_looks_at(operator: Visitor) -> None:
    page = operator.page
    page.get_by_title("/2/greenroom/retention", exact=True).click()
    page.get_by_role("button", name="Suspend").click()
    page.get_by_role("dialog").get_by_role("button", name="Suspend").click()

    expect(row(page, "/2/greenroom/retention")).to_contain_text("suspended")
    expect(row(page, "/1/greenroom/retention")).to_contain_text("running")
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("dialog").get_by_role("button", name="Resume").click()
    expect(row(page, "/2/greenroom/retention")).to_contain_text("running")
    assert operator.unexpected() == []


def test_lists_are_of_all_workers_and_the_loop_is_of_one(operator: Visitor) -> None:
    page = operator.page
    page.get_by_label("Order").select_option(label="most handled")
    for worker in ("1", "2"):
        expect(row(page, f"/{worker}/greenroom/retention")).to_be_visible()
    page.get_by_role("link", name="Event loop").click()
    chips = page.get_by_role("group", name="Worker").get_by_role("button")
    expect(chips).to_have_text(["worker 1", "worker 2"])
    chips.nth(1).click()
    expect(chips.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".facts")).to_contain_text("Busy")
    for name in ("Calls", "Dead letters"):
        page.get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", name=re.compile(name))).to_be_visible()
    assert operator.unexpected() == []


def test_a_worker_that_dies_is_said_to_be_gone_until_its_successor_answers(
    operator: Visitor, workers: WorkersServer, tmp_path: Path
) -> None:
    page = operator.page
    page.screenshot(path=tmp_path / "workers.png")
    before = workers.serving()

    os.kill(before[1], signal.SIGKILL)

    # With it may have gone the connection, then all is asked for anew; either way its successor is seen without a reload.
    expect(branch(page, "2")).not_to_contain_text(f"pid {before[1]} ")
    expect(branch(page, "2")).to_contain_text(re.compile(r"pid \d+ · up \d+"))
    expect(branch(page, "1")).to_contain_text(f"pid {before[0]} ")
    expect(row(page, "/2/greenroom/committer")).to_contain_text("running")
    assert operator.unexpected(AWAY) == []
