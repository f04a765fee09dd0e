-- Does the fold keep the newest supply row of every ticker?
WITH folded AS (FROM fold_supplies),
facts AS (
    FROM supplies
    QUALIFY row_number() OVER (PARTITION BY ticker ORDER BY height DESC) = 1
)
SELECT
    ticker AS place,
    coalesce(concat_ws(' ', facts.height, facts.minted, facts.burned, facts.rounding, facts.holders), 'nothing')
        AS expected,
    coalesce(concat_ws(' ', folded.height, folded.minted, folded.burned, folded.rounding, folded.holders), 'nothing')
        AS found
FROM facts
FULL JOIN folded USING (ticker)
WHERE
    (facts.height, facts.minted, facts.burned, facts.rounding, facts.holders)
    IS DISTINCT FROM (folded.height, folded.minted, folded.burned, folded.rounding, folded.holders)
ORDER BY ticker
