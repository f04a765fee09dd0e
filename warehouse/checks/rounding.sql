-- Is the rounding total of every supply row the sum of the rounding events up to it, with a row wherever it changed?
WITH events AS (
    SELECT height, ticker, sum(delta) AS amount FROM balance_events WHERE cause = 'rounding' GROUP BY height, ticker
),
totals AS (
    SELECT
        height,
        ticker,
        events.amount,
        rounding,
        coalesce(sum(events.amount) OVER (PARTITION BY ticker ORDER BY height), 0) AS expected
    FROM events
    FULL JOIN supplies USING (height, ticker)
)
SELECT
    ticker || ' at block ' || height AS place,
    expected::VARCHAR AS expected,
    coalesce(rounding::VARCHAR, 'no row') AS found
FROM totals
WHERE rounding <> expected OR (rounding IS NULL AND amount <> 0)
ORDER BY height, ticker
