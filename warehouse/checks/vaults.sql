-- Is every vault a valid mint of wrapped bitcoin, every such mint a vault, and every closed one a burn of its amount?
-- (R-WRAP-MINT-16, R-WRAP-BURN-3) Amounts are satoshis, each a whole token.
WITH mints AS (
    SELECT records.height, records.txid || ':2' AS vault, records.amount, records.to_address
    FROM records
    -- Deployed otherwise, W is a token like others (R-WRAP-TICK-3).
    SEMI JOIN (FROM tokens WHERE max_supply = 0 AND limit_per_mint = 0) AS wrapped USING (ticker)
    WHERE valid AND operation = 'mint' AND records.ticker = 'W'
),
opened AS (
    SELECT opened_height AS height, vault, amount, recipient_address
    FROM vaults
    QUALIFY row_number() OVER (PARTITION BY vault ORDER BY height) = 1
),
closed AS (
    SELECT vault, closed_height AS height, closing_txid AS txid, amount FROM current_vaults WHERE status = 'closed'
)
SELECT
    'vault ' || vault || ' of block ' || height AS place,
    coalesce(mints.amount || ' to ' || mints.to_address, 'no mint') AS expected,
    coalesce(opened.amount || ' to ' || opened.recipient_address, 'no vault') AS found
FROM mints
FULL JOIN opened USING (height, vault)
WHERE mints.amount IS DISTINCT FROM opened.amount OR mints.to_address IS DISTINCT FROM opened.recipient_address
UNION ALL
SELECT 'vault ' || vault, 'a burn of ' || closed.amount || ' by ' || txid || ' in block ' || height, 'none'
FROM closed
ANTI JOIN (FROM records WHERE valid AND operation = 'burn' AND ticker = 'W') AS burns USING (height, txid, amount)
ORDER BY place
