//! Advice for correcting a table.

use allometry_ladder::MaxGap;

use super::{DataError, MOST_CLASSES, MOST_VECTORS, NotNumeric, Role, TimeKind, TrainPartProblem};
use crate::data::dataset::PartName;
use crate::data::value::EMPTY;

/// Advice for a missing category.
const NO_MEAN: &str =
    "na = \"drop\" under [data] leaves such rows out, \"ffill\" fills them; categories have no mean";

impl DataError {
    /// Returns advice for the user.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::MissingColumn { column, columns, .. } => {
                match (nearest(column, columns), columns.as_slice()) {
                    (Some(name), _) => format!("did you mean `{name}`?"),
                    (None, [only]) => {
                        format!("its only column is `{only}`; fields must be separated by commas")
                    }
                    (None, _) => format!("its columns are {}", listed(columns)),
                }
            }
            Self::NotANumber { column, .. } => {
                format!(
                    "correct the value, or leave the column out: features = {{ exclude = [\"{column}\"] }}"
                )
            }
            Self::NoFeatures { skipped, .. } if !skipped.is_empty() => {
                format!("not used: {}", listed(skipped))
            }
            Self::MissingValue { is_category: true, .. } => NO_MEAN.to_owned(),
            Self::MissingValue { .. } => {
                "na = \"drop\" under [data] leaves such rows out, \"ffill\" and \"mean\" fill them".to_owned()
            }
            Self::MissingLabel { .. } => {
                "na = \"drop\" under [data] keeps such rows as history without predicting them".to_owned()
            }
            Self::BadLabel { value, wanted, .. } => label_hint(value, wanted),
            Self::NotNumericFeatures { columns, has_series, .. } => {
                let exclude = excluding(columns.iter().map(|column| column.column.as_str()));
                match columns.iter().find(|column| column.first.is_some()) {
                    Some(NotNumeric { column, .. }) if *has_series => {
                        format!("{exclude}; {}", as_categories(column))
                    }
                    Some(NotNumeric { column, .. }) => format!(
                        "{exclude}; {}; series = {column:?} if it tells the series of each row",
                        as_categories(column)
                    ),
                    None => exclude,
                }
            }
            Self::WrongType { column, role: Role::Feature, found, .. } if found != EMPTY => {
                as_categories(column)
            }
            Self::TooManyCategories { column, has_vectors, .. } => too_many_categories(column, *has_vectors),
            Self::Leaks { leaks, .. } => {
                let exclude = excluding(leaks.iter().map(|leak| leak.column.as_str()));
                format!("a feature must be known before its label: {exclude}; if it is, `run` trains with it")
            }
            Self::NotTwoClasses { classes, .. } if classes.len() > 2 => {
                "`task = \"classes\"` under [model] predicts several classes; otherwise correct the label"
                    .to_owned()
            }
            Self::NoPositive { classes, .. } => {
                let name = &classes[1].0;
                format!("positive = {name:?} under [data] makes `{name}` class 1")
            }
            Self::UnknownPositive { positive, classes, .. } => {
                let names: Vec<String> = classes.iter().map(|(name, _)| name.clone()).collect();
                let name = nearest(positive, &names)?;
                format!("did you mean positive = {name:?}?")
            }
            Self::TooManyClasses { .. } => {
                "name another column; numbers are predicted with `task = \"regression\"` under [model]"
                    .to_owned()
            }
            Self::AbsentClass { rows: 0, .. } => {
                "number the classes from 0 without gaps, or write them as names".to_owned()
            }
            Self::AbsentClass { .. } => {
                "a larger share for training, or one class for it and another in the table".to_owned()
            }
            Self::TooFewRows { part, horizon, max_gap, .. } => {
                let shorter = if *horizon > 1 { "context or horizon" } else { "context" };
                let share = match part {
                    PartName::Train => "a larger share for training",
                    PartName::Stopping => "a larger `stopping`",
                    PartName::Validation => "a larger share for validation",
                    PartName::Test => "smaller shares for training and validation",
                };
                let longer = if max_gap.is_some() { "a longer max_gap, " } else { "" };
                format!("{longer}a shorter {shorter}, more rows, or {share}")
            }
            Self::LongHorizon { .. } => {
                "a shorter `horizon`, more rows, or another `split`: each part must be longer than the \
                 horizon"
                    .to_owned()
            }
            Self::TrainPart { problem: TrainPartProblem::All, .. } => {
                "leave it out: each budget is trained on all rows anyway".to_owned()
            }
            Self::TrainPart { .. } => "a larger part in `train_share` or `train_rows`".to_owned(),
            Self::OneClass { .. } => "more rows, another split, or another threshold of the label".to_owned(),
            Self::Fold { fold, most, cause, .. } => fold_hint(*fold, *most, cause)?,
            Self::Parquet { message, .. } if message.contains("feature") => {
                "write the file with snappy, zstd, gzip, lz4 or no compression".to_owned()
            }
            _ => return self.time_hint(),
        })
    }

    /// Returns advice for times and series.
    fn time_hint(&self) -> Option<String> {
        Some(match self {
            Self::BadTime { .. } => {
                "times are written as 2024-01-31, 2024-01-31T16:00:00, 2024-01-31T16:00:00Z or a number"
                    .to_owned()
            }
            Self::MixedTimes { kind: TimeKind::Number, .. }
            | Self::MixedTimes { first_kind: TimeKind::Number, .. } => return None,
            Self::MixedTimes { .. } => {
                "write all times with a zone, such as 2024-01-31T16:00:00+01:00, or none".to_owned()
            }
            Self::RepeatedTimes { are_set_back: true, .. } => {
                "local times repeat where clocks are set back: write times with their zone, such as \
                 2024-10-27T02:30:00+02:00"
                    .to_owned()
            }
            Self::RepeatedTimes { times, .. } if times.iter().any(|time| time.series.is_some()) => {
                "a series has one row per time".to_owned()
            }
            Self::RepeatedTimes { .. } => {
                "a table has one row per time; series = \"COLUMN\" under [data] names the column that tells \
                 the series of a row where it holds several"
                    .to_owned()
            }
            Self::NoSeries { .. } => "name the series of every row, or leave such rows out".to_owned(),
            Self::ShortSeries { .. } => "a shorter context, or longer series".to_owned(),
            Self::GapUnit { max_gap: MaxGap::Seconds(_), .. } => {
                "a number in the unit of the times: max_gap = 5".to_owned()
            }
            Self::GapUnit { .. } => "a time with its unit: max_gap = \"7d\"".to_owned(),
            _ => return None,
        })
    }
}

/// Returns advice for a fold with an error: what would be accepted.
fn fold_hint(fold: Option<u64>, most: Option<u64>, error: &DataError) -> Option<String> {
    let is_of_era = matches!(
        error,
        DataError::TooFewRows { part: PartName::Validation, .. }
            | DataError::LongHorizon { part: PartName::Validation, .. }
            | DataError::OneClass { part: PartName::Validation, .. }
    );
    let is_of_slice = matches!(
        error,
        DataError::LongHorizon { part: PartName::Stopping, .. }
            | DataError::OneClass { part: PartName::Stopping, .. }
    );
    let own = match error {
        _ if is_of_era => "fewer `folds`, or a larger share for validation in `split`".to_owned(),
        _ if is_of_slice => "a larger `stopping`, or a larger share for training in `split`".to_owned(),
        _ => error.hint()?,
    };
    // Fewer folds change nothing for the training rows of the first one.
    Some(match most.filter(|_| fold.is_some()) {
        Some(most) => format!("{own}; with these shares `folds = {most}` is accepted"),
        None => own,
    })
}

/// Returns advice for a label that does not fit its task.
fn label_hint(value: &str, wanted: &str) -> String {
    const CLASSES: &str = "task = \"classes\" under [model] predicts classes numbered from 0";
    const NUMBERS: &str = "task = \"regression\" under [model] predicts numbers";
    const THRESHOLD: &str =
        "a threshold can be the label: label = { rise = 0.01, of = \"high\", over = \"close\", horizon = 1 }";
    let number = value.trim_matches('`').parse::<f64>().ok();
    let is_class = |x: f64| x.fract() == 0.0 && (0.0..MOST_CLASSES as f64).contains(&x);
    match (number, wanted) {
        (None, "a finite number") => {
            "task = \"binary\" or task = \"classes\" under [model] predicts classes by name".to_owned()
        }
        (None, _) => "the label's first value is a number, so all must be; correct this one".to_owned(),
        (Some(x), "0 or 1") if is_class(x) => {
            format!(
                "{CLASSES}; {NUMBERS}; a label of two values names the one that is class 1: \
                 positive = \"{x}\" under [data]"
            )
        }
        (Some(_), "0 or 1") => format!("{NUMBERS}; {THRESHOLD}"),
        (Some(_), _) => NUMBERS.to_owned(),
    }
}

/// Returns what to do about a column with too many categories.
fn too_many_categories(column: &str, has_vectors: bool) -> String {
    let exclude = excluding([column].into_iter());
    if has_vectors {
        return exclude;
    }
    format!(
        "categorical = [{{ column = {column:?}, embedding = 8 }}] under [data] learns 8 weights for each of \
         up to {MOST_VECTORS} categories; {exclude}"
    )
}

/// Returns the setting that makes a column one of categories.
fn as_categories(column: &str) -> String {
    format!("categorical = [{column:?}] under [data] makes a feature of each of its values")
}

/// Returns the setting that leaves out columns, of which there is at least one.
fn excluding<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = columns.map(|column| format!("{column:?}")).collect();
    names.dedup();
    let what = if names.len() == 1 { "it" } else { "them" };
    format!("exclude = [{}] under [data.features] leaves {what} out", names.join(", "))
}

/// Returns the candidate that a misspelt name was probably meant to be.
fn nearest<'a>(name: &str, candidates: &'a [String]) -> Option<&'a str> {
    let name = name.to_lowercase();
    let allowed = (name.chars().count() / 3).max(1);
    candidates
        .iter()
        .map(|c| (strsim::damerau_levenshtein(&name, &c.to_lowercase()), c.as_str()))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|n| format!("`{n}`")).collect();
    let rest = names.len().saturating_sub(SHOWN);
    if rest == 0 { shown.join(", ") } else { format!("{} and {rest} more", shown.join(", ")) }
}
