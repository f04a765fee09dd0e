-- What does every account hold?
SELECT ticker, address, script, balance, last_height, credit_height
FROM fold
WHERE (ticker, address) NOT IN (SELECT ticker, address FROM recent_events)
UNION ALL
SELECT
    changes.ticker,
    changes.address,
    changes.script,
    changes.balance,
    changes.last_height,
    -- A join gives zero, or null by the reader's settings, for what the fold does not have.
    coalesce(changes.credit_height, known.credit_height, 0)::Int32
FROM changes
LEFT JOIN (
    SELECT ticker, address, credit_height
    FROM fold
    WHERE (ticker, address) IN (SELECT ticker, address FROM recent_events)
) AS known ON known.ticker = changes.ticker AND known.address = changes.address
