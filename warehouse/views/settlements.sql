-- What was each position paid at its unlock height, side by side, in the order of payment? (R-SWAP-EXP-2, -4)
-- Receipt tokens are left out: curve accounts keep them, and no balance event says what moved.
WITH sides AS (
    SELECT
        height,
        pool,
        position_id,
        txid,
        vout,
        owner_address AS address,
        unnest([0, 1]) AS side,
        -- The first ticker of a pool is the lower one (R-SWAP-POOL-1).
        unnest([least(source, destination), greatest(source, destination)]) AS ticker,
        unnest([accumulated_a + reward_a, accumulated_b + reward_b]) + if(source = ticker, locked, 0) AS owed
    FROM positions
    WHERE height = unlock_height
),
payments AS (
    SELECT height, sequence, ticker, address, delta AS amount, pool
    FROM (
        -- A payment to the owner follows what the pool's account gave for it.
        SELECT *, substr(lag(address) OVER (PARTITION BY height ORDER BY sequence), 7) AS pool
        FROM balance_events
        WHERE starts_with(cause, 'expiry')
    )
    WHERE cause = 'expiry'
),
ranked_payments AS (
    SELECT
        *,
        count(*) OVER owner AS payments,
        row_number() OVER (owner ORDER BY sequence) AS rank
    FROM payments
    WINDOW owner AS (PARTITION BY height, pool, ticker, address)
),
-- An owner of several positions was paid for those that were owed something, and the first of them if it ran out.
owed_first AS (
    SELECT
        height,
        pool,
        ticker,
        address,
        position_id,
        txid,
        vout,
        side,
        row_number() OVER (
            PARTITION BY height, pool, ticker, address ORDER BY owed > 0 DESC, position_id
        ) AS place
    FROM sides
),
paid AS (
    SELECT
        owed_first.*,
        row_number() OVER (PARTITION BY height, pool, ticker, address ORDER BY position_id) AS rank
    FROM owed_first
    INNER JOIN (
        SELECT height, pool, ticker, address, count(*) AS payments FROM payments GROUP BY ALL
    ) AS counts USING (height, pool, ticker, address)
    WHERE place <= payments
)
SELECT
    height,
    sequence,
    position_id,
    txid,
    vout,
    pool,
    ticker,
    address,
    amount
FROM ranked_payments
INNER JOIN paid USING (height, pool, ticker, address, rank)
