-- Did every valid operation, and nothing else, move what its record says? (R-CORE-MINT-6, R-CORE-XFER-6)
-- Of swaps and stakes, what the sender gave. Receipt tokens have no balance events; a claim gives what curves decide.
WITH told AS (
    SELECT
        records.*,
        records.ticker = 'W' AND tokens.max_supply = 0 AND tokens.limit_per_mint = 0 AS wraps,
        positions.position_id IS NOT NULL AS deposits
    FROM records
    LEFT JOIN tokens USING (ticker)
    LEFT JOIN positions
        ON positions.height = records.height AND positions.txid = records.txid AND positions.vout = records.vout
        AND positions.start_height = positions.height
    WHERE records.valid AND NOT starts_with(coalesce(records.ticker, ''), 'y')
),
wanted AS (
    SELECT
        height,
        op_index,
        ticker,
        to_address AS address,
        amount AS delta,
        if(coalesce(wraps, false), 'wrap_mint', operation) AS cause
    FROM told
    -- Nothing wrapped is no change.
    WHERE NOT multi AND operation IN ('mint', 'mint_stones') AND NOT (coalesce(wraps, false) AND amount = 0)
    UNION ALL
    -- Steps of a multi-transfer are transfers under whatever name they carry (R-CORE-MULTI-5).
    SELECT height, op_index, ticker, to_address, amount, 'transfer_credit'
    FROM told
    WHERE multi OR operation = 'transfer'
    UNION ALL
    SELECT height, op_index, ticker, from_address, -amount, 'transfer_debit'
    FROM told
    WHERE multi OR operation = 'transfer'
    UNION ALL
    SELECT height, op_index, ticker, from_address, -amount, 'wrap_burn'
    FROM told
    WHERE NOT multi AND operation = 'burn' AND amount <> 0
    UNION ALL
    SELECT height, op_index, ticker, from_address, -amount, if(deposits, 'swap_init', 'stake')
    FROM told
    WHERE NOT multi AND operation = 'swap_init'
    UNION ALL
    SELECT height, op_index, ticker, from_address, -amount, 'swap_in'
    FROM told
    WHERE NOT multi AND operation = 'swap_exe'
),
happened AS (
    SELECT height, op_index, ticker, address, delta, cause
    FROM balance_events
    WHERE
        cause IN (
            'mint',
            'mint_stones',
            'transfer_debit',
            'transfer_credit',
            'wrap_mint',
            'wrap_burn',
            'swap_init',
            'stake',
            'swap_in'
        )
        AND NOT starts_with(address, 'POOL::')
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
