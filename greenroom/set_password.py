"""Giving an account a password: the first one of an instructor who came from a file, or a new one."""

from __future__ import annotations

from greenroom.admin_account import BadAccount, check_account
from greenroom.app import make_data_dir, open_database, watched
from greenroom.schema.settings import Settings
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.passwords import Argon2Passwords
from greenroom.storage.postgres import postgres_storage
from greenroom.terminal import Steps


async def set_password(settings: Settings, *, email: str, password: str, steps: Steps) -> None:
    """Replace the password of an account. Sessions that are open stay open.

    Raises:
        BadAccount: nobody has the address, or the password can't be one.
        Unavailable, EmbeddedPostgresFailed, CannotStart: as for a server.
    """
    checked = check_account(email=email, password=password, display_name=email[:80])
    make_data_dir(settings)
    encoded = await Argon2Passwords(slots=1, queue_timeout_s=1.0).hash(checked.password.get_secret_value())
    async with watched(steps), open_database(settings, steps) as pool:
        accounts = postgres_storage(pool, bus=LocalBus()).accounts
        known = await accounts.credentials(email)
        if known is None:
            raise BadAccount(f"there is no account of {email}")
        await accounts.set_password_hash(known.user.id, encoded)
