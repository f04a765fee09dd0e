-- How much of each ticker exists?
SELECT
    ticker,
    tokens.max_supply,
    coalesce(minted, 0)::DECIMAL(38, 8) AS minted,
    coalesce(burned, 0)::DECIMAL(38, 8) AS burned,
    coalesce(rounding, 0)::DECIMAL(38, 8) AS rounding,
    (coalesce(minted, 0) - coalesce(burned, 0) + coalesce(rounding, 0))::DECIMAL(38, 8) AS circulating,
    coalesce(holders, 0) AS holders,
    latest_supplies.height
FROM tokens
FULL JOIN latest_supplies USING (ticker)
