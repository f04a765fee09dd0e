-- How much of each token do valid transfers move in a day?
-- A sum of flows can outgrow the column: of vast amounts, whole tokens and what is beside them are added apart.
WITH usual AS (
    SELECT epoch(block_time)::BIGINT // 86400 AS number, ticker, sum(amount) AS moved
    FROM records
    WHERE valid AND operation = 'transfer' AND ticker IS NOT NULL AND amount < 1e20::DECIMAL(38, 8)
    GROUP BY ALL
),
vast AS (
    SELECT
        epoch(block_time)::BIGINT // 86400 AS number,
        ticker,
        sum(trunc(amount)::HUGEINT) AS whole,
        sum(amount - trunc(amount)) AS beside
    FROM records
    WHERE valid AND operation = 'transfer' AND ticker IS NOT NULL AND amount >= 1e20::DECIMAL(38, 8)
    GROUP BY ALL
)
SELECT
    make_date(number::INTEGER) AS day,
    ticker,
    try((coalesce(whole, 0)::DECIMAL(38, 8) + coalesce(moved, 0) + coalesce(beside, 0))::DECIMAL(38, 8)) AS volume
FROM usual
FULL JOIN vast USING (number, ticker)
