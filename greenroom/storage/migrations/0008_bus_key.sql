-- What workers sign their notes to each other with: whoever can write to the bus, but not here, can't pass for one.
-- Two random UUIDs make 244 random bits. The default fills the one row there is.
ALTER TABLE stream_epoch
    ADD COLUMN bus_key text NOT NULL DEFAULT replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
