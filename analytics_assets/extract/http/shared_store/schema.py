"""The tables of the shared store."""

SCHEMA = "analytics_assets"

CREATE = """
CREATE SCHEMA IF NOT EXISTS analytics_assets;
CREATE TABLE IF NOT EXISTS analytics_assets.request_starts (
    limit_name text PRIMARY KEY,
    next_start timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS analytics_assets.requests_in_flight (
    limit_name text,
    process text,
    holder text NOT NULL,
    requests integer NOT NULL,
    waits_since timestamptz,
    waits_until timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (limit_name, process)
);
CREATE TABLE IF NOT EXISTS analytics_assets.announced_limits (
    host text PRIMARY KEY,
    pauses_until timestamptz NOT NULL DEFAULT '-infinity',
    remaining integer,
    resets_at timestamptz,
    probes_until timestamptz NOT NULL DEFAULT '-infinity'
);
CREATE TABLE IF NOT EXISTS analytics_assets.tokens (
    name text PRIMARY KEY,
    encrypted text NOT NULL,
    expires_at timestamptz,
    used_until timestamptz NOT NULL,
    holder text NOT NULL
);
COMMENT ON SCHEMA analytics_assets IS
    'Limits and tokens of APIs that the processes of analytics_assets share';
COMMENT ON TABLE analytics_assets.request_starts IS
    'The time from which the next request to an API may begin, by `reading.max_per_second`';
COMMENT ON TABLE analytics_assets.requests_in_flight IS
    'The requests that each process has in flight, for `reading.max_in_flight`';
COMMENT ON TABLE analytics_assets.announced_limits IS
    'The pauses that APIs ask for, and the rest of their quotas, by their answers';
COMMENT ON TABLE analytics_assets.tokens IS
    'Tokens of OAuth2, encrypted by `shared_store.encryption_key`';
SELECT 1;
"""
