//! The summary of a table that `allometry init` prints.

use std::fmt::Write as _;

use allometry_ladder::Task;
use allometry_report::number::{counted, grouped, range};
use allometry_trainer::data::{ColumnDescription, Distinct, TableDescription, TimeDescription};

use super::roles::{TIMES_OF_SERIES, number, one_value, values};
use super::{FoundHoles, Roles, code, first_of, shown};
use crate::styles::Label;

/// Maximum number of distinct whole numbers of a label that may have been meant as classes.
const FEW_VALUES: usize = 20;

/// The content of the summary.
pub(crate) struct Noticed<'a> {
    /// Path of the table.
    pub(crate) path: String,
    pub(crate) table: &'a TableDescription,
    pub(crate) roles: &'a Roles,
    /// The time column with its description. The ladder does not use it if times repeat.
    pub(crate) times: Option<(&'a str, &'a TimeDescription)>,
    /// Number of rows that are left out because they lack a feature.
    pub(crate) dropped: u64,
    /// Usual distance of the times in words, if there is a time column.
    pub(crate) spacing: Option<String>,
    /// Holes between the times, if there are any.
    pub(crate) holes: Option<&'a FoundHoles>,
}

impl Noticed<'_> {
    /// Returns the summary.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        let columns = counted(self.table.columns.len() as u64, "column");
        let rows = counted(self.table.rows, "row");
        let _ = writeln!(out, "{}: {rows}, {columns}", shown(&self.path));
        match self.times {
            Some((name, times)) => self.times(name, times, &mut out),
            None => self.no_times(&mut out),
        }
        self.label(&mut out);
        self.features(&mut out);
        out
    }

    fn times(&self, name: &str, times: &TimeDescription, out: &mut String) {
        let order = if times.is_ordered { "" } else { "; not in order in the file" };
        let _ = writeln!(out, "  time: {}, {}{order}", code(name), range(&times.first, &times.last));
        if let Some(spacing) = &self.spacing {
            let _ = writeln!(out, "    {spacing}");
        }
        if let Some(holes) = self.holes {
            let not = if holes.is_set { "" } else { "not " };
            let _ = writeln!(out, "    {}; {} {not}left out", holes.found, holes.windows);
        }
        if times.repeated == 0 {
            return;
        }
        if let (Some(_), Some(column)) = (&self.roles.series, &times.series) {
            let (column, series) = (code(&column.name), grouped(column.series));
            let _ = writeln!(out, "  series: {column} tells the {series} series of the rows");
            return;
        }
        let first = times.first_repeated.as_deref().unwrap_or_default();
        let repeated = counted(times.repeated, "row");
        let _ = writeln!(
            out,
            "  {} {repeated} repeat a time of {}, the first is {first}",
            Label::Warning,
            code(name)
        );
        out.push_str("    the ladder keeps the order of the file, so windows mix rows with the same time\n");
    }

    fn no_times(&self, out: &mut String) {
        out.push_str("  time: no column; the rows of the file must be in time order\n");
        for column in &self.table.columns {
            let name = column.name.to_lowercase();
            let is_feature = self.roles.features.contains(&column.name);
            if is_feature && column.is_whole && TIMES_OF_SERIES.contains(&name.as_str()) {
                let name = code(&column.name);
                let _ = writeln!(
                    out,
                    "  {} the numbers of {name} repeat; if they are times of several series, windows mix \
                     these",
                    Label::Warning
                );
                out.push_str(
                    "    unless the ladder has `time` and `series`, the column that tells a row's series\n",
                );
            }
            let is_named = name.contains("date") || name.contains("time");
            if let (true, Some(found)) = (is_named, &column.found) {
                let (name, found) = (code(&column.name), shown(found));
                let _ = writeln!(
                    out,
                    "  {} {name} holds {found}; times are 2024-01-31, 2024-01-31T16:00:00 or numbers",
                    Label::Warning
                );
            }
        }
    }

    fn label(&self, out: &mut String) {
        let Some(label) = self.table.column(&self.roles.label) else { return };
        let _ = write!(out, "  label: {} ({}), ", code(&label.name), self.roles.why);
        let _ = match (self.roles.task, label.range) {
            (Task::Regression, Some((low, high))) => {
                writeln!(out, "a number from {} to {}", number(low), number(high))
            }
            (Task::Regression, None) => writeln!(out, "a number"),
            (Task::Binary | Task::Classes, _) => writeln!(out, "{}", self.classes(label)),
        };
        if label.missing > 0 {
            let _ = writeln!(out, "    missing in {}", counted(label.missing, "row"));
        }
        if self.roles.task == Task::Regression {
            out.push_str("    it must be later than its row; features of the same time would leak it\n");
        }
        let few = label.distinct.as_ref().is_some_and(|values| values.len() <= FEW_VALUES);
        if self.roles.task == Task::Regression && label.is_whole && few {
            let (name, values) = (code(&label.name), values(label));
            let _ = writeln!(
                out,
                "  {} {name} is learned as a number, because {values} are not classes counted from 0",
                Label::Warning
            );
        }
    }

    /// Returns the classes of the label with their numbers of rows.
    fn classes(&self, label: &ColumnDescription) -> String {
        let class = |(value, rows): &(Distinct, u64)| {
            let share = 100.0 * *rows as f64 / self.table.rows.max(1) as f64;
            format!("{} in {} ({share:.1}%)", one_value(value), counted(*rows, "row"))
        };
        let classes: Vec<String> = label.distinct.iter().flatten().map(class).collect();
        first_of(&classes)
    }

    fn features(&self, out: &mut String) {
        let _ = writeln!(out, "  features: {}", counted(self.roles.features.len() as u64, "column"));
        let gaps = self.gaps();
        if !gaps.is_empty() {
            let dropped = counted(self.dropped, "row");
            let _ = writeln!(out, "    missing or infinite values: {}; {dropped} left out", first_of(&gaps));
        }
        let excluded: Vec<String> =
            self.roles.excluded.iter().map(|(name, why)| format!("{} ({why})", code(name))).collect();
        if !excluded.is_empty() {
            let _ = writeln!(out, "  left out: {}", first_of(&excluded));
        }
    }

    /// Returns the features with gaps and the numbers of their gaps.
    fn gaps(&self) -> Vec<String> {
        // One pass is enough, because features are in the order of the table.
        let mut features = self.roles.features.iter().peekable();
        let columns = self.table.columns.iter().filter(|c| features.next_if(|f| **f == c.name).is_some());
        let gap = |column: &ColumnDescription| {
            let gaps = column.missing + column.infinite;
            (gaps > 0).then(|| format!("{} in {}", code(&column.name), counted(gaps, "row")))
        };
        columns.filter_map(gap).collect()
    }
}
