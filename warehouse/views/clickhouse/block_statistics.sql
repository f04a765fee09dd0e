-- What do the blocks of a day hold, and how fast do they follow each other?
WITH timed AS (
    SELECT
        *,
        toDate(time) AS day,
        toInt64(toUnixTimestamp(time)) - lagInFrame(toNullable(toInt64(toUnixTimestamp(time)))) OVER (
            ORDER BY height ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS seconds
    FROM blocks
)
SELECT
    timed.day AS day,
    min(timed.height) AS first_height,
    max(timed.height) AS last_height,
    toInt64(count()) AS blocks,
    avgOrNull(timed.seconds) AS mean_interval,
    sum(toInt64(timed.tx_count)) AS transactions,
    sum(toInt64(timed.candidates)) AS candidates,
    sum(toInt64(timed.operations)) AS operations,
    sum(toInt64(timed.valid_operations)) AS valid_operations,
    sum(toInt64(timed.operations - timed.valid_operations)) AS refused_operations,
    sum(toInt64(timed.balance_events)) AS balance_events,
    max(timed.operations) AS most_operations
FROM timed
GROUP BY day
