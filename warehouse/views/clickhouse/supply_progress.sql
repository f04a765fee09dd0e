-- How far has each token been minted, and when?
WITH mints AS (
    SELECT
        ticker,
        toInt64(count()) AS mints,
        toNullable(min(height)) AS first_mint_height,
        toNullable(max(height)) AS last_mint_height
    FROM records
    WHERE valid AND operation IN ('mint', 'mint_stones')
    GROUP BY ticker
)
SELECT
    supply.ticker AS ticker,
    max_supply,
    minted,
    if(max_supply < minted, toDecimal128(0, 8), max_supply - minted) AS remaining,
    toFloat64(minted) / nullif(toFloat64(max_supply), 0) AS progress,
    burned,
    circulating,
    holders,
    coalesce(known.mints, 0)::Int64 AS mints,
    known.first_mint_height AS first_mint_height,
    known.last_mint_height AS last_mint_height
FROM supply
LEFT JOIN mints AS known ON known.ticker = supply.ticker
