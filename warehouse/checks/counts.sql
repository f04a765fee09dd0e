-- Do the other tables have as many rows for every block as the block counts?
WITH counted AS (
    SELECT height, 'candidates' AS name, count(*) AS rows FROM candidates GROUP BY height
    UNION ALL
    SELECT height, 'operations', count(*) FROM records GROUP BY height
    UNION ALL
    SELECT height, 'valid_operations', count(*) FROM records WHERE valid GROUP BY height
    UNION ALL
    SELECT height, 'balance_events', count(*) FROM balance_events GROUP BY height
),
claimed AS (
    UNPIVOT (SELECT height, candidates, operations, valid_operations, balance_events FROM blocks)
    ON candidates, operations, valid_operations, balance_events INTO NAME name VALUE rows
)
SELECT
    name || ' of block ' || height AS place,
    coalesce(claimed.rows, 0)::VARCHAR AS expected,
    coalesce(counted.rows, 0)::VARCHAR AS found
FROM claimed
FULL JOIN counted USING (height, name)
WHERE coalesce(claimed.rows, 0) <> coalesce(counted.rows, 0)
ORDER BY height, name
