-- Was more minted than the deploy allows? STONES and wrap tickers have no cap (R-CORE-STONE-4, R-CORE-DEP-3); a reward
-- ticker's is on the unrounded rewards.
SELECT
    supplies.ticker || ' at block ' || supplies.height AS place,
    'at most ' || tokens.max_supply AS expected,
    supplies.minted::VARCHAR AS found
FROM supplies
INNER JOIN tokens USING (ticker)
ANTI JOIN programs USING (ticker)
WHERE
    supplies.minted > tokens.max_supply
    AND supplies.ticker <> 'STONES'
    AND NOT (tokens.max_supply = 0 AND coalesce(tokens.limit_per_mint, 1) = 0)
ORDER BY supplies.height, supplies.ticker
