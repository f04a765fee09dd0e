-- How much of each ticker exists?
SELECT
    if(tokens.ticker = '', latest_supplies.ticker, tokens.ticker) AS ticker,
    tokens.max_supply AS max_supply,
    latest_supplies.minted AS minted,
    latest_supplies.burned AS burned,
    latest_supplies.rounding AS rounding,
    CAST(latest_supplies.minted - latest_supplies.burned + latest_supplies.rounding AS Decimal(38, 8)) AS circulating,
    latest_supplies.holders AS holders,
    if(latest_supplies.ticker = '', NULL, latest_supplies.height) AS height
FROM (SELECT ticker, toNullable(max_supply) AS max_supply FROM tokens) AS tokens
FULL JOIN latest_supplies ON latest_supplies.ticker = tokens.ticker
