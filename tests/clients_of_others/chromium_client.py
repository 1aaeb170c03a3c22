"""``python chromium_client.py EventSource|WebSocket PAGE URL``: follow a user's events in a page of Chromium.

Prints each event as a line of JSON, until it is ended.
"""

from __future__ import annotations

import shutil
import sys

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")

FOLLOW = """
([kind, url, events]) => {
  const print = (id, event, data) => console.log("event " + JSON.stringify({ id, event, data }));
  if (kind === "EventSource") {
    const source = new EventSource(url);
    for (const event of events) {
      source.addEventListener(event, (message) => print(message.lastEventId, event, JSON.parse(message.data)));
    }
    return;
  }
  const follow = (last) => {
    const socket = new WebSocket(last === null ? url : `${url}&last_event_id=${last}`);
    socket.onmessage = (message) => {
      const frame = JSON.parse(message.data);
      print(frame.id, frame.event, frame.data);
      last = frame.id ?? last;
    };
    socket.onclose = () => setTimeout(follow, 300, last);
  };
  follow(null);
}
"""

EVENTS = [
    *("ready", "message.created", "message.updated", "message.deleted", "reaction.changed"),
    *("conversation.created", "conversation.updated", "conversation.read", "conversation.delivered"),
]


def main(kind: str, page_url: str, url: str) -> None:
    path = next(filter(None, map(shutil.which, NAMES)))
    with sync_playwright() as playwright:
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        page = browser.new_page()
        page.on("console", lambda line: _print(line.text))
        page.goto(page_url)
        page.evaluate(FOLLOW, [kind, url, EVENTS])
        page.wait_for_event("close", timeout=0)  # until whoever started us ends us


def _print(line: str) -> None:
    if line.startswith("event "):
        print(line.removeprefix("event "), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
