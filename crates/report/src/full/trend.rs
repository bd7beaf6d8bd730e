//! The relation between the metric and each parameter of a budget.

use allometry_analysis::trend::{AdjustedTrend, LevelSummary, Trend};
use allometry_analysis::{Analysis, StudyAnalysis};
use allometry_core::ParamValue;

use crate::markdown::escape;
use crate::number::{UNKNOWN, decimals, interval, known_p, percent, short, step};
use crate::text::Text;

/// The number of trials at a value below which its mean is marked.
const FEW: u64 = 5;

pub(super) fn render(text: &mut Text, study: &StudyAnalysis, analysis: &Analysis) {
    text.heading(2, format_args!("Parameter Trends"));
    overview(text, study, analysis);
    text.blank();
    text.line(format_args!(
        "The means by value follow. Values tried fewer than {FEW} times are marked with \\*: if later trials \
         were chosen by the results of earlier ones, the means of these values are biased towards worse \
         values."
    ));
    if study.duplicates.repeats > 0 {
        text.blank();
        text.line(format_args!(
            "These means count a repeated configuration as often as it was tried, so standard errors that \
             include repeats are too small."
        ));
    }
    for trend in &study.trends {
        text.heading(3, format_args!("{}", escape(&trend.parameter)));
        one_trend(text, trend, study, analysis);
    }
}

fn overview(text: &mut Text, study: &StudyAnalysis, analysis: &Analysis) {
    let ordered = || study.trends.iter().filter_map(|trend| Some((trend, trend.adjusted.as_ref()?)));
    let Some((_, first)) = ordered().next() else {
        text.line(format_args!("No parameter has ordered values."));
        return;
    };
    let level = analysis.options.level * 100.0;
    text.line(format_args!(
        "Change of {} from one value to the next, with the other parameters held fixed (distinct \
         evaluations, HC3 errors; {} slopes are adjusted together by Holm's method, and so are the peaks and \
         valleys inside the range).",
        escape(&analysis.metric),
        first.family
    ));
    text.blank();
    text.table(
        &[
            "Parameter",
            "Trend",
            "Per step",
            &format!("{level:.0}% interval"),
            "p (Holm)",
            "Peak or valley, p (Holm)",
            "Order: τ, p",
        ],
        ordered().map(|(trend, adjusted)| {
            let AdjustedTrend { class, slope, p_holm, p_inside_holm, order, .. } = adjusted;
            vec![
                escape(&trend.parameter),
                format!("**{}**", class.as_str()),
                slope.map_or_else(|| UNKNOWN.into(), |slope| crate::number::signed(slope.point)),
                interval(slope.and_then(|slope| slope.interval)),
                known_p(*p_holm),
                known_p(*p_inside_holm),
                order.map_or_else(
                    || UNKNOWN.into(),
                    |order| format!("{:+.2}, {}", order.tau_b, known_p(Some(order.p))),
                ),
            ]
        }),
    );
}

fn one_trend(text: &mut Text, trend: &Trend, study: &StudyAnalysis, analysis: &Analysis) {
    let metric = escape(&analysis.metric);
    let naive = &trend.naive;
    if let Some(adjusted) = &trend.adjusted {
        let change = adjusted.total_change.map_or_else(String::new, |change| {
            format!(
                " (from the first value to the last {}, {})",
                crate::number::signed(change.point),
                interval(change.interval)
            )
        });
        text.line(format_args!("- Trend: **{}**{change}", adjusted.class.as_str()));
        if let Some(shape) = adjusted.shape {
            text.line(format_args!(
                "- Shape: a curve that never decreases explains {} of the variation between values, a curve \
                 that never increases {}",
                percent(shape.increasing),
                percent(shape.decreasing)
            ));
        }
    }
    for (word, extreme) in [("Best", &naive.best), ("Worst", &naive.worst)] {
        let value = escape(&short(&extreme.value));
        text.line(format_args!("- {word} value: {value} (mean {metric}: {})", decimals(extreme.mean)));
    }
    text.blank();
    let best = study.summary.incumbent().and_then(|trial| trial.params.get(&trend.parameter));
    text.table(
        &["Value", &format!("Mean {metric}"), "Std. error", "Std", "Count"],
        trend.levels.iter().map(|level| {
            let winner = if best.is_some_and(|best| holds(level, best)) { " (best trial)" } else { "" };
            let error = level.sd / (level.count as f64).sqrt();
            vec![
                format!("{}{winner}", escape(&step(&level.value, level.upper.as_ref()))),
                decimals(level.mean),
                if level.count > 1 { decimals(error) } else { UNKNOWN.into() },
                if level.count > 1 { decimals(level.sd) } else { UNKNOWN.into() },
                format!("{}{}", level.count, if level.count < FEW { " \\*" } else { "" }),
            ]
        }),
    );
}

/// Whether a value equals that of a level or lies in its range.
fn holds(level: &LevelSummary, value: &ParamValue) -> bool {
    let upper = level.upper.as_ref().unwrap_or(&level.value);
    level.value.total_cmp(value).is_le() && value.total_cmp(upper).is_le()
}
