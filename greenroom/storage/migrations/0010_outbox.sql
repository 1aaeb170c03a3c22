-- What is to follow from a change: written with the change, done afterwards by an event worker.

-- The payload is json and not jsonb, as it keeps the text exactly as it was written, and nothing looks into it.
-- Many rows change twice and are then deleted: half-empty pages let the next version of a row stay on its page.
CREATE TABLE outbox (
    place         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id            text COLLATE "C" NOT NULL,
    event_id      text COLLATE "C" NOT NULL,
    type          text             NOT NULL,
    handler       text COLLATE "C" NOT NULL,
    aggregate_id  text COLLATE "C" NOT NULL,
    payload       json             NOT NULL,
    planned_at    timestamptz      NOT NULL,
    due_at        timestamptz      NOT NULL,
    state         text             NOT NULL DEFAULT 'pending',
    attempts      integer          NOT NULL DEFAULT 0,
    claimed_by    text,
    claimed_until timestamptz,
    last_error    text,
    created_at    timestamptz      NOT NULL,
    finished_at   timestamptz,
    CONSTRAINT outbox_id_key UNIQUE (id),
    CONSTRAINT outbox_event_handler_key UNIQUE (event_id, handler),
    CONSTRAINT outbox_state CHECK (state IN ('pending', 'done', 'dead')),
    CONSTRAINT outbox_finished CHECK ((state = 'pending') = (finished_at IS NULL)),
    CONSTRAINT outbox_claimed CHECK ((claimed_by IS NULL) = (claimed_until IS NULL))
) WITH (fillfactor = 50);
-- What may be claimed: small, whatever was done before.
CREATE INDEX outbox_due ON outbox (due_at, place) WHERE state = 'pending';
-- Whether something older of the same aggregate and handler is still to be done.
CREATE INDEX outbox_order ON outbox (aggregate_id, handler, planned_at, place) WHERE state = 'pending';
-- What operators look at, and what retention drops.
CREATE INDEX outbox_dead ON outbox (place) WHERE state = 'dead';
CREATE INDEX outbox_pending ON outbox (place) WHERE state = 'pending';
CREATE INDEX outbox_done ON outbox (finished_at) WHERE state = 'done';
