-- What fees do the trades of each pool pay in a day, and what part of what is bought is that?
WITH sums AS (
    SELECT
        make_date((epoch(time)::BIGINT // 86400)::INTEGER) AS day,
        pool,
        destination AS ticker,
        count(*) AS trades,
        sum(trunc(fee)::HUGEINT) AS whole,
        sum(fee - trunc(fee)) AS beside,
        sum(trunc(received)::HUGEINT) AS bought_whole,
        sum(received - trunc(received)) AS bought_beside
    FROM executions
    INNER JOIN blocks USING (height)
    GROUP BY ALL
)
SELECT
    day,
    pool,
    ticker,
    trades,
    try((whole::DECIMAL(38, 8) + beside)::DECIMAL(38, 8)) AS fees,
    (whole::DOUBLE + beside::DOUBLE) / nullif(bought_whole::DOUBLE + bought_beside::DOUBLE, 0) AS fee_share
FROM sums
