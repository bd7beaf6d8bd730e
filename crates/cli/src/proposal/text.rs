//! The text of a proposed ladder file.

use std::fmt::Write as _;
use std::path::Path;

use allometry_ladder::Task;
use allometry_report::number::{grouped, range};

use super::sizes::{Budget, D_FF_RATIO, N_HEADS, TOLERANCE};
use super::{FoundHoles, Roles, shown};

/// Width of a setting before its comment.
const COMMENT: usize = 31;

/// The content of a proposed ladder file.
#[derive(Debug, Clone)]
pub(crate) struct Proposal<'a> {
    /// Path of the table in the ladder file.
    pub(crate) path: &'a str,
    pub(crate) roles: &'a Roles,
    /// First and last time, if there is a time column.
    pub(crate) span: Option<(&'a str, &'a str)>,
    /// Number of rows that lack a feature.
    pub(crate) dropped: u64,
    /// Number of rows of a window.
    pub(crate) context: usize,
    /// Number of rows of a patch.
    pub(crate) patch: usize,
    pub(crate) budgets: &'a [Budget],
    pub(crate) trials: u64,
    /// Whether the test rows can judge a model.
    pub(crate) confirms: bool,
    /// Holes between the times, if there are any.
    pub(crate) holes: Option<&'a FoundHoles>,
}

impl Proposal<'_> {
    /// Returns the text of the ladder file.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        self.head(&mut out);
        self.data(&mut out);
        self.model(&mut out);
        self.space(&mut out);
        if self.confirms {
            out.push_str("\n[confirm]\n");
            line(&mut out, "top = 1", "trains the best of each budget again and scores it on the test rows");
            line(&mut out, "seeds = 3", "");
        }
        out.push_str("\n[sampler]\n");
        line(&mut out, "kind = \"sobol\"", "spread evenly; gp and tpe learn from earlier trials");
        line(&mut out, "probes = true", "the first trials are at the ends of each architecture parameter");
        out
    }

    fn head(&self, out: &mut String) {
        out.push_str(
            "# A ladder to start from, proposed by `allometry init`. `allometry check` shows its budgets\n",
        );
        out.push_str("# and about how long it takes; `allometry run` runs it.\n");
        line(out, &format!("name = {}", quoted(&name(self.path))), "begins the names of its studies");
        let metric = self.roles.task.metric();
        line(out, &format!("metric = {}", quoted(metric.as_str())), "what is optimised");
        line(out, &format!("trials = {}", self.trials), "per budget");
        line(out, "seed = 42", "");
    }

    fn data(&self, out: &mut String) {
        let roles = self.roles;
        out.push_str("\n[data]\n");
        line(out, &format!("path = {}", quoted(self.path)), "one row per time step");
        match (&roles.time, self.span) {
            (Some(time), Some((first, last))) => {
                line(out, &format!("time = {}", quoted(time)), &range(first, last));
            }
            (Some(time), None) => line(out, &format!("time = {}", quoted(time)), "orders the rows"),
            (None, _) => out.push_str("# No `time`: the rows of the file must be in time order.\n"),
        }
        if let Some(series) = &roles.series {
            line(out, &format!("series = {}", quoted(series)), "tells the series of each row");
        }
        let what = match roles.task {
            Task::Binary if roles.positive.is_some() => "two classes by name",
            Task::Binary => "0 and 1",
            Task::Classes => "classes",
            Task::Regression => "a number",
        };
        line(out, &format!("label = {}", quoted(&roles.label)), &format!("{what}; {}", roles.why));
        if let Some(positive) = &roles.positive {
            line(
                out,
                &format!("positive = {}", quoted(positive)),
                "the class whose probability is predicted",
            );
        }
        out.push_str(
            "# The label of a row must be a later value, to be predicted from the row and the rows\n",
        );
        out.push_str("# before it, not a value of the same time.\n");
        line(out, "horizon = 1", "rows ahead that the label looks; more if it is computed over several");
        if roles.has_gaps {
            line(out, "na = \"drop\"", &self.missing());
        }
        if let Some(holes) = self.holes {
            let start = if holes.is_set { "" } else { "# " };
            let comment = "leaves out windows that span a longer step between two rows";
            line(out, &format!("{start}max_gap = {}", holes.limit), comment);
        }
        line(out, "split = { train = 0.70, validation = 0.15 }", "in time order; the rest is the test part");
        self.features(out);
    }

    fn missing(&self) -> String {
        match self.dropped {
            0 => "keeps rows without a label as history".to_owned(),
            1 => "leaves out 1 row that lacks a feature".to_owned(),
            rows => format!("leaves out {} rows that lack a feature", grouped(rows)),
        }
    }

    fn features(&self, out: &mut String) {
        if self.roles.excluded.is_empty() {
            out.push_str(
                "# Features are all other columns of numbers, except features = { exclude = [...] }.\n",
            );
            return;
        }
        out.push_str("\n[data.features]\n");
        line(out, "exclude = [", "all other columns of numbers are features");
        for (column, why) in &self.roles.excluded {
            line(out, &format!("  {},", quoted(column)), why);
        }
        out.push_str("]\n");
    }

    fn model(&self, out: &mut String) {
        out.push_str("\n[model]\n");
        line(out, "kind = \"patchtst\"", "");
        match self.roles.task {
            Task::Binary => {}
            Task::Classes => line(out, "task = \"classes\"", "the label is one of several classes"),
            Task::Regression => line(out, "task = \"regression\"", "the label is any number"),
        }
        line(out, &format!("context = {}", self.context), "rows from which a prediction is made");
        line(out, &format!("patch = {}", self.patch), "rows of one token of the model");
        line(out, &format!("stride = {}", self.patch), "rows from one patch to the next");
        line(out, "normalize = \"standard\"", "or \"revin\", if levels drift");
        line(out, "epochs = 12", "at most");
        line(out, "patience = 4", "epochs without an improvement after which a trial ends");
    }

    fn space(&self, out: &mut String) {
        out.push_str("\n[space]\n");
        line(out, &format!("n_heads = {}", list(&N_HEADS)), "a list of values, or a range");
        line(out, &format!("d_ff_ratio = {}", list(&D_FF_RATIO)), "");
        line(out, "learning_rate = { float = [2e-4, 3e-3], log = true }", "");
        line(out, "dropout = [0.0, 0.1, 0.3]", "");
        line(out, "weight_decay = [0.0, 1e-3, 1e-1]", "");
        for budget in self.budgets {
            out.push_str("\n[[budget]]\n");
            line(out, &format!("label = {}", quoted(&budget.label)), "");
            let weights = grouped(budget.weights).replace(',', "_");
            line(out, &format!("weights = {weights}"), "target number of trainable weights");
            line(out, &format!("tolerance = {TOLERANCE}"), "larger deviations are not tried");
            out.push_str("[budget.space]\n");
            line(out, &format!("d_model = {}", list(&budget.d_model)), "");
            line(out, &format!("n_layers = {}", list(&budget.n_layers)), "");
        }
    }
}

/// Writes a setting with a comment. The comment has no line breaks, because the caller escapes quoted values.
fn line(out: &mut String, setting: &str, comment: &str) {
    let _ = if comment.is_empty() {
        writeln!(out, "{setting}")
    } else {
        writeln!(out, "{setting:<COMMENT$} # {comment}")
    };
}

/// Returns a text as a TOML string on one line.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                write!(out, "\\u{:04X}", c as u32).expect("writing to a string cannot fail");
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn list(values: &[usize]) -> String {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    format!("[{}]", values.join(", "))
}

/// Returns the name of the ladder: that of its table, without characters that a study name cannot have.
fn name(path: &str) -> String {
    let stem = Path::new(path).file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let name = shown(&stem).replace(['/', '\\'], "-");
    if name.trim().is_empty() || name.chars().all(|c| c == '.') { "ladder".into() } else { name }
}
