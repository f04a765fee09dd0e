-- What was each position paid at its unlock height, side by side, in the order of payment? (R-SWAP-EXP-2, -4)
-- Receipt tokens are left out: curve accounts keep them, and no balance event says what moved.
WITH payments AS (
    SELECT
        height,
        sequence,
        ticker,
        address,
        amount,
        pool,
        count(*) OVER owner AS payments,
        row_number() OVER (owner ORDER BY sequence) AS rank
    FROM (
        SELECT
            height,
            sequence,
            ticker,
            address,
            delta AS amount,
            cause,
            -- A payment to the owner follows what the pool's account gave for it.
            substr(lag(address) OVER (PARTITION BY height ORDER BY sequence), 7) AS pool
        FROM balance_events
        WHERE starts_with(cause, 'expiry')
    )
    WHERE cause = 'expiry'
    WINDOW owner AS (PARTITION BY height, pool, ticker, address)
),
-- An owner of several positions was paid for those that were owed something, and the first of them if the pool ran out.
ranked_dues AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY height, pool, ticker, address ORDER BY owed > 0 DESC, position_id
        ) AS place
    FROM dues
),
paid AS (
    SELECT
        ranked_dues.*,
        row_number() OVER (PARTITION BY height, pool, ticker, address ORDER BY position_id) AS rank
    FROM ranked_dues
    INNER JOIN (
        SELECT DISTINCT height, pool, ticker, address, payments FROM payments
    ) AS counts USING (height, pool, ticker, address)
    WHERE place <= payments
)
SELECT
    height,
    number,
    sequence,
    position_id,
    txid,
    vout,
    pool,
    ticker,
    address,
    amount
FROM payments
INNER JOIN paid USING (height, pool, ticker, address, rank)
