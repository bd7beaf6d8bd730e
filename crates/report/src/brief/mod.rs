//! The report that a person reads first: the answer, what to take, what matters, what is wrong and what to do
//! next. The full report has the tables behind it.

mod findings;
pub(crate) mod parameters;

use allometry_analysis::scaling::Quantity;
use allometry_analysis::{Analysis, Finding, FindingCode, StudyAnalysis, Training};
use allometry_core::{Direction, human_weights};

use crate::command::ladder_words;
use crate::full::{
    Pictures, confirmation, data, eras, front, is_lone, series, title, transfer, unused_trials,
};
use crate::markdown::{escape, with_code};
use crate::next::next_step;
use crate::number::{UNKNOWN, decimals, interval};
use crate::take;
use crate::text::Text;
use crate::words;

/// Renders the brief report as Markdown with its figures.
pub fn brief(analysis: &Analysis, pictures: &Pictures<'_>) -> String {
    let mut text = Text::default();
    text.heading(1, format_args!("{}", title(analysis)));
    answer(&mut text, analysis, pictures);
    budgets(&mut text, analysis);
    if let Some(forecast) = words::forecast(analysis) {
        text.blank();
        text.line(format_args!("{}", escape(&forecast)));
    }
    data::answer(&mut text, analysis, pictures);
    baselines(&mut text, analysis);
    confirmation::render(&mut text, analysis, pictures);
    eras::answer(&mut text, analysis);
    series::answer(&mut text, analysis);
    parameters::take(&mut text, analysis);
    repeat(&mut text, analysis);
    objectives(&mut text, analysis, pictures);
    parameters::importance(&mut text, analysis);
    transfer::render(&mut text, analysis, pictures);
    findings::render(&mut text, analysis);
    more(&mut text, analysis);
    text.into_string()
}

/// Writes the verdict on scale, or the progress of a single study.
fn answer(text: &mut Text, analysis: &Analysis, pictures: &Pictures<'_>) {
    if is_lone(analysis) {
        text.heading(2, format_args!("How good is it?"));
        pictures.of_study(0).place(text, "history");
        return;
    }
    text.heading(2, format_args!("Do more weights pay?"));
    let sentence = words::verdict::sentence(analysis);
    let (word, reason) = sentence.split_once(": ").unwrap_or(("", &sentence));
    text.line(format_args!("**{}:** {}", escape(word), escape(reason)));
    text.blank();
    let take = words::verdict::take_sentence(analysis);
    let next = next_step(analysis, "").map(|next| next.sentence);
    let covers = Some(words::verdict::covers_sentence(analysis)).filter(|sentence| !sentence.is_empty());
    let advice: Vec<String> = take.into_iter().chain(next).collect();
    let advice = Some(advice.join(" ")).filter(|advice| !advice.is_empty());
    for sentence in advice.iter().chain(&covers) {
        text.line(format_args!("{}", with_code(sentence)));
        text.blank();
    }
    pictures.place(text, "scaling");
}

/// Writes one row per budget: the quantity that the verdict compares, and the best trial.
fn budgets(text: &mut Text, analysis: &Analysis) {
    let metric = escape(&analysis.metric);
    let level = format!("{:.0}% interval", analysis.options.level * 100.0);
    let judgement = words::verdict::compared(analysis);
    let compared = judgement.map(|judgement| words::verdict::quantity(judgement.quantity, &metric));
    let mut header = vec!["Budget".to_owned(), "Weights".to_owned()];
    header.extend(compared.clone().map(|quantity| [quantity, level.clone()]).into_iter().flatten());
    let is_confirmed = judgement.is_some_and(|judgement| judgement.quantity == Quantity::Confirmed);
    header.push(format!("Best {metric}{}", if is_confirmed { " on validation rows" } else { "" }));
    if compared.is_none() {
        header.push(level);
    }
    header.push("Trials".to_owned());
    let rows = analysis.studies.iter().map(|study| {
        let best = study.summary.incumbent();
        let label = &study.budget.label;
        let value = judgement.and_then(|judgement| judgement.values.iter().find(|one| one.budget == *label));
        let weights = value.and_then(|value| value.weights);
        let weights = weights.or_else(|| study.sizes.best.map(|size| size.total as f64));
        let mut cells = vec![escape(label), weights.map_or_else(|| UNKNOWN.into(), human_weights)];
        if compared.is_some() {
            cells.push(value.map_or_else(|| UNKNOWN.into(), |value| decimals(value.value.point)));
            cells.push(interval(value.and_then(|value| value.value.interval)));
        }
        cells.push(best.map_or_else(|| UNKNOWN.into(), |best| decimals(best.value.point)));
        if compared.is_none() {
            cells.push(interval(best.and_then(|best| best.value.interval)));
        }
        cells.push(trials(study));
        cells
    });
    text.table(&header, rows);
    text.blank();
    let better = if analysis.direction == Direction::Maximize { "Larger" } else { "Smaller" };
    let not_compared = if compared.is_some() { ", so the verdict does not compare it" } else { "" };
    let of_metric = if metric == "value" { String::new() } else { format!(" of {metric}") };
    text.line(format_args!(
        "{better} values{of_metric} are better. The best value of many trials is partly luck{not_compared}."
    ));
}

/// Returns the number of trials that statistics use, and of the others by state.
pub(crate) fn trials(study: &StudyAnalysis) -> String {
    let used = std::iter::once(study.summary.trials.to_string());
    let others = unused_trials(&study.summary).into_iter();
    used.chain(others.map(|(count, state)| format!("{count} {state}"))).collect::<Vec<String>>().join(", ")
}

/// Writes the command that trains the configuration to take again, or its parameters as JSON if the trials
/// come from another program.
pub(crate) fn repeat(text: &mut Text, analysis: &Analysis) {
    let is_plain = |command: &String| !command.contains(|c: char| c == '`' || c.is_control());
    let chosen = take::chosen(analysis);
    let cost = chosen.as_ref().map(|taken| escape(&taken.value_and_cost(analysis))).unwrap_or_default();
    let Some(training) = analysis.training else {
        let one = chosen.map(|taken| (taken.json(), cost)).filter(|(json, _)| is_plain(json));
        if let Some((json, cost)) = one {
            text.blank();
            text.line(format_args!("Its parameters as JSON: `{json}`.{cost}"));
        }
        return;
    };
    if take::of_each(analysis).next().is_none() {
        return;
    }
    let (place, what) = match training {
        Training::Model => {
            ("model.safetensors", "trains it again, with the seed of its trial, and writes its checkpoint")
        }
        Training::Program => (
            "trained",
            "starts its program again, with its parameters and the seed of its trial, and keeps its files",
        ),
    };
    let command = chosen.and_then(|taken| taken.command(analysis, "")).filter(is_plain);
    let ladder = ladder_words(analysis, "");
    let space = if ladder.is_empty() { "" } else { " " };
    let any = || format!("allometry train{space}{ladder} --budget BUDGET --trial TRIAL -o {place}");
    text.blank();
    text.line(format_args!("`{}` {what}.{cost}", command.unwrap_or_else(any)));
}

/// Writes a sentence on the baselines, and a warning if one is ahead.
pub(crate) fn baselines(text: &mut Text, analysis: &Analysis) {
    for finding in baselines_ahead(analysis) {
        text.blank();
        let (what, numbers) = words::finding::headline(finding);
        text.line(format_args!("**{}:** {}.", escape(&what), escape(&numbers)));
    }
    let known: Vec<String> = known_baselines(analysis).map(|(_, words)| escape(&words)).collect();
    if !known.is_empty() {
        text.blank();
        text.line(format_args!("Baselines on the validation rows: {}.", crate::number::listed(&known)));
    }
}

/// Returns the findings on baselines that are better than every trial.
pub(crate) fn baselines_ahead(analysis: &Analysis) -> impl Iterator<Item = &Finding> {
    analysis.findings.iter().filter(|finding| finding.code == FindingCode::BehindBaseline)
}

/// Returns the value of each baseline that has one, and its comparison with the best trial in words.
pub(crate) fn known_baselines(analysis: &Analysis) -> impl Iterator<Item = (f64, String)> {
    analysis.baselines.iter().filter_map(|baseline| {
        let value = baseline.value?.point;
        let gain = baseline.gain.map_or_else(String::new, |gain| match gain.point {
            0.0 => " (the best trial is equal to it)".to_owned(),
            gain if gain < 0.0 => format!(" (the best trial is behind by {})", decimals(-gain)),
            gain => format!(" (the best trial is ahead by {})", decimals(gain)),
        });
        Some((value, format!("{} {}{gain}", baseline.name.replace('_', " "), decimals(value))))
    })
}

/// Writes the Pareto fronts, if there are several objectives.
fn objectives(text: &mut Text, analysis: &Analysis, pictures: &Pictures<'_>) {
    front::ladder(text, analysis);
    for (position, study) in analysis.studies.iter().enumerate() {
        front::study(text, study, analysis, &pictures.of_study(position));
    }
}

/// Writes the commands that show more.
fn more(text: &mut Text, analysis: &Analysis) {
    text.heading(2, format_args!("What else there is"));
    let differences = if is_lone(analysis) { "" } else { ", the differences between all budgets" };
    text.line(format_args!(
        "- `allometry report --template full` has the tables behind this page: each parameter's effects, \
         the coverage of the space, collapsed models{differences}."
    ));
    text.line(format_args!(
        "- `allometry report -o report.html` has them as one page with charts, `-o report.json` as data."
    ));
}
