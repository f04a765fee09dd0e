-- How much is traded in each pool in a day, each way for itself?
WITH sums AS (
    SELECT
        make_date((epoch(time)::BIGINT // 86400)::INTEGER) AS day,
        pool,
        source,
        destination,
        count(*) AS trades,
        count(DISTINCT executor_address) AS executors,
        sum(trunc(used)::HUGEINT) AS sold_whole,
        sum(used - trunc(used)) AS sold_beside,
        sum(trunc(received)::HUGEINT) AS bought_whole,
        sum(received - trunc(received)) AS bought_beside
    FROM executions
    INNER JOIN blocks USING (height)
    GROUP BY ALL
)
SELECT
    day,
    pool,
    source,
    destination,
    trades,
    executors,
    try((sold_whole::DECIMAL(38, 8) + sold_beside)::DECIMAL(38, 8)) AS sold,
    try((bought_whole::DECIMAL(38, 8) + bought_beside)::DECIMAL(38, 8)) AS bought
FROM sums
