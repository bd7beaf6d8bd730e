CREATE TABLE allometry_version (
    version INTEGER NOT NULL
);
-- Optuna deletes trials without knowing of these tables. The heartbeat beside Optuna's is one with a time zone: that of
-- Optuna is in the server's local time, which leaps twice a year.
CREATE TABLE allometry_leases (
    trial_id INTEGER NOT NULL PRIMARY KEY REFERENCES trials (trial_id) ON DELETE CASCADE,
    host TEXT NOT NULL,
    pid BIGINT NOT NULL,
    process_start TEXT NOT NULL,
    heartbeat TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE TABLE allometry_epoch_metrics (
    trial_id INTEGER NOT NULL REFERENCES trials (trial_id) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    metrics_json TEXT NOT NULL,
    PRIMARY KEY (trial_id, step)
);
CREATE TABLE allometry_scores (
    trial_id INTEGER NOT NULL PRIMARY KEY REFERENCES trials (trial_id) ON DELETE CASCADE,
    "rows" BYTEA NOT NULL,
    labels BYTEA NOT NULL,
    scores BYTEA NOT NULL
);
CREATE TABLE allometry_logs (
    trial_id INTEGER NOT NULL PRIMARY KEY REFERENCES trials (trial_id) ON DELETE CASCADE,
    tail TEXT NOT NULL
);
-- The last commit of each connection. Where a connection was lost while it committed, its successor looks here whether
-- that took effect, and sets the fence, so that it cannot take effect any later.
CREATE TABLE allometry_writers (
    writer TEXT NOT NULL PRIMARY KEY,
    last_commit BIGINT NOT NULL,
    fence BIGINT,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT allometry_writers_fence CHECK (last_commit < fence)
);
INSERT INTO allometry_version (version) VALUES (1);
