//! Whether the best settings of one budget carry over to another.

use std::fmt::Write as _;

use allometry_analysis::Analysis;
use allometry_analysis::transfer::{Transfer, TransferCell, TransferOutcome};

use super::Pictures;
use crate::markdown::escape;
use crate::number::{UNKNOWN, counted, decimals, interval, known_p};
use crate::text::Text;

pub(crate) fn render(text: &mut Text, analysis: &Analysis, pictures: &Pictures<'_>) {
    let Some(transfer) = &analysis.transfer else { return };
    text.heading(2, format_args!("Transfer Between Budgets"));
    text.line(format_args!("{}", summary(transfer, analysis)));
    text.blank();
    let labels: Vec<String> = transfer.budgets.iter().map(|label| escape(label)).collect();
    let mut header = vec!["Settings of".to_owned()];
    header.extend(labels.iter().map(|label| format!("trained at {label}")));
    text.table(
        &header,
        transfer.budgets.iter().map(|from| {
            let mut cells = vec![escape(from)];
            cells.extend(transfer.budgets.iter().map(|to| {
                transfer.cell(from, to).map_or_else(|| UNKNOWN.into(), |cell| decimals(cell.value))
            }));
            cells
        }),
    );
    pictures.place(text, "transfer");
    let moved: Vec<&TransferCell> = transfer.cells.iter().filter(|cell| cell.loss.is_some()).collect();
    if !moved.is_empty() {
        losses(text, &moved, analysis);
    }
    text.blank();
    text.line(format_args!(
        "Each budget trained the best settings of the other budgets with its own architecture, and its own \
         best configurations again, all with the same new seeds. *Loss* is the gain that its own settings \
         would have given: above 0, its own settings are better. The error covers {}. *Order* is Kendall's \
         rank correlation between the values of the best configurations in their own budget and in the \
         other; in brackets is their number.",
        covered(&moved)
    ));
}

/// Returns the result in one sentence.
fn summary(transfer: &Transfer, analysis: &Analysis) -> String {
    let of = |outcome| {
        transfer
            .cells
            .iter()
            .filter(move |cell| cell.outcome == Some(outcome))
            .map(move |cell| format!("{} at {}", escape(&cell.from), escape(&cell.to)))
    };
    let told: Vec<String> = [
        (TransferOutcome::Costs, "are worse than the budget's own"),
        (TransferOutcome::Gains, "are better than the budget's own"),
        (TransferOutcome::CarriesOver, "carry over"),
    ]
    .into_iter()
    .filter_map(|(outcome, words)| {
        let pairs: Vec<String> = of(outcome).collect();
        (!pairs.is_empty()).then(|| format!("settings of {} {words}", pairs.join(", ")))
    })
    .collect();
    let undecided = of(TransferOutcome::Undecided).count() as u64;
    let missing = transfer.planned - transfer.complete;
    let mut sentence = if told.is_empty() {
        "**Whether settings carry over is undecided**: no loss or gain is significant, and none is shown to \
         be small"
            .to_owned()
    } else {
        let told = told.join("; ");
        let rest = if undecided == 0 {
            String::new()
        } else {
            format!("; {} undecided", counted(undecided, "transfer"))
        };
        let first = told.chars().next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        format!("**{first}{}{rest}**", told.chars().skip(1).collect::<String>())
    };
    let _ = write!(
        sentence,
        " (Holm, {}; differences below {} count as zero).",
        counted(transfer.cells.iter().filter(|cell| cell.p.is_some()).count() as u64, "test"),
        decimals(analysis.options.effect())
    );
    if missing > 0 {
        let _ = write!(
            sentence,
            " {missing} of {} trainings have no value: `allometry transfer` continues with them.",
            transfer.planned
        );
    }
    sentence
}

fn losses(text: &mut Text, moved: &[&TransferCell], analysis: &Analysis) {
    let level = format!("{:.0}% interval", analysis.options.level * 100.0);
    text.blank();
    text.table(
        &["Settings of", "Trained at", "Loss", &level, "p (Holm)", "Outcome", "Order"],
        moved.iter().map(|cell| {
            let loss = cell.loss.as_ref();
            vec![
                escape(&cell.from),
                escape(&cell.to),
                loss.map_or_else(|| UNKNOWN.into(), |loss| crate::number::signed(loss.point)),
                interval(loss.and_then(|loss| loss.interval)),
                known_p(cell.p_holm),
                cell.outcome.map_or(UNKNOWN, TransferOutcome::as_str).to_owned(),
                cell.order.map_or_else(
                    || UNKNOWN.into(),
                    |order| format!("{:+.2} ({})", order.tau, order.configurations),
                ),
            ]
        }),
    );
}

/// Returns what the errors of losses cover.
fn covered(moved: &[&TransferCell]) -> &'static str {
    use allometry_analysis::Method;
    let is = |method| moved.iter().any(|cell| cell.loss.is_some_and(|loss| loss.method == method));
    match (is(Method::PairedSeeds), is(Method::PairedRows)) {
        (true, _) => "seeds and, if predictions are stored, validation rows",
        (false, true) => {
            "validation rows but not seeds: use `--seeds` to train each configuration several times"
        }
        (false, false) => "nothing, because there are neither predictions nor several seeds",
    }
}
