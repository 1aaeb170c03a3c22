import pytest

from greenroom.schema.errors import Conflict, UserNotFound
from greenroom.schema.ids import UserId
from greenroom.schema.records import Role, User
from greenroom.storage.ports import InstructorProfile, Storage
from tests.storage.builders import ANN, BEN, CLEO, DAN, NOBODY, a_service, a_user


def an_instructor(user_id: str, name: str, **changes: object) -> User:
    return a_user(user_id, role=Role.INSTRUCTOR, display_name=name, **changes)


async def add(storage: Storage, *users: User) -> None:
    for user in users:
        await storage.accounts.create_user(user, "hash")


async def test_an_instructors_services_come_by_title(storage: Storage) -> None:
    ben = an_instructor(BEN, "Ben")
    piano, drums = a_service(BEN, 1, title="Piano"), a_service(BEN, 2, title="Drums")
    await add(storage, ben)
    await storage.directory.add_services([piano, drums])
    assert await storage.directory.instructor(BEN) == InstructorProfile(ben, (drums, piano))


async def test_only_an_active_instructor_has_a_profile(storage: Storage) -> None:
    await add(storage, a_user(ANN), an_instructor(BEN, "Ben", is_active=False))
    assert await storage.directory.instructor(ANN) is None
    assert await storage.directory.instructor(BEN) is None
    assert await storage.directory.instructor(NOBODY) is None


async def test_services_are_stored_all_or_none(storage: Storage) -> None:
    await add(storage, an_instructor(BEN, "Ben"))
    with pytest.raises(UserNotFound):
        await storage.directory.add_services([a_service(BEN, 1), a_service(NOBODY, 2)])
    with pytest.raises(Conflict):
        await storage.directory.add_services([a_service(BEN, 1), a_service(BEN, 1)])
    profile = await storage.directory.instructor(BEN)
    assert profile is not None
    assert profile.services == ()


async def test_instructors_are_paged_by_name_then_id(storage: Storage) -> None:
    await add(
        storage,
        an_instructor(DAN, "Alex"),
        an_instructor(BEN, "Ben"),
        an_instructor(CLEO, "Alex"),
        an_instructor(ANN, "Zoë", is_active=False),
    )
    await storage.directory.add_services([a_service(BEN)])

    first = await storage.directory.instructors_page(after=None, limit=2)
    rest = await storage.directory.instructors_page(
        after=(first[-1].user.display_name, first[-1].user.id), limit=2
    )

    assert [profile.user.id for profile in first] == sorted([CLEO, DAN])
    assert [profile.user.id for profile in rest] == [BEN]
    assert rest[0].services == (a_service(BEN),)


async def test_names_are_ordered_by_code_point(storage: Storage) -> None:
    await add(storage, an_instructor(ANN, "ada"), an_instructor(BEN, "Zoe"), an_instructor(CLEO, "Äda"))
    page = await storage.directory.instructors_page(after=None, limit=9)
    assert [profile.user.display_name for profile in page] == ["Zoe", "ada", "Äda"]


async def test_instructors_are_found_by_a_part_of_the_name_whatever_its_case_and_accents(storage: Storage) -> None:
    await add(
        storage,
        an_instructor(ANN, "Tomás Herrera"),
        an_instructor(BEN, "Ben 50%_\\o/"),
        an_instructor(CLEO, "TOMASZ Żak"),
        a_user(DAN, display_name="Tomas"),
    )

    async def named(name: str, after: tuple[str, UserId] | None = None) -> list[str]:
        page = await storage.directory.instructors_page(after=after, limit=9, name=name)
        return [profile.user.display_name for profile in page]

    assert await named("tomas") == ["TOMASZ Żak", "Tomás Herrera"]
    assert await named("TOMÁS", ("TOMASZ Żak", CLEO)) == ["Tomás Herrera"]
    assert await named("s h") == ["Tomás Herrera"]
    assert await named("zak") == ["TOMASZ Żak"]
    assert await named("0%_\\") == ["Ben 50%_\\o/"]
    assert await named("t%s") == await named("nobody") == []
