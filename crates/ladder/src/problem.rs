//! The problems of a ladder file, each with its place in the text.

use std::fmt;
use std::sync::Arc;

use allometry_core::python::float_repr;
use miette::{
    Diagnostic, LabeledSpan, MietteError, MietteSpanContents, NamedSource, SourceCode, SourceSpan,
    SpanContents,
};

use super::parameter::parameter;

/// All problems of one ladder file and the settings that override it, in the order of the text.
#[derive(Debug, Clone)]
pub struct LadderErrors {
    pub(super) name: String,
    pub(super) problems: Vec<Problem>,
}

impl LadderErrors {
    /// The problems, at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The problems as reports with their source, for printing.
    pub fn reports(&self) -> impl Iterator<Item = miette::Report> + '_ {
        self.problems.iter().cloned().map(miette::Report::new)
    }
}

impl fmt::Display for LadderErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.problems.len();
        write!(f, "{} has {n} problem{}", self.name, if n == 1 { "" } else { "s" })
    }
}

impl std::error::Error for LadderErrors {}

impl Diagnostic for LadderErrors {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.problems.iter().map(|p| p as &dyn Diagnostic)))
    }
}

/// One problem with the text that it is about.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Kind of the problem, with its details.
    pub kind: ProblemKind,
    pub(super) source: Excerpt,
    pub(super) labels: Vec<LabeledSpan>,
}

impl Problem {
    /// Line of the problem in the text, from 1.
    pub fn line(&self) -> usize {
        let start = self.labels.first().map_or(0, LabeledSpan::offset);
        1 + self.source.0.inner().bytes().take(start).filter(|b| *b == b'\n').count()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(format!("ladder::{}", self.kind.code())))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.kind.hint().map(|hint| Box::new(hint) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().map(|label| self.source.clipped(label))))
    }
}

/// Length in bytes from which a line is shown alone, and only near the label.
const LONG_LINE: usize = 400;
/// Largest length in bytes of a label in a long line, and of the text shown on each side of it.
const NEAR: usize = 80;

/// A source text of which a report shows the lines of a problem; of very long lines it shows only a part.
#[derive(Debug, Clone)]
pub(super) struct Excerpt(pub(super) NamedSource<Arc<str>>);

impl Excerpt {
    /// The start and the end of the line that contains a place.
    fn line_of(&self, place: usize) -> (usize, usize) {
        let text = self.0.inner();
        let place = text.floor_char_boundary(place);
        let start = text[..place].rfind('\n').map_or(0, |end| end + 1);
        (start, text[place..].find('\n').map_or(text.len(), |end| place + end))
    }

    /// The label, cut off where the excerpt of a long line ends.
    fn clipped(&self, label: &LabeledSpan) -> LabeledSpan {
        let (start, end) = self.line_of(label.offset());
        if end - start <= LONG_LINE || label.len() <= NEAR {
            return label.clone();
        }
        let end = self.0.inner().floor_char_boundary(label.offset() + NEAR);
        LabeledSpan::new(label.label().map(ToOwned::to_owned), label.offset(), end - label.offset())
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let lines = self.0.read_span(span, lines_before, lines_after)?;
        if lines.data().split(|byte| *byte == b'\n').all(|line| line.len() <= LONG_LINE) {
            return Ok(lines);
        }
        let text = self.0.inner();
        let (first, last) = self.line_of(span.offset());
        let start = text.ceil_char_boundary(first.max(span.offset().saturating_sub(NEAR)));
        let end = text.floor_char_boundary(last.min(span.offset() + span.len().min(NEAR) + NEAR)).max(start);
        Ok(Box::new(MietteSpanContents::new_named(
            self.0.name().to_owned(),
            &text.as_bytes()[start..end],
            (start, end - start).into(),
            text[..first].matches('\n').count(),
            start - first,
            1,
        )))
    }
}

/// The kinds of problems.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what each variant and its fields are")]
pub enum ProblemKind {
    #[error("the file is not TOML: {message}")]
    Syntax { message: String },
    #[error("the setting cannot be applied: {message}")]
    Setting { message: String },
    #[error("unknown key `{key}` in {table}")]
    UnknownKey { key: String, table: String, known: Vec<&'static str> },
    #[error("unknown parameter `{name}`")]
    UnknownParameter { name: String, known: Vec<&'static str> },
    #[error("`{key}` cannot be `{word}`")]
    UnknownWord { key: String, word: String, known: &'static [&'static str] },
    #[error("`metric` cannot be `{word}`: trials do not report it")]
    UnknownMetric { word: String, known: Vec<&'static str> },
    #[error("the first objective must be `{first}`, not `{word}`")]
    NotFirst { word: String, first: String },
    #[error("`metric` has {metrics} and `direction` has {directions}: each objective needs one of each")]
    Directions { metrics: usize, directions: usize },
    #[error("{table} has no `{key}`")]
    MissingKey { key: &'static str, table: String, example: &'static str },
    #[error("there is no [{table}]")]
    MissingTable { table: &'static str, example: &'static str },
    #[error("there is no budget")]
    NoBudget,
    #[error("budget `{label}` has no `weights`")]
    MissingWeights { label: String, nominal: Option<u64> },
    #[error("no values for {} at {}", quoted(.names), list_of(.budgets))]
    MissingParameter { names: Vec<&'static str>, budgets: Vec<String> },
    #[error("`{key}` must be {expected}, not {found}")]
    WrongType { key: String, expected: &'static str, found: &'static str },
    #[error("`{key}` must be {expected}")]
    NotARange { key: String, expected: &'static str },
    #[error("`{key}` is {value}, but must be {allowed}")]
    OutOfRange { key: String, value: String, allowed: &'static str },
    #[error("`{key}` is empty")]
    Empty { key: String },
    #[error("`{key}` contains {value} twice")]
    Repeated { key: String, value: String },
    #[error("the range of `{key}` is empty: {low} is above {high}")]
    RangeReversed { key: String, low: String, high: String },
    #[error("`{key}` is on a log scale, which cannot include {low}")]
    LogOfNonPositive { key: String, low: String },
    #[error("`{key}` has both a log scale and a step")]
    LogWithStep { key: String },
    #[error("steps of {step} from {low} do not end at {high}")]
    StepDoesNotDivide { step: String, low: String, high: String, last: String },
    #[error("invalid constraint: {message}")]
    BadConstraint { message: String },
    #[error("invalid limit: {message}")]
    BadLimit { message: String },
    #[error("{message}")]
    BadCondition { message: String, hint: String },
    #[error("{message}")]
    BadTemplate { message: String },
    #[error("invalid regular expression: {message}")]
    BadPattern { message: String },
    #[error("invalid expression for the number of weights: {message}")]
    BadExpression { message: String },
    #[error("`{name}` cannot be set as an environment variable")]
    BadVariable { name: String },
    #[error("`{key}` must be {expected}")]
    NotASource { key: &'static str, expected: &'static str },
    #[error("`{first}` and `{second}` exclude each other")]
    Both { first: &'static str, second: &'static str },
    #[error("`{key}` is set in {first} and in {second}")]
    StatedTwice { key: &'static str, first: &'static str, second: &'static str },
    #[error("`{name}` is not a valid name for a parameter")]
    BadParameterName { name: String },
    #[error("budget `{label}` has no parameters")]
    NoParameter { label: String },
    #[error("budget `{label}` has `weights`, but the number of weights of a configuration is unknown")]
    UnknownSizes { label: String },
    #[error("`{key}` has {count} values, more than {limit}")]
    TooManyValues { key: String, count: u64, limit: u64 },
    #[error("`{key}` is {count} and {other} is {limit}, but `{key}` must not be larger")]
    Exceeds { key: &'static str, count: String, other: &'static str, limit: String },
    #[error("`{key}` needs {what}")]
    Needs { key: &'static str, what: &'static str },
    #[error("the training and validation shares add up to {}, which leaves no test rows", float_repr(*.sum))]
    NoTestRows { sum: f64 },
    #[error("two budgets have the label `{label}`")]
    RepeatedLabel { label: String },
    #[error("`{key}` contains {character:?}")]
    BadCharacter { key: &'static str, character: char },
    #[error("`{key}` cannot be `{value}`: it is used as the name of a folder")]
    BadFolder { key: &'static str, value: String },
    #[error("`tolerance` has no meaning with `weights = \"any\"`")]
    ToleranceWithoutWeights,
    #[error("column `{column}` cannot be a feature: {why}")]
    NotAFeature { column: String, why: NotAFeature },
    #[error("column `{column}` cannot tell the series of a row: it is {role}")]
    NotTheSeries { column: String, role: &'static str },
}

/// Reason why a column cannot be a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAFeature {
    /// It is the label.
    Label,
    /// It is the time.
    Time,
    /// It tells the series of a row.
    Series,
    /// It tells the series of a row, and each part has series of its own.
    NewSeries,
    /// It is excluded.
    Excluded,
}

impl fmt::Display for NotAFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Label => "it is the label",
            Self::Time => "it is the time",
            Self::Series => "it tells the series of a row, which is a name and no number",
            Self::NewSeries => {
                "with by = \"series\" each part has series of its own, so that a trained model knows none of \
                 the series that it is judged on"
            }
            Self::Excluded => "it is excluded too",
        })
    }
}

impl ProblemKind {
    /// Stable identifier of the kind.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "syntax",
            Self::Setting { .. } => "setting",
            Self::UnknownKey { .. } => "unknown_key",
            Self::UnknownParameter { .. } => "unknown_parameter",
            Self::UnknownWord { .. } => "unknown_word",
            Self::MissingKey { .. } | Self::MissingTable { .. } | Self::MissingWeights { .. } => {
                "missing_key"
            }
            Self::NoBudget => "no_budget",
            Self::MissingParameter { .. } => "missing_parameter",
            Self::WrongType { .. } | Self::NotARange { .. } => "wrong_type",
            Self::OutOfRange { .. } | Self::BadCharacter { .. } | Self::BadFolder { .. } => "out_of_range",
            Self::Empty { .. } => "empty",
            Self::Repeated { .. } | Self::StatedTwice { .. } => "repeated",
            Self::RangeReversed { .. } => "range_reversed",
            Self::LogOfNonPositive { .. } => "log_of_non_positive",
            Self::LogWithStep { .. } => "log_with_step",
            Self::StepDoesNotDivide { .. } => "step_does_not_divide",
            Self::UnknownMetric { .. } | Self::NotFirst { .. } => "unknown_metric",
            Self::Directions { .. } => "directions",
            Self::TooManyValues { .. } => "too_many_values",
            Self::BadConstraint { .. } => "bad_constraint",
            Self::BadLimit { .. } => "bad_limit",
            Self::BadCondition { .. } => "bad_condition",
            Self::BadTemplate { .. } => "bad_template",
            Self::BadPattern { .. } => "bad_pattern",
            Self::BadExpression { .. } => "bad_expression",
            Self::BadVariable { .. } => "bad_variable",
            Self::NotASource { .. } => "not_a_source",
            Self::Both { .. } => "both",
            Self::UnknownSizes { .. } => "unknown_sizes",
            Self::NoParameter { .. } => "no_parameter",
            Self::BadParameterName { .. } => "bad_parameter_name",
            Self::Exceeds { .. } => "exceeds",
            Self::Needs { .. } => "needs",
            Self::NoTestRows { .. } => "no_test_rows",
            Self::RepeatedLabel { .. } => "repeated_label",
            Self::ToleranceWithoutWeights => "tolerance_without_weights",
            Self::NotAFeature { .. } => "not_a_feature",
            Self::NotTheSeries { .. } => "not_the_series",
        }
    }

    /// Advice for the user.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::UnknownKey { .. }
            | Self::UnknownParameter { .. }
            | Self::UnknownWord { .. }
            | Self::UnknownMetric { .. } => return self.hint_of_unknown(),
            Self::NotFirst { first, .. } => {
                format!("name `{first}` first: early stopping, baselines and the verdict use it")
            }
            Self::Directions { .. } => {
                "give each objective a direction: direction = [\"maximize\", \"minimize\"]".into()
            }
            Self::MissingKey { example, .. } | Self::MissingTable { example, .. } => {
                format!("write, for example, {example}")
            }
            Self::NoBudget => {
                "give at least one budget:\n[[budget]]\nlabel = \"2M\"\nweights = 2_000_000".into()
            }
            Self::MissingWeights { nominal: Some(weights), .. } => {
                format!("write weights = {weights} to limit its models to that size, or weights = \"any\"")
            }
            Self::MissingWeights { nominal: None, .. } => {
                "write the target number of trainable weights, or weights = \"any\"".into()
            }
            Self::MissingParameter { names, .. } => {
                let example = parameter(names[0]).map(|p| format!(", for example {}", p.example()));
                format!("add it to [space] or to each [budget.space]{}", example.unwrap_or_default())
            }
            Self::StatedTwice { first: "[model]", .. } => {
                "remove it from [model] to search it, or from the space to fix it for all trials".into()
            }
            Self::Repeated { .. } | Self::StatedTwice { .. } => "remove one of them".into(),
            Self::RangeReversed { low, high, .. } => format!("write [{high}, {low}]"),
            Self::LogOfNonPositive { .. } => "start above 0, or list the values: [0.0, 1e-5, 1e-4]".into(),
            Self::LogWithStep { .. } => "remove one of them, or list the values".into(),
            Self::StepDoesNotDivide { low, last, .. } => {
                format!("the last step ends at {last}: write [{low}, {last}]")
            }
            Self::TooManyValues { .. } => "use larger steps".into(),
            Self::BadConstraint { .. } => {
                "constraints are conditions on numeric parameters and on quantities of \
                 the architecture, such as head_dim >= 16 and weights <= 3e6"
                    .into()
            }
            Self::BadLimit { .. } => {
                "limits are bounds on reported metrics: limits = [\"latency_ms <= 20\"]; \
                 conditions on parameters belong in `constraints` of [space]"
                    .into()
            }
            Self::BadCondition { hint, .. } => hint.clone(),
            Self::BadTemplate { .. } => "write a literal brace twice".into(),
            Self::BadPattern { .. } => "put the number in the only group: pattern = \"auc=([0-9.]+)\"".into(),
            Self::BadExpression { .. } => {
                "write an expression over d_model, n_layers, n_heads and d_ff_ratio, \
                 such as 12 * n_layers * d_model ** 2"
                    .into()
            }
            Self::BadVariable { .. } => "names that begin with ALLOMETRY_ are reserved for the trial".into(),
            Self::Both { second: "train_share", .. } => "list either shares or numbers of rows".into(),
            Self::Both { .. } => {
                "[model] trains the built-in transformer on [data]; [command] starts your own program".into()
            }
            Self::BadParameterName { .. } => {
                "names consist of letters, digits, `_`, `-` and `.`, and are none of \
                 the names that every trial has, such as seed"
                    .into()
            }
            Self::NoParameter { .. } => {
                "add parameters to [space]: learning_rate = { float = [1e-5, 1e-2], log = true }".into()
            }
            Self::UnknownSizes { .. } => "give [command] a `weights` expression such as \
                 \"12 * n_layers * d_model ** 2\", or the budget weights = \"any\""
                .into(),
            Self::NoTestRows { .. } => "the test rows are the remaining share: leave about 0.15".into(),
            Self::RepeatedLabel { .. } => "give each budget its own label: each is a separate study".into(),
            Self::Exceeds { key, other, .. } => format!("lower `{key}` or raise `{other}`"),
            Self::BadCharacter { .. } => "it is used in the names of studies and folders".into(),
            Self::ToleranceWithoutWeights => {
                "`weights = \"any\"` admits every size: remove the tolerance".into()
            }
            Self::NotAFeature { column, why: NotAFeature::Series } => format!(
                "remove it from the list; categorical = [{column:?}] under [data] makes a feature of each \
                 series, where parts are split by time"
            ),
            Self::NotAFeature { why: NotAFeature::NewSeries, .. } => {
                "remove it from the list, or split by time: by = \"time\" under [data.split]".into()
            }
            Self::NotAFeature { .. } => "remove it from the list".into(),
            Self::NotTheSeries { .. } => "name another column, or leave `series` out".into(),
            Self::Setting { .. } => {
                "write a dotted key of the file, such as model.epochs=20 or budget.2M.trials=10".into()
            }
            Self::Syntax { .. }
            | Self::NotASource { .. }
            | Self::WrongType { .. }
            | Self::NotARange { .. }
            | Self::OutOfRange { .. }
            | Self::Empty { .. }
            | Self::Needs { .. }
            | Self::BadFolder { .. } => return None,
        })
    }

    /// Advice for a name that is not known.
    fn hint_of_unknown(&self) -> Option<String> {
        Some(match self {
            Self::UnknownKey { key, .. } if parameter(key).is_some_and(|p| p.kind.is_setting()) => {
                format!("`{key}` belongs in [model], or in [space] if it is searched")
            }
            Self::UnknownKey { key, .. } if parameter(key).is_some() => {
                format!("`{key}` is a parameter of the search: it belongs in [space]")
            }
            Self::UnknownKey { key, table, known } => {
                format!("{}{table} has {}", did_you_mean(key, known), known.join(", "))
            }
            Self::UnknownParameter { name, known } => {
                format!("{}the model has {}", did_you_mean(name, known), known.join(", "))
            }
            Self::UnknownWord { word, known, .. } => {
                format!("{}it can be {}", did_you_mean(word, known), quoted(known))
            }
            Self::UnknownMetric { word, known } => {
                format!("{}models of this task have {}", did_you_mean(word, known), quoted(known))
            }
            _ => return None,
        })
    }

    /// The label under the marked text.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Syntax { .. }
            | Self::Setting { .. }
            | Self::BadConstraint { .. }
            | Self::BadLimit { .. }
            | Self::BadTemplate { .. }
            | Self::BadPattern { .. }
            | Self::BadExpression { .. }
            | Self::NotASource { .. }
            | Self::StatedTwice { .. }
            | Self::BadCondition { .. } => "here",
            Self::UnknownKey { .. }
            | Self::UnknownParameter { .. }
            | Self::UnknownWord { .. }
            | Self::UnknownMetric { .. } => "not known",
            Self::MissingKey { .. }
            | Self::MissingTable { .. }
            | Self::MissingWeights { .. }
            | Self::MissingParameter { .. }
            | Self::NoParameter { .. }
            | Self::UnknownSizes { .. }
            | Self::NoBudget => "missing here",
            Self::WrongType { expected, .. } | Self::NotARange { expected, .. } => expected,
            Self::OutOfRange { allowed, .. } => allowed,
            Self::Repeated { .. } | Self::RepeatedLabel { .. } => "again here",
            _ => "this one",
        }
    }
}

fn list_of(budgets: &[String]) -> String {
    let noun = if budgets.len() == 1 { "budget" } else { "budgets" };
    format!("{noun} {}", quoted(budgets))
}

fn quoted<T: fmt::Display>(words: &[T]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// The text `did you mean ...? ` for the most similar known word, or an empty text where none is similar.
fn did_you_mean(word: &str, known: &[&'static str]) -> String {
    let normal = word.to_lowercase().replace('-', "_");
    let distance = |candidate: &str| {
        let part = normal.len() >= 4 && candidate.contains(&normal);
        let initials = candidate.split('_').filter_map(|part| part.chars().next()).eq(normal.chars());
        if part || initials { 1 } else { strsim::damerau_levenshtein(&normal, candidate) }
    };
    known
        .iter()
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(normal.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map_or_else(String::new, |(_, candidate)| format!("did you mean `{candidate}`? "))
}
