"""How well lessons are found for what people write: words, meaning, and both, side by side.

    python -m evaluation.relevance [CORPUS ...] [--split dev|test|all] [--vector-weight 0.3]

CORPUS is a folder (:mod:`evaluation.corpus`), by default ours. Its documents are stored as services, indexed as services are, and
asked for through the repository that the server uses, in a scratch database of the embedded Postgres. RRF is there to compare with:
greenroom does not use it. ``dev`` is what figures may be chosen on; what is reported is ``test``.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import trio

from evaluation.corpus import Corpus, Document, read_corpus
from evaluation.measures import estimate, first_is_right, ndcg
from greenroom.models.local import LocalEmbedder
from greenroom.models.ports import Embedder, Vector
from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.records import Role, Service, User
from greenroom.schema.search.candidates import Candidate, HardFilters, RetrievalQuery
from greenroom.schema.search.indexing import IndexedText
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.ports import Retrieval, Storage
from greenroom.storage.postgres import Pool, PostgresOptions, open_pool, postgres_storage
from greenroom.storage.postgres.embedded import open_embedded
from greenroom.storage.postgres.migrate import migrate
from greenroom.storage.postgres.search.retrieval import PostgresRetrieval
from greenroom.storage.retrieval.rules import RetrievalRules

OURS: Final = Path(__file__).parent / "corpora" / "lessons"
BATCH: Final = 200
RRF_K: Final = 60
"""Source: G. Cormack, C. Clarke, S. Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods",
SIGIR 2009."""

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
TEACHER: Final = UserId("01TEACHER00000000000000000")


@dataclass(frozen=True, slots=True)
class Asked:
    """What one question found, best first, by system."""

    rankings: Mapping[str, Sequence[str]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evaluation.relevance")
    parser.add_argument("corpora", nargs="*", type=Path, default=[])
    parser.add_argument("--split", choices=("dev", "test", "all"), default="test")
    parser.add_argument("--vector-weight", type=float, default=RetrievalRules().vector_weight)
    arguments = parser.parse_args()
    rules = replace(RetrievalRules(), vector_weight=arguments.vector_weight)
    for folder in arguments.corpora or [OURS]:
        trio.run(measure, read_corpus(folder), arguments.split, rules)


async def measure(corpus: Corpus, split: str, rules: RetrievalRules) -> None:
    """Print a table of one corpus."""
    embedder = LocalEmbedder()
    questions = [q for q in corpus.questions if split in ("all", q.split) and corpus.grades.get(q.id)]
    async with scratch_pool() as pool:
        storage = postgres_storage(pool, bus=LocalBus())
        ids = await store(storage, corpus.documents, embedder)
        vectors = await embedder.embed([question.text for question in questions], timeout_s=60)
        asked = [
            await ask(pool, question.text, vector, model=embedder.model, ids=ids, rules=rules)
            for question, vector in zip(questions, vectors, strict=True)
        ]
    print(f"{corpus.name}: {len(corpus.documents)} documents, {len(questions)} queries ({split})")
    print(f"  {'':10} {'nDCG@10':24} Acc@1")
    for system in asked[0].rankings if asked else ():
        pairs = [(one.rankings[system], corpus.grades[q.id]) for one, q in zip(asked, questions, strict=True)]
        gains = estimate([ndcg(ranked, grades) for ranked, grades in pairs])
        firsts = estimate([first_is_right(ranked, grades) for ranked, grades in pairs])
        print(f"  {system:10} {gains!s:24} {firsts}", flush=True)


@asynccontextmanager
async def scratch_pool() -> AsyncIterator[Pool]:
    """A migrated database of an embedded server, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="greenroom-evaluation-") as folder:
        async with open_embedded(Path(folder) / "data") as server:
            options = PostgresOptions(server.conninfo, statement_timeout_s=30.0)
            await migrate(options)
            async with open_pool(options) as pool:
                yield pool


async def store(storage: Storage, documents: Sequence[Document], embedder: Embedder) -> dict[ServiceId, str]:
    """Store and index documents as services; return their ids by those of the services."""
    teacher = User(TEACHER, "teacher@example.org", "Teacher", Role.INSTRUCTOR, is_active=True, created_at=NOW)
    await storage.accounts.create_user(teacher, "unknown")
    services = [
        Service(
            id=ServiceId(f"01DOCUMENT{number:016}"),
            instructor_id=TEACHER,
            title=document.title,
            description=document.description,
            price_cents=6_000,
            currency="USD",
            duration_minutes=60,
        )
        for number, document in enumerate(documents)
    ]
    for start in range(0, len(services), BATCH):
        await storage.directory.add_services(services[start : start + BATCH])
    words = {service.id: document.category for service, document in zip(services, documents, strict=True)}
    await storage.search_index.add_model(embedder.model, embedder.dimensions)
    while changed := await storage.search_index.changed(limit=BATCH):
        indexed = [IndexedText(service, words[service.service_id]) for service in changed]
        vectors = await embedder.embed([one.meaning for one in indexed], timeout_s=60)
        await storage.search_index.put(indexed, {embedder.model: vectors})
    await storage.search_index.make_ready(embedder.model)
    return {service.id: document.id for service, document in zip(services, documents, strict=True)}


async def ask(
    pool: Pool, text: str, vector: Vector, *, model: str, ids: Mapping[ServiceId, str], rules: RetrievalRules
) -> Asked:
    """Ask one question of every system."""
    alone = replace(rules, cosine_floors={})
    both = RetrievalQuery(text, (), HardFilters(), vector, model, None, NOW)
    words = await _found(PostgresRetrieval(pool, alone), replace(both, vector=None, model=None))
    meaning = await _found(PostgresRetrieval(pool, alone), replace(both, text=""))
    shipped = await _found(PostgresRetrieval(pool, rules), both)
    rankings = {"BM25": words, "vector": meaning, "RRF": _rrf(words, meaning), "shipped": shipped}
    return Asked({name: [ids[each.service_id] for each in found] for name, found in rankings.items()})


async def _found(retrieval: Retrieval, query: RetrievalQuery) -> Sequence[Candidate]:
    return (await retrieval.retrieve(query)).candidates


def _rrf(*legs: Sequence[Candidate]) -> list[Candidate]:
    scores: dict[ServiceId, float] = {}
    for leg in legs:
        for place, each in enumerate(leg, start=1):
            scores[each.service_id] = scores.get(each.service_id, 0.0) + 1 / (RRF_K + place)
    candidates = {each.service_id: each for leg in legs for each in leg}
    return [candidates[i] for i in sorted(scores, key=lambda i: (-scores[i], i))]


if __name__ == "__main__":
    main()
