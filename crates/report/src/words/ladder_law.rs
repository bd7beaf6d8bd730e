//! The laws of a ladder, in words.

use std::fmt::Write as _;

use allometry_analysis::law::{FEWEST_DECADES, FEWEST_SIZES};
use allometry_analysis::scaling::{GridLaw, SizeLaw};
use allometry_analysis::{Analysis, Estimate};
use allometry_core::{Direction, human_weights};

use super::data::grid;
use super::forecast::tested;
use super::law::number;
use super::verdict::{self, compared};
use crate::number::{UNKNOWN, decimals, interval};

/// The laws that the budgets of a ladder follow.
#[derive(Debug, Clone, Copy, Default)]
pub struct LadderLaws<'a> {
    /// Over the weights.
    pub weights: Option<&'a SizeLaw>,
    /// Over the floating-point operations of a training.
    pub compute: Option<&'a SizeLaw>,
    /// Over the training rows of the largest budget.
    pub rows: Option<&'a SizeLaw>,
    /// Over weights and rows.
    pub grid: Option<&'a GridLaw>,
}

impl<'a> LadderLaws<'a> {
    /// Returns the laws of an analysis.
    pub fn of(analysis: &'a Analysis) -> Self {
        let judgement = compared(analysis);
        let data = analysis.data_scaling.as_ref().and_then(|data| data.judgement.as_ref());
        Self {
            weights: judgement.and_then(|one| one.law.as_ref()),
            compute: judgement.and_then(|one| one.law_of_compute.as_ref()),
            rows: data.and_then(|one| one.law.as_ref()),
            grid: data.and_then(|one| one.grid.as_ref()),
        }
    }
}

/// Returns the laws of a ladder with their forecasts; `None` where it has none.
pub fn ladder_laws(analysis: &Analysis) -> Option<String> {
    let laws = LadderLaws::of(analysis);
    let sign = if analysis.direction == Direction::Maximize { '-' } else { '+' };
    let mut text = String::new();
    let compared = compared(analysis).map(|one| one.quantity);
    let data = analysis.data_scaling.as_ref().and_then(|data| data.judgement.as_ref());
    let of_rows = data.map(|one| one.quantity);
    for (word, letter, law, quantity) in [
        ("weights", 'N', laws.weights, compared),
        ("compute", 'C', laws.compute, compared),
        ("rows", 'D', laws.rows, of_rows),
    ] {
        let Some((law, quantity)) = law.zip(quantity) else { continue };
        let mut quantity = verdict::quantity(quantity, &analysis.metric);
        // Over rows the law is that of one budget, on parts of its rows.
        let noun = if letter == 'D' { "part" } else { "size" };
        if let Some(data) = data.filter(|_| letter == 'D') {
            let _ = write!(quantity, ", {}", data.largest);
        }
        if law.is_open() {
            let _ = writeln!(
                text,
                "The budgets do not determine the exponent of {word}: its interval reaches an end of the \
                 searched range. Many laws fit them; the numbers below are one of them. Budgets over more \
                 decades, or smaller errors, would determine it.\n"
            );
        }
        let _ = writeln!(
            text,
            "{quantity} = {} {sign} {} / {letter}^{}\n",
            decimals(law.limit.point),
            number(law.amplitude.point),
            decimals(law.exponent.point)
        );
        let level = format!("{:.0}% interval", law.exponent.level * 100.0);
        let _ = writeln!(text, "{:<22} {:>10}  {level}", "", "estimate");
        row(&mut text, &format!("exponent of {word}"), law.exponent);
        amplitude(&mut text, word, law.amplitude);
        row(&mut text, "limit", law.limit);
        let _ = writeln!(
            text,
            "\nNext: at {} the law predicts {} ({}).\n{}\n",
            place(letter, law.next.size),
            decimals(law.next.value.point),
            interval(law.next.value.interval),
            tested(law, noun)
        );
        if letter == 'C' {
            let _ = writeln!(
                text,
                "The compute is that of these budgets on all their rows; other sizes on other rows may use \
                 it better.\n"
            );
        }
    }
    match laws.grid {
        Some(law) => {
            let sum = format!(
                "{} + {} / N^{} + {} / D^{}",
                decimals(law.floor.point),
                number(law.a.point),
                decimals(law.alpha.point),
                number(law.b.point),
                decimals(law.beta.point)
            );
            let quantity = of_rows.map(|of| verdict::quantity(of, &analysis.metric)).unwrap_or_default();
            let _ = match analysis.direction {
                Direction::Minimize => writeln!(text, "{quantity} = {sum}\n"),
                Direction::Maximize => writeln!(text, "{quantity} = 1 - ({sum})\n"),
            };
            let level = format!("{:.0}% interval", law.alpha.level * 100.0);
            let _ = writeln!(text, "{:<22} {:>10}  {level}", "", "estimate");
            row(&mut text, "exponent of weights", law.alpha);
            amplitude(&mut text, "weights", law.a);
            row(&mut text, "exponent of rows", law.beta);
            amplitude(&mut text, "rows", law.b);
            row(&mut text, "floor of the loss", law.floor);
            let _ = writeln!(text, "\n{}", grid(law));
        }
        None if analysis.data_scaling.is_some() => {
            let _ = writeln!(
                text,
                "No law over weights and rows is fitted: it needs a loss or an AUC, {FEWEST_SIZES} sizes \
                 and {FEWEST_SIZES} parts of the rows over {FEWEST_DECADES} decades of each. \
                 `train_share` sets the parts."
            );
        }
        None => {}
    }
    (!text.is_empty()).then(|| text.trim_end().to_owned() + "\n")
}

/// Returns why a ladder has no law, and what would change that.
pub fn no_ladder_law(analysis: &Analysis) -> (String, String) {
    let why = match compared(analysis) {
        None => analysis.scaling.withheld.as_ref().map(verdict::withheld).unwrap_or_default(),
        Some(one) => {
            let known: Vec<f64> = one.values.iter().filter_map(|value| value.weights).collect();
            let ends = known
                .iter()
                .copied()
                .fold((f64::INFINITY, 0.0_f64), |(low, high), x| (x.min(low), x.max(high)));
            if known.is_empty() {
                "the sizes of its models are not known".to_owned()
            } else {
                let decades = (ends.1 / ends.0).log10();
                let enough = known.len() as u64 >= FEWEST_SIZES && decades >= FEWEST_DECADES;
                let but = if enough { ", but the errors of its values are not known" } else { "" };
                format!("it has {} sizes over {decades:.1} decades{but}", known.len())
            }
        }
    };
    let hint = format!(
        "a law needs {FEWEST_SIZES} sizes over {FEWEST_DECADES} decades, each with its error: `allometry \
         check --suggest-budgets {FEWEST_SIZES}` proposes some; a table with one row per run needs --value"
    );
    (format!("the ladder cannot bear a law: {why}"), hint)
}

/// Returns a size on an axis in words.
fn place(letter: char, size: f64) -> String {
    match letter {
        'C' => format!("{size:.2e} operations"),
        'D' => format!("{} rows", human_weights(size)),
        _ => format!("{} weights", human_weights(size)),
    }
}

fn row(text: &mut String, name: &str, estimate: Estimate) {
    let _ = writeln!(text, "{name:<22} {:>10}  {}", decimals(estimate.point), interval(estimate.interval));
}

/// Writes an amplitude, whose magnitude depends on the exponent.
fn amplitude(text: &mut String, of: &str, estimate: Estimate) {
    let ends = estimate.interval.map_or_else(
        || UNKNOWN.to_owned(),
        |ends| format!("{} to {}", number(ends.lower), number(ends.upper)),
    );
    let name = format!("amplitude of {of}");
    let _ = writeln!(text, "{name:<22} {:>10}  {ends}", number(estimate.point));
}
