-- Is every program a token of its deploy? (R-CURVE-DEP-6)
WITH opened AS (
    FROM programs
    QUALIFY row_number() OVER (PARTITION BY ticker ORDER BY height) = 1
)
SELECT
    'program ' || opened.ticker AS place,
    coalesce(concat_ws(' ', tokens.max_supply, tokens.deploy_txid, tokens.deploy_height), 'no token') AS expected,
    concat_ws(' ', opened.max_supply, opened.deploy_txid, opened.start_height) AS found
FROM opened
LEFT JOIN tokens USING (ticker)
WHERE
    opened.max_supply IS DISTINCT FROM tokens.max_supply
    OR opened.deploy_txid IS DISTINCT FROM tokens.deploy_txid
    OR opened.start_height IS DISTINCT FROM tokens.deploy_height
ORDER BY opened.ticker
