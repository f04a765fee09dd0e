-- How unequally is each token held?
-- With x the balances by rank from the largest, the Gini coefficient is ((n + 1) sum(x) - 2 sum(rank x)) / (n sum(x)).
-- All sums are exact, in 256 bits where they need it; only the last step is a ratio.
WITH sorted AS (
    SELECT ticker, arrayReverseSort(groupArray(balance)) AS balances
    FROM balances
    WHERE balance > 0
    GROUP BY ticker
),
sums AS (
    SELECT
        ticker,
        toInt64(length(balances)) AS holders,
        arraySum(balances) AS held,
        arraySum((balance, rank) -> toDecimal256(balance, 8) * rank, balances, arrayEnumerate(balances)) AS ranked,
        (holders + 1) * toDecimal256(held, 8) - 2 * ranked AS skew,
        balances[1] AS top_1,
        arraySum(arraySlice(balances, 1, 10)) AS top_10,
        arraySum(arraySlice(balances, 1, 100)) AS top_100
    FROM sorted
)
SELECT
    ticker,
    holders,
    held,
    toFloat64(skew) / holders / toFloat64(held) AS gini,
    toFloat64(top_1) / toFloat64(held) AS top_1_share,
    toFloat64(top_10) / toFloat64(held) AS top_10_share,
    toFloat64(top_100) / toFloat64(held) AS top_100_share
FROM sums
