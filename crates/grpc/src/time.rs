//! Times as clients send them: without a zone, meant in the server's zone.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Formats a time in `zone`, truncated to microseconds.
pub(crate) fn text(time: Timestamp, zone: &TimeZone) -> String {
    let time = zone.to_datetime(time);
    let microseconds = time.subsec_nanosecond() / 1000;
    format!("{} {:02}:{:02}:{:02}.{microseconds:06}", time.date(), time.hour(), time.minute(), time.second())
}

/// Parses a time in `zone`.
pub(crate) fn parse(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let time: DateTime = text.parse().ok()?;
    zone.to_timestamp(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_formatted_in_their_zone() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let time = Timestamp::new(1_764_000_000, 5_001_999).unwrap();
        assert_eq!(text(time, &zone), "2025-11-24 21:30:00.005001");
        assert_eq!(text(time, &TimeZone::UTC), "2025-11-24 16:00:00.005001");
        assert_eq!(
            parse("2025-11-24 21:30:00.005001", &zone),
            Some(Timestamp::new(1_764_000_000, 5_001_000).unwrap())
        );
        assert_eq!(parse("2022-09-01 00:00:00.000000", &TimeZone::UTC).unwrap().as_second(), 1_661_990_400);
        assert_eq!(parse("now", &zone), None);
    }
}
