//! Whether predictions collapsed to a constant, and the predictions of the best trial.

use allometry_analysis::collapse::{CollapseSetting, NaiveOutcome, ScoreSummary};
use allometry_analysis::{Analysis, StudyAnalysis, is_auc};

use crate::markdown::escape;
use crate::number::{UNKNOWN, decimals, known, known_p, percent, share, step};
use crate::text::Text;

/// Whether the report has a section on predictions: the metric is an AUC, or a trial recorded predictions.
pub(super) fn concerns(analysis: &Analysis) -> bool {
    is_auc(&analysis.metric) || analysis.studies.iter().any(StudyAnalysis::has_predictions)
}

/// Writes the table of all budgets.
pub(super) fn ladder(text: &mut Text, analysis: &Analysis) {
    text.heading(2, format_args!("Probability Collapse by Budget"));
    text.table(
        &["Budget", "Mean range", "Mean recall", "Constant models", "Unknown"],
        analysis.studies.iter().map(|study| {
            let collapse = &study.collapse;
            vec![
                escape(&study.budget.label),
                known(collapse.naive.range),
                known(collapse.naive.recall),
                collapse.constant_share.map_or_else(|| UNKNOWN.into(), share),
                format!("{} of {}", collapse.kinds.unknown, study.summary.trials),
            ]
        }),
    );
    text.blank();
    text.line(format_args!(
        "A model is constant if the standard deviation of its predictions is below 2% of that of the labels; \
         with several classes, for every class. Range and recall are means over trials. Without recorded \
         predictions it is unknown whether models collapsed."
    ));
}

/// Writes the section of one budget.
pub(super) fn study(text: &mut Text, study: &StudyAnalysis) {
    text.heading(2, format_args!("Probability Collapse Analysis"));
    let collapse = &study.collapse;
    let (naive, kinds) = (collapse.naive, collapse.kinds);
    if kinds.unknown == study.summary.trials && naive.outcome == NaiveOutcome::Unknown {
        text.line(format_args!("Unknown: no trial recorded its predictions."));
        return;
    }
    text.line(format_args!("- Mean prediction range: {}", known(naive.range)));
    let zeros = naive.zero_recall.map_or_else(|| UNKNOWN.into(), percent);
    text.line(format_args!("- Trials with zero recall: {zeros}"));
    if let Some(constant) = collapse.constant_share {
        text.line(format_args!("- Models with constant predictions: {}", share(constant)));
    }
    let kinds = [
        (kinds.constant, "constant"),
        (kinds.shrunken, "shrunken (recalibrate)"),
        (kinds.shifted, "shifted"),
        (kinds.healthy, if collapse.best.is_some() { "healthy" } else { "healthy as far as recorded" }),
        (kinds.unknown, "unknown"),
    ];
    let kinds: Vec<String> =
        kinds.iter().filter(|(count, _)| *count > 0).map(|(count, kind)| format!("{count} {kind}")).collect();
    text.line(format_args!("- Trials by kind: {}", kinds.join(", ")));
    if let Some(best) = &collapse.best {
        best_trial(text, best);
    }
    settings(text, &collapse.settings);
}

/// Writes the figures of the best trial's predictions.
fn best_trial(text: &mut Text, best: &ScoreSummary) {
    text.line(format_args!(
        "- Predictions of the best trial (trial {}): from {} to {} (1% to 99% quantile), {} distinct; their \
         standard deviation is {} of that of the labels",
        best.trial,
        decimals(best.low),
        decimals(best.high),
        best.distinct,
        percent(best.sd_ratio),
    ));
    text.line(format_args!(
        "- Compared with always predicting the share of positive rows: Brier skill {}, log loss {} (constant \
         prediction: {})",
        decimals(best.brier_skill),
        decimals(best.log_loss),
        decimals(best.log_loss_of_prior),
    ));
    text.line(format_args!(
        "- Calibration error: {} ({} expected for a calibrated model with these predictions; p {})",
        decimals(best.calibration_error),
        decimals(best.calibration_error_by_chance),
        known_p(Some(best.p_calibration)),
    ));
    text.line(format_args!(
        "- Recall: {} at a threshold of 0.5, {} at the share of positive rows",
        percent(best.recall_at_half),
        percent(best.recall_at_prior),
    ));
}

/// Writes the parameters that are associated with constant models.
fn settings(text: &mut Text, settings: &[CollapseSetting]) {
    if settings.is_empty() {
        return;
    }
    text.blank();
    text.line(format_args!("Parameters associated with constant models, strongest evidence first:"));
    text.blank();
    text.table(
        &["Parameter", "Largest share at", "Constant at this value", "p", "p (Benjamini-Hochberg)"],
        settings.iter().map(|setting| {
            vec![
                escape(&setting.parameter),
                escape(&step(&setting.value.value, setting.value.upper.as_ref())),
                format!("{} of {}", setting.constant, setting.trials),
                known_p(Some(setting.p)),
                known_p(Some(setting.p_adjusted)),
            ]
        }),
    );
}
