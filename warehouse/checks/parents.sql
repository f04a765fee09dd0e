-- Does every block follow the block below it by height and by parent hash?
WITH joined AS (
    SELECT
        height,
        previous_hash,
        lag(height) OVER (ORDER BY height) AS height_below,
        lag(hash) OVER (ORDER BY height) AS hash_below
    FROM blocks
)
SELECT
    'block ' || height AS place,
    'parent ' || hash_below || ' at ' || (height - 1) AS expected,
    'parent ' || previous_hash || ', block below at ' || height_below AS found
FROM joined
WHERE height_below IS NOT NULL AND (previous_hash <> hash_below OR height_below <> height - 1)
ORDER BY height
