//! Reads trials for Optuna's clients. The parts of trials come as rows of one common shape, sorted by trial,
//! so that a call is one statement and only one trial is in memory.

use postgres::Row;

use super::row::{study_key, text, time, trial_key};
use super::session::{Db, Values};
use crate::error::StoreError;
use crate::from_rows;
use crate::optuna::record::{AttributeKind, TrialHead, TrialSink};
use crate::rows::{ReadRows as _, Result, Wanted};
use crate::store::TrialId;

/// Maximum number of trials that one statement looks up individually.
const FEW: i64 = 256;
/// Number of trials per statement for larger calls: the server sorts their rows in memory.
const AT_ONCE: usize = 1000;

/// Values of column 1, which tells the part of the trial that a row contains.
mod part {
    pub(super) const STUDY: i32 = -1;
    pub(super) const HEAD: i32 = 0;
    pub(super) const VALUE: i32 = 1;
    pub(super) const PARAM: i32 = 2;
    pub(super) const INTERMEDIATE: i32 = 3;
    pub(super) const USER_ATTRIBUTE: i32 = 4;
    pub(super) const SYSTEM_ATTRIBUTE: i32 = 5;
}

/// Returns the query for rows of all parts: trial, part, name, place (number, objective or step), number,
/// text, start and end. `heads` and `rows` give the text after `FROM` for the table of trials and for another
/// table; `trial` is the trial's key there.
fn parts(heads: &str, trial: &str, rows: impl Fn(&str) -> String) -> String {
    let [values, params, reports, user, system] = [
        "trial_values",
        "trial_params",
        "trial_intermediate_values",
        "trial_user_attributes",
        "trial_system_attributes",
    ]
    .map(rows);
    let number = |value: &str, kind: &str| {
        format!(
            "CASE {kind} WHEN 'INF_POS' THEN 'Infinity' WHEN 'INF_NEG' THEN '-Infinity'
                         WHEN 'FINITE' THEN {value} ELSE 'NaN' END"
        )
    };
    let value = number("value", "value_type");
    let report = number("intermediate_value", "intermediate_value_type");
    let no_times = "NULL::timestamp, NULL::timestamp";
    format!(
        "SELECT trial_id, 0, state::text, number, NULL::float8, NULL::text, datetime_start, datetime_complete
         FROM {heads}
         UNION ALL SELECT {trial}, 1, NULL::text, objective, {value}, NULL::text, {no_times} FROM {values}
         UNION ALL SELECT {trial}, 2, param_name::text, NULL::int4, param_value, distribution_json, {no_times}
         FROM {params}
         UNION ALL SELECT {trial}, 3, NULL::text, step, {report}, NULL::text, {no_times} FROM {reports}
         UNION ALL SELECT {trial}, 4, key::text, NULL::int4, NULL::float8, value_json, {no_times}
         FROM {user}
         UNION ALL SELECT {trial}, 5, key::text, NULL::int4, NULL::float8, value_json, {no_times}
         FROM {system}"
    )
}

/// Groups the rows of [`parts`], sorted by trial, and passes each complete trial on.
struct Assembly<'s> {
    sink: &'s mut dyn TrialSink,
    trial: i32,
    rows: Vec<Row>,
}

impl<'s> Assembly<'s> {
    fn new(sink: &'s mut dyn TrialSink) -> Self {
        Self { sink, trial: 0, rows: Vec::new() }
    }

    fn take(&mut self, row: Row) -> Result<()> {
        let trial: i32 = row.try_get(0)?;
        if trial != self.trial {
            self.pass_on()?;
            self.trial = trial;
        }
        self.rows.push(row);
        Ok(())
    }

    /// Passes on the current trial. Rows without a head belong to a trial of another study and are dropped.
    fn pass_on(&mut self) -> Result<()> {
        let of = |row: &Row| row.get::<_, i32>(1);
        if let Some(head) = self.rows.iter().find(|row| of(row) == part::HEAD) {
            self.sink.begin(&self::head(head)?);
            let mut values: Vec<&Row> = self.rows.iter().filter(|row| of(row) == part::VALUE).collect();
            values.sort_by_key(|row| row.get::<_, i32>(3));
            for row in values {
                self.sink.value(row.get(4));
            }
            for row in &self.rows {
                match of(row) {
                    part::PARAM => {
                        let internal = row.get::<_, Option<f64>>(4).unwrap_or(f64::NAN);
                        self.sink.param(text(row, 2), internal, text(row, 5));
                    }
                    part::INTERMEDIATE => self.sink.intermediate(row.get::<_, i32>(3).into(), row.get(4)),
                    part::USER_ATTRIBUTE => {
                        self.sink.attribute(AttributeKind::User, text(row, 2), text(row, 5));
                    }
                    part::SYSTEM_ATTRIBUTE => {
                        self.sink.attribute(AttributeKind::System, text(row, 2), text(row, 5));
                    }
                    _ => {}
                }
            }
            self.sink.end();
        }
        self.rows.clear();
        Ok(())
    }
}

fn head(row: &Row) -> Result<TrialHead> {
    let id = TrialId(row.try_get::<_, i32>(0)?.into());
    let state = from_rows::state_of(id, text(row, 2))?;
    let number = row.try_get::<_, Option<i32>>(3)?.unwrap_or_default();
    Ok(TrialHead { id, number: number.into(), state, started: time(row, 6)?, completed: time(row, 7)? })
}

/// Passes one trial to `sink`.
pub(super) fn trial(db: &mut Db<'_>, trial: TrialId, sink: &mut dyn TrialSink) -> Result<()> {
    let key = trial_key(trial)?;
    let of_one = |table: &str| format!("{table} WHERE trial_id = $1");
    let sql = parts(&of_one("trials"), "trial_id", of_one);
    let rows = db.query(&sql, &[&key])?;
    if rows.is_empty() {
        return Err(StoreError::UnknownTrial(trial).into());
    }
    let mut assembly = Assembly::new(sink);
    rows.into_iter().try_for_each(|row| assembly.take(row))?;
    assembly.pass_on()
}

/// Returns the keys of trials as stored in their column; larger ones do not exist and are left out.
fn keys(trials: &[TrialId]) -> Vec<i32> {
    trials.iter().filter_map(|trial| i32::try_from(trial.0).ok()).collect()
}

fn key_after(after: TrialId) -> i32 {
    i32::try_from(after.0).unwrap_or(if after.0 < 0 { -1 } else { i32::MAX })
}

const HEAD: &str = "trial_id, number, state, datetime_start, datetime_complete";

/// Passes the wanted trials to `sink` if they are at most [`FEW`]; returns whether it did.
pub(super) fn few(db: &mut Db<'_>, wanted: Wanted<'_>, sink: &mut dyn TrialSink) -> Result<bool> {
    let Wanted { study, after, included } = wanted;
    // `OFFSET 0` forces an index lookup per trial, whatever the planner's statistics are.
    let parts = parts("wanted", "wanted.trial_id", |table| {
        format!(
            "wanted CROSS JOIN LATERAL (
                 SELECT * FROM {table} WHERE {table}.trial_id = wanted.trial_id OFFSET 0
             ) AS part"
        )
    });
    let sql = format!(
        "WITH wanted AS MATERIALIZED (
             (SELECT {HEAD} FROM trials WHERE study_id = $1 AND trial_id > $2 ORDER BY trial_id LIMIT $4)
             UNION ALL
             SELECT {HEAD} FROM trials WHERE trial_id = ANY($3) AND trial_id <= $2 AND study_id = $1
         )
         SELECT -1, -1, NULL::text, NULL::int4, NULL::float8, NULL::text, NULL::timestamp, NULL::timestamp
         FROM studies WHERE study_id = $1
         UNION ALL {parts} ORDER BY 1"
    );
    let rows = db.query(&sql, &[&study_key(study)?, &key_after(after), &keys(included), &(FEW + 1)])?;
    let is_part = |row: &&Row, part: i32| row.get::<_, i32>(1) == part;
    if !rows.iter().any(|row| is_part(&row, part::STUDY)) {
        return Err(StoreError::UnknownStudy(study).into());
    }
    let later = rows.iter().filter(|row| is_part(row, part::HEAD) && row.get::<_, i32>(0) > key_after(after));
    if later.count() as i64 > FEW {
        return Ok(false);
    }
    let mut assembly = Assembly::new(sink);
    rows.into_iter().try_for_each(|row| assembly.take(row))?;
    assembly.pass_on()?;
    Ok(true)
}

/// Passes any number of wanted trials to `sink`.
pub(super) fn many(db: &mut Db<'_>, wanted: Wanted<'_>, sink: &mut dyn TrialSink) -> Result<()> {
    let Wanted { study, after, included } = wanted;
    db.require_study(study)?;
    let key = study_key(study)?;
    let rows = db.query(
        "SELECT trial_id FROM trials
         WHERE study_id = $1 AND (trial_id > $2 OR trial_id = ANY($3)) ORDER BY trial_id",
        &[&key, &key_after(after), &keys(included)],
    )?;
    let trials: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
    let of_some = |table: &str| format!("{table} WHERE trial_id = ANY($1)");
    let one_by_one = format!("{} ORDER BY trial_id", parts(&of_some("trials"), "trial_id", of_some));
    let spans = parts("trials WHERE study_id = $3 AND trial_id BETWEEN $1 AND $2", "trial_id", |table| {
        format!("{table} WHERE trial_id BETWEEN $1 AND $2")
    });
    let spans = format!("{spans} ORDER BY trial_id");
    let mut assembly = Assembly::new(sink);
    for trials in trials.chunks(AT_ONCE) {
        let (first, last) = (trials[0], trials[trials.len() - 1]);
        // A range scan skips the rows of other studies; it is cheaper than a lookup per trial unless they are
        // the majority.
        let (sql, values): (&str, Values<'_>) = if ((last - first) as usize) < 4 * trials.len() {
            (&spans, &[&first, &last, &key])
        } else {
            (&one_by_one, &[&trials])
        };
        db.each(sql, values, |row| assembly.take(row))?;
    }
    assembly.pass_on()
}
