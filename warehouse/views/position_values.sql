-- What does each active position lock, what did it earn, and how much is locked beside it?
WITH sides AS (
    SELECT
        pool,
        source,
        count(*) AS side_positions,
        sum(trunc(locked)::HUGEINT) AS whole,
        sum(locked - trunc(locked)) AS beside
    FROM current_positions
    WHERE status = 'active'
    GROUP BY ALL
)
SELECT
    position_id,
    pool,
    owner_address,
    source,
    destination,
    amount,
    locked,
    CASE WHEN destination = token_a THEN accumulated_a ELSE accumulated_b END AS received,
    unlock_height,
    side_positions,
    try((whole::DECIMAL(38, 8) + beside)::DECIMAL(38, 8)) AS side_locked,
    locked::DOUBLE / nullif(whole::DOUBLE + beside::DOUBLE, 0) AS share,
    CASE
        WHEN source = token_a THEN nullif(reserve_b::DOUBLE, 0) / nullif(reserve_a::DOUBLE, 0)
        ELSE nullif(reserve_a::DOUBLE, 0) / nullif(reserve_b::DOUBLE, 0)
    END AS price
FROM current_positions
INNER JOIN current_pools USING (pool)
INNER JOIN sides USING (pool, source)
WHERE status = 'active'
