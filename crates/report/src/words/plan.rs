//! Plans of the next trials, in words.

use std::fmt::Write as _;

use allometry_analysis::plan::{
    BudgetSeeds, Design, Extension, Forecast, LookAhead, Looks, MoreTrials, NewSize, NoPlan, PlanSource,
    Round, SearchAim, SearchPlan, SearchVerdict, SearchedBudget, SourceShare, Step, VerdictPlan, Ways,
};
use allometry_analysis::{Estimate, Outcome};
use allometry_core::{SamplerKind, human_weights};

use crate::command::shell_word;
use crate::number::{about, counted, decimals, duration, listed, percent, quoted, signed};

/// Sources below this share of the variance are not named.
const LEAST_SHARE: f64 = 0.05;

/// Returns the text of a plan for the verdict. `ladder` are the arguments that name the ladder in a command.
pub fn verdict(plan: &VerdictPlan, ladder: &str) -> String {
    let mut text = format!("{}\n", standing(plan));
    match &plan.step {
        Step::Search { extension, .. } => {
            let before = plan.ways.as_ref().map(|ways| ways.decided);
            let _ = write!(text, "\n{}\n{}", search_first(extension, before), more_trials(&extension.more));
        }
        Step::Train { round } => {
            let _ = write!(text, "\n{}\n{}", next(plan, round), table(plan, round));
            text.push_str(
                &plan.ways.as_ref().map(|ways| before_first_look(ways, ladder)).unwrap_or_default(),
            );
        }
        step => {
            let _ = write!(text, "\n{}\n", ending(step));
        }
    }
    let forecast = plan.forecast.as_ref().map(expected);
    for sentence in reasons(plan).into_iter().chain(forecast) {
        let _ = write!(text, "\n{sentence}\n");
    }
    if let Some(command) = verdict_command(plan, ladder) {
        let _ = write!(text, "\n  {command}\n");
    }
    text + &plan.ways.as_ref().and_then(|ways| ways.size.as_ref()).map(before_plan).unwrap_or_default()
}

/// Returns the text on a verdict by the searches alone. `ladder` are the arguments that name the ladder in a
/// command.
pub fn search_verdict(plan: &SearchVerdict, ladder: &str) -> String {
    let outcome = outcome_words(plan.outcome);
    let mut text = format!(
        "The configurations cannot be trained again on test rows, so that the verdict rests on the searches: \
         {outcome}. Gain of the largest budget over the smallest: {}.\n",
        of_one_look(&plan.gain)
    );
    if plan.outcome != Outcome::Undecided {
        text.push_str("\nThe verdict is decided. Trials that confirm it need test rows.\n");
        return text;
    }
    if let Some(extension) = &plan.ways.extension {
        let _ = write!(
            text,
            "\nNext: further trials of the searches. With them the verdict is decided with a probability of \
             {}. It is then tested a second time: where more weights change nothing, 7% to 9% of such \
             ladders get a verdict at one of both tests, not 5%.\n{}\n",
            chance(extension.decided),
            more_trials(&extension.more)
        );
        for command in search_commands(plan, ladder) {
            let _ = writeln!(text, "  {command}");
        }
    }
    text.push_str(&plan.ways.size.as_ref().map(|new| size(new, "")).unwrap_or_default());
    let rows = plan.rows.filter(|share| *share >= LEAST_SHARE).map(|share| {
        format!(
            "\n{} of the variance of the gain comes from the validation rows. No trial lowers it; more rows \
             do.\n",
            percent(share)
        )
    });
    text.push_str(&rows.unwrap_or_default());
    if plan.ways.extension.is_none() && plan.ways.size.is_none() {
        text.push_str(
            "\nNeither four times as many trials nor another size would probably decide it. Where \
             configurations can be scored on test rows, `test_part = true` in [command] lets a plan train \
             them again.\n",
        );
    }
    text
}

/// Returns the commands that run the further trials of a verdict by the searches alone.
pub fn search_commands(plan: &SearchVerdict, ladder: &str) -> Vec<String> {
    plan.ways.extension.iter().flat_map(|extension| extension_commands(extension, ladder)).collect()
}

fn extension_commands(extension: &Extension, ladder: &str) -> Vec<String> {
    let ladder = if ladder.is_empty() { String::new() } else { format!(" {ladder}") };
    let of = |one: &MoreTrials| {
        format!("allometry run{ladder} --budget {} --trials {}", shell_word(&one.budget), one.in_all)
    };
    extension.more.iter().map(of).collect()
}

/// Returns why trials of the searches come before the first look. `before` is the probability of a decision
/// without them.
fn search_first(extension: &Extension, before: Option<f64>) -> String {
    let trials: u64 = extension.more.iter().map(|one| one.trials).sum();
    let before =
        before.map_or_else(String::new, |before| format!(", without them with one of {}", percent(before)));
    format!(
        "Next: {} of the searches, before the first look. The searches had unequal numbers of trials. \
         How much of the gain comes from that is not known, so that a verdict has to hold with \
         and without it. With these trials the plan decides with a probability of {}{before}.",
        counted(trials, "further trial"),
        chance(extension.decided)
    )
}

fn more_trials(more: &[MoreTrials]) -> String {
    let width = more.iter().map(|one| one.budget.chars().count()).max().unwrap_or(0);
    let row = |one: &MoreTrials| {
        let pad = width - one.budget.chars().count();
        let trials = counted(one.trials, "further trial");
        format!("  {}{:pad$}  {trials} ({} in all)\n", one.budget, "", one.in_all)
    };
    more.iter().map(row).collect()
}

fn before_first_look(ways: &Ways, ladder: &str) -> String {
    let mut text = format!(
        "\nThe plan decides with a probability of {}, as far as the searches tell before the first look.",
        chance(ways.decided)
    );
    if let Some(extension) = &ways.extension {
        let _ = writeln!(
            text,
            " The searches had unequal numbers of trials; after further ones, which cost more than they \
             save, it would decide with one of {}:\n",
            chance(extension.decided)
        );
        for command in extension_commands(extension, ladder) {
            let _ = writeln!(text, "  {command}");
        }
        return text;
    }
    text.push('\n');
    text
}

/// Returns the sentences on another size for a plan that has not begun.
fn before_plan(new: &NewSize) -> String {
    size(new, " It has to be searched before the plan begins.")
}

/// Returns the sentences on another size, with the change of the ladder file. `when` says when it has to be
/// searched.
fn size(new: &NewSize, when: &str) -> String {
    let weights = two_digits(new.weights);
    let label = short_label(weights);
    format!(
        "\nAnother size may decide it: with {} of {label} weights the probability is {}, if the trend over \
         the present sizes goes on.{when} In the ladder file:\n\n  [[budget]]\n  label = \"{label}\"\n  \
         weights = {weights:.0}        # \"any\" if the other budgets have that\n  trials = {}\n",
        counted(new.trials, "trial"),
        chance(new.decided),
        new.trials
    )
}

/// Returns a number rounded to two significant digits.
fn two_digits(number: f64) -> f64 {
    let unit = 10.0_f64.powf(number.log10().floor() - 1.0);
    (number / unit).round() * unit
}

/// Returns a number of weights without needless zeros: `32M`.
fn short_label(weights: f64) -> String {
    let label = human_weights(weights);
    let unit = label.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = &label[..label.len() - unit.len()];
    let number =
        if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    format!("{number}{unit}")
}

/// Returns a forecast probability. None is certain.
fn chance(probability: f64) -> String {
    if probability > 0.995 { "more than 99%".into() } else { percent(probability) }
}

fn of_one_look(gain: &Estimate) -> String {
    let interval = gain.interval.map_or_else(String::new, |ends| {
        let level = gain.level * 100.0;
        format!(" ({level:.0}% interval {} to {})", signed(ends.lower), signed(ends.upper))
    });
    format!("{}{interval}", signed(gain.point))
}

/// Returns the command that does what a plan says; `None` at its end.
pub fn verdict_command(plan: &VerdictPlan, ladder: &str) -> Option<String> {
    if !matches!(plan.step, Step::Search { .. } | Step::Train { .. }) {
        return None;
    }
    let trainings = match plan.looks.trainings {
        Looks::TRAININGS => String::new(),
        other if plan.design.is_none() => format!(" --plan-trainings {other}"),
        _ => String::new(),
    };
    let ladder = if ladder.is_empty() { String::new() } else { format!(" {ladder}") };
    Some(format!("allometry run{ladder} --plan verdict{trainings}"))
}

/// Returns where a plan stands.
pub fn standing(plan: &VerdictPlan) -> String {
    let Looks { look, of, trainings, .. } = plan.looks;
    let (Some(outcome), Some(gain)) = (plan.outcome, &plan.gain) else {
        return match plan.design {
            None => format!(
                "The plan has not begun. It tests the verdict at {}, and costs at most as much as \
                 {trainings} trainings of every budget.",
                counted(of, "look")
            ),
            Some(_) => format!("Look {look} of {of} waits for trainings."),
        };
    };
    format!(
        "Look {look} of {of}, after {}: {}. Gain of the largest budget over the smallest: {}.",
        counted(plan.trainings, "training"),
        outcome_words(outcome),
        estimate(gain)
    )
}

fn outcome_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Holds => "more weights pay",
        Outcome::Violated => "more weights do harm",
        Outcome::Flat => "more weights change nothing that matters",
        Outcome::Undecided | Outcome::Unknown => "undecided",
    }
}

fn estimate(gain: &Estimate) -> String {
    let interval = gain.interval.map_or_else(String::new, |ends| {
        let level = gain.level * 100.0;
        format!(" ({level:.0}% interval over all looks {} to {})", signed(ends.lower), signed(ends.upper))
    });
    format!("{}{interval}", signed(gain.point))
}

fn next(plan: &VerdictPlan, round: &Round) -> String {
    let new: u64 = round.new.iter().map(|one| one.trainings).sum();
    let time = round.seconds.map_or_else(String::new, |seconds| {
        format!(" One after another they take about {}.", duration(seconds))
    });
    let top = match round.design.top {
        1 => String::new(),
        top => format!(" and the {} after it once", counted(top - 1, "configuration")),
    };
    format!(
        "Next: {} on the test rows, for look {} of {}. They train the best configuration of each budget \
         under {}{top}.{time}",
        counted(new, if plan.outcome.is_some() { "further training" } else { "training" }),
        round.looks.look,
        round.looks.of,
        seeds_words(&round.design)
    )
}

fn seeds_words(design: &Design) -> String {
    let seeds = || design.seeds.iter().map(|one| one.seeds);
    match (seeds().min(), seeds().max()) {
        (Some(least), Some(most)) if least < most => format!("{least} to {most} seeds"),
        (_, most) => counted(most.unwrap_or(0), "seed"),
    }
}

fn table(plan: &VerdictPlan, round: &Round) -> String {
    let width = round.design.seeds.iter().map(|one| one.budget.chars().count()).max().unwrap_or(0);
    let row = |BudgetSeeds { budget, seeds }: &BudgetSeeds| {
        let new = round.new.iter().find(|one| one.budget == *budget).map_or(0, |one| one.trainings);
        let all = match plan.design {
            Some(_) => format!(", {} in all", round.design.trainings_of(budget)),
            None => String::new(),
        };
        let pad = width - budget.chars().count();
        let seeds = counted(*seeds, "seed");
        format!("  {budget}{:pad$}  {} (best configuration: {seeds}{all})\n", "", counted(new, "training"))
    };
    round.design.seeds.iter().map(row).collect()
}

/// Returns why a plan ends here.
pub fn ending(step: &Step) -> String {
    match step {
        Step::Search { .. } | Step::Train { .. } | Step::Decided => {
            "The verdict is decided. The plan has ended.".into()
        }
        Step::TooFewRows { rows, needed, smallest_effect, power } => format!(
            "Not decidable with these rows: the error over the {} alone hides the present estimate as well \
             as the smallest effect of interest, {}. A true difference of this size would be found in {} of \
             cases with about {} test rows.",
            counted(*rows, "test row"),
            decimals(*smallest_effect),
            percent(*power),
            about(*needed)
        ),
        Step::SearchesDiffer { smallest_effect } => format!(
            "Not decidable with these searches: they learned from their trials, and another search may find \
             a configuration of another worth. That error alone hides the present estimate as well as the \
             smallest effect of interest, {}, and no training lowers it. Searches at random (`kind = \
             \"random\"` in [sampler]) show how much it is.",
            decimals(*smallest_effect)
        ),
        Step::Exhausted => "All looks are made, and the verdict stays undecided. The plan has ended.".into(),
        Step::NoTest => {
            "The trainings give no error, so that there is no test: too few of them ended with a value."
                .into()
        }
    }
}

fn reasons(plan: &VerdictPlan) -> Option<String> {
    let mut sources: Vec<&SourceShare> = plan.sources.iter().filter(|one| one.share >= LEAST_SHARE).collect();
    sources.sort_by(|a, b| b.share.total_cmp(&a.share));
    if sources.is_empty() {
        return None;
    }
    let of = |one: &&SourceShare| {
        let label = one.budget.as_deref().map(quoted).unwrap_or_default();
        let source = match one.source {
            PlanSource::Rows => "the test rows".to_owned(),
            PlanSource::Seeds => format!("the seeds of {label}"),
            PlanSource::Configurations => format!("the configurations found for {label}"),
            PlanSource::Search => format!("other searches of {label}"),
        };
        format!("{source} ({})", percent(one.share))
    };
    let rows = if plan.knows_rows {
        ""
    } else {
        " The error over test rows is left out, because no predictions of them are stored."
    };
    Some(format!(
        "Why: the error of the gain comes from {}.{rows}",
        listed(&sources.iter().map(of).collect::<Vec<_>>())
    ))
}

fn expected(forecast: &Forecast) -> String {
    let of = |(place, look): (usize, &LookAhead)| match place {
        0 => format!(
            "{} decide with a probability of {}",
            counted(look.trainings, "further training"),
            percent(look.decided)
        ),
        _ => format!("{} of {}", look.trainings, percent(look.decided)),
    };
    let looks: Vec<String> = forecast.looks.iter().enumerate().map(of).collect();
    format!(
        "{}. The plan ends after {} on average.",
        looks.join(", "),
        counted(forecast.mean.round() as u64, "further training")
    )
}

/// Returns the sentences on the budget to search further.
pub fn search(plan: &SearchPlan) -> String {
    let chosen = plan.chosen();
    let label = quoted(&chosen.budget);
    let which = match plan.aim {
        SearchAim::Coverage => format!("Budget {label} is covered least."),
        SearchAim::Optimum => format!("The best configuration of budget {label} is known least."),
    };
    let width = plan.budgets.iter().map(|one| one.budget.chars().count()).max().unwrap_or(0);
    let mut text = format!("{which}\n\n");
    for one in &plan.budgets {
        let pad = width - one.budget.chars().count();
        let known = match plan.aim {
            SearchAim::Coverage => covered(one),
            SearchAim::Optimum => optimum(one),
        };
        let trials = counted(one.trials, "trial");
        let _ = writeln!(text, "  {}{:pad$}  {trials}, {known}", one.budget, "");
    }
    text
}

/// Returns how the proposed configurations were chosen, before the commands that try them.
pub fn proposals(aim: SearchAim, sampler: SamplerKind, count: u64) -> String {
    let sampler = sampler.as_str();
    match aim {
        SearchAim::Coverage => format!("Next, as the sampler `{sampler}` chooses:"),
        SearchAim::Optimum if count > 1 => format!(
            "Next, by the model of the sampler `{sampler}`: the configuration with the largest expected \
             gain, then those that add most to it once the ones before them are known:"
        ),
        SearchAim::Optimum => {
            format!("Next, the configuration with the largest expected gain by the model of `{sampler}`:")
        }
    }
}

fn covered(one: &SearchedBudget) -> String {
    let pairs = match one.pairs {
        0 => "no two parameters vary".to_owned(),
        pairs => format!("{} of {pairs} pairs of values tried", one.pairs_tried),
    };
    let even = one.discrepancy.map_or_else(String::new, |ratio| {
        format!(", discrepancy {} of that of random trials", percent(ratio))
    });
    format!("{pairs}{even}")
}

fn optimum(one: &SearchedBudget) -> String {
    let Some(mean) = one.recommended else { return "no model of its space".into() };
    let interval = mean.interval.map_or_else(String::new, |ends| {
        let level = mean.level * 100.0;
        format!(" ({level:.0}% interval {} to {})", decimals(ends.lower), decimals(ends.upper))
    });
    format!("expected mean of the recommended configuration {}{interval}", decimals(mean.point))
}

/// Returns why there is no plan for the verdict, and what to do about it.
pub fn no_plan(why: &NoPlan) -> (String, &'static str) {
    match why {
        NoPlan::NoTrials => {
            ("no budget has a complete trial".into(), "`allometry run` searches every budget")
        }
        NoPlan::OneBudget { budget } => (
            format!("only budget {} has complete trials, and a verdict compares two or more", quoted(budget)),
            "`allometry run` searches every budget of the ladder",
        ),
        NoPlan::SeveralObjectives => (
            "the ladder has several objectives, and a plan for the verdict is for one".into(),
            "`allometry report` shows the fronts of the budgets",
        ),
        NoPlan::NoTestRows => (
            "the configurations cannot be trained again on test rows".into(),
            "a plan needs a ladder whose model or program scores test rows: `test_part = true` in [command]",
        ),
        NoPlan::AlreadyConfirmed => (
            "the ladder was confirmed without a plan, so that its test rows have been looked at".into(),
            "a plan fixes its looks before the first one; `allometry confirm --seeds N` adds seeds",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_says_how_probably_each_look_decides() {
        let look = |trainings, decided| LookAhead { trainings, decided };
        let forecast = Forecast { looks: vec![look(12, 0.754), look(24, 0.852)], mean: 16.7 };
        assert_eq!(
            expected(&forecast),
            "12 further trainings decide with a probability of 75%, 24 of 85%. The plan ends after 17 \
             further trainings on average."
        );
    }

    #[test]
    fn another_size_has_a_plain_number() {
        for (weights, shown) in
            [(3.16e7, "32M"), (1e6, "1M"), (9.96e8, "1B"), (1_540.0, "1.5k"), (42.0, "42")]
        {
            assert_eq!(short_label(two_digits(weights)), shown);
        }
    }
}
