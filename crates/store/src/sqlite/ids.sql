-- SQLite gives the id of a deleted last row out again, and clients take ids that they know for what they knew.
CREATE TABLE IF NOT EXISTS allometry_ids (
    kind TEXT NOT NULL PRIMARY KEY,
    last INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS allometry_study_id_spent AFTER DELETE ON studies BEGIN
    INSERT INTO allometry_ids (kind, last) VALUES ('study', OLD.study_id)
    ON CONFLICT (kind) DO UPDATE SET last = max(last, excluded.last);
END;
CREATE TRIGGER IF NOT EXISTS allometry_trial_id_spent AFTER DELETE ON trials BEGIN
    INSERT INTO allometry_ids (kind, last) VALUES ('trial', OLD.trial_id)
    ON CONFLICT (kind) DO UPDATE SET last = max(last, excluded.last);
END;
