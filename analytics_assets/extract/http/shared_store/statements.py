"""Statements by which a process begins requests that count for all processes.

Each is one round trip, within the lock of the limit. All times are those of the database's clock.
"""

# a process that waits and has fewer requests in flight goes first
BEGIN = """
WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS at),
others AS (
    SELECT coalesce(sum(requests), 0) AS requests,
        coalesce(bool_or(waits_until > at AND requests < %(own)s), false) AS is_next
    FROM moment LEFT JOIN analytics_assets.requests_in_flight
    ON limit_name = %(name)s AND process <> %(process)s AND expires_at > at
),
request AS (
    SELECT at, (NOT is_next AND requests + %(own)s < %(most)s) AS begins,
        greatest(at, (
            SELECT next_start FROM analytics_assets.request_starts WHERE limit_name = %(name)s
        )) AS start
    FROM moment, others
),
in_flight AS (
    INSERT INTO analytics_assets.requests_in_flight AS known
        (limit_name, process, holder, requests, waits_until, expires_at)
    SELECT %(name)s, %(process)s, %(holder)s, %(own)s + begins::integer,
        CASE WHEN begins THEN at ELSE at + make_interval(secs => %(waits)s) END,
        at + make_interval(secs => %(lease)s)
    FROM request
    ON CONFLICT (limit_name, process) DO UPDATE SET requests = excluded.requests,
        waits_until = excluded.waits_until, expires_at = excluded.expires_at
),
starts AS (
    INSERT INTO analytics_assets.request_starts AS known (limit_name, next_start)
    SELECT %(name)s, start + make_interval(secs => %(interval)s) FROM request
    WHERE begins AND %(interval)s > 0
    ON CONFLICT (limit_name) DO UPDATE SET next_start = excluded.next_start
)
SELECT begins, extract(epoch FROM start - at)::float8 FROM request
"""
DECLARE = """
DELETE FROM analytics_assets.requests_in_flight
WHERE expires_at < clock_timestamp() - interval '1 hour';
INSERT INTO analytics_assets.requests_in_flight AS known
    (limit_name, process, holder, requests, waits_until, expires_at)
VALUES (%(name)s, %(process)s, %(holder)s, %(own)s, clock_timestamp(),
    clock_timestamp() + make_interval(secs => %(lease)s))
ON CONFLICT (limit_name, process) DO UPDATE SET requests = excluded.requests,
    waits_until = excluded.waits_until, expires_at = excluded.expires_at
RETURNING requests
"""
END = """
DELETE FROM analytics_assets.requests_in_flight
WHERE limit_name = %(name)s AND process = %(process)s
RETURNING requests
"""
