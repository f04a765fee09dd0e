-- What fees do the trades of each pool pay in a day, and what part of what is bought is that?
WITH sums AS (
    SELECT
        toDate(blocks.time) AS day,
        pool,
        destination AS ticker,
        toInt64(count()) AS trades,
        sum(toDecimal256(fee, 8)) AS paid,
        sum(toDecimal256(received, 8)) AS bought
    FROM executions
    INNER JOIN blocks ON blocks.height = executions.height
    GROUP BY day, pool, ticker
)
SELECT
    day,
    pool,
    ticker,
    trades,
    toDecimal128OrNull(toString(paid), 8) AS fees,
    toFloat64(paid) / nullif(toFloat64(bought), 0) AS fee_share
FROM sums
