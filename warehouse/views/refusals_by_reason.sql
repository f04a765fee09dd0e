-- Why are operations refused, how often, and since when?
WITH reasons AS (
    SELECT
        operation,
        -- The record of a refused step carries its code apart.
        coalesce(code, step_code) AS reason,
        count(*)::BIGINT AS refusals,
        min(height) AS first_height,
        max(height) AS last_height
    FROM records
    WHERE NOT valid
    GROUP BY ALL
)
SELECT
    operation,
    reason,
    refusals,
    refusals / (sum(refusals) OVER ())::DOUBLE AS share,
    first_height,
    last_height
FROM reasons
