-- What does each active position lock, what did it earn, and how much is locked beside it?
WITH sides AS (
    SELECT pool, source, toInt64(count()) AS side_positions, sum(toDecimal256(locked, 8)) AS total
    FROM current_positions
    WHERE status = 'active'
    GROUP BY pool, source
)
SELECT
    position_id,
    positions.pool AS pool,
    owner_address,
    positions.source AS source,
    destination,
    amount,
    locked,
    if(destination = token_a, accumulated_a, accumulated_b) AS received,
    unlock_height,
    side_positions,
    toDecimal128OrNull(toString(total), 8) AS side_locked,
    toFloat64(locked) / nullif(toFloat64(total), 0) AS share,
    if(
        positions.source = token_a,
        nullif(toFloat64(reserve_b), 0) / nullif(toFloat64(reserve_a), 0),
        nullif(toFloat64(reserve_a), 0) / nullif(toFloat64(reserve_b), 0)
    ) AS price
FROM current_positions AS positions
INNER JOIN current_pools AS pools ON pools.pool = positions.pool
INNER JOIN sides ON sides.pool = positions.pool AND sides.source = positions.source
WHERE status = 'active'
