-- Is every record hash that of the block's event hash and the canonical text of all its records?
WITH texts AS (
    SELECT
        height,
        string_agg(
            concat_ws(
                ';',
                valid::INTEGER,
                coalesce(step::VARCHAR, ''),
                coalesce(code, ''),
                coalesce(step_code, ''),
                CASE
                    WHEN NOT valid
                        THEN concat_ws(
                            ';',
                            operation,
                            txid,
                            vout,
                            coalesce(ticker_text, ''),
                            coalesce(amount::VARCHAR, ''),
                            coalesce(from_address, ''),
                            coalesce(to_address, '')
                        )
                END
            ),
            chr(10) ORDER BY op_index
        ) AS text
    FROM records
    GROUP BY height
),
expected AS (
    SELECT height, record_hash, sha256(concat_ws(chr(10), event_hash, text)) AS expected
    FROM blocks
    LEFT JOIN texts USING (height)
)
SELECT 'block ' || height AS place, expected, record_hash AS found
FROM expected
WHERE record_hash <> expected
ORDER BY height
