"""The pages that come with the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from greenroom.http.pages_site import load_pages
from tests.http.world import World


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "static" / "views").mkdir(parents=True)
    (tmp_path / "index.html").write_text("<!doctype html><p>hi")
    (tmp_path / "admin.html").write_text("<!doctype html><p>console")
    (tmp_path / "secret.txt").write_text("not below static")
    (tmp_path / "static" / "app.js").write_text("export const a = 1;")
    (tmp_path / "static" / "views" / "thread.js").write_text("export {};")
    (tmp_path / "static" / "logo.svg").write_text("<svg/>")
    (tmp_path / "static" / ".hidden").write_text("x")
    return tmp_path


def test_exactly_the_files_below_static_are_served(folder: Path) -> None:
    pages = load_pages(folder)

    assert sorted(pages) == ["/", "/admin", "/static/app.js", "/static/logo.svg", "/static/views/thread.js"]
    assert pages["/"].media_type == "text/html; charset=utf-8"
    assert pages["/static/app.js"].media_type == "text/javascript; charset=utf-8"
    assert pages["/static/logo.svg"].media_type == "image/svg+xml; charset=utf-8"


async def test_the_page_is_served_under_a_policy_without_inline_code(world: World) -> None:
    answer = await world.nobody.get("/")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


async def test_a_file_the_client_has_is_not_sent_again(world: World) -> None:
    first = await world.nobody.get("/")

    again = await world.nobody.get("/", headers={"If-None-Match": first.headers["ETag"]})
    changed = await world.nobody.get("/", headers={"If-None-Match": '"other"'})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert changed.content == first.content
    assert first.headers["Cache-Control"] == "no-cache"


async def test_everything_the_page_names_is_served(world: World) -> None:
    page = (await world.nobody.get("/")).text

    paths = {part.split('"')[0] for part in page.split('="')[1:] if part.startswith("/static/")}

    assert paths
    for path in paths:
        assert (await world.nobody.get(path)).status_code == 200, path
