-- What does every account hold?
SELECT ticker, address, script, balance, last_height, credit_height
FROM fold
WHERE (ticker, address) NOT IN (SELECT ticker, address FROM recent_events)
UNION ALL
SELECT
    changes.ticker AS ticker,
    changes.address AS address,
    changes.script AS script,
    changes.balance AS balance,
    changes.last_height AS last_height,
    greatest(changes.credit_height, before.credit_height) AS credit_height
FROM changes
LEFT JOIN (
    SELECT ticker, address, credit_height
    FROM fold
    WHERE (ticker, address) IN (SELECT ticker, address FROM recent_events)
) AS before ON before.ticker = changes.ticker AND before.address = changes.address
