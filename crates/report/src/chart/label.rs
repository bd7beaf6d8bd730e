//! The room that labels take: widths of text are estimated, because nothing is drawn here.

/// Returns about the width of a text with letters of height `size`, in the units of `size`. The estimate is
/// that of a wide font, so a label rarely takes more room than estimated.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

/// Returns the width of a character as a share of the letters' height, as in the font `DejaVu Sans`.
fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' | '.' | ',' | ':' | ';' | 'I' | '!' | ' ' => 0.34,
        'f' | 'r' | 't' | '-' | '(' | ')' | '[' | ']' | '/' | '"' => 0.42,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '—' | '…' => 1.0,
        'A'..='Z' | '+' | '=' | '<' | '>' | '×' | '~' | '−' => 0.8,
        c if c.is_ascii() => 0.64,
        // Letters of other scripts may be twice as wide as Latin ones.
        c if (c as u32) < 0x500 => 0.75,
        _ => 1.05,
    }
}

/// Returns a text, cut at its end to fit into `room`.
pub(super) fn fitted(text: &str, room: f64, size: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut used = em('…') * size;
    let fits = |c: &char| {
        used += em(*c) * size;
        used <= room
    };
    let start: String = text.chars().take_while(fits).collect();
    format!("{}…", start.trim_end())
}

/// Returns a name with at most `longest` characters. It is cut in its middle, because the ends of names tell
/// them apart.
pub(super) fn cut(name: &str, longest: usize) -> String {
    let count = name.chars().count();
    if count <= longest {
        return name.to_owned();
    }
    let end = (longest - 1) / 2;
    let start: String = name.chars().take(longest - 1 - end).collect();
    let end: String = name.chars().skip(count - end).collect();
    format!("{start}…{end}")
}

/// Returns the direction in which labels of these widths do not touch. Each is in the middle of a slot of
/// width `slot`; the first slot begins at `before`.
pub(super) fn turn(widths: &[f64], slot: f64, before: f64, size: f64) -> Turn {
    let longest = widths.iter().copied().fold(0.0, f64::max);
    if longest + size * 0.4 <= slot {
        return Turn::None;
    }
    let starts_inside =
        widths.iter().enumerate().all(|(place, width)| width * SLANT <= before + (place as f64 + 0.5) * slot);
    if slot * SLANT >= size * 1.2 && starts_inside { Turn::Slanted } else { Turn::Upright }
}

/// Height of a line of text as a multiple of its letters'.
pub(super) const LINE: f64 = 1.25;
/// Sine and cosine of half a right angle.
const SLANT: f64 = std::f64::consts::FRAC_1_SQRT_2;

/// The direction of the labels below a panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    None,
    Slanted,
    Upright,
}

impl Turn {
    /// Returns the angle in degrees.
    pub(super) fn angle(self) -> i32 {
        match self {
            Self::None => 0,
            Self::Slanted => -45,
            Self::Upright => -90,
        }
    }

    /// Returns the height of labels of which the longest has the width `longest`.
    pub(super) fn height(self, longest: f64, size: f64) -> f64 {
        match self {
            Self::None => size * LINE,
            Self::Slanted => (longest + size) * SLANT,
            Self::Upright => longest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_names_stay() {
        assert_eq!(cut("learning_rate", 22), "learning_rate");
        assert_eq!(cut("parameter_with_a_long_name_10", 12), "parame…me_10");
        assert_eq!(cut("parameter_with_a_long_name_10", 12).chars().count(), 12);
        assert_eq!(fitted("a long label", 1_000.0, 12.0), "a long label");
        assert!(width(&fitted("a long label", 50.0, 12.0), 12.0) <= 50.0);
    }

    #[test]
    fn labels_turn_when_they_would_touch() {
        assert_eq!(turn(&[20.0, 20.0], 40.0, 30.0, 12.0), Turn::None);
        assert_eq!(turn(&[20.0, 60.0], 40.0, 30.0, 12.0), Turn::Slanted);
        assert_eq!(turn(&[90.0, 20.0], 40.0, 30.0, 12.0), Turn::Upright, "the first begins outside");
        assert_eq!(turn(&[60.0, 60.0], 15.0, 80.0, 12.0), Turn::Upright, "slanted ones would touch");
    }
}
