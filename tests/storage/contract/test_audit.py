from dataclasses import replace
from datetime import timedelta

import pytest

from greenroom.schema.audit import (
    ActorAction,
    AuditEntry,
    AuditId,
    AuditOutcome,
    AuditPageKey,
    OperatorKind,
    OperatorName,
)
from greenroom.schema.errors import Conflict
from greenroom.storage.ports import Storage
from tests.storage.builders import NOW


def an_entry(number: int = 1, **changes: object) -> AuditEntry:
    entry = AuditEntry(
        id=AuditId(f"01AUDIT{number:019}"),
        at=NOW + timedelta(seconds=number),
        operator=OperatorName(OperatorKind.KEY, "abcd1234"),
        action=ActorAction.RESTART,
        path="/greenroom/committer",
        reason="it looked tired",
        request_id="request-1",
    )
    return replace(entry, **changes)  # type: ignore[arg-type]


async def test_an_action_is_kept_as_begun_until_it_is_settled(storage: Storage) -> None:
    await storage.audit.begin(an_entry())
    assert await storage.audit.page(before=None, limit=10) == [an_entry()]

    settled = await storage.audit.settle(an_entry().id, AuditOutcome.REFUSED, detail="no such actor", now=NOW)

    assert settled
    assert await storage.audit.page(before=None, limit=10) == [
        an_entry(outcome=AuditOutcome.REFUSED, detail="no such actor", settled_at=NOW)
    ]


async def test_an_action_begins_as_begun_whatever_it_says(storage: Storage) -> None:
    await storage.audit.begin(an_entry(outcome=AuditOutcome.DONE, detail="already", settled_at=NOW))
    assert await storage.audit.page(before=None, limit=10) == [an_entry()]


async def test_an_action_is_settled_once(storage: Storage) -> None:
    await storage.audit.begin(an_entry())
    await storage.audit.settle(an_entry().id, AuditOutcome.DONE, detail=None, now=NOW)

    again = await storage.audit.settle(an_entry().id, AuditOutcome.REFUSED, detail="no", now=NOW)

    assert not again
    (kept,) = await storage.audit.page(before=None, limit=10)
    assert kept.outcome is AuditOutcome.DONE


async def test_an_unknown_action_is_not_settled(storage: Storage) -> None:
    assert not await storage.audit.settle(an_entry().id, AuditOutcome.DONE, detail=None, now=NOW)


async def test_to_have_begun_is_no_end(storage: Storage) -> None:
    await storage.audit.begin(an_entry())
    with pytest.raises(Conflict):
        await storage.audit.settle(an_entry().id, AuditOutcome.BEGUN, detail=None, now=NOW)


async def test_an_id_is_taken_once(storage: Storage) -> None:
    await storage.audit.begin(an_entry())
    with pytest.raises(Conflict):
        await storage.audit.begin(an_entry(reason="another"))
    assert await storage.audit.page(before=None, limit=10) == [an_entry()]


async def test_pages_go_from_the_newest_back_without_hole_or_repetition(storage: Storage) -> None:
    entries = [an_entry(number, at=NOW + timedelta(seconds=number // 2)) for number in range(7)]
    for entry in entries:
        await storage.audit.begin(entry)

    seen: list[AuditEntry] = []
    before: AuditPageKey | None = None
    while page := await storage.audit.page(before=before, limit=3):
        seen += page
        before = AuditPageKey(page[-1].at, page[-1].id)

    assert seen == sorted(entries, key=lambda e: (e.at, e.id), reverse=True)


@pytest.mark.parametrize("action", list(ActorAction))
@pytest.mark.parametrize("kind", list(OperatorKind))
async def test_every_action_and_every_kind_of_operator_can_be_kept(
    storage: Storage, action: ActorAction, kind: OperatorKind
) -> None:
    entry = an_entry(action=action, operator=OperatorName(kind, "x"), reason=None)
    await storage.audit.begin(entry)
    assert await storage.audit.page(before=None, limit=1) == [entry]
