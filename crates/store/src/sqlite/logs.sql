CREATE TABLE allometry_logs (
    trial_id INTEGER NOT NULL PRIMARY KEY,
    tail TEXT NOT NULL
);
CREATE TRIGGER allometry_trial_with_log_deleted AFTER DELETE ON trials BEGIN
    DELETE FROM allometry_logs WHERE trial_id = OLD.trial_id;
END;
