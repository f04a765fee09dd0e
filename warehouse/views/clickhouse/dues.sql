-- What was each position owed at its unlock height, side by side, in the order of settlement? (R-SWAP-EXP-2)
WITH sides AS (
    SELECT
        height,
        pool,
        min(position_id) OVER (PARTITION BY height, pool) AS first_of_pool,
        position_id,
        txid,
        vout,
        owner_address AS address,
        side,
        if(side = 0, least(source, destination), greatest(source, destination)) AS ticker,
        if(source = ticker, locked, 0::Decimal(38, 8)) AS principal,
        if(side = 0, accumulated_a, accumulated_b) + greatest(if(side = 0, reward_a, reward_b), 0::Decimal(38, 8)) AS beside,
        index_at_lock
    FROM positions
    ARRAY JOIN [0, 1] AS side
    WHERE height = unlock_height
)
SELECT
    height,
    toInt64(row_number() OVER (PARTITION BY height ORDER BY first_of_pool, position_id, side)) AS number,
    pool,
    position_id,
    txid,
    vout,
    address,
    ticker,
    principal,
    index_at_lock,
    beside,
    beside + if(startsWith(ticker, 'y'), 0::Decimal(38, 8), principal) AS owed
FROM sides
