-- Which accounts have changed since the fold, and to what?
SELECT
    ticker,
    address,
    arg_max(script, recent_events.height::BIGINT * 4294967296 + sequence) AS script,
    arg_max(balance_after, recent_events.height::BIGINT * 4294967296 + sequence) AS balance,
    max(recent_events.height) AS last_height,
    -- A plain credit may be of nothing; a module's changes are credits where they add something.
    max(recent_events.height) FILTER (
        (delta > 0 AND cause <> 'rounding') OR cause IN ('mint', 'mint_stones', 'transfer_credit')
    ) AS credit_height
FROM recent_events
GROUP BY ticker, address
