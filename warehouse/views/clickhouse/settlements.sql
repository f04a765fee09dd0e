-- What was each position paid at its unlock height, side by side, in the order of payment? (R-SWAP-EXP-2, -4)
WITH payments AS (
    SELECT
        height,
        sequence,
        ticker,
        address,
        amount,
        pool,
        count(*) OVER (PARTITION BY height, pool, ticker, address) AS payments,
        row_number() OVER (PARTITION BY height, pool, ticker, address ORDER BY sequence) AS rank
    FROM (
        SELECT
            height,
            sequence,
            ticker,
            address,
            delta AS amount,
            cause,
            substring(
                lagInFrame(address) OVER (
                    PARTITION BY height ORDER BY sequence ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                ),
                7
            ) AS pool
        FROM balance_events
        WHERE startsWith(cause, 'expiry')
    )
    WHERE cause = 'expiry'
),
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
        *,
        row_number() OVER (PARTITION BY height, pool, ticker, address ORDER BY position_id) AS rank
    FROM ranked_dues
    INNER JOIN (
        SELECT DISTINCT height, pool, ticker, address, payments FROM payments
    ) AS counts USING (height, pool, ticker, address)
    WHERE place <= payments
)
SELECT height, number, sequence, position_id, txid, vout, pool, ticker, address, amount
FROM payments
INNER JOIN paid USING (height, pool, ticker, address, rank)
