"""People at their browsers, and what a test needs to have happened before they sit down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

PASSWORD = "correct horse battery"

WAIT_MS = 30_000
"""Only ever waited for in full by a test that fails."""

AHEAD_S = 10

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Account:
    """A registered person, and how to act for them without a browser."""

    id: str
    email: str
    name: str
    client: httpx.Client

    def open_conversation(self, other: Account) -> str:
        answer = self.client.post("/api/v1/conversations", json={"participant_id": other.id})
        return str(answer.raise_for_status().json()["conversation"]["id"])

    def say(self, conversation_id: str, content: str) -> None:
        path = f"/api/v1/conversations/{conversation_id}/messages"
        self.client.post(path, json={"content": content}).raise_for_status()

    def book(self, instructor: Account, service_id: str, starts_at: datetime, minutes: int = 60) -> dict[str, Any]:
        body = {
            "instructor_id": instructor.id,
            "service_id": service_id,
            "starts_at": starts_at.isoformat(),
            "duration_minutes": minutes,
        }
        answer = self.client.post("/api/v1/bookings", json=body).raise_for_status()
        return dict(answer.json())

    def bookings(self) -> list[dict[str, Any]]:
        """Theirs, latest first."""
        answer = self.client.get("/api/v1/bookings", params={"limit": 100}).raise_for_status()
        return list(answer.json()["items"])

    def messages(self, conversation_id: str) -> list[str]:
        """What is stored, oldest first."""
        answer = self.client.get(f"/api/v1/conversations/{conversation_id}/messages", params={"limit": 100})
        return [message["content"] for message in answer.raise_for_status().json()["items"]]


def problem(status: int, code: str, detail: str) -> dict[str, Any]:
    """A refusal (RFC 9457), as what Playwright's ``fulfill`` takes."""
    body = {"type": "about:blank", "title": "No", "status": status, "code": code, "detail": detail}
    return {"status": status, "json": body}


@contextmanager
def registered(url: str, name: str, role: str) -> Iterator[Account]:
    """Register somebody nobody else in this run has met."""
    email = f"{role}-{next(_numbers)}@example.com"
    with httpx.Client(base_url=url, timeout=WAIT_MS / 1000) as client:
        body = {"email": email, "password": PASSWORD, "display_name": name, "role": role}
        answer = client.post("/api/v1/auth/register", json=body).raise_for_status().json()
        client.cookies.clear()  # act by token: a cookie alone would have to come from a page
        client.headers["Authorization"] = f"Bearer {answer['access_token']}"
        yield Account(answer["user"]["id"], email, name, client)


@dataclass
class Visitor:
    """One browser profile with one page of ours open.

    Attributes:
        complaints: what the browser had to say: errors in the console, exceptions, breaches of the CSP.
    """

    url: str
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def log_in(self, account: Account) -> None:
        self.page.goto(self.url)
        self.page.get_by_label("E-mail address").fill(account.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        self.wait_live()

    def wait_live(self) -> None:
        expect(self.page.get_by_text("Live", exact=True)).to_be_attached()

    def is_live_after(self, wait_ms: float) -> bool:
        """Whether it is live once so much time has passed at the latest."""
        try:
            self.page.get_by_text("Live", exact=True).wait_for(state="attached", timeout=wait_ms)
        except PlaywrightTimeout:
            return False
        return True

    def open_conversation(self, name: str) -> None:
        """Open the conversation with somebody from the list."""
        self.row(name).click()
        expect(self.page.get_by_role("heading", name=name)).to_be_visible()

    def row(self, name: str) -> Locator:
        """The conversation with ``name`` in the list."""
        return self.page.get_by_role("navigation").get_by_role("link").filter(has_text=name)

    def say(self, content: str) -> None:
        self.composer.fill(content)
        self.composer.press("Enter")

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message")

    @property
    def messages(self) -> Locator:
        """The text of every message on the page, oldest first."""
        return self.page.locator(".message .content")

    @property
    def banner(self) -> Locator:
        return self.page.locator(".banner")

    def unexpected(self, *expected: str) -> list[str]:
        """Complaints that match none of the patterns."""
        return [text for text in self.complaints if not any(re.search(pattern, text) for pattern in expected)]


@contextmanager
def visitor(browser: Browser, url: str, **profile: Any) -> Iterator[Visitor]:
    """Open a browser profile of its own.

    Args:
        profile: what Playwright's ``new_context`` takes, such as ``viewport`` and ``color_scheme``.
    """
    context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | profile))
    try:
        context.set_default_timeout(WAIT_MS)
        someone = Visitor(url, context, context.new_page())
        listen_for_complaints(someone, someone.page)
        yield someone
    finally:
        context.close()


def stop_the_clock(someone: Visitor) -> None:
    """From now on time passes on the page as a test has it pass. Its clock is to be installed."""
    # It can be stopped at a moment to come only, and a busy machine may take its time to say so.
    someone.page.clock.pause_at(someone.page.evaluate("Date.now()") / 1000 + AHEAD_S)


def listen_for_complaints(someone: Visitor, page: Page) -> None:
    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            someone.complaints.append(f"{message.text} {message.location.get('url', '')}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: someone.complaints.append(f"uncaught: {error}"))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective}`))"
    )
