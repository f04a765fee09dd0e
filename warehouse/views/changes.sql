-- Which accounts have changed since the fold, and to what?
SELECT
    ticker,
    address,
    arg_max(script, height::BIGINT * 4294967296 + sequence) AS script,
    arg_max(balance_after, height::BIGINT * 4294967296 + sequence) AS balance,
    max(height) AS last_height,
    -- A plain credit may be of nothing; a module's changes are credits where they add something.
    max(height) FILTER (
        (delta > 0 AND cause <> 'rounding') OR cause IN ('mint', 'mint_stones', 'transfer_credit')
    ) AS credit_height
FROM recent_events
GROUP BY ticker, address
