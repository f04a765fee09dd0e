-- Did every valid mint and transfer, and nothing else, move what its record says? (R-CORE-MINT-6, R-CORE-XFER-6)
-- Steps of a multi-transfer are transfers under whatever name they carry (R-CORE-MULTI-5).
WITH wanted AS (
    SELECT height, op_index, ticker, to_address AS address, amount AS delta, operation AS cause
    FROM records
    WHERE valid AND NOT multi AND operation IN ('mint', 'mint_stones')
    UNION ALL
    SELECT height, op_index, ticker, to_address, amount, 'transfer_credit'
    FROM records
    WHERE valid AND (multi OR operation = 'transfer')
    UNION ALL
    SELECT height, op_index, ticker, from_address, -amount, 'transfer_debit'
    FROM records
    WHERE valid AND (multi OR operation = 'transfer')
),
happened AS (
    SELECT height, op_index, ticker, address, delta, cause
    FROM balance_events
    WHERE cause IN ('mint', 'mint_stones', 'transfer_debit', 'transfer_credit')
)
SELECT
    'operation ' || coalesce(happened.op_index, wanted.op_index) || ' of block ' || height AS place,
    coalesce(concat_ws(' ', wanted.cause, wanted.delta, wanted.ticker, wanted.address), 'nothing') AS expected,
    coalesce(concat_ws(' ', happened.cause, happened.delta, happened.ticker, happened.address), 'nothing') AS found
FROM wanted
FULL JOIN happened USING (height, op_index, cause)
WHERE
    wanted.delta IS DISTINCT FROM happened.delta
    OR wanted.ticker IS DISTINCT FROM happened.ticker
    -- A step that is recorded as a mint does not name its sender.
    OR coalesce(wanted.address, happened.address) IS DISTINCT FROM happened.address
ORDER BY height, op_index, cause
