"""How is searched: for operators."""

from __future__ import annotations

from greenroom.http.call import Call, Operator
from greenroom.http.declaring import Operations
from greenroom.http.response import Response, reply
from greenroom.schema.errors import Conflict
from greenroom.schema.search.config import SearchConfig
from greenroom.schema.search.config_wire import SearchConfigOut
from greenroom.schema.search.requests import ChangeSearchConfig

operations = Operations("Operators")

PATH = "/api/v1/admin/search-config"


@operations.serve("GET", PATH, answers={200: SearchConfigOut})
async def read_search_config(call: Call, operator: Operator) -> Response:
    """Read how is searched: models, timeouts, budgets and limits."""
    return _shown(await call.core.search_operating.config())


@operations.serve("PUT", PATH, answers={200: SearchConfigOut}, refusals=[Conflict])
async def change_search_config(call: Call, operator: Operator, body: ChangeSearchConfig) -> Response:
    """Change how is searched, at once and on all workers within a second.

    What is left out stays as it is; null goes back to what the server was started with. It needs no Idempotency-Key: sent again, it
    sets the same again, or with the revision it was based on is refused, as that is over.
    """
    changes = body.model_dump(exclude_unset=True, exclude={"revision"})
    return _shown(
        await call.core.search_operating.change(
            operator.name, changes, revision=body.revision, request_id=call.request.record.request_id
        )
    )


def _shown(config: SearchConfig) -> Response:
    return reply(200, SearchConfigOut.of(config))
