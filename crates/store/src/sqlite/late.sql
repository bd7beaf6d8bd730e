CREATE TABLE allometry_late_tells (
    trial_id INTEGER NOT NULL,
    tell_json TEXT NOT NULL
);
CREATE INDEX ix_allometry_late_tells ON allometry_late_tells (trial_id);
CREATE TRIGGER allometry_trial_with_late_tells_deleted AFTER DELETE ON trials BEGIN
    DELETE FROM allometry_late_tells WHERE trial_id = OLD.trial_id;
END;
