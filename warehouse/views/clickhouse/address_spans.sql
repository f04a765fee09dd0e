-- When did each address's balances first change, and when last?
SELECT
    address,
    first_height,
    first_blocks.time AS first_time,
    last_height,
    last_blocks.time AS last_time,
    events
FROM (
    SELECT
        address,
        assumeNotNull(min(height)) AS first_height,
        assumeNotNull(max(height)) AS last_height,
        toInt64(count()) AS events
    FROM balance_events
    WHERE NOT startsWith(address, 'POOL::')
    GROUP BY address
) AS spans
INNER JOIN blocks AS first_blocks ON first_blocks.height = spans.first_height
INNER JOIN blocks AS last_blocks ON last_blocks.height = spans.last_height
