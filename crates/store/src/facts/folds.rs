//! The eras of walk-forward folds, with the rows of each.

use serde::{Deserialize, Serialize};

/// Most rows that are read back: a few numbers of a damaged store must not fill the memory.
const MOST_ROWS: usize = 1 << 24;

/// The eras of walk-forward folds. A trial's value is the mean over the eras of the metric on the rows of
/// each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldFacts {
    /// The eras in their order.
    eras: Vec<Era>,
}

/// The times of the first and the last row of an era; `None` for a table without times.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EraSpan {
    /// Time of the first row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// Time of the last row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Era {
    #[serde(flatten)]
    span: EraSpan,
    /// Rows that follow each other at even distances.
    runs: Vec<Run>,
}

/// Rows at even distances, written as a list of numbers: first row, number of rows, distance of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Run(u64, u64, i64);

impl Run {
    /// Returns the run with one more row; `None` if the row does not continue it.
    fn with(self, row: u64) -> Option<Self> {
        let Self(first, count, step) = self;
        let step = if count == 1 { row as i64 - first as i64 } else { step };
        let next = first as i64 + i64::try_from(count).ok()? * step;
        (row as i64 == next).then_some(Self(first, count + 1, step))
    }
}

impl FoldFacts {
    /// Makes the facts of eras, each with the numbers of its rows.
    pub fn new(eras: impl IntoIterator<Item = (EraSpan, Vec<u64>)>) -> Self {
        let era = |(span, rows): (EraSpan, Vec<u64>)| {
            let mut runs: Vec<Run> = Vec::new();
            for row in rows {
                let longer = runs.last().and_then(|last| last.with(row));
                if longer.is_some() {
                    runs.pop();
                }
                runs.push(longer.unwrap_or(Run(row, 1, 0)));
            }
            Era { span, runs }
        };
        Self { eras: eras.into_iter().map(era).collect() }
    }

    /// Returns the times of each era.
    pub fn spans(&self) -> impl Iterator<Item = &EraSpan> {
        self.eras.iter().map(|era| &era.span)
    }

    /// Returns each row with the place of its era, the first 16,777,216 at most.
    pub fn rows(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        let of_run = |era: u32| {
            move |&Run(first, count, step): &Run| {
                (0..i64::try_from(count).unwrap_or(0))
                    .map(move |place| (first.wrapping_add_signed(place.wrapping_mul(step)), era))
            }
        };
        let eras = (0..).zip(&self.eras);
        eras.flat_map(move |(place, era)| era.runs.iter().flat_map(of_run(place))).take(MOST_ROWS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_in_any_layout() {
        let (next, backwards) = ((5..90).collect::<Vec<u64>>(), (100..160).rev().step_by(3).collect());
        let uneven = vec![200, 201, 205, 203, 300];
        let span = |first: &str| EraSpan { first: Some(first.into()), last: None };
        let eras = [(span("a"), next), (EraSpan::default(), backwards), (span("c"), uneven)];
        let facts = FoldFacts::new(eras.clone());
        let expected: Vec<(u64, u32)> =
            (0..).zip(&eras).flat_map(|(era, (_, rows))| rows.iter().map(move |row| (*row, era))).collect();
        assert_eq!(facts.rows().collect::<Vec<_>>(), expected);
        assert_eq!(facts.eras.iter().map(|era| era.runs.len()).collect::<Vec<_>>(), [1, 1, 3]);
        let text = serde_json::to_string(&facts).unwrap();
        let read: FoldFacts = serde_json::from_str(&text).unwrap();
        assert_eq!(read, facts);
        assert_eq!(
            read.spans().map(|span| span.first.as_deref()).collect::<Vec<_>>(),
            [Some("a"), None, Some("c")]
        );
    }

    #[test]
    fn a_damaged_length_is_not_followed_to_its_end() {
        let text = format!(r#"{{"eras": [{{"runs": [[0, {}, 1]]}}]}}"#, i64::MAX);
        let facts: FoldFacts = serde_json::from_str(&text).unwrap();
        assert_eq!(facts.rows().count(), MOST_ROWS);
    }
}
