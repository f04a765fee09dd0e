-- Is every event hash that of the canonical text of the block's valid records and of what its end adds?
WITH
-- Receipt tokens move in curve accounts, without balance events: what a position is worth is due, if the pool has it.
receipts AS (
    SELECT
        dues.*,
        beside + receipt_worth(principal::VARCHAR, keepers."index", index_at_lock)::DECIMAL(38, 8) AS amount,
        receipt_worth(accounts.scaled, keepers."index", '1' || repeat('0', 27))::DECIMAL(38, 8) AS left_over
    FROM dues
    ASOF JOIN (
        SELECT 'y' || staking_ticker AS receipt, programs.*
        FROM programs
        -- The first program that stakes a ticker keeps its receipts (D-69).
        QUALIFY ticker = first_value(ticker) OVER (PARTITION BY staking_ticker ORDER BY start_height, deploy_txid)
    ) AS keepers ON keepers.receipt = dues.ticker AND keepers.height <= dues.height
    LEFT JOIN accounts
        ON accounts.height = dues.height AND accounts.ticker = keepers.ticker AND accounts.address = 'POOL::' || dues.pool
    WHERE principal > 0 OR beside > 0
),
lines AS (
    SELECT
        height,
        0 AS pass,
        op_index AS place,
        concat_ws(
            ';',
            operation,
            txid,
            vout,
            coalesce(ticker_text, ''),
            coalesce(amount::VARCHAR, ''),
            coalesce(from_address, ''),
            coalesce(to_address, '')
        ) AS line
    FROM records
    WHERE valid
    UNION ALL
    SELECT height, pass, place, line FROM closing_lines
    UNION ALL
    SELECT height, 2, number, concat_ws(';', 'expiry', txid, vout, ticker, amount, 'POOL::' || pool, address)
    FROM receipts
    WHERE amount > 0
),
texts AS (
    SELECT height, string_agg(line, chr(10) ORDER BY pass, place) AS text FROM lines GROUP BY height
),
SELECT 'block ' || height AS place, sha256(coalesce(text, '')) AS expected, event_hash AS found
FROM blocks
LEFT JOIN texts USING (height)
-- In no table is what a pool paid that had not enough, which leaves a unit at most, and what a position had locked, before
-- it was rounded, that gave in the block of its settlement.
ANTI JOIN (
    SELECT DISTINCT receipts.height
    FROM receipts
    LEFT JOIN fills USING (height, position_id)
    WHERE coalesce(left_over, 0) <= 0.00000001 OR fills.fill IS NOT NULL
) AS untold USING (height)
WHERE event_hash <> sha256(coalesce(text, ''))
ORDER BY height
