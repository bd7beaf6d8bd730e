//! Results by era of walk-forward folds.

use allometry_analysis::per_era::{EraImportance, EraValues, PerEra};
use allometry_analysis::scaling::Judgement;
use allometry_analysis::{Analysis, Estimate};

use crate::markdown::{escape, with_code};
use crate::number::{UNKNOWN, decimals, grouped, interval, percent, range, signed};
use crate::text::Text;
use crate::words;

/// Writes in how many eras larger models were better; nothing without folds.
pub(crate) fn answer(text: &mut Text, analysis: &Analysis) {
    let Some(sentence) = words::eras(analysis) else { return };
    text.heading(2, format_args!("Results by era"));
    text.line(format_args!("{}", with_code(&sentence)));
}

/// Writes the answer and a table of the eras.
pub(super) fn render(text: &mut Text, analysis: &Analysis) {
    answer(text, analysis);
    let Some(PerEra { trials, eras, importance }) = &analysis.per_era else { return };
    let judgement = analysis.scaling.judgement.as_ref().filter(|one| one.gains_of_eras.len() == eras.len());
    let level = format!("{:.0}% interval", analysis.options.level * 100.0);
    let mut header = vec!["Era".to_owned(), "Rows".to_owned()];
    for one in trials {
        header.push(format!("{}, best {}", escape(&one.budget), escape(&analysis.metric)));
        header.push(level.clone());
    }
    if let Some(judgement) = judgement {
        let per = if judgement.is_per_decade { "Gain per tenfold weights" } else { "Gain per step" };
        header.extend([per.to_owned(), level]);
    }
    let rows = eras.iter().enumerate().map(|(place, era)| {
        let mut row = vec![name(place, era), grouped(era.rows)];
        row.extend(era.values.iter().copied().flat_map(cells));
        row.extend(judgement.into_iter().flat_map(|judgement| gain(judgement, place)));
        row
    });
    text.blank();
    text.table(&header, rows);
    text.blank();
    text.line(format_args!(
        "A trial's value is the mean over the eras, for each of which it was trained anew on rows before. \
         The intervals cover other rows of one era."
    ));
    for one in importance {
        shares(text, one, eras);
    }
}

/// Writes the shares of one budget's parameters in each era.
fn shares(text: &mut Text, EraImportance { budget, parameters }: &EraImportance, eras: &[EraValues]) {
    let header = ["Parameter".to_owned()]
        .into_iter()
        .chain(eras.iter().enumerate().map(|(place, era)| name(place, era)))
        .chain(["By chance".to_owned(), "Eras first".to_owned()]);
    let header: Vec<String> = header.collect();
    let rows = parameters.iter().map(|one| {
        let shares = one.shares.iter().map(|share| percent(*share));
        let last = [percent(one.by_chance), one.first.to_string()];
        [escape(&one.parameter)].into_iter().chain(shares).chain(last).collect()
    });
    text.blank();
    text.line(format_args!(
        "Share of each parameter of {} in the variance of an era's values. *By chance* is the share that a \
         parameter without an effect has on average; *eras first* counts the eras in which no other has a \
         larger one. No test says whether eras differ.",
        escape(budget)
    ));
    text.blank();
    text.table(&header, rows);
}

/// Returns the times of an era, or its number.
fn name(place: usize, era: &EraValues) -> String {
    match (&era.first, &era.last) {
        (Some(first), Some(last)) => escape(&range(first, last)),
        _ => (place + 1).to_string(),
    }
}

fn cells(value: Option<Estimate>) -> [String; 2] {
    [
        value.map_or_else(|| UNKNOWN.into(), |value| decimals(value.point)),
        interval(value.and_then(|value| value.interval)),
    ]
}

fn gain(judgement: &Judgement, place: usize) -> [String; 2] {
    let gain = &judgement.gains_of_eras[place].gain;
    [signed(gain.point), interval(gain.interval)]
}
