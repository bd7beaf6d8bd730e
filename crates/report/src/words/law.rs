//! The sentences on scaling laws.

use std::fmt::Write as _;

use allometry_analysis::law::{
    AxisLaw, FEWEST_DECADES, FEWEST_SIZES, LawAnalysis, LawAxis, LawEstimate, LawProblem, Resampled,
};
use allometry_core::human_weights;
use allometry_core::significant::significant;

use crate::number::{counted, p_is};

/// Rank correlation of sizes and losses above which the loss hardly falls.
const LEAST_FALL: f64 = -0.5;
/// Number of rows per weight below which units are in doubt.
const FEW_ROWS: f64 = 1e-3;
/// Ratio of the third quartile to the best loss of a size above which runs differ much.
const LARGE_RATIO: f64 = 1.05;

/// Returns why no law of `loss` is fitted, and what would change that. `unsound` describes the number of a
/// run that is not positive, such as ``row 3: `loss` is 0``.
pub fn refusal(problem: &LawProblem, loss: &str, unsound: impl Fn(u64) -> String) -> (String, String) {
    match problem {
        LawProblem::NotPositive { row } => (
            format!("{}, which is not a positive number", unsound(*row)),
            "a law is fitted to the logarithms of sizes and losses: take rows of failed runs out; fit the \
             negative of a log likelihood"
                .into(),
        ),
        LawProblem::FewSizes { axis, found: 1, needed } => (
            format!("all runs have one size of {}, so that no law over it can be fitted", axis.as_str()),
            format!(
                "fit the other column alone, or train at {needed} or more sizes, evenly spaced on a log scale"
            ),
        ),
        LawProblem::FewSizes { axis, found, needed } => (
            format!("the runs have {found} distinct sizes of {}, too few for a law", axis.as_str()),
            format!("train at {needed} or more sizes, evenly spaced on a log scale"),
        ),
        LawProblem::NarrowRange { axis, found, needed } => (
            format!("the sizes of {} span {found:.2} decades, too few for a law", axis.as_str()),
            format!(
                "train at sizes over {needed} decades, a factor of {:.0}; if the column holds logarithms, \
                 give the sizes themselves",
                10.0_f64.powf(*needed)
            ),
        ),
        LawProblem::Constant => (
            "all losses are equal, so that there is nothing to fit".into(),
            "a law needs a loss that falls with the size".into(),
        ),
        LawProblem::Rising { axis, correlation } => (
            format!(
                "`{loss}` rises with {} (rank correlation {correlation:.2}), but a law is fitted to a loss, \
                 which falls",
                axis.as_str()
            ),
            "with `--direction maximize` the law is that of 1 less the value, for an accuracy or an AUC"
                .into(),
        ),
        LawProblem::Together { correlation } => (
            format!(
                "weights and data vary together (correlation {correlation:.3}), so that their exponents \
                     cannot be told apart"
            ),
            "train some sizes on other amounts of data, or fit one of the two".into(),
        ),
    }
}

/// Returns the law of `loss` in words, with its forecast and what comes next.
pub fn summary(law: &LawAnalysis, loss: &str) -> String {
    let mut text = String::new();
    for sentence in doubts(law) {
        let _ = writeln!(text, "{sentence}\n");
    }
    let terms: Vec<String> = law
        .axes
        .iter()
        .map(|axis| {
            let letter = axis.axis.letter();
            format!("{} / {letter}^{}", number(axis.amplitude.point), number(axis.exponent.point))
        })
        .collect();
    let _ = writeln!(text, "{loss} = {} + {}", number(law.floor.point), terms.join(" + "));
    let _ = writeln!(text);
    let level = format!("{:.0}% interval", law.level * 100.0);
    let _ = writeln!(text, "{:<22} {:>10}  {level}", "", "estimate");
    for axis in &law.axes {
        let word = axis.axis.as_str();
        row(&mut text, &format!("exponent of {word}"), axis.exponent);
        row(&mut text, &format!("amplitude of {word}"), axis.amplitude);
    }
    row(&mut text, "floor", law.floor);
    let _ = writeln!(text);
    let covers = match law.resampled {
        Resampled::Noise => "the noise of runs around a law of this form",
        Resampled::Runs => "other runs, drawn from these",
        Resampled::SharedNoise => {
            "other runs, drawn from these, and the noise that runs of one size of weights share"
        }
    };
    let left_out = match law.diverged {
        0 => String::new(),
        1 => " 1 run is far above the law and was left out as diverged.".into(),
        count => format!(" {count} runs are far above the law and were left out as diverged."),
    };
    let _ = writeln!(
        text,
        "{} at {}; half of them are within {} of the law, all within {}.{left_out} Intervals cover {covers}, \
         not another form of law.",
        counted(law.runs, "run"),
        law.axes.iter().map(sizes).collect::<Vec<_>>().join(" and "),
        part(law.residuals.median),
        part(law.residuals.largest),
    );
    let _ = writeln!(text, "{}", lack_of_fit(law));
    if law.is_single {
        let _ = writeln!(
            text,
            "No size was run twice: a diverged run at the smallest sizes could not be told from the law."
        );
    }
    if law.repeated > 0 {
        let (repeat, them) =
            if law.repeated == 1 { ("repeats", "it is a copy") } else { ("repeat", "they are copies") };
        let _ = writeln!(
            text,
            "{} {repeat} the sizes and the loss of another exactly. If {them}, intervals are too narrow: \
             take copies out.",
            counted(law.repeated, "run")
        );
    }
    for jump in &law.jumps {
        let [small, large] = jump.sizes.map(human_weights);
        let _ = writeln!(
            text,
            "No size of {} lies between {small} and {large}: nothing tests the law there. Are all sizes in \
             one unit? Runs at sizes between them would test it.",
            jump.axis.as_str()
        );
    }
    forecast(&mut text, law);
    text
}

/// Returns reasons to doubt the whole law, which come first.
fn doubts(law: &LawAnalysis) -> Vec<String> {
    let mut doubts = Vec::new();
    for axis in law.axes.iter().filter(|axis| axis.is_open) {
        let falls = law.correlation.is_none_or(|correlation| correlation < LEAST_FALL);
        let why = if falls {
            "Sizes over more decades, or several runs of each, would determine it."
        } else {
            "The loss hardly falls with the size: there is little to fit. Sizes over more decades would show \
             whether it falls; if it does not, no law of this form is true."
        };
        doubts.push(format!(
            "The runs do not determine the exponent of {}: its interval reaches an end of the searched \
             range. Many laws fit these runs; the numbers below, also of the forecast, are one of them. \
             {why}",
            axis.axis.as_str()
        ));
    }
    if let Some([least, _]) = law.rows_per_weight.filter(|[least, most]| *least < FEW_ROWS || *most < 1.0) {
        doubts.push(format!(
            "Some runs have {} rows for each weight. Are the columns the right ones, and in single rows, \
             weights and operations (not in millions or billions)? The best sizes below depend on it.",
            significant(least)
        ));
    }
    if let Some(ratio) = law.ratio_within.filter(|ratio| *ratio > LARGE_RATIO) {
        doubts.push(format!(
            "Runs of one size differ much: a quarter of them have losses more than {:.0}% above the best. If \
             they had other settings, such as learning rates, or are checkpoints, the law is not that of \
             good settings: `--best` fits the best run of each size.",
            100.0 * (ratio - 1.0)
        ));
    }
    doubts
}

/// Returns whether repeated sizes depart from the law.
fn lack_of_fit(law: &LawAnalysis) -> String {
    let what = if law.axes.len() == 1 { "means of sizes" } else { "medians of sizes of weights" };
    match law.lack_of_fit {
        None => {
            "No size was run several times, so that only the held-out size tests the form of the law.".into()
        }
        Some(p) if p < 0.05 => format!(
            "The {what} depart from the law by more than the noise of runs ({}): runs of a size share noise, \
             or the law has another form. The intervals count it as noise.",
            p_is(p)
        ),
        Some(p) => format!("No departure of the {what} from the law was found ({}).", p_is(p)),
    }
}

/// Returns a relative distance in percent: `1.3%`.
fn part(distance: f64) -> String {
    if distance < 5e-4 { "0.1%".into() } else { format!("{:.1}%", 100.0 * distance) }
}

/// Returns a relative miss in percent; one that rounds to 0 has no sign.
fn miss(miss: f64) -> String {
    let text = format!("{:+.1}%", 100.0 * miss);
    if text[1..] == *"0.0%" { "0.0%".into() } else { text }
}

fn forecast(text: &mut String, law: &LawAnalysis) {
    let axes = || law.axes.iter().map(|axis| axis.axis);
    match (&law.held_out, &law.not_held_out) {
        (Some(forecast), _) => {
            let verdict = if forecast.is_inside { "inside" } else { "outside" };
            let _ = writeln!(
                text,
                "Held out: {} with the largest {}, at {}. The others predicted {}, observed {} ({verdict}; \
                 {}).",
                counted(forecast.runs, "run"),
                if law.axes.len() == 1 { "size" } else { "compute" },
                place(axes(), &forecast.sizes),
                with_interval(forecast.predicted),
                number(forecast.observed),
                miss(forecast.miss),
            );
        }
        (None, Some(problem)) => {
            let (why, mut hint) = refusal(problem, "loss", |row| format!("run {row}"));
            if matches!(problem, LawProblem::FewSizes { .. } | LawProblem::NarrowRange { .. }) {
                hint = format!(
                    "add runs of other sizes: {FEWEST_SIZES} or more without the largest, over \
                     {FEWEST_DECADES} decades"
                );
            }
            let _ = writeln!(
                text,
                "No size could be held out to test the law: without the largest, {why}. To have a test, \
                 {hint}."
            );
        }
        (None, None) => {}
    }
    let next = &law.next;
    let _ = writeln!(
        text,
        "Next: at {} the law predicts {}.",
        place(axes(), &next.sizes),
        with_interval(next.loss)
    );
    for group in &law.isoflops {
        let _ = writeln!(
            text,
            "At {:.2e} operations the runs have their least loss at {} weights, the law at {}.",
            group.compute,
            human_weights(group.weights),
            size_with_interval(group.by_law)
        );
    }
    if law.optima.is_empty() && law.axes.len() > 1 {
        let _ = writeln!(
            text,
            "The best weights and data for given compute depend on the exponents, so that none are given."
        );
    }
    for optimum in &law.optima {
        let _ = writeln!(
            text,
            "With {:.2e} operations the loss is least at {} weights and {} rows: {}.",
            optimum.compute,
            size_with_interval(optimum.weights),
            size_with_interval(optimum.data),
            with_interval(optimum.loss),
        );
    }
}

/// Returns a number with four significant digits, or in whole numbers where it is large.
pub(super) fn number(x: f64) -> String {
    match x.abs() {
        0.0 => "0".into(),
        1e5.. => format!("{x:.3e}"),
        100.0.. => format!("{x:.0}"),
        _ => significant(x),
    }
}

fn row(text: &mut String, name: &str, estimate: LawEstimate) {
    let ends = format!("{} to {}", number(estimate.lower), number(estimate.upper));
    let _ = writeln!(text, "{name:<22} {:>10}  {ends}", number(estimate.point));
}

/// Returns a size on an axis without its unit.
fn size(axis: LawAxis, size: f64) -> String {
    if axis == LawAxis::Compute { format!("{size:.2e}") } else { human_weights(size) }
}

fn sizes(axis: &AxisLaw) -> String {
    format!(
        "{} sizes of {} from {} to {}",
        axis.distinct,
        axis.axis.as_str(),
        size(axis.axis, axis.range[0]),
        size(axis.axis, axis.range[1])
    )
}

fn place(axes: impl Iterator<Item = LawAxis>, sizes: &[f64]) -> String {
    let parts: Vec<String> = axes
        .zip(sizes)
        .map(|(axis, size)| match axis {
            LawAxis::Weights => format!("{} weights", human_weights(*size)),
            LawAxis::Data => format!("{} rows", human_weights(*size)),
            LawAxis::Compute => format!("{size:.2e} operations"),
        })
        .collect();
    parts.join(" and ")
}

fn with_interval(estimate: LawEstimate) -> String {
    format!("{} ({} to {})", number(estimate.point), number(estimate.lower), number(estimate.upper))
}

fn size_with_interval(number: LawEstimate) -> String {
    format!(
        "{} ({} to {})",
        human_weights(number.point),
        human_weights(number.lower),
        human_weights(number.upper)
    )
}
