//! Importances over the whole space: a forest's, and those among the best trials.

use allometry_analysis::edge::RangeSource;
use allometry_analysis::fanova::{Fanova, FanovaOutcome, TreeShare, Withheld};
use allometry_analysis::ped_anova::{Indistinct, PedAnova, PedAnovaOutcome, PedShare};
use allometry_analysis::{Interval, StudyAnalysis};

use crate::markdown::escape;
use crate::number::{counted, p_value, percent};
use crate::text::Text;

/// Pairs that are listed at most.
const MOST_PAIRS: usize = 5;

/// Best trials below which what sets them apart is mostly chance; Optuna's manual asks for as many.
const FEW_BEST: u64 = 5;

/// Share below which a pair is not listed.
const LEAST_SHARE: f64 = 0.01;

pub(super) fn render(text: &mut Text, study: &StudyAnalysis) {
    let importance = &study.space_importance;
    text.heading(3, format_args!("Over the whole space"));
    let forest = match &importance.forest {
        FanovaOutcome::Computed(fanova) => {
            text.line(format_args!("{}", basis(fanova)));
            Some(fanova)
        }
        FanovaOutcome::Withheld { reason, trials, left_out, .. } => {
            text.line(format_args!(
                "Shares of a forest are withheld: {}",
                withheld(*reason, *trials, *left_out)
            ));
            None
        }
    };
    let best = match &importance.among_best {
        PedAnovaOutcome::Computed(ped_anova) => {
            text.line(format_args!(
                "*Among the best* says what sets the best {} of {} apart (PED-ANOVA), as shares of a \
                 whole{}. *By chance* is the share that a parameter has where values are permuted over the \
                 configurations ({}); {}.",
                ped_anova.best,
                counted(ped_anova.trials, "trial"),
                if ped_anova.best < FEW_BEST { "; with so few it is mostly chance" } else { "" },
                counted(ped_anova.permutations, "permutation"),
                tested(ped_anova)
            ));
            Some(ped_anova)
        }
        PedAnovaOutcome::Withheld { reason } => {
            text.line(format_args!("What sets the best trials apart is withheld: {}", indistinct(*reason)));
            None
        }
    };
    if importance.source == RangeSource::Observed && (forest.is_some() || best.is_some()) {
        text.line(format_args!("The space is not recorded: the values that occur stand for it."));
    }
    table(text, forest, best);
    if let Some(fanova) = forest {
        pairs(text, fanova);
    }
}

/// What its p-values suppose.
fn tested(ped_anova: &PedAnova) -> &'static str {
    if ped_anova.parameters.iter().any(|one| one.p_holm.is_some()) {
        "p (Holm) says how often chance gives as much, and supposes that no sampler learned from earlier \
         trials"
    } else {
        "there is no p-value where a model of earlier trials chose later ones"
    }
}

fn basis(fanova: &Fanova) -> String {
    let left_out =
        if fanova.left_out == 0 { String::new() } else { format!(", {} left out", fanova.left_out) };
    let absent = if fanova.absent.is_empty() {
        String::new()
    } else {
        format!(" Not looked at, being absent from most trials: {}.", escape(&fanova.absent.join(", ")))
    };
    format!(
        "A forest of {} on {}{left_out} predicts evaluations that it has not seen with R² = {:.2}. *Share* \
         is each parameter's part of the variance of its predictions over the space (functional ANOVA), \
         and where the middle {:.0}% of the trees lie, each grown on another resample of the \
         evaluations.{absent}",
        counted(fanova.trees, "tree"),
        counted(fanova.trials, "distinct evaluation"),
        fanova.oob_r_squared,
        fanova.level * 100.0
    )
}

fn withheld(reason: Withheld, trials: u64, left_out: u64) -> String {
    let inside = if left_out == 0 {
        counted(trials, "distinct evaluation")
    } else {
        format!("{} inside the space ({left_out} outside)", counted(trials, "distinct evaluation"))
    };
    match reason {
        Withheld::NoParameter => "no parameter of the space is recorded.".into(),
        Withheld::TooFewTrials { needed } => format!("{inside}, {needed} are needed."),
        Withheld::NoVariance => format!("nothing varies among {inside}."),
        Withheld::PoorFit { oob_r_squared: Some(r_squared), needed } => format!(
            "grown on {inside} it predicts unseen ones with R² = {r_squared:.2}, and at least {needed} is \
             needed for shares to mean anything."
        ),
        Withheld::PoorFit { oob_r_squared: None, .. } => {
            "no tree left evaluations out to be tested on.".into()
        }
    }
}

fn indistinct(reason: Indistinct) -> &'static str {
    match reason {
        Indistinct::TooFewTrials => "there are fewer than two trials.",
        Indistinct::AllAmongTheBest => "all trials are as good as the best tenth.",
    }
}

/// One row per parameter, in the forest's order where there is one.
fn table(text: &mut Text, forest: Option<&Fanova>, best: Option<&PedAnova>) {
    let mut names: Vec<&str> = Vec::new();
    let singles =
        forest.into_iter().flat_map(|fanova| &fanova.singles).map(|single| single.parameter.as_str());
    let among =
        best.into_iter().flat_map(|ped_anova| &ped_anova.parameters).map(|one| one.parameter.as_str());
    for name in singles.chain(among) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return;
    }
    let share = |name: &str| {
        let single = forest?.singles.iter().find(|single| single.parameter == name)?;
        Some(with_spread(single.share))
    };
    let among = |name: &str| best?.parameters.iter().find(|one| one.parameter == name);
    let missing = || "–".to_owned();
    text.blank();
    text.table(
        &["Parameter", "Share", "Among the best", "By chance", "p (Holm)"],
        names.iter().map(|name| {
            let one = among(name);
            let percents =
                |pick: fn(&PedShare) -> Option<f64>| one.and_then(pick).map_or_else(missing, percent);
            vec![
                escape(name),
                share(name).unwrap_or_else(missing),
                percents(|one| one.share),
                percents(|one| one.share_by_chance),
                one.and_then(|one| one.p_holm).map_or_else(missing, p_value),
            ]
        }),
    );
}

fn pairs(text: &mut Text, fanova: &Fanova) {
    let listed: Vec<String> = fanova
        .pairs
        .iter()
        .take(MOST_PAIRS)
        .filter(|pair| pair.share.mean >= LEAST_SHARE)
        .map(|pair| {
            let [first, second] = &pair.parameters;
            format!("{} × {} {}", escape(first), escape(second), with_spread(pair.share))
        })
        .collect();
    let all: f64 = fanova.singles.iter().map(|single| single.share.mean).sum();
    text.blank();
    if listed.is_empty() {
        text.line(format_args!("No pair has {} beyond its parameters' own shares.", percent(LEAST_SHARE)));
    } else {
        text.line(format_args!("Pairs, beyond their parameters' own shares: {}.", listed.join("; ")));
    }
    text.line(format_args!("Single parameters take up {} of the variance of the predictions.", percent(all)));
}

fn with_spread(share: TreeShare) -> String {
    let Interval { lower, upper } = share.interval;
    format!("{} ({} to {})", percent(share.mean), percent(lower), percent(upper))
}
