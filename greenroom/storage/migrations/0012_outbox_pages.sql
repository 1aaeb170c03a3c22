-- Each way of looking at jobs names what it looks for in words of its own, and one index has those words. Otherwise a planner
-- without statistics takes any small index of pending jobs for a short way to every one of them, and keeps to that when the
-- index is small no longer.

-- Whether something older of the same aggregate and handler is still to be done. Jobs that are not finished are pending.
DROP INDEX outbox_order;
CREATE INDEX outbox_order ON outbox (aggregate_id, handler, planned_at, place) WHERE finished_at IS NULL;
-- What operators look at, of any state.
CREATE INDEX outbox_state ON outbox ((state || ''), place);
DROP INDEX outbox_dead;
DROP INDEX outbox_pending;

-- So that whoever has a claim need not ask whether the job is still pending.
ALTER TABLE outbox ADD CONSTRAINT outbox_claims_end CHECK (state = 'pending' OR claimed_by IS NULL);
