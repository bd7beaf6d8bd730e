//! The times at which trials ran, and their states.

use allometry_analysis::LadderTrials;
use allometry_core::{FrozenTrial, Standing, TrialState};

use super::figure::{Figure, FigureTable};
use super::panel::{Axis, Layer, Panel, WIDTH, Zoom};
use super::scale::Scale;
use super::shown;

/// The number of lanes beyond which trials are drawn over each other.
const MOST_LANES: usize = 32;

/// Kinds of trials with their classes and names.
const KINDS: [(Standing, &str, &str); 5] = [
    (Standing::Of(TrialState::Complete), "complete", "complete"),
    (Standing::Of(TrialState::Running), "running", "running or abandoned"),
    (Standing::Of(TrialState::Pruned), "pruned", "pruned"),
    (Standing::Of(TrialState::Failed), "bad", "failed"),
    (Standing::Interrupted, "soft", "interrupted"),
];

/// Draws a Gantt chart by budget, with as many lanes as trials ran at the same time.
pub(super) fn figure(ladder: &LadderTrials) -> Option<Figure> {
    let seconds = |trial: &FrozenTrial| {
        let start = trial.started?.as_microsecond() as f64 / 1e6;
        Some((start, trial.completed.map(|end| end.as_microsecond() as f64 / 1e6)))
    };
    let all = || ladder.studies.iter().flat_map(|study| &study.trials);
    let first = all().filter_map(|trial| Some(seconds(trial)?.0)).reduce(f64::min)?;
    let last = all().filter_map(seconds).map(|(start, end)| end.unwrap_or(start)).reduce(f64::max)?;
    if last <= first {
        return None;
    }
    let (unit, name) = match last - first {
        span if span > 2.0 * 86_400.0 => (86_400.0, "days"),
        span if span > 2.0 * 3_600.0 => (3_600.0, "hours"),
        span if span > 120.0 => (60.0, "minutes"),
        _ => (1.0, "seconds"),
    };
    let mut names = Vec::new();
    let mut drawn: [Vec<Vec<(f64, f64)>>; KINDS.len()] = Default::default();
    let mut rows = Vec::new();
    for study in &ladder.studies {
        let mut trials: Vec<(f64, f64, Standing)> = study
            .trials
            .iter()
            .filter_map(|trial| {
                let (start, end) = seconds(trial)?;
                Some((start, end.unwrap_or(last), trial.standing()))
            })
            .collect();
        trials.sort_by(|a, b| a.0.total_cmp(&b.0));
        let base = names.len();
        let mut free: Vec<f64> = Vec::new();
        for (start, end, standing) in &trials {
            let lane = free
                .iter()
                .position(|until| until <= start)
                .unwrap_or_else(|| free.len().min(MOST_LANES - 1));
            if lane == free.len() {
                free.push(*end);
            } else {
                free[lane] = free[lane].max(*end);
            }
            let y = (base + lane) as f64;
            if let Some(place) = KINDS.iter().position(|(one, ..)| one == standing) {
                drawn[place].push(vec![((start - first) / unit, y), ((end - first) / unit, y)]);
            }
        }
        names.extend(
            (0..free.len()).map(|lane| if lane == 0 { shown(&study.budget.label) } else { String::new() }),
        );
        let busy: f64 = trials.iter().map(|(start, end, _)| end - start).sum();
        let count = |standing| trials.iter().filter(|(.., one)| *one == standing).count().to_string();
        rows.push(vec![
            shown(&study.budget.label),
            trials.len().to_string(),
            count(Standing::Of(TrialState::Failed)),
            free.len().to_string(),
            format!("{:.1}", busy / unit),
        ]);
    }
    let height = 80.0 + names.len() as f64 * 12.0;
    let x = Axis::new(
        format!("{name} since the first trial"),
        Scale::Linear { low: 0.0, high: (last - first) / unit },
    );
    let mut panel =
        Panel::new("", x, Axis::new("", Scale::Places(names)), (WIDTH, height.clamp(140.0, 600.0)));
    panel.zoom = Zoom::Offered;
    let mut figure = Figure::new("timeline", "When trials ran", Vec::new());
    for (lines, (_, class, words)) in drawn.into_iter().zip(KINDS) {
        if !lines.is_empty() {
            figure.entry(class, words);
            panel.layers.push(Layer::Lines { class: format!("thick {class}"), lines });
        }
    }
    figure.panels.push(panel);
    figure.caption =
        "Each bar is a trial; trials above each other ran at the same time. Gaps are times without work."
            .into();
    figure.describe(rows.iter().map(|row| {
        format!(
            "{}: {} trials, {} failed, at most {} at the same time, {} {name} of work.",
            row[0], row[1], row[2], row[3], row[4]
        )
    }));
    let header = vec![
        "Budget".to_owned(),
        "Trials with times".into(),
        "Failed".into(),
        "Most at the same time".into(),
        format!("Work, {name}"),
    ];
    figure.table = Some(FigureTable { header, rows });
    Some(figure)
}
