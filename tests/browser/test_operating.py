"""The operators' console, by people with browsers: signing in, looking, acting, being cut off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewVisitor
from tests.browser.people import PASSWORD, Account, Visitor, visitor
from tests.browser.server import AWAY, ServerProcess, running_server
from tests.browser.test_looks import PHONE, fits, nameless
from tests.postgres import PostgresServer

pytestmark = pytest.mark.browser

KEY_LABEL = "Operator\N{RIGHT SINGLE QUOTATION MARK}s key"
REFUSED = r"status of 401|status of 403"


def key_of(server: ServerProcess) -> str:
    return (Path(server.data_dir) / "admin-api-key").read_text().strip()


def sign_in_with_key(page: Page, url: str, key: str) -> None:
    page.goto(f"{url}/admin")
    page.get_by_role("button", name="With the key").click()
    page.get_by_label(KEY_LABEL).fill(key)
    page.get_by_role("button", name="Sign in").click()


def actor(page: Page, name: str):  # type: ignore[no-untyped-def]
    return page.get_by_role("row").filter(has=page.get_by_role("button", name=name, exact=True))


@pytest.fixture(scope="module")
def server(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One for these tests alone: they stop and suspend what others rely on."""
    with running_server(postgres_server, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def operator(new_visitor: NewVisitor, server: ServerProcess) -> Visitor:
    someone = new_visitor()
    sign_in_with_key(someone.page, server.url, key_of(server))
    expect(actor(someone.page, "committer")).to_be_visible()
    return someone


def test_the_tree_is_live(operator: Visitor, student: Account, instructor: Account) -> None:
    expect(operator.page.get_by_text("Live", exact=True)).to_be_visible()

    talk = student.open_conversation(instructor)
    student.say(talk, "Hello")

    expect(actor(operator.page, talk)).to_contain_text("running")
    expect(operator.page.get_by_role("button", name=f"/greenroom/conversations/{talk}")).to_be_visible()
    assert operator.unexpected() == []


def test_an_actor_is_suspended_and_resumed_with_a_reason_on_the_record(operator: Visitor) -> None:
    page = operator.page
    page.get_by_role("button", name="retention", exact=True).click()
    page.get_by_role("button", name="Suspend").click()
    page.get_by_label("Reason").fill("looking into ticket 7")
    page.get_by_role("dialog").get_by_role("button", name="Suspend").click()

    expect(actor(page, "retention")).to_contain_text("suspended")
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("dialog").get_by_role("button", name="Resume").click()
    expect(actor(page, "retention")).to_contain_text("running")

    page.get_by_role("link", name="Audit").click()
    expect(page.get_by_role("row").filter(has_text="looking into ticket 7")).to_contain_text("suspend")
    assert operator.unexpected() == []


def test_a_restart_is_told_and_leaves_its_mark(operator: Visitor) -> None:
    page = operator.page
    page.get_by_role("button", name="sweep", exact=True).click()
    page.get_by_role("button", name="Restart").click()
    page.get_by_role("dialog").get_by_role("button", name="Restart").click()

    detail = page.get_by_role("region", name="Actor /greenroom/sweep")
    expect(detail).to_contain_text("restarted by an operator")
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="What happened")).to_contain_text("restarted")
    assert operator.unexpected() == []


def test_nothing_is_done_when_the_question_is_declined(operator: Visitor) -> None:
    page = operator.page
    page.get_by_role("button", name="presence", exact=True).click()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()

    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(actor(page, "presence")).to_contain_text("running")


def test_those_that_stand_out_are_listed_by_what_is_asked(operator: Visitor) -> None:
    page = operator.page
    page.get_by_label("Order").select_option("most handled")
    page.get_by_label("Kind").select_option("committer")

    expect(page.get_by_role("table", name="Actors").locator("tbody tr")).to_have_count(1)
    expect(actor(page, "committer")).to_be_visible()


def test_every_page_shows_what_it_says_and_has_no_nameless_control(operator: Visitor) -> None:
    page = operator.page
    for link, words in {
        "Calls": "Messages that are being handled now",
        "Event loop": "Garbage collection",
        "Dead letters": "Bodies are never kept",
        "Audit": "written down before it is taken",
    }.items():
        page.get_by_role("link", name=link).click()
        expect(page.get_by_text(words)).to_be_visible()
        assert nameless(page) == []
        assert fits(page)
    page.get_by_role("link", name="Event loop").click()
    page.get_by_role("button", name="Measure").click()
    expect(page.get_by_text("Measuring")).to_be_visible()
    expect(page.get_by_role("region", name="Longest steps").get_by_role("row").nth(1)).to_be_visible()
    assert operator.unexpected() == []


def test_whoever_is_no_operator_is_told_so(
    new_visitor: NewVisitor, server: ServerProcess, student: Account
) -> None:
    someone = new_visitor()
    sign_in_with_key(someone.page, server.url, "not-the-key-of-this-server")
    expect(someone.page.get_by_role("alert")).to_contain_text("not valid")

    someone.page.get_by_role("button", name="As an admin").click()
    someone.page.get_by_label("E-mail address").fill(student.email)
    someone.page.get_by_label("Password").fill(PASSWORD)
    someone.page.get_by_role("button", name="Sign in").click()

    expect(someone.page.get_by_role("alert")).to_contain_text("no operator")
    assert someone.context.cookies() == []
    assert someone.unexpected(REFUSED) == []


def test_signing_out_forgets_the_key(operator: Visitor) -> None:
    operator.page.reload()
    expect(actor(operator.page, "committer")).to_be_visible()

    operator.page.get_by_role("button", name="Sign out").click()
    operator.page.reload()

    expect(operator.page.get_by_role("button", name="Sign in")).to_be_visible()
    assert operator.page.evaluate("sessionStorage.length + localStorage.length") == 0


@pytest.fixture
def lone_operator(browser, own_server: ServerProcess) -> Iterator[Visitor]:  # type: ignore[no-untyped-def]
    with visitor(browser, own_server.url) as someone:
        sign_in_with_key(someone.page, own_server.url, key_of(own_server))
        expect(actor(someone.page, "committer")).to_be_visible()
        yield someone


def test_a_page_that_is_cut_off_says_so_and_comes_back(lone_operator: Visitor, own_server: ServerProcess) -> None:
    own_server.kill()
    expect(lone_operator.banner).to_be_visible()
    expect(lone_operator.page.get_by_text("Disconnected")).to_be_visible()
    expect(actor(lone_operator.page, "committer")).to_be_visible()

    own_server.start()
    expect(lone_operator.page.get_by_text("Live", exact=True)).to_be_visible()
    expect(lone_operator.banner).to_be_hidden()
    assert lone_operator.unexpected(AWAY) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_one_actor_lies_over_the_list(
    new_visitor: NewVisitor, server: ServerProcess, scheme: str, tmp_path: Path
) -> None:
    someone = new_visitor(**PHONE, color_scheme=scheme)
    sign_in_with_key(someone.page, server.url, key_of(server))
    page = someone.page
    expect(actor(page, "committer")).to_be_visible()
    assert fits(page)
    page.screenshot(path=tmp_path / "phone.png")

    page.get_by_role("button", name="committer", exact=True).tap()
    expect(page.get_by_role("heading", name="/greenroom/committer")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="Close").tap()
    expect(page.get_by_role("heading", name="/greenroom/committer")).to_be_hidden()
    assert nameless(page) == []
    assert someone.unexpected() == []


def test_what_actors_say_of_themselves_stays_text(operator: Visitor, server: ServerProcess) -> None:
    evil = "<img src=x onerror=alert(1)>"
    with httpx.Client(base_url=server.url, headers={"X-API-Key": key_of(server)}) as client:
        answer = client.post("/api/v1/admin/actors/greenroom/retention/resume", json={"reason": evil})
        assert answer.status_code == 204

    operator.page.get_by_role("link", name="Audit").click()

    expect(operator.page.get_by_text(evil)).to_be_visible()
    assert operator.page.locator("img").count() == 0
    assert operator.unexpected() == []


def test_pieces_of_a_stream_make_whole_events(operator: Visitor) -> None:
    seen = operator.page.evaluate(
        """async () => {
            const { eventParser } = await import("/static/admin/operator_stream.js");
            const seen = [];
            const parse = eventParser((name, data) => seen.push([name, data.n]));
            for (const piece of ["retry: 3000\\nevent: a\\nda", 'ta: {"n":1}\\n', '\\nevent: b\\ndata: {"n":2}\\n\\nev', "ent: c"])
                parse(piece);
            return seen;
        }"""
    )
    assert seen == [["a", 1], ["b", 2]]


def test_rows_of_the_tree_follow_folds_and_filters(operator: Visitor) -> None:
    rows = operator.page.evaluate(
        """async () => {
            const { applyDelta, rowsOf } = await import("/static/admin/tree.js");
            const node = (path, kind, more = {}) =>
                ({ path, kind, state: "running", children_total: 0, collapsed: null, ...more });
            const changed = [
                node("/g", "supervisor", { children_total: 2 }),
                node("/g/c", "supervisor", { children_total: 60, collapsed: { count: 58, kinds: [] } }),
                node("/g/c/1", "talk"), node("/g/c/2", "talk"), node("/g/w", "writer"),
            ];
            const nodes = applyDelta(new Map(), { changed, removed: [] }, { isFirst: true, now: 0 });
            const paths = (...rest) => rowsOf(...rest).map((row) => (row.rest ? "rest" : row.node.path));
            return [
                paths(nodes, new Map()),
                paths(nodes, new Map([["/g/c", true]])),
                paths(nodes, new Map(), { kind: "talk" }),
                paths(applyDelta(nodes, { changed: [], removed: ["/g/c/1"] }, { isFirst: false, now: 1 }), new Map([["/g/c", true]])),
            ];
        }"""
    )
    assert rows == [
        ["/g", "/g/c", "/g/w"],
        ["/g", "/g/c", "/g/c/1", "/g/c/2", "rest", "/g/w"],
        ["/g", "/g/c", "/g/c/1", "/g/c/2"],
        ["/g", "/g/c", "/g/c/2", "rest", "/g/w"],
    ]


def test_the_page_is_as_strict_as_the_others(server: ServerProcess) -> None:
    policy = httpx.get(f"{server.url}/admin").headers["Content-Security-Policy"]
    assert re.search(r"script-src 'self'(;|$)", policy)
    assert "unsafe" not in policy


def test_an_essential_actor_is_suspended_only_after_a_warning_and_then_alarms(lone_operator: Visitor) -> None:
    page = lone_operator.page
    page.get_by_role("button", name="committer", exact=True).click()
    page.get_by_role("button", name="Suspend").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("/health/ready says 503")
    dialog.get_by_role("button", name="Suspend it all the same").click()

    alarm = page.locator(".operations > .alarm")
    expect(alarm).to_have_text("committer is suspended. This server is not ready for requests.")
    expect(page.locator(".tile.is-worrying").filter(has_text="Out of service")).to_contain_text("1")

    page.get_by_role("button", name="Resume").click()
    dialog.get_by_role("button", name="Resume").click()
    expect(alarm).to_be_hidden()
    assert lone_operator.unexpected() == []


def test_a_stopped_actor_can_only_be_started(operator: Visitor) -> None:
    page = operator.page
    page.get_by_role("button", name="retention", exact=True).click()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()

    actions = page.locator(".detail-actions").get_by_role("button")
    expect(actions).to_have_text(["Start"])
    actions.click()
    page.get_by_role("dialog").get_by_role("button", name="Start").click()
    expect(actor(page, "retention")).to_contain_text("running")
    expect(page.locator(".facts").first).to_contain_text(re.compile(r"after \d+ restart"))
    assert operator.unexpected() == []


def test_an_actor_that_was_put_to_sleep_is_said_to_be_and_that_is_no_error(
    operator: Visitor, student: Account, instructor: Account
) -> None:
    page = operator.page
    talk = student.open_conversation(instructor)
    student.say(talk, "Good night")
    page.get_by_role("button", name=talk, exact=True).click()
    page.get_by_role("button", name="Passivate").click()
    page.get_by_role("dialog").get_by_role("button", name="Passivate").click()

    expect(page.get_by_text("Done: it sleeps.")).to_be_visible()
    expect(page.locator(".detail .form-problem")).to_be_empty()
    assert operator.unexpected("status of 404") == []


def test_the_address_names_the_actor_that_is_shown(operator: Visitor, server: ServerProcess) -> None:
    page = operator.page
    page.get_by_role("button", name="sweep", exact=True).click()
    expect(page).to_have_url(f"{server.url}/admin#/actors/greenroom/sweep")

    page.reload()
    expect(page.get_by_role("region", name="Actor /greenroom/sweep")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("region", name="What happened")).to_be_visible()
    page.goto(f"{server.url}/admin#/actors/greenroom/presence")
    expect(page.get_by_role("region", name="Actor /greenroom/presence")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{server.url}/admin#/actors")
    assert operator.unexpected() == []


CUT = """() => [...document.querySelectorAll(".table-scroller")]
    .filter((each) => each.scrollWidth > each.clientWidth + 1)
    .map((each) => each.querySelector("caption").textContent)"""


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_no_column_is_cut_off_at_any_width(
    new_visitor: NewVisitor, server: ServerProcess, size: tuple[int, int], tmp_path: Path
) -> None:
    someone = new_visitor(viewport={"width": size[0], "height": size[1]})
    sign_in_with_key(someone.page, server.url, key_of(server))
    page = someone.page
    expect(actor(page, "committer")).to_be_visible()
    # The longest state there is, at whatever level.
    page.locator(".actors-table .state").evaluate_all(
        "all => all.forEach((each) => (each.textContent = 'passivated'))"
    )
    page.screenshot(path=tmp_path / "actors.png")
    assert page.evaluate(CUT) == []
    page.get_by_role("button", name="sweep", exact=True).click()
    expect(page.get_by_role("heading", name="Last messages")).to_be_visible()
    page.screenshot(path=tmp_path / "detail.png")
    assert page.evaluate(CUT) == []
    page.get_by_role("button", name="Close").click()

    with httpx.Client(base_url=server.url, headers={"X-API-Key": key_of(server)}) as client:
        client.post("/api/v1/admin/actors/greenroom/retention/resume", json={"reason": "a reason of some length"})
    page.get_by_role("link", name="Audit").click()
    expect(page.get_by_text("a reason of some length").first).to_be_visible()
    page.screenshot(path=tmp_path / "audit.png")
    assert page.evaluate(CUT) == []
    tabs = page.get_by_role("navigation", name="Pages").get_by_role("link")
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= size[0] for box in map(_box, tabs.all()))
    assert fits(page)


def _box(locator):  # type: ignore[no-untyped-def]
    return locator.bounding_box()
