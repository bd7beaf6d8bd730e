//! The result of a check as text.

use std::fmt::Write as _;

use allometry_core::{RowCount, SizeBudget, TrainPart, WeightTarget, human_weights};

use allometry_ladder::MissingPolicy;
use allometry_report::number::{counted, grouped, listed, range};

use super::found::{
    Architecture, Budget, Extent, Folds, Found, Memory, Part, Precision, Products, Program, SeriesRows,
    Table, TableSeries, Time,
};
use super::{power, unseen};
use crate::command::confirm_cost::time_words;
use crate::styles::Label;

impl Found {
    /// Returns the result as lines for people.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if let Some(table) = &self.table {
            table.lines(&mut text);
        }
        unseen::lines(&self.unseen_rows, &mut text);
        if let Some(device) = &self.device {
            let _ = writeln!(text, "trials are trained on {device}");
        }
        if let Some(Products { precision, instructions }) = &self.products {
            let _ = writeln!(text, "matrix products are computed in {precision} with {instructions}");
        }
        if let Some(program) = &self.command {
            program.lines(&mut text);
        }
        for budget in &self.budgets {
            budget.lines(&mut text);
        }
        self.confirmation.lines(&mut text);
        if let Some(powers) = &self.power {
            power::lines(powers, &mut text);
        }
        if let Some(results) = &self.shuffle {
            let _ = writeln!(text, "\n{}", results.join("\n"));
        }
        if let Some(tried) = &self.tried {
            let _ = write!(text, "\n{}", tried.text());
        }
        text
    }
}

impl Table {
    fn lines(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "{}: {}, {}",
            self.path,
            counted(self.rows, "row"),
            counted(self.features as u64, "feature")
        );
        let of_categories: usize = self.categories.iter().map(|column| column.width).sum();
        let numbers = self.feature_names.iter().take(self.features - of_categories);
        list("features", &numbers.map(|name| format!("`{name}`")).collect::<Vec<_>>(), text);
        for column in &self.categories {
            let all = column.categories.len();
            let names: Vec<String> = column.categories.iter().map(|name| format!("`{name}`")).collect();
            let what = match column.embedding {
                None => "a feature for each of".to_owned(),
                Some(1) => format!("a learned number for each of {all}"),
                Some(size) => format!("{size} learned numbers for each of {all}"),
            };
            list(&format!("`{}`, {what}", column.column), &names, text);
            if let Some(unseen) = &column.unseen {
                let _ = writeln!(text, "  {} {unseen}", Label::Warning);
            }
        }
        if !self.invisible.is_empty() {
            let columns: Vec<String> = self.invisible.iter().map(|name| format!("`{name}`")).collect();
            let _ = writeln!(
                text,
                "  {} no series changes {}, and `normalize = \"revin\"` removes what is constant in a \
                 window: the model does not see {}; \"standard\" keeps numbers, `embedding` keeps categories",
                Label::Warning,
                listed(&columns),
                if columns.len() == 1 { "it" } else { "them" }
            );
        }
        let others = self.columns_left_out.iter().map(|one| format!("`{}` ({})", one.column, one.why));
        list("not features", &others.collect::<Vec<_>>(), text);
        if self.dropped > 0 {
            let dropped = self.dropped;
            let gaps = self.gaps.iter().map(|gaps| format!("`{}` in {}", gaps.column, grouped(gaps.rows)));
            let gaps = gaps.collect::<Vec<_>>().join(", ");
            let _ = writeln!(text, "  {}: {gaps}", dropped_rows(dropped));
        }
        let filled = self.filled.iter().map(|filled| (filled.column.clone(), filled.rows));
        if let Some(filled) = filled_values(&filled.collect::<Vec<_>>(), self.na) {
            let _ = writeln!(text, "  {filled}");
        }
        if let Some(series) = &self.series {
            series.lines(text);
        }
        if let Some(spacing) = &self.spacing {
            let _ = writeln!(text, "  times: {spacing}");
        }
        if let Some(holes) = &self.holes {
            holes.line(text);
        }
        if self.unlabelled > 0 {
            let rows = match self.unlabelled {
                1 => "1 row without a known label is".to_owned(),
                more => format!("{} rows without a known label are", grouped(more)),
            };
            let _ = writeln!(text, "  {rows} history only");
        }
        let is_binary = self.parts.iter().any(|part| part.positives.is_some());
        let class = |(place, name): (usize, &String)| match place {
            1 if is_binary => format!("`{name}` (positive)"),
            _ => format!("`{name}`"),
        };
        list("classes", &self.classes.iter().enumerate().map(class).collect::<Vec<_>>(), text);
        let ahead = match self.horizon {
            1 => "one row ahead (set `horizon` in [data] if it is more)".into(),
            rows => format!("{rows} rows ahead; as many rows are left out between the parts"),
        };
        let _ = writeln!(text, "  labels look {ahead}");
        if let Some(folds) = &self.folds {
            folds.lines(text);
        }
        for part in &self.parts {
            part.lines(text);
        }
    }
}

impl Folds {
    fn lines(&self, text: &mut String) {
        let Self { scheme, stopping, parts: folds, copies, bytes } = self;
        let _ = writeln!(
            text,
            "  {} folds, {}; the last {:.0}% of each fold's training rows choose the epoch",
            folds.len(),
            scheme.as_str(),
            100.0 * stopping
        );
        for (number, parts) in folds.iter().enumerate() {
            let _ = writeln!(text, "  fold {}", number + 1);
            for part in parts {
                let _ = write!(text, "  ");
                part.lines(text);
            }
        }
        let _ = writeln!(
            text,
            "  the values are in memory {copies} times, {} MiB together",
            bytes.div_ceil(1 << 20)
        );
        let _ = writeln!(text, "  model for the test rows");
    }
}

impl TableSeries {
    fn lines(&self, text: &mut String) {
        let one = |one: &SeriesRows| format!("`{}` with {}", one.series, counted(one.rows, "row"));
        let (shortest, longest) = (&self.shortest, &self.longest);
        let _ = match self.count {
            1 => writeln!(text, "  1 series {}", one(longest)),
            count if shortest.rows == longest.rows => {
                writeln!(text, "  {count} series with {} each", counted(longest.rows, "row"))
            }
            count => writeln!(text, "  {count} series, from {} to {}", one(shortest), one(longest)),
        };
        if !self.short.is_empty() {
            let short: Vec<String> = self.short.iter().map(one).collect();
            list("shorter than a window, so without one", &short, text);
        }
    }
}

/// Returns how many rows of a table are left out.
pub(in crate::command) fn dropped_rows(rows: u64) -> String {
    match rows {
        1 => "1 row with a missing or infinite value is left out".to_owned(),
        more => format!("{} rows with missing or infinite values are left out", grouped(more)),
    }
}

/// Returns how many values of a table are filled, and with what; `None` if there are none.
pub(in crate::command) fn filled_values(filled: &[(String, u64)], na: MissingPolicy) -> Option<String> {
    let with = match na {
        MissingPolicy::Mean => "the mean of the training rows",
        MissingPolicy::Ffill | MissingPolicy::Drop | MissingPolicy::Error => "the last value before",
    };
    let what = match filled.iter().map(|(_, count)| count).sum() {
        0 => return None,
        1 => "1 missing or infinite value is".to_owned(),
        more => format!("{} missing or infinite values are", grouped(more)),
    };
    let columns: Vec<String> =
        filled.iter().map(|(column, count)| format!("`{column}` in {}", grouped(*count))).collect();
    Some(format!("{what} filled with {with}: {}", columns.join(", ")))
}

/// Writes a list of columns or classes, unless it is empty.
fn list(what: &str, items: &[String], text: &mut String) {
    const SHOWN: usize = 20;
    let more = match items.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more (--json lists them)"),
    };
    if !items.is_empty() {
        let _ = writeln!(text, "  {what}: {}{more}", items[..items.len().min(SHOWN)].join(", "));
    }
}

impl Part {
    fn lines(&self, text: &mut String) {
        let Self { name, windows, .. } = self;
        let span = match (&self.first, &self.last) {
            (Some(first), Some(last)) => format!(", {}", range(first, last)),
            _ => String::new(),
        };
        let positives = self.positives.map_or_else(String::new, |positives| {
            let share = 100.0 * positives as f64 / (*windows).max(1) as f64;
            format!(", {} positive ({share:.1}%)", grouped(positives))
        });
        let of = match (self.rows, self.series) {
            (Some(rows), Some(series)) => format!(" of {series} series ({})", counted(rows, "row")),
            _ => String::new(),
        };
        let noun = if *windows == 1 { "window" } else { "windows" };
        let _ = writeln!(text, "  {name:<10} {:>7} {noun}{of}{positives}{span}", grouped(*windows));
        let classes = self.classes.iter().map(|one| format!("`{}` {}", one.class, grouped(one.windows)));
        list("  by class", &classes.collect::<Vec<_>>(), text);
        if let (Some(Precision { auc, standard_error, is_low }), Some(positives)) =
            (&self.precision, self.positives)
        {
            let warning = if *is_low { format!("  {}", Label::Warning) } else { "  ".to_owned() };
            let _ = writeln!(
                text,
                "{warning} with {}, one AUC of {auc} is known to +-{:.3} (95%)",
                counted(positives, "positive"),
                1.96 * standard_error
            );
        }
    }
}

impl Program {
    fn lines(&self, text: &mut String) {
        let _ = writeln!(text, "trials are evaluated by the ladder's command");
        if !self.gets_parameters {
            let _ = writeln!(
                text,
                "  note: `run` passes no parameter; the program must read the file that $ALLOMETRY_PARAMS \
                 names, or `run` can pass {{args}}, --NAME VALUE of each parameter"
            );
        }
        if self.horizon > 1 {
            let _ = writeln!(text, "labels look {} rows ahead", self.horizon);
        }
    }
}

impl Budget {
    fn lines(&self, text: &mut String) {
        if let Some(part) = &self.size.train {
            return self.lines_of_part(part, text);
        }
        let _ = writeln!(text, "\n{} ({})", self.size.label, target_words(&self.size));
        let (feasible, considered) = (grouped(self.feasible), counted(self.considered, "architecture"));
        let _ = write!(text, "  {feasible} of {considered}");
        if let Some((smallest, largest)) = self.weights {
            let _ = write!(text, ", {} weights", range(&grouped(smallest), &grouped(largest)));
        }
        let _ = writeln!(text);
        for left_out in &self.left_out {
            let extent = match left_out.extent {
                Extent::Architectures(count) => grouped(count),
                Extent::Share(share) => format!("{:.0}% of the configurations", 100.0 * share),
            };
            let _ = writeln!(text, "  {extent} left out: {}", left_out.why);
        }
        for condition in &self.conditions {
            let _ = writeln!(text, "  `{}` exists when {}", condition.parameter, condition.when);
        }
        let configurations = match (self.configurations, &self.continuous) {
            (Some(n), _) if n < self.trials => {
                let (own, trials) = (counted(n, "distinct configuration"), counted(self.trials, "trial"));
                format!("{own}, fewer than {trials}")
            }
            (Some(n), _) => counted(n, "distinct configuration"),
            (None, Some(parameter)) => format!("infinitely many configurations ({parameter} is continuous)"),
            (None, None) => "more configurations than can be numbered".into(),
        };
        let _ = writeln!(text, "  {configurations}");
        if let Some(memory) = &self.memory {
            memory.line(text);
        }
        self.time_line(text);
        for architecture in &self.architectures {
            architecture.line(text);
        }
        if self.unlisted > 0 {
            let _ = writeln!(text, "  and {} more (--all lists them)", self.unlisted);
        }
    }

    /// Writes what differs from the budget on all training rows.
    fn lines_of_part(&self, part: &TrainPart, text: &mut String) {
        let rows = match (part.rows, self.windows) {
            (RowCount::Share(_), Some(windows)) => {
                format!("{} of the training rows: {}", part.rows, counted(windows, "window"))
            }
            (RowCount::Share(_), None) => format!("{} of the training rows", part.rows),
            (RowCount::Rows(rows), _) => counted(rows, "training window"),
        };
        let _ = writeln!(text, "\n{} (as {}, on the last {rows})", self.size.label, part.of);
        self.time_line(text);
    }

    fn time_line(&self, text: &mut String) {
        if let Some(Time { epochs, folds, seconds, .. }) = self.time {
            let time = time_words(seconds * self.trials as f64);
            let of = folds.map_or_else(String::new, |folds| format!("{folds} folds of "));
            let (trials, epochs) = (counted(self.trials, "trial"), counted(epochs as u64, "epoch"));
            let _ = writeln!(text, "  {trials} of {of}{epochs}: {time}");
        }
    }
}

impl Memory {
    /// Writes the memory of a trial, and whether it fits.
    fn line(&self, text: &mut String) {
        let Self { bytes, available, workers } = self;
        let fits = match available {
            Some(available) if bytes > available => {
                format!(
                    "; {} only {} MiB are free, so such trials would fail",
                    Label::Warning,
                    available >> 20
                )
            }
            Some(available) if bytes * workers > *available => {
                format!("; {} only {} MiB are free for {workers} workers", Label::Warning, available >> 20)
            }
            _ => String::new(),
        };
        let _ = writeln!(text, "  at most {} MiB of memory a trial{fits}", bytes.div_ceil(1 << 20));
    }
}

impl Architecture {
    fn line(&self, text: &mut String) {
        let weights = self.weights.map_or_else(|| "?".into(), grouped);
        let work = self.flops_per_epoch.zip(self.memory_bytes).map_or_else(String::new, |(flops, bytes)| {
            let (gigaflop, mebibytes) = (flops as f64 / 1e9, bytes as f64 / f64::from(1 << 20));
            format!("  {gigaflop:>8.2} GFLOP an epoch  {mebibytes:>5.0} MiB")
        });
        let _ = writeln!(text, "  {weights:>10} weights{work}  {}", self.params);
    }
}

fn target_words(budget: &SizeBudget) -> String {
    match budget.target {
        WeightTarget::Any => "any number of weights; the label is only a name".into(),
        WeightTarget::Near { weights, tolerance } => {
            format!("{} weights +-{:.0}%", human_weights(weights as f64), 100.0 * tolerance)
        }
    }
}
