"""What is still to follow from what happened, and what failed: for operators."""

from __future__ import annotations

from greenroom.http.call import Call, Operator
from greenroom.http.declaring import Operations
from greenroom.http.operator_answers import JobDetailOut, JobOut, OutboxFiguresOut, OutboxOut
from greenroom.http.response import Response, reply
from greenroom.schema.errors import Conflict, NotFound
from greenroom.schema.ids import JobId
from greenroom.schema.operator_requests import ActOnActor, ReadOutbox

operations = Operations("Operators")


@operations.serve("GET", "/api/v1/admin/outbox", answers={200: OutboxOut})
async def read_outbox(call: Call, operator: Operator, query: ReadOutbox) -> Response:
    """Read what is to follow from what happened, newest first: messages, reminders and mails, and what became of them."""
    page = await call.core.operating.jobs(shown=query.state, limit=query.limit, cursor=query.cursor)
    return reply(
        200,
        OutboxOut(
            items=[JobOut.of(job) for job in page.items],
            next_cursor=page.next_cursor,
            figures=OutboxFiguresOut.of(page.figures),
        ),
    )


@operations.serve("GET", "/api/v1/admin/outbox/{job_id}", answers={200: JobDetailOut}, refusals=[NotFound])
async def read_job(call: Call, operator: Operator, job_id: JobId) -> Response:
    """Read one job with its event."""
    return reply(200, JobDetailOut.of(await call.core.operating.job(job_id)))


@operations.serve(
    "POST", "/api/v1/admin/outbox/{job_id}/retry", answers={200: JobOut}, refusals=[NotFound, Conflict]
)
async def retry_job(call: Call, operator: Operator, job_id: JobId, body: ActOnActor | None) -> Response:
    """Have a dead job tried again, with all its tries; on the record."""
    job = await call.core.operating.retry_job(
        operator.name,
        job_id,
        reason=None if body is None else body.reason,
        request_id=call.request.record.request_id,
    )
    return reply(200, JobOut.of(job))
