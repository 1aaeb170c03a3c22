-- How much one may ask in a time, for several workers without a Redis.

-- Not in the write-ahead log: a crash of the server forgives what was owed, and nothing is waited for at commit.
CREATE UNLOGGED TABLE rate_limits (
    key        text COLLATE "C" PRIMARY KEY,
    paid_at_us bigint           NOT NULL,
    granted    integer          NOT NULL
) WITH (fillfactor = 50);

-- The arithmetic of a leaky bucket, in microseconds of debt; greenroom.schema.rate_limits.settle has the same.
CREATE FUNCTION settled_limit(
    debt_us bigint, spent bigint, wanted bigint, interval_us bigint, capacity_us bigint, highest_us bigint
) RETURNS TABLE (new_debt_us bigint, new_granted integer)
    LANGUAGE sql IMMUTABLE AS $$
    SELECT charged + granted * interval_us, granted::integer
      FROM (SELECT greatest(0, least(greatest(0, debt_us) + spent * interval_us, highest_us))) AS c (charged),
           LATERAL (SELECT least(wanted, greatest(0, capacity_us - charged) / interval_us)) AS g (granted)
$$;
