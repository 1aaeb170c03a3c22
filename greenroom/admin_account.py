"""An administrator's account, made by whoever has the server's settings: nobody can register as one."""

from __future__ import annotations

from datetime import datetime
from random import SystemRandom

from pydantic import ValidationError

from greenroom.app import make_data_dir, open_database, watched
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.errors import EmailTaken
from greenroom.schema.ids import RandomIds, UserId
from greenroom.schema.records import Role, User
from greenroom.schema.refusals import in_our_words
from greenroom.schema.requests import NewAccount
from greenroom.schema.settings import Settings
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.passwords import Argon2Passwords
from greenroom.storage.postgres import postgres_storage
from greenroom.terminal import Steps


class BadAccount(Exception):
    """The account can't be made like this; ``str(error)`` is a line for each reason."""


def check_account(*, email: str, password: str, display_name: str) -> NewAccount:
    """Hold an account to what registration holds it to.

    Raises:
        BadAccount: it would have been refused there.
    """
    try:
        return NewAccount.model_validate({"email": email, "password": password, "display_name": display_name})
    except ValidationError as exc:
        raise BadAccount("\n".join(f"{fault['loc'][0]} {in_our_words(fault)}" for fault in exc.errors())) from None


async def create_admin(settings: Settings, account: NewAccount, *, steps: Steps) -> User:
    """Store the account in the database of the settings, which is migrated first.

    Raises:
        BadAccount: somebody has the e-mail address.
        Unavailable, EmbeddedPostgresFailed, CannotStart: as for a server.
    """
    make_data_dir(settings)
    now: datetime = system_wall_clock()
    ids = RandomIds(SystemRandom(), system_wall_clock)
    user = User(
        UserId(ids.ulid()), account.email, account.display_name, Role.ADMIN, is_active=True, created_at=now
    )
    encoded = await Argon2Passwords(slots=1, queue_timeout_s=1.0).hash(account.password.get_secret_value())
    async with watched(steps), open_database(settings, steps) as pool:
        try:
            await postgres_storage(pool, bus=LocalBus()).accounts.create_user(user, encoded)
        except EmailTaken as exc:
            raise BadAccount(f"there is an account of {account.email} already") from exc
    return user
