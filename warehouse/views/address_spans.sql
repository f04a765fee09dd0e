-- When did each address's balances first change, and when last?
WITH spans AS (
    SELECT address, min(height) AS first_height, max(height) AS last_height, count(*) AS events
    FROM balance_events
    WHERE NOT starts_with(address, 'POOL::')
    GROUP BY address
)
SELECT
    address,
    first_height,
    first_blocks.time AS first_time,
    last_height,
    last_blocks.time AS last_time,
    events
FROM spans
INNER JOIN blocks AS first_blocks ON first_blocks.height = first_height
INNER JOIN blocks AS last_blocks ON last_blocks.height = last_height
