-- What did every account hold after a block?
WITH
folded AS (
    -- The fold is of use from its height on.
    SELECT if({at_height:Int32} >= fold_height AND fold > 0, fold_height, -1) AS height FROM commits
),
changes AS (
    SELECT
        ticker,
        address,
        argMax((script, balance_after), (events.height, events.sequence)) AS newest,
        max(events.height) AS last_height,
        maxOrNullIf(
            events.height,
            (delta > 0 AND cause <> 'rounding') OR cause IN ('mint', 'mint_stones', 'transfer_credit')
        ) AS credit_height
    FROM balance_events AS events
    WHERE events.height > (SELECT height FROM folded) AND events.height <= {at_height:Int32}
    GROUP BY ticker, address
),
known AS (
    SELECT * FROM fold WHERE (SELECT height FROM folded) >= 0
)
SELECT ticker, address, script, balance, last_height, credit_height
FROM known
WHERE (ticker, address) NOT IN (SELECT ticker, address FROM changes)
UNION ALL
SELECT
    changes.ticker,
    changes.address,
    changes.newest.1,
    changes.newest.2,
    changes.last_height,
    coalesce(changes.credit_height, before.credit_height, 0)::Int32
FROM changes
LEFT JOIN (
    SELECT ticker, address, credit_height
    FROM known
    WHERE (ticker, address) IN (SELECT ticker, address FROM changes)
) AS before ON before.ticker = changes.ticker AND before.address = changes.address
