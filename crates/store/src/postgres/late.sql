CREATE TABLE allometry_late_tells (
    tell_id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    trial_id INTEGER NOT NULL REFERENCES trials (trial_id) ON DELETE CASCADE,
    tell_json TEXT NOT NULL
);
CREATE INDEX ix_allometry_late_tells ON allometry_late_tells (trial_id);
