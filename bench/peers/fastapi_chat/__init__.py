"""The same job on FastAPI, uvicorn (uvloop, httptools), SQLAlchemy 2 on asyncpg, and broadcaster.

Accounts, tokens, conversations, messages and event streams, with the same promises about them as greenroom's: a send is
idempotent by its client id, dense in its conversation, and appends an event with a sequence of its own and absolute
unread counts to the streams of both users, all in one transaction; a stream resumes at its cursor without a gap.

Sending is written twice, and measured twice: as SQLAlchemy's documentation teaches it, with sessions and objects
(:mod:`~bench.peers.fastapi_chat.orm_send`), and tuned by somebody who has profiled that
(:mod:`~bench.peers.fastapi_chat.core_send`). Wherever there is a choice besides, this side gets the better part:

- tokens are signed and need no look-up, where greenroom's can be revoked;
- broadcaster's memory backend hands objects over within the process; its Postgres backend would send a ``NOTIFY`` per
  event, and two workers would need it;
- there is no rate limit, no metrics, no request id, no log line per request.

``python -m bench.peers.fastapi_chat CONNINFO orm|core`` makes its tables, prints its port and serves until it is ended.
"""
