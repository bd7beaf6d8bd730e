//! Importances over the whole space: shares of a forest's predictions, and importances among the best trials.

use allometry_analysis::edge::RangeSource;
use allometry_analysis::fanova::{Fanova, FanovaOutcome, TreeShare, Withheld};
use allometry_analysis::ped_anova::{Indistinct, PedAnova, PedAnovaOutcome, PedShare};
use allometry_analysis::{Interval, StudyAnalysis};

use crate::markdown::escape;
use crate::number::{counted, p_value, percent};
use crate::text::Text;

/// The largest number of pairs that are listed.
const MOST_PAIRS: usize = 5;

/// The number of best trials below which the shares among them are mostly chance; Optuna's manual asks for at
/// least this number.
const FEW_BEST: u64 = 5;

/// The share below which a pair is not listed.
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
                "Shares of a forest are not shown: {}",
                withheld(*reason, *trials, *left_out)
            ));
            None
        }
    };
    let best = match &importance.among_best {
        PedAnovaOutcome::Computed(ped_anova) => {
            text.line(format_args!(
                "*Among the best* shows which parameters distinguish the best {} of {} (PED-ANOVA), as \
                 shares of a whole{}. *By chance* is the share of a parameter after its values are permuted \
                 over the configurations ({}); {}.",
                ped_anova.best,
                counted(ped_anova.trials, "trial"),
                if ped_anova.best < FEW_BEST { "; with so few best trials it is mostly chance" } else { "" },
                counted(ped_anova.permutations, "permutation"),
                tested(ped_anova)
            ));
            Some(ped_anova)
        }
        PedAnovaOutcome::Withheld { reason } => {
            text.line(format_args!("Shares among the best trials are not shown: {}", indistinct(*reason)));
            None
        }
    };
    if importance.source == RangeSource::Observed && (forest.is_some() || best.is_some()) {
        text.line(format_args!("The space is not recorded, so the values that were tried define it."));
    }
    table(text, forest, best);
    if let Some(fanova) = forest {
        pairs(text, fanova);
    }
}

/// Returns the assumption of the p-values.
fn tested(ped_anova: &PedAnova) -> &'static str {
    if ped_anova.parameters.iter().any(|one| one.p_holm.is_some()) {
        "p (Holm) is the probability of a share at least this large by chance, if no sampler learned from \
         earlier trials"
    } else {
        "there are no p-values because a model of earlier trials chose later ones"
    }
}

fn basis(fanova: &Fanova) -> String {
    let left_out =
        if fanova.left_out == 0 { String::new() } else { format!(", {} left out", fanova.left_out) };
    let absent = if fanova.absent.is_empty() {
        String::new()
    } else {
        format!(" Left out because most trials lack them: {}.", escape(&fanova.absent.join(", ")))
    };
    format!(
        "A forest of {} on {}{left_out} predicts unseen evaluations with R² = {:.2}. *Share* is the share of \
         each parameter in the variance of the forest's predictions over the space (functional ANOVA); in \
         brackets is the range of the middle {:.0}% of the trees, each of which was grown on its own \
         resample of the evaluations.{absent}",
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
        Withheld::TooFewTrials { needed } => format!("{inside}, but {needed} are needed."),
        Withheld::NoVariance => format!("the value is constant over {inside}."),
        Withheld::PoorFit { oob_r_squared: Some(r_squared), needed } => format!(
            "a forest on {inside} predicts unseen ones with R² = {r_squared:.2}, but shares need at least \
             {needed} to be meaningful."
        ),
        Withheld::PoorFit { oob_r_squared: None, .. } => {
            "no tree left out evaluations on which to test it.".into()
        }
    }
}

fn indistinct(reason: Indistinct) -> &'static str {
    match reason {
        Indistinct::TooFewTrials => "there are fewer than two trials.",
        Indistinct::AllAmongTheBest => "all trials are as good as the best tenth.",
    }
}

/// Writes one row per parameter, in the order of the forest if there is one.
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
        text.line(format_args!(
            "No pair adds {} or more to the shares of its parameters.",
            percent(LEAST_SHARE)
        ));
    } else {
        text.line(format_args!(
            "Shares of pairs, in addition to those of their parameters: {}.",
            listed.join("; ")
        ));
    }
    text.line(format_args!(
        "Single parameters account for {} of the variance of the predictions.",
        percent(all)
    ));
}

fn with_spread(share: TreeShare) -> String {
    let Interval { lower, upper } = share.interval;
    format!("{} ({} to {})", percent(share.mean), percent(lower), percent(upper))
}
