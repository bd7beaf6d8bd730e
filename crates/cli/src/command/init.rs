//! `allometry init`.

use std::path::{Path, PathBuf, absolute};

use allometry_ladder::{
    DataSpec, FeatureSpec, LabelSpec, MissingPolicy, ModelSpec, Normalize, SeriesSpec, SeriesSplit, SplitSpec,
};
use allometry_session::Prepared;
use allometry_trainer::Geometry;
use allometry_trainer::data::{Holes, TableDescription, TimeDescription, describe, describe_times, load};
use clap::Args;

use super::check::proposed_limit;
use super::ladder_file::parse_path;
use crate::error::CliError;
use crate::output;
use crate::proposal::{self, FoundHoles, Noticed, Proposal, Roles, Unclear};

/// Shares of the rows of a proposed ladder.
const SPLIT: SplitSpec = SplitSpec { train: 0.70, validation: 0.15 };

/// Share of the rows whose windows a proposed limit of holes may leave out.
const FEW_WINDOWS: f64 = 0.1;

/// Writes a commented ladder file for a table, to start from.
///
/// The command prints what it found in the table: the times of the rows and their gaps, the classes of the
/// label, missing values and columns that cannot be features. The written file passes `allometry check` and
/// can be run with `allometry run` without changes. If the label column is ambiguous, the command lists the
/// candidates and asks for --label.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The table: a .csv or .parquet file with one row per time step.
    #[arg(value_name = "TABLE")]
    table: PathBuf,

    /// The ladder file to write, or the folder of a ladder.toml.
    #[arg(short, long, value_name = "FILE", default_value = "ladder.toml", value_parser = parse_path)]
    output: PathBuf,

    /// Column to predict: 0 and 1, classes counted from 0, or any numbers.
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,

    /// Column that orders the rows.
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,

    /// Number of trials per budget.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 24,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000)
    )]
    trials: u64,

    /// Overwrites an existing ladder file.
    #[arg(long)]
    force: bool,
}

/// A way to decide the roles of columns, with the label and the time that the user names.
type Decision = fn(&TableDescription, Option<&str>, Option<&str>) -> Result<Roles, Unclear>;

/// What a written ladder makes of its table.
struct Written {
    /// Number of rows that it leaves out.
    dropped: u64,
    /// Usual distance of the times in words; `None` without times.
    spacing: Option<String>,
    /// Holes between the times, if there are any.
    holes: Option<FoundHoles>,
}

impl Init {
    pub(super) fn run(self) -> Result<(), CliError> {
        if !self.force && self.output.symlink_metadata().is_ok() {
            return Err(CliError::Usage {
                message: format!("{} already exists", self.output.display()),
                hint: Some("name another file with -o, or overwrite it with --force".into()),
            });
        }
        let path = written_path(&self.table, &self.output)?;
        let table = describe(&self.table)?;
        let (mut roles, mut times) = self.roles(&table, Roles::of)?;
        if roles.time_needs_series && times.as_ref().is_some_and(|times| times.series.is_none()) {
            (roles, times) = self.roles(&table, Roles::of_one_series)?;
        }
        let time = roles.time.clone();
        if let Some(times) = &times {
            roles.tell_series(&table, times);
        }
        let Written { dropped, spacing, holes } = self.write(&path, &roles, times.as_ref())?;
        let times = time.as_deref().zip(times.as_ref());
        let (path, holes) = (self.table.display().to_string(), holes.as_ref());
        output::print(
            &Noticed { path, table: &table, roles: &roles, times, dropped, spacing, holes }.text(),
        )?;
        output::say(&format!("wrote {}; `allometry check` shows its budgets", self.output.display()));
        Ok(())
    }

    /// Returns the roles of the columns and the times of the rows.
    fn roles(
        &self,
        table: &TableDescription,
        of: Decision,
    ) -> Result<(Roles, Option<TimeDescription>), CliError> {
        let roles = of(table, self.label.as_deref(), self.time.as_deref());
        let roles = roles.map_err(|unclear| self.refused(&unclear))?;
        let times = self.times(table, &roles)?;
        Ok((roles, times))
    }

    fn refused(&self, unclear: &Unclear) -> CliError {
        let (message, hint) = (unclear.to_string(), unclear.hint());
        if unclear.is_usage() {
            return CliError::Usage { message: format!("{}: {message}", self.table.display()), hint };
        }
        CliError::Table { path: self.table.clone(), message, hint }
    }

    /// Returns the times of the rows, if the table has a time column.
    fn times(&self, table: &TableDescription, roles: &Roles) -> Result<Option<TimeDescription>, CliError> {
        let Some(time) = &roles.time else { return Ok(None) };
        let series = roles.series_columns(table);
        Ok(Some(describe_times(&self.table, time, &roles.features[0], &series)?))
    }

    /// Proposes a ladder, checks it against its data as `allometry check` does, and writes it.
    fn write(&self, path: &str, roles: &Roles, times: Option<&TimeDescription>) -> Result<Written, CliError> {
        let loaded = load(&self.data(roles), 1, Normalize::None, roles.task)?;
        let (rows, dropped) = (loaded.summary.rows, loaded.summary.dropped);
        let training = loaded.dataset.train.windows.len() as u64;
        let series = loaded.summary.series.as_ref().map_or(1, |series| series.count);
        let context = proposal::context((rows - dropped) / series.max(1));
        let patch = proposal::patch(context);
        let model = ModelSpec { task: roles.task, ..ModelSpec::new(context, patch, patch) };
        let classes = loaded.dataset.preparation.classes;
        let geometry = Geometry::new(loaded.dataset.features(), classes, &model)?;
        let spacing = loaded.summary.spacing.map(|spacing| spacing.to_string());
        // The check of the ladder reads the rows again; they should not be in memory twice.
        drop(loaded);
        let proposal = Proposal {
            path,
            roles,
            span: times.map(|times| (times.first.as_str(), times.last.as_str())),
            dropped,
            context,
            patch,
            budgets: &proposal::budgets(geometry, training),
            trials: self.trials,
            confirms: true,
            holes: None,
        };
        let (text, holes) = self.with_holes(&proposal, rows - dropped)?;
        if self.force {
            output::write_file(&self.output, text.as_bytes())?;
        } else {
            output::write_new_file(&self.output, text.as_bytes())?;
        }
        Ok(Written { dropped, spacing, holes })
    }

    /// Returns the text of the ladder file, and the holes between the times. A limit for them is set if the
    /// windows that it leaves out are few, and otherwise only named.
    fn with_holes(
        &self,
        proposal: &Proposal<'_>,
        rows: u64,
    ) -> Result<(String, Option<FoundHoles>), CliError> {
        let (text, holes) = self.checked(proposal)?;
        let Some(mut found) = holes.as_ref().and_then(proposed_limit) else { return Ok((text, None)) };
        let with = |found: &FoundHoles| self.checked(&Proposal { holes: Some(found), ..proposal.clone() });
        let most = (rows as f64 * FEW_WINDOWS) as u64;
        found.is_set = holes.is_some_and(|holes| holes.windows <= most);
        if found.is_set
            && let Ok((text, _)) = with(&found)
        {
            return Ok((text, Some(found)));
        }
        found.is_set = false;
        let (text, _) = with(&found)?;
        Ok((text, Some(found)))
    }

    /// Returns the text of the ladder file after checking that it is valid, that its data can be used and
    /// that each budget has an architecture, and the holes between its times. The text has a `[confirm]`
    /// table if the test rows allow a confirmation.
    fn checked(&self, proposal: &Proposal<'_>) -> Result<(String, Option<Holes>), CliError> {
        let text = proposal.text();
        let ladder = allometry_ladder::parse_with(&text, &self.output, &[])
            .map_err(|errors| CliError::Ladder(Box::new(errors)))?;
        let prepared = Prepared::new(&ladder, None)?;
        for budget in &ladder.budgets {
            prepared.feasible(budget)?;
        }
        let holes = prepared.summary().holes.clone();
        if prepared.check_test_part().is_ok() {
            return Ok((text, holes));
        }
        Ok((Proposal { confirms: false, ..proposal.clone() }.text(), holes))
    }

    /// Returns the `[data]` settings of the proposed ladder.
    fn data(&self, roles: &Roles) -> DataSpec {
        DataSpec {
            path: self.table.clone(),
            time: roles.time.clone(),
            label: LabelSpec::Column {
                name: roles.label.clone(),
                horizon: 1,
                positive: roles.positive.clone(),
            },
            features: FeatureSpec { include: Some(roles.features.clone()), ..FeatureSpec::default() },
            split: SPLIT,
            folds: None,
            missing: if roles.has_gaps { MissingPolicy::Drop } else { MissingPolicy::Error },
            max_gap: None,
            series: roles.series.clone().map(|column| SeriesSpec { column, split: SeriesSplit::default() }),
        }
    }
}

/// Returns the path of the table for the ladder file: relative if the table is below the ladder's folder,
/// absolute otherwise.
///
/// # Errors
/// [`CliError::Usage`] for a path that is not UTF-8, because ladder files are; [`CliError::System`] if the
/// working directory is unknown.
fn written_path(table: &Path, ladder: &Path) -> Result<String, CliError> {
    let full = |path: &Path| {
        absolute(path)
            .map_err(|source| CliError::System { what: "cannot find the working directory", source })
    };
    let (table, ladder) = (full(table)?, full(ladder)?);
    let within = ladder.parent().and_then(|folder| table.strip_prefix(folder).ok());
    let path = within.unwrap_or(&table);
    path.to_str().map(str::to_owned).ok_or_else(|| CliError::Usage {
        message: format!("{}: a ladder file cannot name a path that is not UTF-8", path.display()),
        hint: Some("rename the table or its folder".into()),
    })
}
