-- What operators did to a running server. Rows are written before the deed and settled once, after it; nothing here
-- deletes them.

CREATE TABLE operator_audit (
    id            text COLLATE "C" PRIMARY KEY,
    at            timestamptz      NOT NULL,
    operator_kind text             NOT NULL,
    operator_id   text COLLATE "C" NOT NULL,
    action        text             NOT NULL,
    path          text COLLATE "C" NOT NULL,
    reason        text,
    request_id    text             NOT NULL,
    outcome       text             NOT NULL,
    detail        text,
    settled_at    timestamptz,
    CONSTRAINT operator_audit_operator_kind CHECK (operator_kind IN ('user', 'key')),
    CONSTRAINT operator_audit_outcome CHECK (outcome IN ('begun', 'done', 'refused', 'unfinished')),
    CONSTRAINT operator_audit_settled CHECK ((outcome = 'begun') = (settled_at IS NULL))
);
CREATE INDEX operator_audit_newest ON operator_audit (at DESC, id DESC);
