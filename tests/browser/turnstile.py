"""What stands in for Cloudflare Turnstile: its script for pages, and the check of what the script gave out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

SCRIPT = b"""
window.turnstile = {
  render(frame, { sitekey, action, callback }) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "I am a person";
    button.addEventListener("click", () => {
      button.disabled = true;
      callback(`${sitekey}:${action}:${crypto.randomUUID()}`);
    });
    frame.append(button);
    return "widget-1";
  },
  reset() {
    document.querySelector(".captcha-frame button").disabled = false;
  },
};
"""


class StandIn(ThreadingHTTPServer):
    """A token is good once, if the widget of this site key gave it for a sign-in."""

    daemon_threads = True

    def __init__(self, site_key: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.site_key = site_key
        self.spent: set[str] = set()

    @property
    def environment(self) -> dict[str, str]:
        """A server's settings to ask this one."""
        url = f"http://127.0.0.1:{self.server_port}"
        return {
            "GREENROOM_TURNSTILE_SECRET": "a secret of the widget",
            "GREENROOM_TURNSTILE_URL": f"{url}/siteverify",
            "GREENROOM_TURNSTILE_SITE_KEY": self.site_key,
            "GREENROOM_TURNSTILE_SCRIPT_URL": f"{url}/api.js",
        }

    def is_good(self, token: str) -> bool:
        is_new = token not in self.spent
        self.spent.add(token)
        return is_new and token.startswith(f"{self.site_key}:login:")


class _Handler(BaseHTTPRequestHandler):
    server: StandIn

    def do_GET(self) -> None:
        is_script = urlsplit(self.path).path == "/api.js"
        self._answer(200 if is_script else 404, "text/javascript", SCRIPT if is_script else b"")

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        verdict = {"success": self.server.is_good(form["response"][0]), "hostname": "127.0.0.1", "action": "login"}
        self._answer(200, "application/json", json.dumps(verdict).encode())

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, media_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def stand_in(site_key: str) -> Iterator[StandIn]:
    server = StandIn(site_key)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
