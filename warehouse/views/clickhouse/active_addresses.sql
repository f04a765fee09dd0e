-- How many addresses have a balance that changes in a day?
SELECT toDate(blocks.time) AS day, toInt64(uniqExact(address)) AS addresses
FROM balance_events AS events
INNER JOIN blocks ON blocks.height = events.height
WHERE NOT startsWith(address, 'POOL::')
GROUP BY day
