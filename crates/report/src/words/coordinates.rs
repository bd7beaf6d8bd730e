//! The coordinate check in words.

use std::fmt::Write as _;

use allometry_analysis::coordinates::{
    CoordinateCheck, CoordinateLayer, Exponent, FALLING, GROWING, Growth, LayerGrowth,
};

use crate::number::{counted, decimals};
use crate::text::Text;

/// Width of the first column of the table.
const NAMES: usize = 20;
/// Width of the other columns.
const NUMBERS: usize = 9;
/// Width of paragraphs.
const LINE: usize = 98;

/// Returns the name of a layer.
pub fn layer(layer: CoordinateLayer) -> String {
    match layer {
        CoordinateLayer::Embedding => "embedding".into(),
        CoordinateLayer::Scores(block) => format!("block {block} attention scores"),
        CoordinateLayer::Block(block) => format!("block {block} output"),
        CoordinateLayer::Output => "final output".into(),
    }
}

/// Returns a conclusion about a layer.
pub fn growth(growth: Growth) -> &'static str {
    match growth {
        Growth::Grows => "grows with the width",
        Growth::Falls => "falls with the width",
        Growth::Flat => "flat",
        Growth::Undecided => "undecided",
    }
}

/// Returns the table of a coordinate check with its conclusions. `subject` describes the trained models.
pub fn summary(check: &CoordinateCheck, subject: &str) -> String {
    let mut text = Text::default();
    let [widths, seeds, steps] =
        [(check.widths.len(), "width"), (check.seeds, "seed"), (check.steps, "step")]
            .map(|(count, noun)| counted(count as u64, noun));
    paragraph(&mut text, &format!("coordinate check: {subject}; {widths}, {seeds}, {steps}"));
    paragraph(&mut text, "mean absolute activations, and their mean absolute changes since the start");
    text.blank();
    let widths = check.widths.iter().map(ToString::to_string);
    row(&mut text, "d_model", widths, "exponent");
    for layer in &check.layers {
        rows(&mut text, layer, check.steps);
    }
    text.blank();
    for (found, meaning) in [
        (Growth::Grows, "a rate that suits one width is too large for a wider model"),
        (Growth::Flat, "steps do not change wider models more"),
        (Growth::Falls, "steps change wider models less"),
        (Growth::Undecided, "more seeds (--seeds) would decide"),
    ] {
        let layers = check.layers.iter().filter(|layer| layer.growth == found);
        let names: Vec<String> = layers.map(|one| self::layer(one.layer)).collect();
        if !names.is_empty() {
            paragraph(&mut text, &format!("{}: {}; {meaning}", growth(found), names.join(", ")));
        }
    }
    let rule = format!(
        "(exponents of the width, +- one standard error over seeds; a layer grows where the {:.0}% \
         interval of the exponent of its changes lies above {GROWING}, falls where it lies below \
         -{GROWING}, and is flat where it lies between {FALLING} and {GROWING})",
        check.level * 100.0
    );
    paragraph(&mut text, &rule);
    text.into_string()
}

/// Adds text in lines of limited width.
fn paragraph(text: &mut Text, words: &str) {
    text.line(format_args!("{}", textwrap::fill(words, LINE)));
}

fn rows(text: &mut Text, layer: &LayerGrowth, steps: usize) {
    text.line(format_args!("{}: {}", self::layer(layer.layer), growth(layer.growth)));
    let mut numbers = |name: String, numbers: &[f64], end: &str| {
        row(text, &name, numbers.iter().map(|number| decimals(*number)), end);
    };
    numbers("  at the start".into(), &layer.sizes[0], "");
    numbers(format!("  after step {steps}"), &layer.sizes[steps], &exponent(layer.size));
    if steps > 1 {
        numbers("  change by step 1".into(), &layer.changes[0], "");
    }
    let last = format!("  change by step {steps}");
    numbers(last, &layer.changes[steps - 1], &format!("{}, all changes", exponent(layer.change)));
}

fn exponent(exponent: Exponent) -> String {
    format!("{:+.2} +-{:.2}", exponent.estimate, exponent.standard_error)
}

fn row(text: &mut Text, name: &str, numbers: impl Iterator<Item = String>, end: &str) {
    let mut line = format!("{name:<NAMES$}");
    for number in numbers {
        let _ = write!(line, "{number:>NUMBERS$}");
    }
    let _ = write!(line, "  {end}");
    text.line(format_args!("{}", line.trim_end()));
}
