//! Names, times and addresses as text.

use std::time::Duration;

pub(super) use allometry_report::number::decimals as value;
use allometry_report::shortened;
use allometry_store::StoredStudy;
use allometry_store::facts::Experiment;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Maximum number of characters of a shown name.
const LONGEST_NAME: usize = 80;
/// Characters that are encoded in a part of an address.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Returns a name shortened to 80 characters.
pub(super) fn short(name: &str) -> String {
    shortened(name, LONGEST_NAME)
}

/// Returns what a study is called on the page of its ladder.
pub(super) fn label(study: &StoredStudy) -> String {
    let facts = &study.record.facts;
    let of_experiment = || {
        let (experiment, study) = facts.experiment.as_ref()?;
        let budget = short(&study.budget);
        Some(match experiment {
            Experiment::Transfer => format!("transfers to {budget}"),
            Experiment::Confirm => format!("confirmation of {budget}"),
        })
    };
    let budget = facts.budget.as_ref().map(|budget| short(&budget.label));
    budget.or_else(of_experiment).unwrap_or_else(|| short(&study.record.name))
}

/// Returns a name encoded as part of an address.
pub(crate) fn encoded(name: &str) -> String {
    utf8_percent_encode(name, PLAIN).to_string()
}

/// Returns a time as text, such as `2026-11-24 08:40:13 UTC`.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Returns a duration as text, such as `2 h 5 min`, `3 min 20 s` or `4.2 s`.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        3_600.. => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        60.. => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}

/// Returns an estimated duration as text, in whole seconds and at least one.
pub(super) fn rough_duration(duration: Duration) -> String {
    match duration.as_secs_f64().ceil() as u64 {
        seconds @ ..60 => format!("{} s", seconds.max(1)),
        seconds => self::duration(Duration::from_secs(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_part_of_an_address() {
        assert_eq!(encoded("a/b?c=ü \"<"), "a%2Fb%3Fc%3D%C3%BC%20%22%3C");
    }

    #[test]
    fn durations_have_two_units() {
        let said = [(4.25, "4.2 s"), (200.0, "3 min 20 s"), (7_500.0, "2 h 5 min")];
        for (seconds, words) in said {
            assert_eq!(duration(Duration::from_secs_f64(seconds)), words);
        }
        for (seconds, words) in [(0.0, "1 s"), (4.2, "5 s"), (59.5, "1 min 0 s")] {
            assert_eq!(rough_duration(Duration::from_secs_f64(seconds)), words);
        }
    }
}
