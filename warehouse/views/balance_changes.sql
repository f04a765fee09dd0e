-- What changed a balance, from what to what, in which pool, and for which position?
WITH
-- The first event of a trade's `swap_in` is the executor's, then comes one for each position that gave, in order; of
-- `swap_return`, two events for each position that closed.
given AS (
    SELECT
        height,
        op_index,
        position_id,
        fill + 2 AS swap_in,
        count(*) FILTER (closed) OVER (PARTITION BY height, op_index ORDER BY fill) AS swap_return,
        closed
    FROM fills
),
trades AS (
    SELECT
        height,
        sequence,
        op_index,
        cause,
        row_number() OVER (PARTITION BY height, op_index, cause ORDER BY sequence) AS number
    FROM balance_events
    WHERE starts_with(cause, 'swap_')
),
-- What the pool gave for a payment to the owner comes before it.
payments AS (
    SELECT
        height,
        sequence,
        min(sequence) FILTER (cause = 'expiry') OVER (
            PARTITION BY height ORDER BY sequence ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS payment
    FROM balance_events
    WHERE starts_with(cause, 'expiry')
),
places AS (
    SELECT trades.height, trades.sequence, executions.pool, given.position_id
    FROM trades
    INNER JOIN executions USING (height, op_index)
    LEFT JOIN given
        ON given.height = trades.height AND given.op_index = trades.op_index AND (
            (cause = 'swap_in' AND number = swap_in)
            OR (cause = 'swap_return' AND closed AND (number + 1) // 2 = swap_return)
        )
    UNION ALL
    SELECT trades.height, trades.sequence, positions.pool, positions.position_id
    FROM trades
    INNER JOIN records USING (height, op_index)
    INNER JOIN positions
        ON positions.height = trades.height AND positions.txid = records.txid AND positions.vout = records.vout
    WHERE cause = 'swap_init'
    UNION ALL
    SELECT payments.height, payments.sequence, settlements.pool, settlements.position_id
    FROM payments
    INNER JOIN settlements ON settlements.height = payments.height AND settlements.sequence = payments.payment
)
SELECT
    events.height,
    events.sequence,
    events.op_index,
    records.txid,
    records.vout,
    records.operation,
    events.cause,
    events.ticker,
    events.address,
    (events.balance_after - events.delta)::DECIMAL(38, 8) AS balance_before,
    events.delta,
    events.balance_after,
    places.pool,
    places.position_id
FROM balance_events AS events
LEFT JOIN records USING (height, op_index)
LEFT JOIN places USING (height, sequence)
