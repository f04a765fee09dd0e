-- Do the balances of every ticker add up to what was minted, less what was burned, plus rounding?
WITH last_balances AS (
    SELECT ticker, address, arg_max(balance_after, (height, sequence)) AS balance
    FROM balance_events
    GROUP BY ticker, address
),
held AS (
    SELECT ticker, sum(balance) AS balance, count(*) FILTER (balance > 0) AS holders
    FROM last_balances
    GROUP BY ticker
),
issued AS (
    SELECT ticker, minted - burned + rounding AS amount, holders FROM supplies
    QUALIFY row_number() OVER (PARTITION BY ticker ORDER BY height DESC) = 1
)
SELECT
    ticker AS place,
    coalesce(issued.amount, 0) || ' with ' || coalesce(issued.holders, 0) || ' holders' AS expected,
    coalesce(held.balance, 0) || ' with ' || coalesce(held.holders, 0) || ' holders' AS found
FROM held
FULL JOIN issued USING (ticker)
WHERE
    coalesce(held.balance, 0) <> coalesce(issued.amount, 0)
    OR coalesce(held.holders, 0) <> coalesce(issued.holders, 0)
ORDER BY ticker
