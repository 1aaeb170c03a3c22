"""A corpus in files: what there is to find, what is asked, and what is right.

A folder holds

- ``documents.jsonl``: ``{"id", "title", "category", "description"}`` a line; ``category`` is words and may be empty.
- ``queries.jsonl``: ``{"id", "text", "split"}`` a line; ``split`` is ``dev`` or ``test``.
- ``judgements.tsv``: query id, document id and grade, a whole number above 0, with tabs between; what is not there is 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Document:
    id: str
    title: str
    category: str
    description: str


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    text: str
    split: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """``grades``: by query and document."""

    name: str
    documents: tuple[Document, ...]
    questions: tuple[Question, ...]
    grades: Mapping[str, Mapping[str, int]]


def read_corpus(folder: Path) -> Corpus:
    """
    Raises:
        OSError, ValueError, KeyError: a file is not there, or not of its form.
    """
    documents = tuple(
        Document(row["id"], row["title"], row.get("category", ""), row["description"])
        for row in map(json.loads, _lines(folder / "documents.jsonl"))
    )
    questions = tuple(
        Question(row["id"], row["text"], row["split"]) for row in map(json.loads, _lines(folder / "queries.jsonl"))
    )
    known, asked = {document.id for document in documents}, {question.id for question in questions}
    grades: dict[str, dict[str, int]] = {}
    for line in _lines(folder / "judgements.tsv"):
        question, document, grade = line.split("\t")
        if question not in asked or document not in known:
            raise ValueError(f"{folder.name}: a judgement of {question} and {document}, one of which is not there")
        grades.setdefault(question, {})[document] = int(grade)
    return Corpus(folder.name, documents, questions, grades)


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if line.strip()]
