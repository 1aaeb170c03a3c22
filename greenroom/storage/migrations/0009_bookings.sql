-- Lessons that were booked.
-- btree_gist lets one index compare an id for equality and a range for overlap.

CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Written only under the lock of the conversation's row.
CREATE TABLE bookings (
    id               text COLLATE "C" PRIMARY KEY,
    conversation_id  text COLLATE "C" NOT NULL REFERENCES conversations (id),
    student_id       text COLLATE "C" NOT NULL REFERENCES users (id),
    instructor_id    text COLLATE "C" NOT NULL REFERENCES users (id),
    service_id       text COLLATE "C" NOT NULL REFERENCES services (id),
    title            text             NOT NULL,
    starts_at        timestamptz      NOT NULL,
    ends_at          timestamptz      NOT NULL,
    status           text             NOT NULL,
    note             text,
    price_cents      bigint           NOT NULL,
    currency         text             NOT NULL,
    version          integer          NOT NULL,
    created_at       timestamptz      NOT NULL,
    updated_at       timestamptz      NOT NULL,
    closed_by        text COLLATE "C" REFERENCES users (id),
    cancel_reason    text,
    reminded_version integer          NOT NULL DEFAULT 0,
    CONSTRAINT bookings_status CHECK (status IN ('booked', 'cancelled', 'completed')),
    CONSTRAINT bookings_times CHECK (starts_at < ends_at),
    CONSTRAINT bookings_version CHECK (version > 0),
    CONSTRAINT bookings_closed CHECK ((status = 'booked') = (closed_by IS NULL)),
    -- What decides when two students want the same hour. Ends are excluded: lessons may follow on each other.
    CONSTRAINT bookings_no_overlap EXCLUDE USING gist
        (instructor_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (status <> 'cancelled')
);
-- What a conversation is shown with, soonest first.
CREATE INDEX bookings_upcoming ON bookings (conversation_id, starts_at, id) WHERE status = 'booked';
-- Each walks one user's bookings in their order, either way.
CREATE INDEX bookings_of_student ON bookings (student_id, starts_at, id);
CREATE INDEX bookings_of_instructor ON bookings (instructor_id, starts_at, id);

ALTER TABLE messages
    ADD CONSTRAINT messages_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES bookings (id);
-- A system message is the one of its event, however often it is written: its client id is the event's.
CREATE UNIQUE INDEX messages_system_key ON messages (conversation_id, client_id)
    WHERE kind = 'system' AND client_id IS NOT NULL;
