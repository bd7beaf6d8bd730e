//! The page that compares trials.

use allometry_core::significant::signed;
use std::sync::Arc;

use allometry_analysis::{Estimate, Options, Outputs, Scores, paired_difference, paired_gain};
use allometry_core::FrozenTrial;
use allometry_report::chart::{Curve, curves_figure};
use allometry_store::StoredStudy;
use maud::{Markup, html};

use super::{missing, shell, trial, trial_address, way_back, words};
use crate::content::Content;
use crate::render::{self, Dashboard};

/// Maximum number of compared trials, the number of colours.
const MOST: usize = 8;

type Chosen = (Arc<StoredStudy>, FrozenTrial);

/// Returns the page that compares the trials `study:number,study:number`.
pub(crate) fn compare(dashboard: &Dashboard, trials: Option<&String>) -> Content {
    let chosen: Option<Vec<Chosen>> = trials
        .map(String::as_str)
        .unwrap_or_default()
        .split(',')
        .take(MOST)
        .map(|one| {
            let (study, number) = one.split_once(':')?;
            trial::find(dashboard, study.parse().ok()?, number.parse().ok()?)
        })
        .collect();
    let Some(chosen) = chosen else {
        return missing("The address must name existing trials: /compare?trials=STUDY:NUMBER,STUDY:NUMBER");
    };
    let curves: Vec<Curve> = chosen
        .iter()
        .map(|one| Curve {
            label: label(one),
            points: one.1.intermediate.iter().map(|(step, value)| (*step as f64, *value)).collect(),
        })
        .collect();
    let content = html! {
        (way_back(None))
        h1 { "Trials side by side" }
        (table(&chosen))
        @if let Some(figure) = curves_figure("curves", "Learning curves", "value", &curves) {
            (figure.html())
        }
        (gains(&chosen))
    };
    Content::html(shell("Trials side by side", "", "", &content))
}

fn label((study, trial): &Chosen) -> String {
    format!("{}, {}", words::short(&study.record.name), trial.number)
}

fn table(chosen: &[Chosen]) -> Markup {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in chosen.iter().flat_map(|(_, trial)| trial.params.iter()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    html! {
        div.scroll tabindex="0" {
            table {
                thead {
                    tr {
                        td {}
                        @for one in chosen {
                            th scope="col" {
                                a href=(trial_address(&one.0, one.1.number.0)) { (label(one)) }
                            }
                        }
                    }
                }
                tbody {
                    tr {
                        th scope="row" { "value" }
                        @for (_, trial) in chosen {
                            td { (trial.value().map_or_else(|| "–".into(), words::value)) }
                        }
                    }
                    @for name in names { (parameter_row(name, chosen)) }
                }
            }
        }
        p.hint { "Parameters in bold differ." }
    }
}

/// Returns the row of a parameter, in bold if its values differ.
fn parameter_row(name: &str, chosen: &[Chosen]) -> Markup {
    let value = |trial: &FrozenTrial| {
        let value = trial.params.get(name);
        value.map_or_else(|| "–".into(), |value| words::short(&value.rounded().to_string()))
    };
    let values: Vec<String> = chosen.iter().map(|(_, trial)| value(trial)).collect();
    let differ = values.iter().any(|value| *value != values[0]);
    html! {
        tr {
            th scope="row" { (words::short(name)) }
            @for value in &values {
                td { @if differ { strong { (value) } } @else { (value) } }
            }
        }
    }
}

/// Returns the differences of each trial from the first on the rows that both have.
fn gains(chosen: &[Chosen]) -> Markup {
    let outputs = |(study, trial): &Chosen| study.predictions.get(&trial.number)?.outputs().cloned();
    match chosen.split_first().and_then(|(first, others)| Some((first, outputs(first)?, others))) {
        None => gains_in_auc(chosen),
        Some((first, base, others)) => {
            let ladder = render::ladder_of(&first.0);
            let series = ladder.series();
            let base = Outputs::from(&base);
            html! {
                h2 { "Differences on the same rows" }
                ul {
                    @for other in others {
                        @let own = outputs(other);
                        @let own = own.as_ref().map(Outputs::from);
                        @for &metric in base.metrics() {
                            @let options = Options::default();
                            @let gain = own.and_then(|own| {
                                paired_difference(metric, &base, &own, series, &options)
                            });
                            li {
                                (metric.as_str()) ", " (label(other)) " minus " (label(first)) ": "
                                (gain_text(gain, &options))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn gain_text(gain: Option<Estimate>, options: &Options) -> String {
    match gain.and_then(|gain| Some((gain.point, gain.interval?))) {
        Some((gain, ends)) => {
            let level = options.level * 100.0;
            format!(
                "{} ({level:.0}% interval {} to {})",
                signed(gain),
                signed(ends.lower),
                signed(ends.upper)
            )
        }
        None => "unknown, because they have no predictions for the same rows".into(),
    }
}

/// Returns the differences in AUC, for a binary label.
fn gains_in_auc(chosen: &[Chosen]) -> Markup {
    let predictions = |(study, trial): &Chosen| study.predictions.get(&trial.number)?.scores().cloned();
    let Some((first, others)) = chosen.split_first() else { return html! {} };
    let Some(base) = predictions(first) else { return html! {} };
    let base = Scores::from(&base);
    let (ladder, options) = (render::ladder_of(&first.0), Options::default());
    let series = ladder.series();
    html! {
        h2 { "Differences in AUC on the same rows" }
        ul {
            @for other in others {
                @let scores = predictions(other);
                @let gain = scores.as_ref().and_then(|s| paired_gain(&base, &s.into(), series, &options));
                li {
                    (label(other)) " minus " (label(first)) ": " (gain_text(gain, &options))
                }
            }
        }
    }
}
