from datetime import timedelta

import pytest

from greenroom.schema.errors import Conflict, EmailTaken, UserNotFound
from greenroom.schema.ids import UserId
from greenroom.storage.ports import Credentials, EndedSession, Storage
from tests.storage.builders import ANN, BEN, NOBODY, NOW, a_session, a_user, add_users

DEACTIVATED = UserId("01USERDEACTIVATED000000000")


async def test_a_created_user_is_found_by_id(storage: Storage) -> None:
    user = a_user(ANN)
    await storage.accounts.create_user(user, "hash")
    assert await storage.accounts.user(ANN) == user


async def test_an_unknown_user_is_none(storage: Storage) -> None:
    assert await storage.accounts.user(NOBODY) is None
    assert await storage.accounts.credentials("nobody@example.org") is None


async def test_credentials_are_found_without_regard_to_case(storage: Storage) -> None:
    user = a_user(ANN, email="Ann@Example.org")
    await storage.accounts.create_user(user, "hash")
    assert await storage.accounts.credentials("aNN@eXAMPLE.org") == Credentials(user, "hash")


async def test_an_address_is_taken_whatever_its_case(storage: Storage) -> None:
    await storage.accounts.create_user(a_user(ANN, email="ann@example.org"), "hash")
    with pytest.raises(EmailTaken):
        await storage.accounts.create_user(a_user(BEN, email="ANN@example.org"), "other")
    assert await storage.accounts.user(BEN) is None


async def test_a_users_id_is_taken_once(storage: Storage) -> None:
    await storage.accounts.create_user(a_user(ANN), "hash")
    with pytest.raises(Conflict):
        await storage.accounts.create_user(a_user(ANN, email="second@example.org"), "other")


async def test_a_new_user_has_an_empty_stream(storage: Storage) -> None:
    await storage.accounts.create_user(a_user(ANN), "hash")
    head = await storage.streams.head(ANN)
    assert (head.last_seq, head.floor_seq) == (0, 0)


async def test_a_password_hash_is_replaced(storage: Storage) -> None:
    await add_users(storage, ANN)
    await storage.accounts.set_password_hash(ANN, "stronger")
    found = await storage.accounts.credentials(a_user(ANN).email)
    assert found is not None
    assert found.password_hash == "stronger"


async def test_a_password_hash_of_nobody_can_not_be_replaced(storage: Storage) -> None:
    with pytest.raises(UserNotFound):
        await storage.accounts.set_password_hash(NOBODY, "stronger")


async def test_a_hash_is_renewed_only_while_the_password_is_the_same(storage: Storage) -> None:
    await storage.accounts.create_user(a_user(ANN), "hash")
    renewed = await storage.accounts.renew_password_hash(ANN, "stronger", former="hash")
    await storage.accounts.set_password_hash(ANN, "of another password")
    late = await storage.accounts.renew_password_hash(ANN, "strongest", former="stronger")
    nobodys = await storage.accounts.renew_password_hash(NOBODY, "stronger", former="hash")

    found = await storage.accounts.credentials(a_user(ANN).email)
    assert (renewed, late, nobodys) == (True, False, False)
    assert found is not None
    assert found.password_hash == "of another password"


async def test_a_session_is_found_with_its_user(storage: Storage) -> None:
    await add_users(storage, ANN)
    session = a_session(ANN)
    await storage.accounts.create_session(session)
    assert await storage.accounts.session(session.token_hash) == (session, a_user(ANN))
    assert await storage.accounts.session_by_id(session.id) == (session, a_user(ANN))


async def test_an_unknown_session_is_none(storage: Storage) -> None:
    assert await storage.accounts.session(b"unknown") is None
    assert await storage.accounts.session_by_id(a_session(ANN).id) is None


async def test_a_session_needs_a_user(storage: Storage) -> None:
    with pytest.raises(UserNotFound):
        await storage.accounts.create_session(a_session(NOBODY))


async def test_a_sessions_id_is_taken_once(storage: Storage) -> None:
    await add_users(storage, ANN)
    await storage.accounts.create_session(a_session(ANN))
    with pytest.raises(Conflict):
        await storage.accounts.create_session(a_session(ANN))


async def test_a_revoked_session_is_still_found_and_says_so(storage: Storage) -> None:
    await add_users(storage, ANN)
    session = a_session(ANN)
    await storage.accounts.create_session(session)
    assert await storage.accounts.revoke_session(session.id, NOW)
    found = await storage.accounts.session(session.token_hash)
    assert found is not None
    assert found[0].revoked_at == NOW


async def test_a_session_is_revoked_once(storage: Storage) -> None:
    await add_users(storage, ANN)
    await storage.accounts.create_session(a_session(ANN))
    await storage.accounts.revoke_session(a_session(ANN).id, NOW)
    assert not await storage.accounts.revoke_session(a_session(ANN).id, NOW + timedelta(hours=1))
    assert not await storage.accounts.revoke_session(a_session(ANN, 2).id, NOW)


async def test_of_many_sessions_those_are_named_that_are_good_no_more(storage: Storage) -> None:
    await add_users(storage)
    await storage.accounts.create_user(a_user(DEACTIVATED, is_active=False), "hash")
    sessions = [
        a_session(ANN, 1),
        a_session(ANN, 2),
        a_session(ANN, 3, expires_at=NOW),
        a_session(DEACTIVATED, 4),
        a_session(ANN, 5, expires_at=NOW),
    ]
    for session in sessions:
        await storage.accounts.create_session(session)
    await storage.accounts.revoke_session(a_session(ANN, 2).id, NOW)
    await storage.accounts.revoke_session(a_session(ANN, 5).id, NOW)
    wanted = [a_session(ANN, number).id for number in range(1, 7)]

    ended = await storage.accounts.ended_sessions(wanted, NOW)

    assert sorted(ended, key=lambda end: end.session_id) == [
        EndedSession(a_session(ANN, 2).id, has_expired=False),
        EndedSession(a_session(ANN, 3).id, has_expired=True),
        EndedSession(a_session(ANN, 4).id, has_expired=False),
        EndedSession(a_session(ANN, 5).id, has_expired=False),
        EndedSession(a_session(ANN, 6).id, has_expired=False),
    ]
    assert await storage.accounts.ended_sessions([], NOW) == []


async def test_expired_sessions_are_deleted_up_to_a_limit(storage: Storage) -> None:
    await add_users(storage, ANN)
    for number in range(1, 4):
        await storage.accounts.create_session(a_session(ANN, number, expires_at=NOW - timedelta(seconds=number)))
    await storage.accounts.create_session(a_session(ANN, 4, expires_at=NOW))

    deleted = [await storage.accounts.delete_sessions_expired_before(NOW, limit=2) for _ in range(3)]

    assert deleted == [2, 1, 0]
    assert await storage.accounts.session_by_id(a_session(ANN, 4).id) is not None
