"""What is searched for as a vector, begun before it is known whether it is needed, and as soon as its words are."""

from __future__ import annotations

from greenroom.actors.search.pending import Pending
from greenroom.actors.search.query_vector import QueryVector
from greenroom.actors.search.run import LAST_STAGES, SearchRun
from greenroom.schema.search.diagnostics import SkipReason, StageName
from greenroom.schema.search.understood import Understood


def begin_embedding(run: SearchRun, understood: Understood) -> Pending[QueryVector | None] | None:
    """Begin to embed in parallel with burst 1; None if it is left out, which is then noted."""
    vectors, budget, overrides = run.tools.vectors, run.budget, run.request.overrides
    if not understood.names_lesson:
        # A place or a price is no lesson to be like: its meaning is that of whatever has the same words.
        budget.skip(StageName.EMBEDDING, SkipReason.NOT_NEEDED)
        return None
    if overrides.skip_embedding:
        budget.skip(StageName.EMBEDDING, SkipReason.OVERRIDE)
        return None
    if overrides.skip_vector:
        return None
    if not vectors.has_primary:
        if not vectors.has_fallback:
            budget.skip(StageName.EMBEDDING, SkipReason.NO_MODEL, "no service has a vector of the model yet")
        return None
    if not vectors.primary.is_local:
        if run.is_reduced:
            budget.skip(StageName.EMBEDDING, SkipReason.HIGH_LOAD)
            return None
        if not budget.covers(StageName.EMBEDDING, before=LAST_STAGES):
            return None
    timeout_s = min(run.tools.board.config.embedding_timeout_ms / 1000, budget.remaining_before(*LAST_STAGES))
    text = run.tools.reader.meaning(understood)

    async def embed() -> QueryVector | None:
        with run.trace.stage(StageName.EMBEDDING):
            return await vectors.ask(vectors.primary, text, timeout_s=timeout_s)

    return run.begin(embed, StageName.EMBEDDING)
