-- Does the fold say of every account what its last event up to the fold's height says?
WITH folded AS (FROM fold),
facts AS (
    SELECT
        ticker,
        address,
        balance_after AS balance,
        height AS last_height,
        coalesce(
            max(height) FILTER (
                (delta > 0 AND cause <> 'rounding') OR cause IN ('mint', 'mint_stones', 'transfer_credit')
            ) OVER (PARTITION BY ticker, address),
            0
        ) AS credit_height
    FROM balance_events
    QUALIFY row_number() OVER (PARTITION BY ticker, address ORDER BY height DESC, sequence DESC) = 1
)
SELECT
    ticker || ' of ' || address AS place,
    coalesce(facts.balance || ' since ' || facts.last_height || '/' || facts.credit_height, 'nothing') AS expected,
    coalesce(folded.balance || ' since ' || folded.last_height || '/' || folded.credit_height, 'nothing') AS found
FROM facts
FULL JOIN folded USING (ticker, address)
WHERE
    facts.balance IS DISTINCT FROM folded.balance
    OR facts.last_height IS DISTINCT FROM folded.last_height
    OR facts.credit_height IS DISTINCT FROM folded.credit_height
ORDER BY ticker, address
