"""Several worker processes on one machine, and the parent that looks after them.

The parent binds the listening sockets once, runs the embedded Postgres if there is no other, migrates, and keeps N equal
workers alive; it serves nothing itself. Workers inherit the sockets, so the kernel's queue of connections outlives any of
them: one can be killed, replaced or drained while the others go on accepting.
"""

from greenroom.workers.parent import serve_with_workers

__all__ = ["serve_with_workers"]
