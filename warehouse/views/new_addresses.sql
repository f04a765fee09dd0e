-- How many addresses appear for the first time in a day, and how many have by then?
WITH days AS (
    SELECT make_date((epoch(first_time)::BIGINT // 86400)::INTEGER) AS day, count(*) AS addresses
    FROM address_spans
    GROUP BY day
)
SELECT day, addresses, sum(addresses) OVER (ORDER BY day)::BIGINT AS total
FROM days
