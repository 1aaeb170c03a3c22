"""Whether meaning is searched for besides words, and with which vector."""

from __future__ import annotations

from greenroom.actors.search.pending import Pending, TooLate
from greenroom.actors.search.query_vector import QueryVector
from greenroom.actors.search.run import LAST_STAGES, SearchRun
from greenroom.actors.search.understanding.unknown_words import is_all_at_random
from greenroom.models.ports import ModelBusy, ModelError, ModelTimeout
from greenroom.schema.search.candidates import TextStrength
from greenroom.schema.search.diagnostics import SkipReason, StageName
from greenroom.schema.search.understood import Understood


def wants_vector(run: SearchRun, understood: Understood, strength: TextStrength | None) -> bool:
    """Decide whether to search by meaning; if not, that is noted."""
    budget = run.budget
    if not understood.names_lesson:
        budget.skip(StageName.VECTOR, SkipReason.NOT_NEEDED)
        return False
    if run.request.overrides.skip_vector:
        budget.skip(StageName.VECTOR, SkipReason.OVERRIDE)
        return False
    if strength is not None and run.tools.is_strong(strength):
        budget.skip(StageName.VECTOR, SkipReason.TEXT_STRONG, f"{strength.hits} hits, best {strength.best:.2f}")
        return False
    if strength is not None and is_all_at_random(understood, strength.unknown):
        budget.skip(StageName.VECTOR, SkipReason.NOT_NEEDED)
        return False
    return budget.covers(StageName.VECTOR, before=LAST_STAGES)


async def query_vector(
    run: SearchRun, understood: Understood, embedding: Pending[QueryVector | None] | None
) -> QueryVector | None:
    """The vector of the primary model if it comes in time, else of the local one; None if there is neither."""
    budget = run.budget
    if run.request.overrides.skip_embedding:
        budget.skip(StageName.VECTOR, SkipReason.OVERRIDE)
        return None
    if embedding is not None:
        by = budget.deadline - budget.reserved_s(StageName.VECTOR, *LAST_STAGES)
        soft_s = run.tools.embedding_soft_timeout_s
        if soft_s is not None:
            by = min(by, budget.began_at + soft_s)
        try:
            return await embedding.result(by=by)
        except (TooLate, ModelTimeout):
            embedding.abandon()
            budget.skip(StageName.EMBEDDING, SkipReason.TIMEOUT)
        except ModelBusy as exc:
            budget.skip(StageName.EMBEDDING, SkipReason.BUSY, str(exc))
        except ModelError as exc:
            budget.skip(StageName.EMBEDDING, SkipReason.FAILED, str(exc))
    return await _local_vector(run, run.tools.reader.meaning(understood))


async def _local_vector(run: SearchRun, text: str) -> QueryVector | None:
    vectors, budget = run.tools.vectors, run.budget
    if not vectors.has_fallback:
        budget.skip(StageName.VECTOR, SkipReason.NO_MODEL)
        return None
    try:
        vector = await vectors.ask(vectors.local, text, timeout_s=budget.remaining_before(*LAST_STAGES))
    except ModelError as exc:
        budget.skip(StageName.VECTOR, SkipReason.FAILED, str(exc))
        return None
    budget.skip(StageName.EMBEDDING, SkipReason.FALLBACK, vectors.local.model)
    return vector
