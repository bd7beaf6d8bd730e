//! Holes between the rows of a table, in words.

use std::fmt::Write as _;

use allometry_report::number::{counted, grouped};
use allometry_trainer::data::{Hole, Holes};

use super::found::{LongestHole, TableHoles};
use crate::proposal::FoundHoles;
use crate::styles::Label;

impl TableHoles {
    pub(super) fn of(holes: &Holes) -> Self {
        let longest = |hole: &Hole| LongestHole {
            length: hole.length.clone(),
            from: hole.from.clone(),
            to: hole.to.clone(),
            series: hole.series.clone(),
        };
        Self {
            limit: holes.limit.to_string(),
            is_set: holes.is_set,
            count: holes.count,
            longest: holes.longest.as_ref().map(longest),
            windows: holes.windows,
        }
    }

    /// Writes the holes that leave windows out, or those that should, with the setting that does so.
    pub(super) fn line(&self, text: &mut String) {
        let Some(found) = self.found() else {
            if self.is_set {
                let _ = writeln!(text, "  no hole longer than {} (`max_gap`)", self.limit);
            }
            return;
        };
        if self.is_set {
            let _ = writeln!(text, "  {found}; {} left out", are(self.windows));
            return;
        }
        let _ = writeln!(
            text,
            "  {} {found}; {} not left out (max_gap = {} in [data] does that)",
            Label::Note,
            are(self.windows),
            self.setting()
        );
    }

    /// Returns the limit as a value of a ladder file.
    fn setting(&self) -> String {
        let quote = if self.limit.ends_with(char::is_alphabetic) { "\"" } else { "" };
        format!("{quote}{}{quote}", self.limit)
    }

    /// Returns the number of holes and the longest one in words; `None` if there is none.
    fn found(&self) -> Option<String> {
        let LongestHole { length, from, to, series } = self.longest.as_ref()?;
        let which = if self.is_set { " (`max_gap`)" } else { "" };
        let holes = counted(self.count, "hole");
        let longest = if self.count == 1 { "" } else { "the longest " };
        let of = series.as_ref().map_or_else(String::new, |series| format!(" of `{series}`"));
        Some(format!("{holes} longer than {}{which}, {longest}{length} from {from} to {to}{of}", self.limit))
    }
}

/// Returns how many windows span a hole, followed by a verb.
fn are(windows: u64) -> String {
    match windows {
        1 => "1 window that spans one is".to_owned(),
        more => format!("{} windows that span one are", grouped(more)),
    }
}

/// Returns the holes that leave windows out, in words; `None` if there are none.
pub(in crate::command) fn set_holes(holes: &Holes) -> Option<String> {
    let holes = TableHoles::of(holes);
    Some(format!("{}; {} left out", holes.found()?, are(holes.windows)))
}

/// Returns the holes for which a ladder proposes a limit that it does not set yet; `None` if there are none.
pub(in crate::command) fn proposed_limit(holes: &Holes) -> Option<FoundHoles> {
    let holes = TableHoles { is_set: false, ..TableHoles::of(holes) };
    let (limit, windows) = (holes.setting(), are(holes.windows));
    Some(FoundHoles { limit, found: holes.found()?, windows, is_set: false })
}
