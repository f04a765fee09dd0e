-- What do the blocks of a day hold, and how fast do they follow each other?
WITH timed AS (
    SELECT
        *,
        make_date((epoch(time)::BIGINT // 86400)::INTEGER) AS day,
        (epoch(time) - lag(epoch(time)) OVER (ORDER BY height))::BIGINT AS seconds
    FROM blocks
)
SELECT
    day,
    min(height) AS first_height,
    max(height) AS last_height,
    count(*) AS blocks,
    avg(seconds) AS mean_interval,
    sum(tx_count)::BIGINT AS transactions,
    sum(candidates)::BIGINT AS candidates,
    sum(operations)::BIGINT AS operations,
    sum(valid_operations)::BIGINT AS valid_operations,
    sum(operations - valid_operations)::BIGINT AS refused_operations,
    sum(balance_events)::BIGINT AS balance_events,
    max(operations) AS most_operations
FROM timed
GROUP BY day
