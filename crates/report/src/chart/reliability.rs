//! The calibration of predicted probabilities.

use allometry_analysis::stats::proportion::wilson;
use allometry_analysis::{Analysis, LadderTrials, Scores};

use super::figure::{Figure, FigureTable};
use super::panel::{Axis, Layer, Panel};
use super::scale::Scale;
use super::{budget_class, shown};
use crate::number::decimals;

/// The number of groups of rows, of nearly equal size.
const GROUPS: usize = 8;
/// The number of bars of the histogram of scores.
const BARS: usize = 24;

/// Draws the reliability of each budget's best trial, and its scores by class.
pub(super) fn figure(analysis: &Analysis, ladder: &LadderTrials) -> Option<Figure> {
    let best =
        analysis.studies.iter().zip(&ladder.studies).enumerate().filter_map(|(position, (study, trials))| {
            let number = study.summary.incumbent()?.number;
            Some((
                format!("{}, trial {number}", shown(&study.budget.label)),
                position,
                trials.predictions.scores(number)?,
            ))
        });
    reliability_figure("reliability", "Predictions of the best trials", best, analysis.options.level)
}

/// Draws two panels for each trial (label, place among the colours, predictions): the share of positive rows
/// among rows with similar predictions, and the distribution of predictions in each class. Intervals are
/// Wilson's at `level`.
pub fn reliability_figure<'a>(
    id: &str,
    title: &str,
    trials: impl IntoIterator<Item = (String, usize, Scores<'a>)>,
    level: f64,
) -> Option<Figure> {
    let mut panels = Vec::new();
    let mut rows = Vec::new();
    for (label, position, predictions) in trials {
        let mut pairs: Vec<(f64, bool)> = predictions
            .scores
            .iter()
            .map(|score| f64::from(*score))
            .zip(predictions.labels.iter().copied())
            .collect();
        if pairs.is_empty() {
            continue;
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        panels.push(reliability(&label, position, &pairs, level, &mut rows));
        panels.push(by_class(&label, &pairs));
    }
    if panels.is_empty() {
        return None;
    }
    let mut figure = Figure::new(id, title, panels);
    figure.columns = 2;
    figure.entry("b2 small", "positive rows");
    figure.entry("b3 small", "negative rows");
    figure.caption =
        "The first panel of a trial has rows in groups of similar predicted probability; on the \
                      dashed line, the predictions are calibrated. The second has the predictions by true \
                      class. Two separate peaks mean that the model separates the classes; one narrow peak \
                      means that it collapsed."
            .into();
    figure.describe(rows.chunk_by(|a, b| a[0] == b[0]).map(|trial| {
        let (first, last) = (&trial[0], &trial[trial.len() - 1]);
        format!(
            "{}: among the lowest predictions (about {}) the share of positive rows is {}, among the highest \
             (about {}) it is {}.",
            first[0], first[2], first[3], last[2], last[3]
        )
    }));
    let header = ["Trial", "Rows", "Predicted", "Observed", "Interval"].map(str::to_owned).to_vec();
    figure.table = Some(FigureTable { header, rows });
    Some(figure)
}

fn reliability(
    label: &str,
    position: usize,
    pairs: &[(f64, bool)],
    level: f64,
    rows: &mut Vec<Vec<String>>,
) -> Panel {
    let mut groups = Vec::new();
    for group in pairs.chunks(pairs.len().div_ceil(GROUPS)) {
        let count = group.len() as u64;
        let positives = group.iter().filter(|(_, positive)| *positive).count() as u64;
        let predicted = group.iter().map(|(score, _)| score).sum::<f64>() / count as f64;
        groups.push((predicted, positives as f64 / count as f64, wilson(positives, count, level), count));
    }
    let ends = groups.iter().flat_map(|(predicted, observed, interval, _)| {
        [*predicted, *observed].into_iter().chain(interval.iter().flat_map(|(low, high)| [*low, *high]))
    });
    let scale = Scale::linear(ends);
    let (low, high) = scale.ends();
    let mut panel = Panel::new(
        label,
        Axis::new("predicted", scale.clone()),
        Axis::new("observed", scale),
        (300.0, 260.0),
    );
    panel.layers.push(Layer::segment("guide", (low, low), (high, high), ""));
    for (predicted, observed, interval, count) in groups {
        let tip = format!("predicted {}, observed {} of {count}", decimals(predicted), decimals(observed));
        if let Some((lower, upper)) = interval {
            panel.layers.push(Layer::segment(
                budget_class(position),
                (predicted, lower),
                (predicted, upper),
                tip.clone(),
            ));
        }
        panel.layers.push(Layer::Mark {
            class: format!("small {}", budget_class(position)),
            at: (predicted, observed),
            tip,
        });
        let range = interval
            .map_or_else(String::new, |(lower, upper)| format!("{} to {}", decimals(lower), decimals(upper)));
        rows.push(vec![label.to_owned(), count.to_string(), decimals(predicted), decimals(observed), range]);
    }
    panel
}

fn by_class(label: &str, pairs: &[(f64, bool)]) -> Panel {
    let scale = Scale::linear(pairs.iter().map(|(score, _)| *score));
    let (low, high) = scale.ends();
    let width = (high - low) / BARS as f64;
    let mut shares = [[0.0; BARS]; 2];
    for class in [false, true] {
        let of_class = || pairs.iter().filter(|(_, positive)| *positive == class);
        let count = of_class().count().max(1) as f64;
        for (score, _) in of_class() {
            let bar = (((score - low) / width) as usize).min(BARS - 1);
            shares[usize::from(class)][bar] += 1.0 / count;
        }
    }
    let top = shares.iter().flatten().copied().fold(0.01, f64::max);
    let y = Axis::new("share of the class", Scale::Linear { low: 0.0, high: top * 1.08 })
        .format(super::scale::TickFormat::Percent);
    let mut panel = Panel::new(label, Axis::new("predicted", scale), y, (300.0, 260.0));
    for (class, shares) in ["b3", "b2"].iter().zip(shares) {
        for (bar, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let from = (low + bar as f64 * width, 0.0);
            let to = (low + (bar + 1) as f64 * width, *share);
            panel.layers.push(Layer::Bar { class: format!("pale {class}"), from, to, tip: String::new() });
        }
    }
    panel
}
