-- Is a pool's reserve what its active positions have locked? A receipt token's is what they are worth, and grows.
WITH offered AS (
    SELECT pool, source AS ticker, sum(locked) AS locked
    FROM current_positions
    WHERE status = 'active'
    GROUP BY pool, source
),
reserves AS (
    SELECT pool, unnest([token_a, token_b]) AS ticker, unnest([reserve_a, reserve_b]) AS reserve FROM current_pools
)
SELECT
    ticker || ' of ' || pool AS place,
    coalesce(locked, 0)::VARCHAR AS expected,
    coalesce(reserve::VARCHAR, 'no pool') AS found
FROM reserves
FULL JOIN offered USING (pool, ticker)
WHERE NOT starts_with(ticker, 'y') AND reserve IS DISTINCT FROM coalesce(locked, 0)
ORDER BY pool, ticker
