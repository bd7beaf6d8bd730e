//! Steps between the times of neighbouring rows: their usual length, and holes that no window may span.

use std::fmt;
use std::ops::Range;

use allometry_ladder::MaxGap;

use super::series::{Sequence, SeriesIds};
use super::split::Windows;
use super::time::Times;

/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// Number of usual steps above which a step is a hole, if the ladder does not say.
const USUAL_STEPS: f64 = 5.0;

/// Share of the steps that must have the same length.
const MOST: f64 = 0.75;

/// Days between two times of a calendar unit, of which the lengths differ.
const CALENDAR: [(f64, f64, &str); 3] =
    [(27.0, 34.0, "monthly"), (88.0, 95.0, "quarterly"), (363.0, 369.0, "yearly")];

/// Usual distance between the times of neighbouring rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spacing {
    /// Every day from Monday to Friday, none at weekends.
    BusinessDays,
    /// A unit of the calendar, such as `monthly`.
    Calendar(&'static str),
    /// Most steps have this length, in seconds.
    Seconds(f64),
    /// Most steps have this length, in the unit of times that are numbers.
    Number(f64),
    /// Steps have different lengths.
    Irregular,
}

/// A step between two neighbouring rows that is longer than the limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// Its length, in words.
    pub length: String,
    /// Time of the row before it.
    pub from: String,
    /// Time of the row after it.
    pub to: String,
    /// Name of the series; `None` for a table of one.
    pub series: Option<String>,
}

/// Holes between the rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Holes {
    /// Length above which a step is a hole: `max_gap`, or five usual steps if the ladder does not set it.
    pub limit: MaxGap,
    /// Whether the ladder sets the limit, so that windows with holes are left out.
    pub is_set: bool,
    /// Number of holes.
    pub count: u64,
    /// The longest hole; `None` if there is none.
    pub longest: Option<Hole>,
    /// Number of windows of a known label that contain a hole, in their rows or in those that the label looks
    /// ahead.
    pub windows: u64,
}

/// The rows of a table in time order, with their times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ordered<'a> {
    pub(super) times: &'a Times,
    pub(super) sequence: &'a Sequence,
    /// Names of the series; `None` for a table of one.
    pub(super) series: Option<&'a SeriesIds>,
}

impl Ordered<'_> {
    /// Returns the steps between neighbouring rows of a series: the place of the first row, and the length;
    /// nothing without times.
    fn steps(self) -> Vec<(usize, f64)> {
        if let Times::Empty = self.times {
            return Vec::new();
        }
        let rows = &self.sequence.rows;
        let step = |place: usize| (place, self.times.distance(rows[place], rows[place + 1]));
        let of_series = |span: Range<usize>| (span.start..span.end.saturating_sub(1)).map(step);
        self.sequence.spans().flat_map(of_series).collect()
    }

    /// Returns the lengths of the steps.
    fn lengths(self) -> Vec<f64> {
        self.steps().into_iter().map(|(_, length)| length).collect()
    }

    /// Returns the usual distance of the rows; `None` without times and for a single row.
    pub(super) fn spacing(self) -> Option<Spacing> {
        let steps = self.lengths();
        let usual = median(&steps)?;
        let most = |fits: &dyn Fn(f64) -> bool| {
            steps.iter().filter(|step| fits(**step)).count() as f64 >= MOST * steps.len() as f64
        };
        let is_regular = most(&|step| (step - usual).abs() <= 0.01 * usual);
        if !self.times.are_durations() {
            return Some(if is_regular { Spacing::Number(usual) } else { Spacing::Irregular });
        }
        let days = |step: f64| step / DAY;
        if usual == DAY && is_regular && self.skips_weekends(&steps) {
            return Some(Spacing::BusinessDays);
        }
        let calendar = CALENDAR
            .into_iter()
            .find(|(least, greatest, _)| most(&|step| (*least..=*greatest).contains(&days(step))));
        Some(match calendar {
            Some((.., name)) => Spacing::Calendar(name),
            None if is_regular => Spacing::Seconds(usual),
            None => Spacing::Irregular,
        })
    }

    /// Whether no row is at a weekend although the rows span one.
    fn skips_weekends(self, steps: &[f64]) -> bool {
        let spans_one = steps.iter().sum::<f64>() >= 7.0 * DAY;
        spans_one && !self.sequence.rows.iter().any(|&row| self.times.is_weekend(row))
    }

    /// Returns the length above which a step is a hole if the ladder does not say; `None` without times.
    fn usual_limit(self) -> Option<MaxGap> {
        let usual = median(&self.lengths())? * USUAL_STEPS;
        Some(if self.times.are_durations() { MaxGap::Seconds(usual) } else { MaxGap::Number(usual) })
    }

    /// Returns, for each row, how many rows of its series before it, itself included, have no hole between
    /// them.
    pub(super) fn unbroken(self, limit: MaxGap) -> Vec<usize> {
        let rows = &self.sequence.rows;
        let mut unbroken = Vec::with_capacity(rows.len());
        for span in self.sequence.spans() {
            let mut length = 0;
            for place in span.clone() {
                let is_first = place == span.start;
                let is_cut = is_first || self.times.distance(rows[place - 1], rows[place]) > limit.amount();
                length = if is_cut { 1 } else { length + 1 };
                unbroken.push(length);
            }
        }
        unbroken
    }

    /// Returns the holes of the table: those longer than `max_gap`, or than five usual steps. `None` without
    /// times. No window is counted yet.
    pub(super) fn summary(self, max_gap: Option<MaxGap>) -> Option<Holes> {
        let limit = max_gap.or_else(|| self.usual_limit())?;
        let (count, longest) = self.holes(limit);
        Some(Holes { limit, is_set: max_gap.is_some(), count, longest, windows: 0 })
    }

    /// Returns the number of holes, and the longest one, the first of equal ones.
    fn holes(self, limit: MaxGap) -> (u64, Option<Hole>) {
        let mut steps = self.steps();
        steps.retain(|(_, step)| *step > limit.amount());
        let longest = steps.iter().copied().reduce(|a, b| if b.1 > a.1 { b } else { a });
        let rows = &self.sequence.rows;
        let text = |place: usize| self.times.text(rows[place]).unwrap_or_default();
        let hole = longest.map(|(place, step)| Hole {
            length: if self.times.are_durations() { duration(step) } else { step.to_string() },
            from: text(place),
            to: text(place + 1),
            series: self.series.map(|ids| ids.names[ids.rows[rows[place]] as usize].clone()),
        });
        (steps.len() as u64, hole)
    }
}

/// Returns, for each row that is left, whether a hole lies within the `context` rows that end in it, or
/// between it and the row that is `horizon` rows later among all rows of its series, which its label may
/// depend on. `places` are those of the rows among all.
pub(super) fn broken(
    all: Ordered<'_>,
    (left, places): (Ordered<'_>, &[usize]),
    limit: MaxGap,
    windows: Windows,
) -> Vec<bool> {
    let (of_left, of_all) = (left.unbroken(limit), all.unbroken(limit));
    let mut broken = Vec::with_capacity(places.len());
    for (own, whole) in left.sequence.spans().zip(all.sequence.spans()) {
        for index in own.clone() {
            let place = places[index];
            let end = place.saturating_add(windows.horizon).min(whole.end - 1);
            let history = windows.context.min(index - own.start + 1);
            broken.push(of_left[index] < history || of_all[end] <= end - place);
        }
    }
    broken
}

/// Returns the median, the lower of two middle values; `None` for no values.
fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    let middle = values.len().checked_sub(1)? / 2;
    Some(*values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

/// Returns a duration in its largest unit, such as `41 days`, or in several where that is no whole number,
/// such as `3h 28m`.
pub fn duration(seconds: f64) -> String {
    const UNITS: [(f64, &str); 4] = [(DAY, "day"), (3_600.0, "hour"), (60.0, "minute"), (1.0, "second")];
    let (unit, name) = UNITS.into_iter().find(|(unit, _)| seconds >= *unit).unwrap_or((1.0, "second"));
    let amount = seconds / unit;
    if amount.fract() != 0.0 {
        return MaxGap::Seconds((seconds * 1_000.0).round() / 1_000.0).to_string();
    }
    format!("{amount} {name}{}", if amount == 1.0 { "" } else { "s" })
}

impl fmt::Display for Spacing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::BusinessDays => f.write_str("business days"),
            Self::Calendar(name) => f.write_str(name),
            Self::Seconds(seconds) if seconds == DAY => f.write_str("daily"),
            Self::Seconds(seconds) if seconds == 7.0 * DAY => f.write_str("weekly"),
            Self::Seconds(seconds) => {
                let length = duration(seconds);
                write!(f, "every {}", length.strip_prefix("1 ").unwrap_or(&length))
            }
            Self::Number(step) => write!(f, "steps of {step}"),
            Self::Irregular => f.write_str("irregular"),
        }
    }
}
