-- Which accounts have changed since the fold, and to what?
SELECT
    ticker,
    address,
    arg_max(script, height::BIGINT * 4294967296 + sequence) AS script,
    arg_max(balance_after, height::BIGINT * 4294967296 + sequence) AS balance,
    max(height) AS last_height,
    max(height) FILTER (NOT ends_with(cause, '_debit')) AS credit_height
FROM recent_events
GROUP BY ticker, address
