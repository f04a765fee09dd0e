-- Is every event hash that of the canonical text of the block's valid records?
WITH texts AS (
    SELECT
        height,
        string_agg(
            concat_ws(
                ';',
                operation,
                txid,
                vout,
                coalesce(ticker_text, ''),
                coalesce(amount::VARCHAR, ''),
                coalesce(from_address, ''),
                coalesce(to_address, '')
            ),
            chr(10) ORDER BY op_index
        ) AS text
    FROM records
    WHERE valid
    GROUP BY height
)
SELECT 'block ' || height AS place, sha256(coalesce(text, '')) AS expected, event_hash AS found
FROM blocks
LEFT JOIN texts USING (height)
WHERE event_hash <> sha256(coalesce(text, ''))
ORDER BY height
