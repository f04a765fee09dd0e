-- How much is traded in each pool in a day, each way for itself?
SELECT
    toDate(blocks.time) AS day,
    pool,
    source,
    destination,
    toInt64(count()) AS trades,
    toInt64(uniqExact(executor_address)) AS executors,
    toDecimal128OrNull(toString(sum(toDecimal256(used, 8))), 8) AS sold,
    toDecimal128OrNull(toString(sum(toDecimal256(received, 8))), 8) AS bought
FROM executions
INNER JOIN blocks ON blocks.height = executions.height
GROUP BY day, pool, source, destination
