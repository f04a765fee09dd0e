-- Do the balances of every ticker, with what is staked, add up to what was minted, less what was burned, plus rounding?
WITH last_balances AS (
    SELECT ticker, address, arg_max(balance_after, (height, sequence)) AS balance
    FROM balance_events
    GROUP BY ticker, address
),
balances_by_ticker AS (
    SELECT ticker, sum(balance) AS balance, count(*) FILTER (balance > 0) AS holders
    FROM last_balances
    GROUP BY ticker
),
-- Principal leaves the balances while it is staked; what is locked in a pool stays in the pool's balance.
staked AS (
    SELECT programs.staking_ticker AS ticker, sum(accounts.staked) AS staked
    FROM current_accounts AS accounts
    INNER JOIN current_programs AS programs USING (ticker)
    GROUP BY ALL
),
issued AS (
    SELECT ticker, minted - burned + rounding AS amount, holders FROM supplies
    QUALIFY row_number() OVER (PARTITION BY ticker ORDER BY height DESC) = 1
),
compared AS (
    SELECT
        ticker,
        coalesce(issued.amount, 0) AS issued,
        coalesce(issued.holders, 0) AS counted,
        coalesce(balances_by_ticker.balance, 0) + coalesce(staked.staked, 0) AS held,
        coalesce(balances_by_ticker.holders, 0) AS holders
    FROM balances_by_ticker
    FULL JOIN issued USING (ticker)
    FULL JOIN staked USING (ticker)
)
SELECT
    ticker AS place,
    issued || ' with ' || counted || ' holders' AS expected,
    held || ' with ' || holders || ' holders' AS found
FROM compared
WHERE issued <> held OR counted <> holders
ORDER BY ticker
