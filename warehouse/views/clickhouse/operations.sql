-- What did every record ask for, and what came of it?
SELECT records.*, blocks.hash AS block_hash
FROM records
LEFT JOIN blocks ON blocks.height = records.height
