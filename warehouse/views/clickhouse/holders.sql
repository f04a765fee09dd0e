-- Who holds a token, largest first?
SELECT
    ticker,
    toInt64(row_number() OVER (PARTITION BY ticker ORDER BY balance DESC, address)) AS rank,
    address,
    script,
    balance
FROM balances
WHERE balance > 0
