"""``/docs``: the OpenAPI document as one page, without scripts and without another server."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import Final

from greenroom.http.operations import Access, Operation
from greenroom.http.problems import Kind

STYLE: Final = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code { font: 0.9em ui-monospace, monospace; }
article { border-top: 1px solid var(--line); padding: 0.75rem 0; }
h3 { margin: 0; font-size: 1rem; }
h3 b { display: inline-block; min-width: 4.5rem; }
p { margin: 0.25rem 0; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0; }
td, th { text-align: left; vertical-align: top; padding: 0.2rem 1rem 0.2rem 0; border-bottom: 1px solid var(--line); }
"""

POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'"
)
"""The page's own style, by its hash, and nothing else."""

_ACCESS: Final = {
    Access.ANYBODY: "anybody",
    Access.USER: "signed-in users",
    Access.OPERATOR: "operators: role admin, or X-API-Key",
}


def docs_page(operations: Sequence[Operation], kinds: Sequence[Kind]) -> bytes:
    """Render every operation by tag, then every kind of problem (the targets of a problem's ``type``)."""
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>greenroom API</title>",
        f"<meta name=viewport content='width=device-width'><style>{STYLE}</style></head><body>",
        "<h1>greenroom API</h1><p>Machine-readable: <a href=/openapi.json>/openapi.json</a></p>",
    ]
    for tag, members in groupby(operations, key=lambda operation: operation.tag):
        parts.append(f"<h2>{escape(tag)}</h2>")
        parts.extend(_render(operation) for operation in members)
    parts.append("<h2>Problems</h2><p>Every refusal is <code>application/problem+json</code>.</p><table>")
    parts.append("<tr><th>code<th>status<th>title")
    parts.extend(
        f"<tr id={escape(kind.code)}><td><code>{escape(kind.code)}</code><td>{kind.status}<td>{escape(kind.title)}"
        for kind in kinds
    )
    parts.append("</table></body></html>")
    return "".join(parts).encode()


def _render(operation: Operation) -> str:
    rows = [f"<tr><td><code>{name}</code><td>path<td>required" for name in operation.path_parameters]
    for place, model in (("query", operation.query), ("body", operation.body)):
        if model is not None:
            for name, shape in model.model_fields.items():
                needed = "required" if shape.is_required() else "optional"
                rows.append(f"<tr><td><code>{escape(name)}</code><td>{place}<td>{needed}")
    answers = ", ".join(
        f"<code>{status}</code> {escape(answer.description)}" for status, answer in operation.answers.items()
    )
    return (
        f"<article id={operation.name}><h3><b>{operation.method}</b> <code>{escape(operation.path)}</code></h3>"
        f"<p>{escape(operation.summary)}. {escape(operation.description)}</p>"
        f"<p>For {_ACCESS[operation.access]}. Answers {answers}.</p>"
        + (f"<table>{''.join(rows)}</table>" if rows else "")
        + "</article>"
    )
