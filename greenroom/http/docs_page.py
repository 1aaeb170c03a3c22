"""``/docs``: the OpenAPI document as one page, without scripts and without another server."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any, Final

from greenroom.http.docs_schema import Field, SchemaWords
from greenroom.http.problems import Explanation

STYLE: Final = """
:root { color-scheme: light dark; --paper: #f6f5f1; --surface: #fff; --ink: #1c211e; --soft: #545c57; --line: #e3e1d9;
  --accent: #19704f; --tint: #eeece6; }
@media (prefers-color-scheme: dark) { :root { --paper: #111412; --surface: #191d1a; --ink: #e9ece8; --soft: #aeb6b0;
  --line: #2a302c; --accent: #55c79b; --tint: #232824; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
code { font: 0.875em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.page { display: grid; grid-template-columns: 17rem minmax(0, 1fr); max-width: 84rem; margin: 0 auto; }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.5rem 1rem 2rem 1.5rem; font-size: 0.8125rem;
  border-right: 1px solid var(--line); }
nav h2 { margin: 1.25rem 0 0.25rem; font-size: 0.8125rem; }
nav ul { margin: 0; padding: 0; list-style: none; }
nav li a { display: flex; gap: 0.5rem; padding: 0.125rem 0; color: var(--soft); }
nav .method { width: 3.25rem; font-size: 0.6875rem; line-height: 1.7; }
main { padding: 1.5rem 2.5rem 6rem; min-width: 0; }
h1 { margin: 0; font-size: 2rem; letter-spacing: -0.03em; }
main > h2 { margin: 3rem 0 1rem; font-size: 1.5rem; letter-spacing: -0.02em; }
article { margin: 0 0 1rem; padding: 1.25rem 1.5rem; border: 1px solid var(--line); border-radius: 14px;
  background: var(--surface); }
article:target, tr:target { outline: 2px solid var(--accent); }
h3 { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 0.75rem; margin: 0; font-size: 1rem; }
h3 a { color: inherit; }
h4 { margin: 1.25rem 0 0.25rem; color: var(--soft); font-size: 0.8125rem; }
p { margin: 0.5rem 0; }
.method { flex: none; color: var(--accent); font: 700 0.75rem ui-monospace, monospace; }
.who { color: var(--soft); font-size: 0.875rem; }
.table { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 0.875rem; }
th { color: var(--soft); font-weight: 600; }
td, th { padding: 0.375rem 1rem 0.375rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
tr:last-child td { border-bottom: 0; }
td:first-child { white-space: nowrap; }
td:last-child { min-width: 11rem; }
@media (width < 56rem) {
  .page { display: block; }
  nav { position: static; height: auto; max-height: 40vh; border: 0; border-bottom: 1px solid var(--line); }
  main { padding: 1.5rem 1rem 4rem; }
  article { padding: 1rem; }
}
"""

POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'"
)
"""The page's own style, by its hash, and nothing else."""

Document = Mapping[str, Any]

_CODE: Final = re.compile(r"``?([^`]+)``?")
_SCHEMES: Final = {
    "bearer": "a bearer token",
    "cookie": "the session cookie",
    "ticket": "a ticket",
    "operator": "<code>X-API-Key</code>",
}


def docs_page(document: Document, explanations: Sequence[Explanation]) -> bytes:
    """Render every operation by tag, then the shapes they exchange, then every kind of problem.

    What a problem's ``type`` leads to is on this page: the anchors of problems are their codes.
    """
    page = _Page(document, explanations)
    return "".join(page.render()).encode()


class _Page:
    def __init__(self, document: Document, explanations: Sequence[Explanation]) -> None:
        self._shapes: Document = document["components"]["schemas"]
        self._words = SchemaWords(self._shapes)
        self._explanations = explanations
        self._codes = {each.kind.code for each in explanations}
        self._operations = [
            (method.upper(), path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]
        responses = [each for _, _, operation in self._operations for each in operation["responses"].values()]
        self._events = _merged(response.get("x-events", {}) for response in responses)
        self._commands = _merged(response.get("x-commands", {}) for response in responses)
        # The document is ordered by path; the page follows the order in which tags first appear.
        tags = {operation["tags"][0]: None for _, _, operation in self._operations}
        self._tags = {tag: [each for each in self._operations if each[2]["tags"][0] == tag] for tag in tags}

    def render(self) -> Iterator[str]:
        yield (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>greenroom API</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
            '<div class="page"><nav aria-label="Contents">'
        )
        yield from self._contents()
        yield (
            "</nav><main><h1>greenroom API</h1><p>JSON in UTF-8, names in snake_case; ids are ULIDs; times are RFC 3339, "
            "UTC, with milliseconds. What is unknown or out of bounds is refused, never ignored or clamped. "
            'Machine-readable: <a href="/openapi.json">/openapi.json</a></p>'
        )
        for tag, operations in self._tags.items():
            yield f'<h2 id="tag-{_slug(tag)}">{escape(tag)}</h2>'
            for method, path, operation in operations:
                yield from self._operation(method, path, operation)
        yield from self._traffic()
        yield '<h2 id="shapes">Shapes</h2>'
        for name, schema in sorted(self._shapes.items()):
            if "properties" in schema:
                yield from self._shape(name, schema)
        yield from self._problems()
        yield "</main></div></body></html>"

    def _contents(self) -> Iterator[str]:
        for tag, operations in self._tags.items():
            yield f'<h2><a href="#tag-{_slug(tag)}">{escape(tag)}</a></h2><ul>'
            for method, _, operation in operations:
                yield (
                    f'<li><a href="#{operation["operationId"]}"><span class="method">{method}</span>'
                    f"{escape(operation['operationId'].replace('_', ' '))}</a>"
                )
            yield "</ul>"
        for kind, title, names in (("event", "Events", self._events), ("command", "Commands", self._commands)):
            yield f'<h2><a href="#{kind}s">{title}</a></h2><ul>'
            for name in names:
                yield f'<li><a href="#{kind}-{name}">{escape(name)}</a>'
            yield "</ul>"
        yield '<h2><a href="#shapes">Shapes</a></h2><h2><a href="#problems">Problems</a></h2>'

    def _operation(self, method: str, path: str, operation: Document) -> Iterator[str]:
        name = operation["operationId"]
        yield (
            f'<article id="{name}"><h3><span class="method">{method}</span>'
            f'<a href="#{name}"><code>{escape(path)}</code></a></h3><p>{self._text(operation["summary"])}.'
        )
        if "description" in operation:
            yield f" {self._text(operation['description'])}"
        yield f'</p><p class="who">{_credentials(operation["security"])}</p>'
        parameters = operation.get("parameters", [])
        for place, title in (
            ("path", "In the path"),
            ("query", "Query parameters"),
            ("header", "Request headers"),
        ):
            chosen = [each for each in parameters if each["in"] == place]
            yield from self._table(title, (self._parameter(each) for each in chosen))
        if "requestBody" in operation:
            body = operation["requestBody"]
            schema = body["content"]["application/json"]["schema"]
            title = "Body" if body["required"] else "Body, which may be left out"
            yield from self._table(title, self._words.fields(schema), about=self._words.description(schema))
        yield from self._answers(operation["responses"])
        yield "</article>"

    def _parameter(self, parameter: Document) -> Field:
        row = self._words.field(parameter["name"], parameter["schema"], is_required=parameter["required"])
        if "description" not in parameter:
            return row
        return Field(row.name, row.type, row.is_required, row.bounds, parameter["description"])

    def _answers(self, responses: Document) -> Iterator[str]:
        yield '<h4>Answers</h4><div class="table"><table>'
        for status, group in groupby(sorted(responses.items()), key=lambda item: item[0]):
            for _, response in group:
                content = response.get("content", {})
                shapes = "; ".join(
                    self._words.type(media["schema"])
                    if "json" in media_type
                    else f"<code>{escape(media_type)}</code>"
                    for media_type, media in content.items()
                )
                yield f"<tr><td>{status}<td>{self._text(response['description'])}<td>{shapes}"
        yield "</table></div>"

    def _traffic(self) -> Iterator[str]:
        """What streams and WebSockets carry."""
        yield (
            '<h2 id="events">Events</h2><p>What <a href="#open_events">the stream</a>, '
            '<a href="#open_socket">the WebSocket</a> and, of those that are durable, <a href="#read_event_log">the log'
            "</a> tell. A durable event has a cursor as its id, is stored, and is sent once to whoever resumes before it; "
            "an ephemeral one has no id and is told to nobody later. Skip an event whose name you do not know.</p>"
        )
        for name, event in self._events.items():
            yield from self._carried("event", name, f"{event['nature']}. {event['description']}")
            yield from self._table("", self._words.fields(event["data"], depth=2))
            yield "</article>"
        yield (
            '<h2 id="commands">Commands</h2><p>What a client sends over <a href="#open_socket">the WebSocket</a>, a JSON '
            "object in a text frame. The reply holds <code>ref</code> again, and <code>data</code> if it is "
            '<code>ok</code>, else a <a href="#shape-Problem">Problem</a> as <code>error</code>.</p>'
        )
        for name, command in self._commands.items():
            reply = command["reply"]
            replied = "nothing" if reply == {"type": "null"} else self._words.type(reply)
            yield from self._carried("command", name, command["description"])
            yield from self._table("", self._words.fields(command["command"]))
            yield f"<p>Replied: {replied}.</p></article>"

    def _carried(self, kind: str, name: str, about: str) -> Iterator[str]:
        anchor = f"{kind}-{name}"
        yield f'<article id="{anchor}"><h3><a href="#{anchor}"><code>{escape(name)}</code></a></h3>'
        yield f"<p>{self._text(about[:1].upper() + about[1:])}</p>"

    def _shape(self, name: str, schema: Document) -> Iterator[str]:
        yield f'<article id="shape-{name}"><h3><a href="#shape-{name}">{name}</a></h3>'
        if "description" in schema:
            yield "".join(f"<p>{self._text(part)}</p>" for part in schema["description"].split("\n\n"))
        yield from self._table("", self._words.members(schema))
        yield "</article>"

    def _table(self, title: str, fields: Iterable[Field], *, about: str = "") -> Iterator[str]:
        rows = list(fields)
        if not rows:
            return
        yield f"<h4>{escape(title)}</h4>" if title else ""
        yield f"<p>{self._text(about)}</p>" if about else ""
        yield '<div class="table"><table><tr><th>Name<th>Type<th>Needed<th>Allowed'
        for row in rows:
            needed = "required" if row.is_required else "optional"
            meaning = " ".join(part for part in (row.bounds, self._text(row.description)) if part)
            yield f"<tr><td><code>{escape(row.name)}</code><td>{row.type}<td>{needed}<td>{meaning}"
        yield "</table></div>"

    def _problems(self) -> Iterator[str]:
        yield (
            '<h2 id="problems">Problems</h2><article><p>Every refusal is <code>application/problem+json</code>, a '
            '<a href="#shape-Problem">Problem</a>. Its <code>type</code> leads to a line of this table.</p>'
            '<div class="table"><table><tr><th>Code<th>Status<th>Title<th>When'
        )
        for each in self._explanations:
            code, status, title = each.kind.code, each.kind.status, each.kind.title
            yield (
                f'<tr id="{escape(code)}"><td><code>{escape(code)}</code><td>{status}<td>{escape(title)}'
                f"<td>{self._text(each.meaning)}"
            )
        yield "</table></div></article>"

    def _text(self, words: str) -> str:
        """Prose with code in backticks as HTML; a problem's code leads to its explanation."""

        def code(match: re.Match[str]) -> str:
            shown = f"<code>{match[1]}</code>"
            return f'<a href="#{match[1]}">{shown}</a>' if match[1] in self._codes else shown

        return _CODE.sub(code, escape(words))


def _credentials(security: Sequence[Mapping[str, Any]]) -> str:
    if not security:
        return "For anybody."
    ways = [_SCHEMES.get(name, escape(name)) for each in security for name in each]
    if "operator" in {name for each in security for name in each}:
        return f"For operators, with {', or as an administrator with '.join((ways[0], ' or '.join(ways[1:])))}."
    return f"For signed-in users, with {' or '.join(ways)}."


def _merged(tables: Iterable[Document]) -> Document:
    return {name: row for table in tables for name, row in table.items()}


def _slug(text: str) -> str:
    return re.sub(r"\W+", "-", text.lower())
