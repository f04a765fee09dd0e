-- How much of each ticker exists?
SELECT
    ticker,
    max_supply,
    minted,
    burned,
    rounding,
    (minted - burned + rounding)::Decimal(38, 8) AS circulating,
    holders,
    height
FROM (
    -- A join gives zero, or null by the reader's settings, where there is no row.
    SELECT
        names.ticker AS ticker,
        deploys.max_supply AS max_supply,
        coalesce(known.minted, 0)::Decimal(38, 8) AS minted,
        coalesce(known.burned, 0)::Decimal(38, 8) AS burned,
        coalesce(known.rounding, 0)::Decimal(38, 8) AS rounding,
        coalesce(known.holders, 0)::Int64 AS holders,
        known.height AS height
    FROM (
        SELECT ticker FROM tokens
        UNION DISTINCT
        SELECT ticker FROM latest_supplies
    ) AS names
    LEFT JOIN (SELECT ticker, toNullable(max_supply) AS max_supply FROM tokens) AS deploys ON deploys.ticker = names.ticker
    LEFT JOIN (
        SELECT toNullable(height) AS height, ticker, minted, burned, rounding, holders FROM latest_supplies
    ) AS known ON known.ticker = names.ticker
)
