-- What does every account hold of the receipt tokens of staked ones, `y` and the staked ticker? (R-CURVE-STATE-3)
-- floor8(scaled x index / 10^27), where the product has 50 digits, rounded half to even. Numbers of that size can only
-- be added: they are cut into limbs of 18 digits, whose products are shifted to their place and summed.
WITH keepers AS (
    FROM current_programs
    -- The first program that stakes a ticker keeps its receipts (D-69).
    QUALIFY row_number() OVER (PARTITION BY staking_ticker ORDER BY start_height, deploy_txid) = 1
),
factors AS (
    SELECT
        'y' || keepers.staking_ticker AS ticker,
        accounts.address,
        accounts.script,
        replace(accounts.scaled, '.', '') AS scaled,
        replace(keepers."index", '.', '') AS growth
    FROM current_accounts AS accounts
    INNER JOIN keepers USING (ticker)
),
limbs AS (
    SELECT
        ticker,
        address,
        script,
        [
            reverse(substr(reverse(scaled), 1 + start, 18))::HUGEINT
            for start in range(0, length(scaled), 18)
        ] AS scaled,
        [
            reverse(substr(reverse(growth), 1 + start, 18))::HUGEINT
            for start in range(0, length(growth), 18)
        ] AS growth
    FROM factors
),
products AS (
    SELECT
        ticker,
        address,
        script,
        list_reduce(
            flatten(
                [
                    [((low * high)::VARCHAR || repeat('0', 18 * (m + n - 2)))::BIGNUM for low, m in scaled]
                    for high, n in growth
                ]
            ),
            lambda total, part: total + part
        )::VARCHAR AS product
    FROM limbs
),
-- Both factors and the divisor have 27 decimals: all but 81 - 8 digits of the product are whole units of 10^-8.
units AS (
    SELECT
        ticker,
        address,
        script,
        -- No column holds more than 38 digits: null from there on.
        CASE WHEN whole <= 38 THEN '0' || left(product, whole) END::HUGEINT
        -- Rounding to 50 digits carries into the units when nothing but nines is kept below them.
        + (
            length(product) >= 73
            AND regexp_full_match(substr(product, whole + 1, 50 - whole), '9+')
            AND substr(product, 51, 1) >= '5'
        )::INTEGER AS units
    FROM (SELECT *, greatest(length(product) - 73, 0) AS whole FROM products)
)
SELECT
    ticker,
    address,
    script,
    try_cast(units // 100000000 || '.' || lpad((units % 100000000)::VARCHAR, 8, '0') AS DECIMAL(38, 8)) AS balance
FROM units
