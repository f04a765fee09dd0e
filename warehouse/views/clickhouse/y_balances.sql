-- What does every account hold of the receipt tokens of staked ones? (R-CURVE-STATE-3)
-- One factor is cut into limbs of 18 digits, lowest first: each product with the other fits 256 bits.
WITH
keepers AS (
    SELECT ticker, staking_ticker, `index`
    FROM current_programs
    ORDER BY start_height, deploy_txid
    LIMIT 1 BY staking_ticker
),
factors AS (
    SELECT
        concat('y', keepers.staking_ticker) AS ticker,
        accounts.address AS address,
        accounts.script AS script,
        toInt256(replaceAll(accounts.scaled, '.', '')) AS scaled,
        reverse(replaceAll(keepers.`index`, '.', '')) AS growth
    FROM current_accounts AS accounts
    INNER JOIN keepers ON keepers.ticker = accounts.ticker
),
products AS (
    SELECT
        ticker,
        address,
        script,
        arrayFold(
            (sum, limb) -> (
                concat(leftPad(toString((scaled * limb + sum.2) % 1000000000000000000), 18, '0'), sum.1),
                intDiv(scaled * limb + sum.2, toInt256(1000000000000000000))
            ),
            arrayMap(
                start -> toInt256(reverse(substring(growth, start + 1, 18))),
                range(0, toUInt32(length(growth)), 18)
            ),
            ('', toInt256(0))
        ) AS limbs,
        replaceRegexpOne(concat(toString(limbs.2), limbs.1), '^0+', '') AS product
    FROM factors
),
units AS (
    SELECT
        ticker,
        address,
        script,
        toUInt32(greatest(toInt64(length(product)) - 73, 0)) AS whole,
        if(whole <= 38, toInt256(concat('0', substring(product, 1, whole))), NULL)
        + (
            length(product) >= 73
            AND match(substring(product, whole + 1, 50 - toInt32(whole)), '^9+$')
            AND substring(product, 51, 1) >= '5'
        ) AS units
    FROM products
)
SELECT
    ticker,
    address,
    script,
    toDecimal128OrNull(
        concat(toString(intDiv(units, 100000000)), '.', leftPad(toString(units % 100000000), 8, '0')),
        8
    ) AS balance
FROM units
