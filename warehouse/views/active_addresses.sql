-- How many addresses have a balance that changes in a day?
WITH days AS (
    SELECT height, make_date((epoch(time)::BIGINT // 86400)::INTEGER) AS day FROM blocks
)
SELECT day, count(*) AS addresses
FROM (
    SELECT DISTINCT day, address
    FROM balance_events
    INNER JOIN days USING (height)
    WHERE NOT starts_with(address, 'POOL::')
)
GROUP BY day
