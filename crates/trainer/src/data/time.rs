//! Times of rows: dates, local times, instants or numbers.

use std::cmp::Ordering;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::error::TimeKind;

/// A time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Time {
    /// An integer in any unit.
    Integer(i64),
    /// A finite number in any unit.
    Number(f64),
    /// A date or local time, without an offset from UTC.
    Civil(DateTime),
    /// A point in time, and the offset from UTC of the local time that it is written as.
    Instant(Timestamp, Offset),
}

impl Time {
    /// Returns the kind of the time.
    pub(super) fn kind(self) -> TimeKind {
        match self {
            Self::Integer(_) | Self::Number(_) => TimeKind::Number,
            Self::Civil(_) => TimeKind::Local,
            Self::Instant(..) => TimeKind::Instant,
        }
    }

    /// Parses ISO 8601 dates and times, with or without an offset, and numbers. Returns `None` for anything
    /// else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(integer) = text.parse() {
            return Some(Self::Integer(integer));
        }
        if let Ok(number) = text.parse::<f64>() {
            return number.is_finite().then_some(Self::Number(number));
        }
        if let Ok(instant) = text.parse() {
            return Some(Self::Instant(instant, written_offset(text)));
        }
        let civil = text.parse::<DateTime>().ok();
        civil.or_else(|| text.parse::<Date>().ok().map(DateTime::from)).map(Self::Civil)
    }

    /// Returns the local time that is `elapsed` after 1970-01-01T00:00:00, or `None` beyond the years -9999
    /// to 9999.
    pub(super) fn civil_since_epoch(elapsed: SignedDuration) -> Option<Self> {
        Some(Self::Civil(Offset::UTC.to_datetime(Timestamp::from_duration(elapsed).ok()?)))
    }

    /// Returns the instant that is `elapsed` after 1970-01-01T00:00:00Z, as it is written in `zone`, or
    /// `None` beyond the years -9999 to 9999.
    pub(super) fn instant_since_epoch(elapsed: SignedDuration, zone: &TimeZone) -> Option<Self> {
        let instant = Timestamp::from_duration(elapsed).ok()?;
        Some(Self::Instant(instant, zone.to_offset(instant)))
    }
}

/// Returns the offset from UTC in the text of an instant.
fn written_offset(text: &str) -> Offset {
    Pieces::parse(text).ok().and_then(|pieces| pieces.to_numeric_offset()).unwrap_or(Offset::UTC)
}

/// Times of a table's rows, all of one kind.
#[derive(Debug)]
pub(super) enum Times {
    /// No times, or none yet.
    Empty,
    Integers(Vec<i64>),
    Numbers(Vec<f64>),
    Civil(Vec<DateTime>),
    Instants(Vec<(Timestamp, Offset)>),
}

/// Error: a time cannot be compared with the earlier ones.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OtherKind;

impl Times {
    /// Appends the time of the next row. Only integers and other numbers may be mixed.
    pub(super) fn push(&mut self, time: Time) -> Result<(), OtherKind> {
        match (&mut *self, time) {
            (Self::Empty, Time::Integer(t)) => *self = Self::Integers(vec![t]),
            (Self::Empty, Time::Number(t)) => *self = Self::Numbers(vec![t]),
            (Self::Empty, Time::Civil(t)) => *self = Self::Civil(vec![t]),
            (Self::Empty, Time::Instant(t, offset)) => *self = Self::Instants(vec![(t, offset)]),
            (Self::Integers(times), Time::Integer(t)) => times.push(t),
            (Self::Integers(times), Time::Number(t)) => {
                let numbers = times.iter().map(|&i| i as f64).chain([t]).collect();
                *self = Self::Numbers(numbers);
            }
            (Self::Numbers(times), Time::Number(t)) => times.push(t),
            (Self::Numbers(times), Time::Integer(t)) => times.push(t as f64),
            (Self::Civil(times), Time::Civil(t)) => times.push(t),
            (Self::Instants(times), Time::Instant(t, offset)) => times.push((t, offset)),
            _ => return Err(OtherKind),
        }
        Ok(())
    }

    /// Returns the time of a row; `None` without times.
    pub(super) fn get(&self, row: usize) -> Option<Time> {
        match self {
            Self::Empty => None,
            Self::Integers(times) => times.get(row).copied().map(Time::Integer),
            Self::Numbers(times) => times.get(row).copied().map(Time::Number),
            Self::Civil(times) => times.get(row).copied().map(Time::Civil),
            Self::Instants(times) => times.get(row).map(|&(t, offset)| Time::Instant(t, offset)),
        }
    }

    /// Whether a row has a local time at which clocks may have been set back: an hour before 4 o'clock that
    /// is not midnight.
    pub(super) fn may_be_set_back(&self, row: usize) -> bool {
        let Some(Time::Civil(time)) = self.get(row) else { return false };
        time.hour() < 4 && time.time() != jiff::civil::Time::midnight()
    }

    /// Returns the rows in time order, rows of equal time in file order.
    pub(super) fn sorted(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by(|&a, &b| self.compare(a, b));
        order
    }

    fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Integers(times) => times.len(),
            Self::Numbers(times) => times.len(),
            Self::Civil(times) => times.len(),
            Self::Instants(times) => times.len(),
        }
    }

    /// Returns which of two rows is earlier.
    pub(super) fn compare(&self, a: usize, b: usize) -> Ordering {
        match self {
            Self::Empty => Ordering::Equal,
            Self::Integers(times) => times[a].cmp(&times[b]),
            Self::Numbers(times) => times[a].partial_cmp(&times[b]).expect("times are finite"),
            Self::Civil(times) => times[a].cmp(&times[b]),
            Self::Instants(times) => times[a].0.cmp(&times[b].0),
        }
    }

    /// Returns how much later row `b` is than row `a`, in seconds or in the unit of the numbers.
    pub(super) fn distance(&self, a: usize, b: usize) -> f64 {
        match self {
            Self::Empty => 0.0,
            Self::Integers(times) => (i128::from(times[b]) - i128::from(times[a])) as f64,
            Self::Numbers(times) => times[b] - times[a],
            Self::Civil(times) => times[b].duration_since(times[a]).as_secs_f64(),
            Self::Instants(times) => times[b].0.duration_since(times[a].0).as_secs_f64(),
        }
    }

    /// Whether differences of times are in seconds.
    pub(super) fn are_durations(&self) -> bool {
        matches!(self, Self::Civil(_) | Self::Instants(_))
    }

    /// Whether a row is on a Saturday or Sunday in its local time.
    pub(super) fn is_weekend(&self, row: usize) -> bool {
        let date = match self {
            Self::Civil(times) => times[row].date(),
            Self::Instants(times) => times[row].1.to_datetime(times[row].0).date(),
            Self::Empty | Self::Integers(_) | Self::Numbers(_) => return false,
        };
        matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
    }

    /// Returns the time of a row as text, or `None` without times. Midnight is left out of local times;
    /// points in time have their offset from UTC.
    pub(super) fn text(&self, row: usize) -> Option<String> {
        match self {
            Self::Empty => None,
            Self::Integers(times) => times.get(row).map(ToString::to_string),
            Self::Numbers(times) => times.get(row).map(ToString::to_string),
            Self::Civil(times) => times.get(row).map(|t| {
                let midnight = t.time() == jiff::civil::Time::midnight();
                if midnight { t.date().to_string() } else { t.to_string() }
            }),
            Self::Instants(times) => times.get(row).map(|&(t, offset)| match offset {
                Offset::UTC => t.to_string(),
                _ => t.display_with_offset(offset).to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Times {
        let mut times = Times::Empty;
        for text in texts {
            times.push(Time::parse(text).expect("is a time")).expect("one kind");
        }
        times
    }

    #[test]
    fn orders_every_kind() {
        for kind in [
            ["2020-02-01", "2019-12-31", "2020-01-15T12:30:00"],
            ["2020-01-01T00:00:00-06:00", "2020-01-01T04:59:59Z", "2020-01-01T06:00:00+01:00"],
            ["10", "9", "9.5"],
            ["3", "-1", "2"],
        ] {
            assert_eq!(texts(&kind).sorted(), [1, 2, 0], "{kind:?}");
        }
    }

    #[test]
    fn integers_beyond_the_precision_of_floats_stay_apart() {
        let nanoseconds = ["1700000000000000002", "1700000000000000001"];
        assert_eq!(texts(&nanoseconds).sorted(), [1, 0]);
    }

    #[test]
    fn times_with_a_zone_are_read_in_every_form() {
        let forms = [
            "2024-01-02T09:30:00+01:00",
            "2024-01-02 03:30:00-05:00",
            "2024-01-02T08:30:00Z",
            "2024-01-02t0830z",
            " 2024-01-02 14:00+05:30 ",
            "2024-01-02T09:30+01[Europe/Paris]",
        ];
        let times = texts(&forms);
        let local = [
            "09:30:00+01:00",
            "03:30:00-05:00",
            "08:30:00Z",
            "08:30:00Z",
            "14:00:00+05:30",
            "09:30:00+01:00",
        ];
        for (row, (form, local)) in forms.iter().zip(local).enumerate() {
            assert!(times.compare(row, 2).is_eq(), "{form}");
            assert_eq!(times.text(row), Some(format!("2024-01-02T{local}")), "{form}");
        }
    }

    #[test]
    fn weekends_are_those_of_local_times() {
        // Monday in Tokyo while it is Sunday in UTC; Sunday in New York while it is Monday in UTC.
        let times =
            texts(&["2024-01-08T00:00:00+09:00", "2024-01-07T23:00:00-05:00", "2024-01-08T00:00:00Z"]);
        assert_eq!([0, 1, 2].map(|row| times.is_weekend(row)), [false, true, false]);
    }

    #[test]
    fn clocks_are_set_back_at_night() {
        let of = |text| texts(&[text]).may_be_set_back(0);
        assert!(of("2024-10-27T02:30:00") && of("2024-11-03 01:00:00"));
        assert!(!of("2024-10-27") && !of("2024-10-27T09:30:00") && !of("2024-10-27T02:30:00Z") && !of("2"));
    }

    #[test]
    fn invalid_times_are_refused() {
        for text in ["", "soon", "31/01/2020", "2020-13-01", "NaN", "inf", "2020-02-30"] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
        let mut times = texts(&["2020-01-01"]);
        assert_eq!(times.push(Time::Integer(3)), Err(OtherKind));
        let instant = Time::parse("2020-01-01T00:00:00Z").expect("is a time");
        assert_eq!(times.push(instant), Err(OtherKind));
    }

    #[test]
    fn midnight_is_left_out_of_texts() {
        let times = texts(&["2020-01-01", "2020-01-01 09:30", "2020-01-01T09:30:15.5"]);
        let shown: Vec<_> = (0..4).map(|row| times.text(row)).collect();
        let expected = ["2020-01-01", "2020-01-01T09:30:00", "2020-01-01T09:30:15.5"].map(String::from);
        assert_eq!(shown[..3], expected.map(Some));
        assert_eq!(shown[3], None);
        assert_eq!(
            texts(&["2020-01-01T00:00:00+01:00"]).text(0).as_deref(),
            Some("2020-01-01T00:00:00+01:00")
        );
    }
}
