"""Where everything is put together: storage, the core's actors, HTTP, signals, and the order in which they stop.

Starting: Postgres (embedded unless a URL is given), migrations, the core, HTTP. Stopping, on SIGTERM or Ctrl-C, goes
the other way: readiness turns 503 and streams are told to come back elsewhere, a few at a time, connections finish what
they began, actors commit what is in their mailboxes, the pool closes, Postgres stops. A second signal cuts that short,
and so does the bound on all of it; nothing depends on an orderly stop, because starting is recovering.
"""

from greenroom.app.announcement import Running, running
from greenroom.app.core_settings import limit_policies
from greenroom.app.data_folder import make_data_dir, read_admin_api_key, with_admin_api_key
from greenroom.app.database import migrate_database, open_database, open_database_for_loading
from greenroom.app.errors import CannotStart
from greenroom.app.listening import bind, serving_limits
from greenroom.app.parts import bus_kind
from greenroom.app.seeding import Seed, seed_marketplace
from greenroom.app.server import OpenServer, open_server, serve_until
from greenroom.app.serving import run_server
from greenroom.app.steps import Steps, watched

__all__ = [
    "CannotStart",
    "OpenServer",
    "Running",
    "Seed",
    "Steps",
    "bind",
    "bus_kind",
    "limit_policies",
    "make_data_dir",
    "migrate_database",
    "open_database",
    "open_database_for_loading",
    "open_server",
    "read_admin_api_key",
    "run_server",
    "running",
    "seed_marketplace",
    "serve_until",
    "serving_limits",
    "watched",
    "with_admin_api_key",
]
