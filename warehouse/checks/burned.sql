-- Is the burned total of every supply row the sum of the valid burns up to it, with a row wherever it grew?
WITH burns AS (
    SELECT height, ticker, sum(amount) AS amount
    FROM records
    WHERE valid AND NOT multi AND operation = 'burn'
    GROUP BY height, ticker
),
totals AS (
    SELECT
        height,
        ticker,
        burns.amount,
        burned,
        coalesce(sum(burns.amount) OVER (PARTITION BY ticker ORDER BY height), 0) AS expected
    FROM burns
    FULL JOIN supplies USING (height, ticker)
)
SELECT
    ticker || ' at block ' || height AS place,
    expected::VARCHAR AS expected,
    coalesce(burned::VARCHAR, 'no row') AS found
FROM totals
WHERE burned <> expected OR (burned IS NULL AND amount > 0)
ORDER BY height, ticker
