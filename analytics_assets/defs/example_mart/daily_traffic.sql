-- one row per property and day
WITH views AS (
    SELECT
        analytics_id,
        date,
        CAST(sum(page_views) AS BIGINT) AS page_views,
        count(DISTINCT page) AS pages
    FROM {analytics}.page_views
    GROUP BY analytics_id, date
),

users AS (
    SELECT
        analytics_id,
        date,
        CAST(sum(active_users) AS BIGINT) AS active_users
    FROM {analytics}.daily_active_users
    GROUP BY analytics_id, date
)

SELECT
    analytics_id,
    date,
    views.page_views,
    views.pages,
    users.active_users,
    CAST(views.page_views AS DOUBLE PRECISION) / nullif(users.active_users, 0) AS views_per_user
FROM views
FULL JOIN users USING (analytics_id, date)
