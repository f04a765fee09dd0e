-- Which accounts have changed since the fold, and to what?
SELECT
    ticker,
    address,
    argMax(tuple(script), (height, sequence)).1 AS script,
    argMax(balance_after, (height, sequence)) AS balance,
    max(recent_events.height) AS last_height,
    -- A plain credit may be of nothing; a module's changes are credits where they add something.
    maxIf(
        recent_events.height,
        (delta > 0 AND cause <> 'rounding') OR cause IN ('mint', 'mint_stones', 'transfer_credit')
    ) AS credit_height
FROM recent_events
GROUP BY ticker, address
