-- Does a pool hold what it owes, which is what its positions have locked and received, and the fees not paid out?
-- Balance = locked + accumulated (of positions not settled) + fees holds exactly for unrounded numbers: deposits, fills,
-- fees and payments change both sides alike. Each number is rounded by itself when a block ends (R-SWAP-STATE-5) and
-- then is off by half a unit at most, which is how a pool comes to be short (D-42). So the difference may move within a
-- block by half a unit for each rounding, and no further. Rounded are
--   each position that the block touched and the fees: at its end, and at each valid claim (R-SWAP-STATE-5 a);
--   the balance: at its end, and once more after settlements;
--   in a settlement the fees again, and as rewards are rounded up to one unit and a half beyond them, which then read 0.
-- Who is paid less than is owed because the pool is short takes the shortage along: only then may the difference rise
-- further, up to nothing. Pools of receipt tokens are left out: positions grow by the index, and the pool's account not
-- in blocks that touch it (D-63).
WITH touched AS (
    SELECT height, pool, position_id, height = unlock_height AS settles FROM positions
    UNION
    SELECT fills.height, executions.pool, fills.position_id, false
    FROM fills
    INNER JOIN executions USING (height, op_index)
),
claims AS (
    SELECT height, count(*) AS claims
    FROM records
    WHERE valid AND operation = 'swap_exe' AND starts_with(ticker, 'y')
    GROUP BY height
),
roundings AS (
    SELECT
        touched.height,
        touched.pool,
        bool_or(settles) AS settles,
        (count(DISTINCT position_id) + 1) * (1 + coalesce(any_value(claims.claims), 0))
        + 1 + if(bool_or(settles), 5, 0) AS roundings
    FROM touched
    LEFT JOIN claims USING (height)
    GROUP BY touched.height, touched.pool
),
positions_by_side AS (
    SELECT
        height,
        pool,
        position_id,
        status <> 'expired' AS owes,
        unnest([source, destination]) AS ticker,
        unnest([locked, if(source < destination, accumulated_b, accumulated_a)]) AS amount
    FROM positions
),
changes AS (
    SELECT height, substr(address, 7) AS pool, ticker, delta AS change
    FROM balance_events
    WHERE starts_with(address, 'POOL::')
    UNION ALL
    SELECT height, pool, ticker, lag(owed, 1, 0) OVER (PARTITION BY position_id, ticker ORDER BY height) - owed
    FROM (SELECT *, if(owes, amount, 0) AS owed FROM positions_by_side)
    UNION ALL
    SELECT height, pool, ticker, lag(fees, 1, 0) OVER (PARTITION BY pool, ticker ORDER BY height) - fees
    FROM (SELECT height, pool, unnest([token_a, token_b]) AS ticker, unnest([fees_a, fees_b]) AS fees FROM pools)
),
moves AS (
    SELECT height, pool, ticker, sum(change) AS change
    FROM changes
    WHERE NOT starts_with(ticker, 'y')
    GROUP BY height, pool, ticker
),
bounded AS (
    SELECT
        height,
        pool,
        ticker,
        change,
        sum(change) OVER (PARTITION BY pool, ticker ORDER BY height) AS difference,
        coalesce(settles, false) AS settles,
        (coalesce(roundings, 0) // 2)::DECIMAL(20, 0) * 0.00000001::DECIMAL(9, 8) AS bound
    FROM moves
    LEFT JOIN roundings USING (height, pool)
)
SELECT
    ticker || ' of ' || pool || ' at block ' || height AS place,
    'what it owes, within ' || bound || ' of the block before' AS expected,
    difference || ', which is ' || change || ' more' AS found
FROM bounded
WHERE change < -bound OR (change > bound AND NOT (settles AND difference <= bound))
ORDER BY height, pool, ticker
