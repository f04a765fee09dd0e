-- Do the events of every block change a ticker by as much as its supply changed, less what became staked?
WITH changes AS (
    SELECT height, ticker, delta AS held, 0 AS issued FROM balance_events
    UNION ALL
    SELECT height, staking_ticker, total_staked - lag(total_staked, 1, 0) OVER program, 0
    FROM programs
    WINDOW program AS (PARTITION BY ticker ORDER BY height)
    UNION ALL
    SELECT height, ticker, 0, total - lag(total, 1, 0) OVER (PARTITION BY ticker ORDER BY height)
    FROM (SELECT height, ticker, minted - burned + rounding AS total FROM supplies)
)
SELECT
    ticker || ' at block ' || height AS place,
    sum(issued)::VARCHAR AS expected,
    sum(held)::VARCHAR AS found
FROM changes
GROUP BY height, ticker
HAVING sum(issued) <> sum(held)
ORDER BY height, ticker
