-- Run at every start, so that a password that was changed holds from then on.
CREATE USER IF NOT EXISTS publisher IDENTIFIED WITH sha256_password BY {publisher_password:String};
ALTER USER publisher IDENTIFIED WITH sha256_password BY {publisher_password:String} SETTINGS PROFILE 'publisher';
GRANT writer TO publisher;

CREATE USER IF NOT EXISTS api IDENTIFIED WITH sha256_password BY {api_password:String};
ALTER USER api IDENTIFIED WITH sha256_password BY {api_password:String} SETTINGS PROFILE 'api';
GRANT reader TO api;

CREATE USER IF NOT EXISTS analyst IDENTIFIED WITH sha256_password BY {analyst_password:String};
ALTER USER analyst IDENTIFIED WITH sha256_password BY {analyst_password:String} SETTINGS PROFILE 'analyst';
GRANT reader TO analyst;

CREATE QUOTA IF NOT EXISTS analyst KEYED BY user_name
    FOR INTERVAL 1 hour MAX queries = 1000, read_rows = 50000000000, execution_time = 1800
    TO analyst;
