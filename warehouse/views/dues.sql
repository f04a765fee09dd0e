-- What was each position owed at its unlock height, side by side, in the order of settlement? (R-SWAP-EXP-2)
-- Of a receipt token without the principal, whose worth depends on the index.
WITH sides AS (
    SELECT
        height,
        pool,
        min(position_id) OVER (PARTITION BY height, pool) AS first_of_pool,
        position_id,
        txid,
        vout,
        owner_address AS address,
        unnest([0, 1]) AS side,
        -- The first ticker of a pool is the lower one (R-SWAP-POOL-1).
        unnest([least(source, destination), greatest(source, destination)]) AS ticker,
        CASE WHEN source = ticker THEN locked ELSE 0::DECIMAL(38, 8) END AS principal,
        unnest([accumulated_a + greatest(reward_a, 0), accumulated_b + greatest(reward_b, 0)]) AS beside,
        index_at_lock
    FROM positions
    WHERE height = unlock_height
)
SELECT
    height,
    row_number() OVER (PARTITION BY height ORDER BY first_of_pool, position_id, side) AS number,
    pool,
    position_id,
    txid,
    vout,
    address,
    ticker,
    principal,
    index_at_lock,
    beside,
    beside + CASE WHEN starts_with(ticker, 'y') THEN 0 ELSE principal END AS owed
FROM sides
