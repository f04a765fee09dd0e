-- What does every account hold?
SELECT ticker, address, script, balance, last_height, credit_height
FROM fold
WHERE NOT EXISTS (
    FROM changes WHERE changes.ticker = fold.ticker AND changes.address = fold.address
)
UNION ALL
SELECT
    changes.ticker,
    changes.address,
    changes.script,
    changes.balance,
    changes.last_height,
    coalesce(changes.credit_height, fold.credit_height, 0) AS credit_height
FROM changes
LEFT JOIN fold ON fold.ticker = changes.ticker AND fold.address = changes.address
