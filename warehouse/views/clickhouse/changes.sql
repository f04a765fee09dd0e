-- Which accounts have changed since the fold, and to what?
-- Aliases differ from columns until the end: an alias would be taken for the column inside the aggregates.
SELECT ticker, address, newest.1 AS script, newest.2 AS balance, last_height, credit_height
FROM (
    SELECT
        ticker,
        address,
        argMax((script, balance_after), (events.height, events.sequence)) AS newest,
        max(events.height) AS last_height,
        maxOrNullIf(
            events.height,
            (delta > 0 AND cause <> 'rounding') OR cause IN ('mint', 'mint_stones', 'transfer_credit')
        ) AS credit_height
    FROM recent_events AS events
    GROUP BY ticker, address
)
