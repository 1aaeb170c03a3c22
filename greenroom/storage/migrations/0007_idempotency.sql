-- Answers to requests that came with a key of the client's own, so that the same request gets the same answer.

CREATE TABLE idempotency_keys (
    owner         text COLLATE "C" NOT NULL,
    key           text COLLATE "C" NOT NULL,
    fingerprint   bytea            NOT NULL,
    began_at      timestamptz      NOT NULL,
    claimed_until timestamptz      NOT NULL,
    status        integer,
    content_type  text,
    body          bytea,
    PRIMARY KEY (owner, key)
);
CREATE INDEX idempotency_keys_began_at ON idempotency_keys (began_at);
