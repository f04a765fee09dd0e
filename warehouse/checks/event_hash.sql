-- Is every event hash that of the canonical text of the block's valid records and of what its end adds?
WITH lines AS (
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
    SELECT height, pass, sequence, line FROM closing_lines
),
texts AS (
    SELECT height, string_agg(line, chr(10) ORDER BY pass, place) AS text FROM lines GROUP BY height
),
-- What a settlement pays in a receipt token is in no table.
untold AS (
    SELECT DISTINCT height
    FROM positions
    WHERE height = unlock_height AND (starts_with(source, 'y') OR starts_with(destination, 'y'))
)
SELECT 'block ' || height AS place, sha256(coalesce(text, '')) AS expected, event_hash AS found
FROM blocks
LEFT JOIN texts USING (height)
ANTI JOIN untold USING (height)
WHERE event_hash <> sha256(coalesce(text, ''))
ORDER BY height
