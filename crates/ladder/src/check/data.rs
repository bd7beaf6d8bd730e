//! Checks of `[data]`.

use std::path::Path;

use super::super::document::{Located, Node, Place};
use super::super::problem::{NotAFeature, ProblemKind};
use super::super::section::{AT_LEAST_ONE, Problems, Section, text_of, wrong_type};
use super::super::spec::{
    CategorySpec, DataSpec, FeatureSpec, FoldScheme, FoldSpec, LabelSpec, MaxGap, MissingPolicy, SeriesSpec,
    SeriesSplit, SplitSpec,
};

const SPLIT: SplitSpec = SplitSpec { train: 0.70, validation: 0.15 };
/// Shares with folds, whose eras share the validation part.
const SPLIT_OF_FOLDS: SplitSpec = SplitSpec { train: 0.45, validation: 0.40 };
const FOLDS: (fn(usize) -> bool, &str) =
    (|folds| (FoldSpec::FEWEST..=FoldSpec::MOST).contains(&folds), "from 3 to 100");
const SCHEMES: (&[&str], &[FoldScheme]) =
    (&["expanding", "rolling"], &[FoldScheme::Expanding, FoldScheme::Rolling]);
const STOPPING: f64 = 0.15;
const SHARE: (fn(f64) -> bool, &str) = (|x| x > 0.0 && x < 1.0, "above 0 and below 1");
const MISSING: (&[&str], &[MissingPolicy]) = (
    &["error", "drop", "ffill", "mean"],
    &[MissingPolicy::Error, MissingPolicy::Drop, MissingPolicy::Ffill, MissingPolicy::Mean],
);
const BY: (&[&str], &[SeriesSplit]) = (&["time", "series"], &[SeriesSplit::Time, SeriesSplit::Series]);
const GAP: &str = "a time such as \"36h\" or \"7d\", or a number above 0 where times are numbers";

pub(super) fn data(mut section: Section<'_>, folder: &Path, problems: &mut Problems) -> Option<DataSpec> {
    let path = section.required_text("path", "path = \"rows.csv\"", problems);
    if let Some(path) = path.as_ref().filter(|p| p.value.is_empty()) {
        problems.push(&path.place, ProblemKind::Empty { key: "path".into() });
    }
    let time = section.text("time", problems).map(|time| time.value);
    let label = label(&mut section, problems);
    let column = match &label {
        Some(LabelSpec::Column { name, .. }) => Some(name.as_str()),
        _ => None,
    };
    let series = series(&mut section, (time.as_deref(), column), problems);
    let roles = Roles { time: time.as_deref(), label: column, series: series.as_deref() };
    let mut features = section
        .section("features", problems)
        .map_or_else(FeatureSpec::default, |inner| features(inner, roles, problems));
    let categorical = categorical(&mut section, problems);
    let has_series = series.is_some();
    let folds = folds(&mut section, problems);
    let default = if folds.is_some() { SPLIT_OF_FOLDS } else { SPLIT };
    let (split, by) = section.section("split", problems).map_or((default, SeriesSplit::Time), |inner| {
        split(inner, default, (has_series, folds.is_some()), problems)
    });
    let of_categories = Roles { series: None, ..roles };
    for column in &categorical {
        let (place, name) = (&column.place, column.value.column.as_str());
        check_role(place, name, of_categories, &features.exclude, problems);
        // A series is known to a model only if its rows are in all parts.
        if by == SeriesSplit::Series && Some(name) == roles.series {
            let why = NotAFeature::NewSeries;
            problems.push(place, ProblemKind::NotAFeature { column: name.to_owned(), why });
        }
    }
    features.categorical = categorical.into_iter().map(|column| column.value).collect();
    let missing = section.word("na", MISSING, problems).unwrap_or_default();
    let max_gap = max_gap(&mut section, time.is_some(), problems);
    section.finish(problems);
    let path = folder.join(path?.value);
    let series = series.map(|column| SeriesSpec { column, split: by });
    Some(DataSpec { path, time, label: label?, features, split, folds, missing, max_gap, series })
}

/// Columns that are no features.
#[derive(Clone, Copy)]
struct Roles<'a> {
    time: Option<&'a str>,
    label: Option<&'a str>,
    series: Option<&'a str>,
}

/// The column that tells the series of a row, which needs a column of times and is neither that nor the
/// label.
fn series(
    section: &mut Section<'_>,
    (time, label): (Option<&str>, Option<&str>),
    problems: &mut Problems,
) -> Option<String> {
    let Located { value: column, place } = section.text("series", problems)?;
    if column.is_empty() {
        problems.push(&place, ProblemKind::Empty { key: "series".into() });
    }
    if time.is_none() {
        let what = "`time`, the column of the times that order the rows of each series";
        problems.push(&place, ProblemKind::Needs { key: "series", what });
    }
    let role = match Some(column.as_str()) {
        name if name == time => Some("the time"),
        name if name == label => Some("the label"),
        _ => None,
    };
    if let Some(role) = role {
        problems.push(&place, ProblemKind::NotTheSeries { column: column.clone(), role });
    }
    Some(column)
}

/// The longest time between neighbouring rows of a window, which needs a column of times.
fn max_gap(section: &mut Section<'_>, has_time: bool, problems: &mut Problems) -> Option<MaxGap> {
    let node = section.node("max_gap")?;
    if !has_time {
        let what = "`time`, the column of the times between which it is a distance";
        problems.push(&node.place, ProblemKind::Needs { key: "max_gap", what });
    }
    let gap = match &node.value {
        Node::Text(text) => seconds(text).map(MaxGap::Seconds),
        Node::Integer(_) | Node::Float(_) => node.value.as_f64().map(MaxGap::Number),
        other => {
            problems.push(&node.place, wrong_type("max_gap", GAP, other));
            return None;
        }
    };
    let gap = gap.filter(|gap| gap.amount() > 0.0 && gap.amount().is_finite());
    if gap.is_none() {
        let value = problems.sources.text(&node.place).to_owned();
        problems.push(&node.place, ProblemKind::OutOfRange { key: "max_gap".into(), value, allowed: GAP });
    }
    gap
}

/// The seconds of a text such as "7d", of which each day has 24 hours; `None` for other texts, and for months
/// and years, whose lengths differ.
fn seconds(text: &str) -> Option<f64> {
    let span: jiff::Span = text.parse().ok()?;
    let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    Some(duration.as_secs_f64())
}

fn label(section: &mut Section<'_>, problems: &mut Problems) -> Option<LabelSpec> {
    const EXPECTED: &str = "a column's name or a table { rise, of, over, horizon }";
    let horizon = section.node("horizon").map(|horizon| &horizon.place);
    let rows = section.within("horizon", 1, AT_LEAST_ONE, problems);
    let positive = section.text("positive", problems);
    let Some(node) = section.node("label") else {
        section.missing("label", "label = \"label\"", problems);
        return None;
    };
    match &node.value {
        Node::Table(table) => {
            if let Some(positive) = positive {
                let what = "a label that is a column: a threshold that is reached is class 1";
                problems.push(&positive.place, ProblemKind::Needs { key: "positive", what });
            }
            rise(Section::new("the label", table, node.place.clone()), rows, horizon, problems)
        }
        Node::Text(column) => Some(LabelSpec::Column {
            name: column.clone(),
            horizon: rows,
            positive: positive.map(|p| p.value),
        }),
        other => {
            problems.push(&node.place, wrong_type("label", EXPECTED, other));
            None
        }
    }
}

/// A label by threshold. `rows` is the horizon of `[data]`, and `place` is its place where it is given.
fn rise(
    mut section: Section<'_>,
    rows: usize,
    place: Option<&Place>,
    problems: &mut Problems,
) -> Option<LabelSpec> {
    const RISE: (fn(f64) -> bool, &str) =
        (|x| x > -1.0 && x.is_finite(), "a relative rise such as 0.01, above -1");
    let given = section.node("rise").is_some();
    if !given {
        section.missing("rise", "rise = 0.01", problems);
    }
    let rise = section.within("rise", 0.0, RISE, problems);
    let of = section.required_text("of", "of = \"high\"", problems);
    let over = section.required_text("over", "over = \"close\"", problems);
    let own = section.node("horizon").map(|horizon| &horizon.place);
    if let (Some(own), Some(other)) = (own, place) {
        let kind = ProblemKind::StatedTwice { key: "horizon", first: "[data]", second: "the label" };
        problems.push_with(own, kind, Some((other, "and here")));
    }
    let horizon = section.within("horizon", rows, AT_LEAST_ONE, problems);
    section.finish(problems);
    Some(LabelSpec::Rise { rise, of: of?.value, over: over?.value, horizon })
}

fn features(mut section: Section<'_>, roles: Roles<'_>, problems: &mut Problems) -> FeatureSpec {
    let include = columns(&mut section, "include", problems);
    let exclude = columns(&mut section, "exclude", problems);
    section.finish(problems);
    let exclude = exclude.map(names).unwrap_or_default();
    check_roles(include.as_deref().unwrap_or_default(), roles, &exclude, problems);
    FeatureSpec { include: include.map(names), exclude, categorical: Vec::new() }
}

/// Reports columns that cannot be features, because they are the time, the label, the series or excluded.
fn check_roles(columns: &[Located<String>], roles: Roles<'_>, exclude: &[String], problems: &mut Problems) {
    for Located { value, place } in columns {
        check_role(place, value, roles, exclude, problems);
    }
}

fn check_role(place: &Place, column: &str, roles: Roles<'_>, exclude: &[String], problems: &mut Problems) {
    let why = match Some(column) {
        name if name == roles.label => NotAFeature::Label,
        name if name == roles.time => NotAFeature::Time,
        name if name == roles.series => NotAFeature::Series,
        _ if exclude.iter().any(|one| one == column) => NotAFeature::Excluded,
        _ => return,
    };
    problems.push(place, ProblemKind::NotAFeature { column: column.to_owned(), why });
}

/// The columns of categories, each a name or a table with the length of its learned vectors.
fn categorical(section: &mut Section<'_>, problems: &mut Problems) -> Vec<Located<CategorySpec>> {
    const KEY: &str = "categorical";
    const LENGTH: (fn(usize) -> bool, &str) =
        (|length| (1..=CategorySpec::LONGEST_EMBEDDING).contains(&length), "from 1 to 1024");
    let Some(node) = section.node(KEY) else { return Vec::new() };
    let Node::List(items) = &node.value else {
        problems.push(&node.place, wrong_type(KEY, "a list of columns", &node.value));
        return Vec::new();
    };
    let mut columns: Vec<Located<CategorySpec>> = Vec::with_capacity(items.len());
    for item in items {
        let found = if let Node::Table(table) = &item.value {
            let mut inner = Section::new("a column of `categorical`", table, item.place.clone());
            let column = inner.required_text("column", "column = \"ticker\"", problems);
            if inner.node("embedding").is_none() {
                inner.missing("embedding", "embedding = 8", problems);
            }
            let embedding = Some(inner.within("embedding", 1, LENGTH, problems));
            inner.finish(problems);
            column.map(|Located { value: column, place }| (CategorySpec { column, embedding }, place))
        } else {
            text_of(KEY, item, problems).map(|one| (CategorySpec::from(one.value.as_str()), one.place))
        };
        let Some((value, place)) = found else { continue };
        if columns.iter().any(|other| other.value.column == value.column) {
            let value = format!("`{}`", value.column);
            problems.push(&place, ProblemKind::Repeated { key: KEY.into(), value });
        }
        columns.push(Located { value, place });
    }
    let embedded = columns.iter().filter(|column| column.value.embedding.is_some()).count();
    if embedded > CategorySpec::MOST_EMBEDDED {
        let what = "no more than 8 columns with `embedding`";
        problems.push(&node.place, ProblemKind::Needs { key: KEY, what });
    }
    columns
}

fn names(columns: Vec<Located<String>>) -> Vec<String> {
    columns.into_iter().map(|column| column.value).collect()
}

fn columns(
    section: &mut Section<'_>,
    key: &'static str,
    problems: &mut Problems,
) -> Option<Vec<Located<String>>> {
    let node = section.node(key)?;
    let Node::List(items) = &node.value else {
        problems.push(&node.place, wrong_type(key, "a list of columns", &node.value));
        return None;
    };
    if items.is_empty() && key == "include" {
        problems.push(&node.place, ProblemKind::Empty { key: key.into() });
    }
    let mut columns: Vec<Located<String>> = Vec::with_capacity(items.len());
    for item in items {
        let Some(column) = text_of(key, item, problems) else { continue };
        if columns.iter().any(|other| other.value == column.value) {
            let value = format!("`{}`", column.value);
            problems.push(&column.place, ProblemKind::Repeated { key: key.into(), value });
        }
        columns.push(column);
    }
    Some(columns)
}

/// The walk-forward folds, whose other keys need their number.
fn folds(section: &mut Section<'_>, problems: &mut Problems) -> Option<FoldSpec> {
    let is_given = section.node("folds").is_some();
    for key in ["scheme", "stopping"] {
        if let Some(node) = section.node(key).filter(|_| !is_given) {
            let what = "`folds`, the number of walk-forward folds";
            problems.push(&node.place, ProblemKind::Needs { key, what });
        }
    }
    let count = section.within("folds", 0, FOLDS, problems);
    let scheme = section.word("scheme", SCHEMES, problems).unwrap_or_default();
    let stopping = section.within("stopping", STOPPING, SHARE, problems);
    (count > 0).then_some(FoldSpec { count, scheme, stopping })
}

/// The shares of the parts, and what they consist of, which only a table of several series without folds can
/// choose.
fn split(
    mut section: Section<'_>,
    default: SplitSpec,
    (has_series, has_folds): (bool, bool),
    problems: &mut Problems,
) -> (SplitSpec, SeriesSplit) {
    let place = section.node("by").map(|by| by.place.clone());
    let by = section.word("by", BY, problems);
    if let Some(place) = place.filter(|_| by == Some(SeriesSplit::Series)) {
        let what = match (has_series, has_folds) {
            (false, _) => Some("`series` in [data], the column that tells the series of a row"),
            (true, true) => {
                Some("the value \"time\" where [data] has `folds`, which follow each other in time")
            }
            (true, false) => None,
        };
        if let Some(what) = what {
            problems.push(&place, ProblemKind::Needs { key: "by", what });
        }
    }
    let train = section.within("train", default.train, SHARE, problems);
    let validation = section.within("validation", default.validation, SHARE, problems);
    if train + validation >= 1.0 - 1e-9 {
        let place = section.place().clone();
        problems.push(
            &place,
            ProblemKind::NoTestRows { sum: allometry_core::python::round(train + validation, 6) },
        );
    }
    section.finish(problems);
    (SplitSpec { train, validation }, by.unwrap_or_default())
}
