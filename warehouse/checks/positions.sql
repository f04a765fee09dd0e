-- Is every position a valid deposit, and every valid deposit a position? (R-SWAP-INIT-2) Stakes are deposits elsewhere.
WITH deposits AS (
    SELECT height, txid, vout, ticker, amount, from_address
    FROM records
    ANTI JOIN (SELECT height, op_index FROM balance_events WHERE cause = 'stake') AS stakes USING (height, op_index)
    WHERE valid AND operation = 'swap_init'
),
opened AS (
    SELECT start_height AS height, txid, vout, source, amount, owner_address, unlock_height - lock_blocks AS start
    FROM positions
    QUALIFY row_number() OVER (PARTITION BY position_id ORDER BY height) = 1
)
SELECT
    'output ' || txid || ':' || vout || ' of block ' || height AS place,
    coalesce(concat_ws(' ', deposits.amount, deposits.ticker, deposits.from_address), 'no deposit') AS expected,
    coalesce(concat_ws(' ', opened.amount, opened.source, opened.owner_address), 'no position') AS found
FROM deposits
FULL JOIN opened USING (height, txid, vout)
WHERE
    deposits.amount IS DISTINCT FROM opened.amount
    OR deposits.ticker IS DISTINCT FROM opened.source
    OR deposits.from_address IS DISTINCT FROM opened.owner_address
    OR opened.start <> height
ORDER BY height, txid, vout
