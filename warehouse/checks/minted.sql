-- Is the minted total of every supply row the sum of the valid mints up to it, with a row wherever it grew?
WITH mints AS (
    SELECT height, ticker, sum(amount) AS amount
    FROM records
    WHERE valid AND NOT multi AND operation IN ('mint', 'mint_stones')
    GROUP BY height, ticker
),
totals AS (
    SELECT
        height,
        ticker,
        mints.amount,
        minted,
        coalesce(sum(mints.amount) OVER (PARTITION BY ticker ORDER BY height), 0) AS expected
    FROM mints
    FULL JOIN supplies USING (height, ticker)
)
SELECT
    ticker || ' at block ' || height AS place,
    expected::VARCHAR AS expected,
    coalesce(minted::VARCHAR, 'no row') AS found
FROM totals
WHERE minted <> expected OR (minted IS NULL AND amount > 0)
ORDER BY height, ticker
