-- Is every token a valid deploy, and every valid deploy a token?
WITH deploys AS (
    SELECT height AS deploy_height, op_index AS deploy_op_index, ticker, txid, block_time, from_address
    FROM records
    WHERE valid AND NOT multi AND operation = 'deploy'
)
SELECT
    'operation ' || deploy_op_index || ' of block ' || deploy_height AS place,
    coalesce(concat_ws(' ', deploys.ticker, deploys.txid, deploys.block_time, deploys.from_address), 'no deploy')
        AS expected,
    coalesce(concat_ws(' ', tokens.ticker, tokens.deploy_txid, tokens.deploy_time, tokens.deployer_address), 'no token')
        AS found
FROM deploys
FULL JOIN tokens USING (deploy_height, deploy_op_index)
WHERE
    deploys.ticker IS DISTINCT FROM tokens.ticker
    OR deploys.txid IS DISTINCT FROM tokens.deploy_txid
    OR deploys.block_time IS DISTINCT FROM tokens.deploy_time
    OR deploys.from_address IS DISTINCT FROM tokens.deployer_address
ORDER BY deploy_height, deploy_op_index
