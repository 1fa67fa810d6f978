"""Statements by which a process begins requests that count for all processes.

Each is one round trip, within the lock of the limit. All times are those of the database's clock.
"""

# a process that waits and has fewer requests in flight goes first, as does one with as many that
# waits for long: a place is free for moments only between two requests of the same process
BEGIN = """
WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS at),
moment AS (
    SELECT at, coalesce((
        SELECT waits_since FROM analytics_assets.requests_in_flight
        WHERE limit_name = %(name)s AND process = %(process)s AND waits_until > at
    ), at) AS since
    FROM clock
),
others AS (
    SELECT coalesce(sum(requests), 0) AS requests,
        coalesce(bool_or(waits_until > at AND (requests < %(own)s OR (requests = %(own)s
            AND waits_since < least(since, at - make_interval(secs => %(long)s))))), false)
            AS is_next,
        coalesce(bool_or(waits_until > at), false) AS are_waiting
    FROM moment LEFT JOIN analytics_assets.requests_in_flight
    ON limit_name = %(name)s AND process <> %(process)s AND expires_at > at
),
request AS (
    SELECT at, since, are_waiting, (NOT is_next AND requests + %(own)s < %(most)s) AS begins,
        greatest(at, (
            SELECT next_start FROM analytics_assets.request_starts WHERE limit_name = %(name)s
        )) AS start
    FROM moment, others
),
in_flight AS (
    INSERT INTO analytics_assets.requests_in_flight AS known
        (limit_name, process, holder, requests, waits_since, waits_until, expires_at)
    SELECT %(name)s, %(process)s, %(holder)s, %(own)s + begins::integer,
        CASE WHEN NOT begins THEN since END,
        CASE WHEN begins THEN at ELSE at + make_interval(secs => %(waits)s) END,
        at + make_interval(secs => %(lease)s)
    FROM request
    ON CONFLICT (limit_name, process) DO UPDATE SET requests = excluded.requests,
        waits_since = excluded.waits_since, waits_until = excluded.waits_until,
        expires_at = excluded.expires_at
),
starts AS (
    INSERT INTO analytics_assets.request_starts AS known (limit_name, next_start)
    SELECT %(name)s, start + make_interval(secs => %(interval)s) FROM request
    WHERE begins AND %(interval)s > 0
    ON CONFLICT (limit_name) DO UPDATE SET next_start = excluded.next_start
)
SELECT begins, extract(epoch FROM start - at)::float8, are_waiting FROM request
"""
DECLARE = """
DELETE FROM analytics_assets.requests_in_flight
WHERE expires_at < clock_timestamp() - interval '1 hour';
INSERT INTO analytics_assets.requests_in_flight AS known
    (limit_name, process, holder, requests, waits_until, expires_at)
VALUES (%(name)s, %(process)s, %(holder)s, %(own)s, clock_timestamp(),
    clock_timestamp() + make_interval(secs => %(lease)s))
ON CONFLICT (limit_name, process) DO UPDATE SET requests = excluded.requests,
    expires_at = excluded.expires_at
RETURNING requests
"""
END = """
DELETE FROM analytics_assets.requests_in_flight
WHERE limit_name = %(name)s AND process = %(process)s
RETURNING requests
"""
LOOK = """
WITH clock AS (SELECT extract(epoch FROM clock_timestamp())::float8 AS at)
SELECT extract(epoch FROM pauses_until)::float8 - at,
    extract(epoch FROM coalesce(resets_at, '-infinity'))::float8 - at
FROM clock, analytics_assets.announced_limits WHERE host = %(host)s
"""
FORGET = """
DELETE FROM analytics_assets.announced_limits
WHERE host = %(host)s AND extract(epoch FROM greatest(pauses_until, resets_at))::float8
    - extract(epoch FROM clock_timestamp())::float8 NOT BETWEEN -%(kept)s AND %(longest)s
RETURNING 1
"""
PAUSE = """
INSERT INTO analytics_assets.announced_limits AS known (host, pauses_until)
VALUES (%(host)s, clock_timestamp() + make_interval(secs => %(seconds)s))
ON CONFLICT (host) DO UPDATE
SET pauses_until = greatest(known.pauses_until, excluded.pauses_until)
RETURNING 1
"""
# answers arrive in another order than the API counted the requests, and those in flight count
WRITE_QUOTA = """
INSERT INTO analytics_assets.announced_limits AS known (host, remaining, resets_at)
VALUES (%(host)s, %(remaining)s, clock_timestamp() + make_interval(secs => %(reset)s))
ON CONFLICT (host) DO UPDATE SET
    remaining = CASE WHEN excluded.resets_at <= known.resets_at + interval '2 seconds'
        THEN least(known.remaining, excluded.remaining) ELSE excluded.remaining END,
    resets_at = excluded.resets_at,
    probes_until = '-infinity'
WHERE known.resets_at IS NULL OR excluded.resets_at >= known.resets_at - interval '2 seconds'
RETURNING 1
"""
# the request that comes first after the reset finds the new quota, and the others wait for it;
# without an answer, one request a time probes it again
TAKE_OF_QUOTA = """
WITH known AS MATERIALIZED (
    SELECT *, clock_timestamp() AS at FROM analytics_assets.announced_limits
    WHERE host = %(host)s
),
request AS (
    SELECT at, CASE
        WHEN pauses_until > at THEN extract(epoch FROM pauses_until - at)::float8
        WHEN remaining IS NULL AND probes_until > at THEN %(poll)s
        WHEN remaining <= 0 AND resets_at > at THEN extract(epoch FROM resets_at - at)::float8
        ELSE 0 END AS wait,
        CASE WHEN remaining IS NULL THEN probes_until > '-infinity'
            ELSE coalesce(resets_at <= at, false) END AS is_probed
    FROM known
),
taken AS (
    UPDATE analytics_assets.announced_limits AS limits SET
        remaining = CASE WHEN resets_at > at THEN remaining - 1 END,
        probes_until = CASE WHEN is_probed THEN at + make_interval(secs => %(probe)s)
            ELSE probes_until END
    FROM request WHERE host = %(host)s AND wait = 0
)
SELECT wait, remaining, is_probed FROM known, request
"""
# an answer without a quota: there may be none any more
END_PROBE = """
UPDATE analytics_assets.announced_limits SET probes_until = '-infinity'
WHERE host = %(host)s AND remaining IS NULL
RETURNING 1
"""
READ_ENCRYPTED = """
SELECT encrypted, extract(epoch FROM expires_at - clock_timestamp())::float8,
    extract(epoch FROM used_until - clock_timestamp())::float8
FROM analytics_assets.tokens WHERE name = %(name)s
"""
WRITE_ENCRYPTED = """
DELETE FROM analytics_assets.tokens WHERE expires_at < clock_timestamp() - interval '7 days';
INSERT INTO analytics_assets.tokens (name, encrypted, expires_at, used_until, holder)
VALUES (%(name)s, %(encrypted)s,
    clock_timestamp() + make_interval(secs => %(lifetime)s::float8),
    clock_timestamp() + make_interval(secs => %(used)s), %(holder)s)
ON CONFLICT (name) DO UPDATE SET encrypted = excluded.encrypted,
    expires_at = excluded.expires_at, used_until = excluded.used_until, holder = excluded.holder
RETURNING 1
"""
