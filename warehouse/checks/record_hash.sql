-- Is every record hash that of the canonical text of all the block's records?
WITH texts AS (
    SELECT
        height,
        string_agg(
            concat_ws(
                ';',
                operation,
                txid,
                vout,
                coalesce(step::VARCHAR, ''),
                coalesce(ticker_text, ''),
                coalesce(amount::VARCHAR, ''),
                coalesce(from_address, ''),
                coalesce(to_address, ''),
                valid::INTEGER,
                coalesce(code, ''),
                coalesce(step_code, '')
            ),
            chr(10) ORDER BY op_index
        ) AS text
    FROM records
    GROUP BY height
)
SELECT 'block ' || height AS place, sha256(coalesce(text, '')) AS expected, record_hash AS found
FROM blocks
LEFT JOIN texts USING (height)
WHERE record_hash <> sha256(coalesce(text, ''))
ORDER BY height
