-- Is every cumulative hash that of the one before and the block's event hash?
WITH recomputed AS (
    SELECT
        height,
        cumulative_hash,
        sha256(coalesce(lag(cumulative_hash) OVER (ORDER BY height), '') || event_hash) AS expected
    FROM blocks
)
SELECT 'block ' || height AS place, expected, cumulative_hash AS found
FROM recomputed
WHERE cumulative_hash <> expected
ORDER BY height
