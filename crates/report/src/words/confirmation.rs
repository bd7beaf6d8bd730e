//! The result of a confirmation, in words.

use allometry_analysis::confirmation::{ConfirmedComparison, GainOutcome};
use allometry_analysis::{Confirmation, Options};

use crate::number::{counted, decimals};

/// Returns the sentences on the pairs of confirmed budgets.
pub fn confirmation(confirmation: &Confirmation, options: &Options) -> String {
    confirmation.sentence.text(|()| pairs(confirmation, options))
}

fn pairs(confirmation: &Confirmation, options: &Options) -> String {
    let comparisons = &confirmation.comparisons;
    if comparisons.is_empty() {
        return "Only one budget was confirmed, so there is no comparison.".into();
    }
    let told = |outcome| comparisons.iter().filter(move |comparison| comparison.outcome == outcome);
    let found: Vec<String> = [GainOutcome::Pays, GainOutcome::Harms, GainOutcome::Nothing]
        .into_iter()
        .flat_map(|outcome| told(outcome).map(pair))
        .collect();
    let undecided = told(GainOutcome::Undecided).count() as u64;
    let result = match (found.is_empty(), undecided) {
        (true, _) => "undecided".to_owned(),
        (false, 0) => found.join("; "),
        (false, _) => format!("{}; {} undecided", found.join("; "), counted(undecided, "comparison")),
    };
    let tests = comparisons.iter().filter(|comparison| comparison.p.is_some()).count() as u64;
    let missing = match confirmation.planned - confirmation.complete {
        0 => String::new(),
        _ if confirmation.looks.is_some() => String::new(),
        missing => format!(
            " {} without a value: `allometry confirm` continues with {}.",
            if missing == 1 { "1 training is".to_owned() } else { format!("{missing} trainings are") },
            if missing == 1 { "it" } else { "them" }
        ),
    };
    let looks = confirmation.looks.map_or_else(String::new, |looks| {
        let waits =
            if looks.is_trained { "" } else { " Nothing is concluded until all its trainings have ended." };
        format!(
            " These are the trainings for look {} of {} of a plan; intervals and p-values hold for all looks \
             together.{waits}",
            looks.look, looks.of
        )
    });
    format!(
        "Pairwise comparison of these configurations: {result} (Holm, {}; differences below {} count as \
         zero).\
         {missing}{looks}",
        counted(tests, "test"),
        options.effect()
    )
}

fn pair(comparison: &ConfirmedComparison) -> String {
    let ConfirmedComparison { smaller, larger, gain, .. } = comparison;
    match comparison.outcome {
        GainOutcome::Pays => format!("{larger} is better than {smaller} by {}", decimals(gain.point)),
        GainOutcome::Harms => format!("{larger} is worse than {smaller} by {}", decimals(-gain.point)),
        _ => format!("{larger} and {smaller} are equivalent"),
    }
}
