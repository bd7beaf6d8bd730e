CREATE TABLE allometry_version (
    version INTEGER NOT NULL
);
CREATE TABLE allometry_leases (
    trial_id INTEGER NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    process_start TEXT NOT NULL
);
CREATE TABLE allometry_epoch_metrics (
    trial_id INTEGER NOT NULL,
    step INTEGER NOT NULL,
    metrics_json TEXT NOT NULL,
    PRIMARY KEY (trial_id, step)
) WITHOUT ROWID;
CREATE TABLE allometry_scores (
    trial_id INTEGER NOT NULL PRIMARY KEY,
    "rows" BLOB NOT NULL,
    labels BLOB NOT NULL,
    scores BLOB NOT NULL
);
-- Optuna deletes trials without knowing of these tables, and SQLite gives their ids out again.
CREATE TRIGGER allometry_trial_deleted AFTER DELETE ON trials BEGIN
    DELETE FROM allometry_leases WHERE trial_id = OLD.trial_id;
    DELETE FROM allometry_epoch_metrics WHERE trial_id = OLD.trial_id;
    DELETE FROM allometry_scores WHERE trial_id = OLD.trial_id;
END;
INSERT INTO allometry_version (version) VALUES (1);
