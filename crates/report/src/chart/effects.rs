//! The metric over the values of each parameter, in all budgets.

use allometry_analysis::sample::Sample;
use allometry_analysis::trend::{LevelSummary, Trend, TrendClass};
use allometry_analysis::{Analysis, LadderTrials, StudyAnalysis, StudyTrials};
use allometry_core::ParamValue;

use super::figure::{Figure, FigureTable};
use super::panel::{Axis, Layer, Panel};
use super::parameter::{ParameterAxis, jitter};
use super::scale::Scale;
use super::{budget_class, budget_line, shown};
use crate::number::{UNKNOWN, counted, interval, known_p, signed};

/// The largest number of parameters that are drawn.
const MOST: usize = 9;
/// The largest number of budgets whose single trials are drawn.
const MOST_WITH_DOTS: usize = 3;
/// The largest number of trials of a ladder that are drawn as dots.
const MOST_DOTS: usize = 1_500;
/// The share of the distance between two places over which the budgets lie side by side.
const SPREAD: f64 = 0.6;

/// One budget with the trend over a parameter.
struct Budget<'a> {
    position: usize,
    study: &'a StudyAnalysis,
    trials: &'a StudyTrials,
    trend: &'a Trend,
}

/// Draws one panel per parameter: trials, means with two standard errors, and significant adjusted slopes.
pub(super) fn figure(analysis: &Analysis, ladder: &LadderTrials) -> Option<Figure> {
    let names: Vec<&str> =
        analysis.parameters_by_share().into_iter().filter(|name| varies(analysis, name)).collect();
    let drawn = &names[..names.len().min(MOST)];
    let trials: usize = ladder.studies.iter().map(|study| study.trials.len()).sum();
    let has_dots = ladder.studies.len() <= MOST_WITH_DOTS && trials <= MOST_DOTS;
    let y = value_scale(analysis, ladder, drawn, has_dots);
    let panels: Vec<Panel> =
        drawn.iter().filter_map(|name| panel(analysis, ladder, name, &y, has_dots)).collect();
    if panels.is_empty() {
        return None;
    }
    let mut figure = Figure::new("effects", "Effects", panels);
    figure.columns = 3;
    if analysis.studies.len() > 1 {
        for (position, study) in analysis.studies.iter().enumerate() {
            figure.entry(format!("small {}", budget_class(position)), shown(&study.budget.label));
        }
    }
    let dots = if has_dots { "Pale dots are trials; dots" } else { "Dots" };
    let left = match names.len() - drawn.len() {
        0 => String::new(),
        left => format!(" {} with smaller shares are left out.", counted(left as u64, "parameter")),
    };
    figure.caption = format!(
        "{} over each parameter. {dots} with lines are means with two standard errors. They may mix in \
         effects of other parameters. A dashed line is a slope with the other parameters held fixed; only \
         significant ones are drawn.{left}",
        shown(&analysis.metric)
    );
    let called = called(analysis, &names);
    figure.alt = if called.is_empty() { "No slope is significant.".into() } else { called.join(" ") };
    figure.table = Some(table(analysis, &names));
    Some(figure)
}

/// Returns a sentence for each trend that is neither flat nor undecided.
pub(crate) fn called(analysis: &Analysis, names: &[&str]) -> Vec<String> {
    let trends = names.iter().flat_map(|name| of_parameter(analysis, name));
    let sentences = trends.filter_map(|(study, trend)| {
        let class = trend.adjusted.as_ref()?.class;
        let is_called = !matches!(class, TrendClass::Flat | TrendClass::Undecided);
        is_called.then(|| format!("{}, {}: {}.", trend.parameter, study.budget.label, class.as_str()))
    });
    sentences.collect()
}

fn of_parameter<'a>(
    analysis: &'a Analysis,
    name: &'a str,
) -> impl Iterator<Item = (&'a StudyAnalysis, &'a Trend)> {
    let trend = move |study: &'a StudyAnalysis| study.trends.iter().find(|trend| trend.parameter == name);
    analysis.studies.iter().filter_map(move |study| Some((study, trend(study)?)))
}

fn varies(analysis: &Analysis, name: &str) -> bool {
    of_parameter(analysis, name).any(|(_, trend)| trend.levels.len() > 1)
}

/// Returns the ends of the line of a mean: two standard errors on both sides, if there are several trials.
fn ends(level: &LevelSummary) -> Option<(f64, f64)> {
    let error = 2.0 * level.sd / (level.count as f64).sqrt();
    (level.count > 1).then_some((level.mean - error, level.mean + error))
}

fn value_scale(analysis: &Analysis, ladder: &LadderTrials, names: &[&str], has_dots: bool) -> Scale {
    let means = names.iter().flat_map(|name| of_parameter(analysis, name)).flat_map(|(_, trend)| {
        trend.levels.iter().flat_map(|level| {
            let (low, high) = ends(level).unwrap_or((level.mean, level.mean));
            [low, high]
        })
    });
    let dots = ladder.studies.iter().filter(|_| has_dots);
    Scale::linear(means.chain(dots.flat_map(|study| Sample::new(study, ladder.direction()).values)))
}

fn panel(analysis: &Analysis, ladder: &LadderTrials, name: &str, y: &Scale, has_dots: bool) -> Option<Panel> {
    let axis = ParameterAxis::over(&ladder.studies, name)?;
    let budgets: Vec<Budget<'_>> = analysis
        .studies
        .iter()
        .zip(&ladder.studies)
        .enumerate()
        .filter_map(|(position, (study, trials))| {
            let trend = study.trends.iter().find(|trend| trend.parameter == name)?;
            Some(Budget { position, study, trials, trend })
        })
        .collect();
    let axes = (Axis::new("", axis.scale.clone()), Axis::new("", y.clone()));
    let mut panel = Panel::new(name, axes.0, axes.1, (340.0, 230.0));
    let steps = budgets.len() as f64;
    for (place, budget) in budgets.iter().enumerate() {
        // Budgets lie side by side at a named place; on a numeric scale there is no room for that.
        let shift = if axis.names().is_some() { SPREAD * ((place as f64 + 0.5) / steps - 0.5) } else { 0.0 };
        if has_dots {
            panel.layers.push(dots(budget, &axis, name, analysis, (shift, SPREAD / steps)));
        }
    }
    for (place, budget) in budgets.iter().enumerate() {
        let shift = if axis.names().is_some() { SPREAD * ((place as f64 + 0.5) / steps - 0.5) } else { 0.0 };
        means(&mut panel, budget, &axis, shift);
        slope(&mut panel, budget, &axis, shift);
    }
    Some(panel)
}

fn dots(
    budget: &Budget<'_>,
    axis: &ParameterAxis,
    name: &str,
    analysis: &Analysis,
    (shift, room): (f64, f64),
) -> Layer {
    let sample = Sample::new(budget.trials, analysis.direction);
    let at = sample.trials.iter().zip(&sample.values).filter_map(|(trial, value)| {
        let x = axis.of(trial, name)?;
        let aside = if axis.names().is_some() { shift + room * jitter(trial.number) } else { 0.0 };
        Some((x + aside, *value))
    });
    Layer::Points { class: format!("faint {}", budget_class(budget.position)), at: at.collect() }
}

/// Returns the position of a level, which may be a range.
fn position(axis: &ParameterAxis, level: &LevelSummary) -> Option<f64> {
    let low = axis.place(&level.value)?;
    let Some(high) = level.upper.as_ref().and_then(|upper| axis.place(upper)) else { return Some(low) };
    Some(match axis.scale {
        Scale::Log { .. } => (low * high).sqrt(),
        _ => f64::midpoint(low, high),
    })
}

fn means(panel: &mut Panel, budget: &Budget<'_>, axis: &ParameterAxis, shift: f64) {
    let class = budget_class(budget.position);
    for level in &budget.trend.levels {
        let Some(x) = position(axis, level).map(|x| x + shift) else { continue };
        let value = crate::number::step(&level.value, level.upper.as_ref());
        let tip = format!(
            "{}, {value}: mean {} of {}",
            budget.study.budget.label,
            crate::number::decimals(level.mean),
            counted(level.count, "trial")
        );
        if let Some((low, high)) = ends(level) {
            panel.layers.push(Layer::segment(class.clone(), (x, low), (x, high), tip.clone()));
        }
        panel.layers.push(Layer::Mark { class: format!("small {class}"), at: (x, level.mean), tip });
    }
}

/// Draws the adjusted slope of a trend that rises or falls, through the mean of the trials.
fn slope(panel: &mut Panel, budget: &Budget<'_>, axis: &ParameterAxis, shift: f64) {
    let Trend { levels, adjusted, .. } = budget.trend;
    let Some(adjusted) = adjusted else { return };
    let Some(estimate) = adjusted.slope else { return };
    if !matches!(adjusted.class, TrendClass::Increasing | TrendClass::Decreasing) {
        return;
    }
    let trials: f64 = levels.iter().map(|level| level.count as f64).sum();
    let center = levels.iter().map(|level| level.mean * level.count as f64).sum::<f64>() / trials;
    let steps = levels.iter().enumerate().map(|(step, level)| step as f64 * level.count as f64);
    let middle = steps.sum::<f64>() / trials;
    let at = levels.iter().enumerate().filter_map(|(step, level)| {
        let value = center + estimate.point * (step as f64 - middle);
        Some((position(axis, level)? + shift, value))
    });
    let tip = format!(
        "{}: {} per step, p (Holm) {}",
        budget.study.budget.label,
        signed(estimate.point),
        known_p(adjusted.p_holm)
    );
    let class = format!("slope {}", budget_line(budget.position));
    panel.layers.push(Layer::Line { class, at: at.collect(), tip });
}

fn table(analysis: &Analysis, names: &[&str]) -> FigureTable {
    let header = ["Parameter", "Budget", "Trend", "Best at", "Per step", "Interval", "p (Holm)"];
    let rows = names.iter().flat_map(|name| of_parameter(analysis, name)).map(|(study, trend)| {
        let adjusted = trend.adjusted.as_ref();
        let slope = adjusted.and_then(|adjusted| adjusted.slope);
        vec![
            shown(&trend.parameter),
            shown(&study.budget.label),
            adjusted.map_or_else(|| "no order".into(), |adjusted| adjusted.class.as_str().into()),
            value(&trend.naive.best.value),
            slope.map_or_else(|| UNKNOWN.into(), |slope| signed(slope.point)),
            interval(slope.and_then(|slope| slope.interval)),
            known_p(adjusted.and_then(|adjusted| adjusted.p_holm)),
        ]
    });
    FigureTable { header: header.map(str::to_owned).to_vec(), rows: rows.collect() }
}

fn value(value: &ParamValue) -> String {
    shown(&crate::number::short(value))
}
