-- The Publisher lists everybody's subscriptions in the order in which they were made.
CREATE INDEX am_subscription_created ON am_subscription (created_at, id);
