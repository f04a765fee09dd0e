-- How far has each token been minted, and when?
WITH mints AS (
    SELECT ticker, count(*) AS mints, min(height) AS first_mint_height, max(height) AS last_mint_height
    FROM records
    WHERE valid AND operation IN ('mint', 'mint_stones')
    GROUP BY ticker
)
SELECT
    ticker,
    max_supply,
    minted,
    CASE WHEN max_supply < minted THEN 0 ELSE max_supply - minted END::DECIMAL(38, 8) AS remaining,
    minted::DOUBLE / nullif(max_supply::DOUBLE, 0) AS progress,
    burned,
    circulating,
    holders,
    coalesce(mints, 0) AS mints,
    first_mint_height,
    last_mint_height
FROM supply
LEFT JOIN mints USING (ticker)
