-- Is every execution a valid trade, and every valid trade an execution with its fills? (R-SWAP-EXE-6, R-SWAP-EXE-8)
-- Fills and their sums are rounded one by one.
WITH trades AS (
    SELECT height, op_index, txid, vout, ticker, amount, from_address
    FROM records
    -- What is exchanged from a receipt token is a claim (R-SWAP-ROUTE-4).
    WHERE valid AND operation = 'swap_exe' AND NOT starts_with(ticker, 'y')
),
filled AS (
    SELECT
        height,
        op_index,
        count(*) AS fills,
        max(fill) + 1 AS numbered,
        sum(taken) AS taken,
        sum(given) AS given,
        (count(*) // 2 + 1)::DECIMAL(20, 0) * 0.00000001::DECIMAL(9, 8) AS tolerance
    FROM fills
    GROUP BY height, op_index
),
executed AS (
    SELECT
        executions.*,
        coalesce(filled.fills = executions.fills AND numbered = executions.fills, false) AS complete,
        coalesce(abs(taken - received) <= tolerance AND abs(given - used) <= tolerance, false) AS summed
    FROM executions
    FULL JOIN filled USING (height, op_index)
)
SELECT
    'operation ' || op_index || ' of block ' || height AS place,
    coalesce(
        concat_ws(' ', trades.amount, trades.ticker, trades.from_address, trades.txid || ':' || trades.vout), 'no trade'
    ) AS expected,
    coalesce(
        concat_ws(
            ' ',
            executed.used,
            executed.source,
            executed.executor_address,
            executed.txid || ':' || executed.vout,
            if(complete, NULL, 'other fills'),
            if(summed, NULL, 'fills of another sum')
        ),
        'no execution'
    ) AS found
FROM trades
FULL JOIN executed USING (height, op_index)
WHERE
    NOT coalesce(complete AND summed, false)
    OR trades.amount IS DISTINCT FROM executed.used
    OR trades.ticker IS DISTINCT FROM executed.source
    OR trades.from_address IS DISTINCT FROM executed.executor_address
    OR trades.txid IS DISTINCT FROM executed.txid
    OR trades.vout IS DISTINCT FROM executed.vout
ORDER BY height, op_index
