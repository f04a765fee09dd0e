-- How many addresses appear for the first time in a day, and how many have by then?
WITH days AS (
    SELECT toDate(first_time) AS day, toInt64(count()) AS addresses
    FROM address_spans
    GROUP BY day
)
SELECT day, addresses, sum(addresses) OVER (ORDER BY day) AS total
FROM days
