-- Are the records and events of every block numbered from 0 without gap?
WITH numbered AS (
    SELECT 'operations' AS name, height, op_index AS number, row_number() OVER block - 1 AS expected
    FROM records
    WINDOW block AS (PARTITION BY height ORDER BY op_index)
    UNION ALL
    SELECT 'balance_events', height, sequence, row_number() OVER block - 1
    FROM balance_events
    WINDOW block AS (PARTITION BY height ORDER BY sequence)
)
SELECT name || ' of block ' || height AS place, expected::VARCHAR AS expected, number::VARCHAR AS found
FROM numbered
WHERE number <> expected
ORDER BY height, name, expected
