-- Is the minted total of every supply row the sum of the mints up to it, with a row wherever it grew?
-- A claim mints the reward: what curves gave, less the principal that they gave back, is what they minted.
WITH mints AS (
    SELECT height, ticker, amount
    FROM records
    WHERE valid AND NOT multi AND operation IN ('mint', 'mint_stones')
    UNION ALL
    SELECT height, ticker, delta FROM balance_events WHERE cause IN ('stake', 'unstake', 'reward')
    UNION ALL
    SELECT height, staking_ticker, total_staked - lag(total_staked, 1, 0) OVER (PARTITION BY ticker ORDER BY height)
    FROM programs
),
by_block AS (
    SELECT height, ticker, sum(amount) AS amount FROM mints GROUP BY height, ticker
),
totals AS (
    SELECT
        height,
        ticker,
        by_block.amount,
        minted,
        coalesce(sum(by_block.amount) OVER (PARTITION BY ticker ORDER BY height), 0) AS expected
    FROM by_block
    FULL JOIN supplies USING (height, ticker)
)
SELECT
    ticker || ' at block ' || height AS place,
    expected::VARCHAR AS expected,
    coalesce(minted::VARCHAR, 'no row') AS found
FROM totals
WHERE minted <> expected OR (minted IS NULL AND amount <> 0)
ORDER BY height, ticker
