//! Progress as one line per trial, for logs.

use allometry_core::significant::significant;
use allometry_core::{EarlyStop, StudyEvent, TrialState};

use super::end_text;

/// Returns the line for an event, if it has one.
pub(super) fn line(event: &StudyEvent) -> Option<String> {
    match event {
        StudyEvent::StudyStarted { budget, trials, done: 0 } => Some(format!("{budget}: {trials} trials")),
        StudyEvent::StudyStarted { budget, trials, done } => {
            Some(format!("{budget}: {trials} trials, {done} already done"))
        }
        StudyEvent::TrialsRecovered { budget, numbers } => {
            let list: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            Some(format!("{budget}: repeats trial {}, whose process died", list.join(", ")))
        }
        StudyEvent::StudyShared { budget } => Some(format!("{budget}: shared with other processes")),
        StudyEvent::TrialLost { budget, number, .. } => {
            Some(format!("{budget}: trial {number} counted as lost in the meantime; its result is discarded"))
        }
        StudyEvent::TrialsOutside { budget, count } => {
            Some(format!("{budget}: {count} trials are outside the space and do not count"))
        }
        StudyEvent::SamplerChanged { budget, handover } => Some(format!("{budget}: {handover}")),
        StudyEvent::TrialStarted { .. } | StudyEvent::EpochFinished { .. } => None,
        StudyEvent::TrialFinished {
            budget,
            number,
            state,
            value,
            early_stop,
            reason,
            incumbent,
            seconds,
            ..
        } => {
            let outcome = match (state, value, reason) {
                (TrialState::Complete, Some(value), _) => format!("complete {}", significant(*value)),
                (TrialState::Pruned, value, _) => {
                    let word = if *early_stop == Some(EarlyStop::Collapsed) { "collapsed" } else { "pruned" };
                    value.map_or_else(|| word.into(), |value| format!("{word} at {}", significant(value)))
                }
                (_, _, Some(reason)) => format!("failed: {reason}"),
                _ => "failed".into(),
            };
            let best = incumbent.map_or_else(String::new, |best| format!(", best {}", significant(best)));
            Some(format!("{budget}: trial {number} {outcome} ({seconds:.1} s{best})"))
        }
        StudyEvent::StudyFinished { budget, reason } => {
            end_text(*reason).map(|text| format!("{budget}: {text}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use allometry_core::TrialNumber;

    use super::*;

    fn finished(state: TrialState, value: Option<f64>, reason: Option<&str>) -> StudyEvent {
        StudyEvent::TrialFinished {
            budget: "2M".into(),
            number: TrialNumber(3),
            worker: 0,
            state,
            value,
            early_stop: (state == TrialState::Pruned).then_some(EarlyStop::Collapsed),
            reason: reason.map(Into::into),
            incumbent: Some(0.75),
            seconds: 12.34,
        }
    }

    #[test]
    fn trials_read_as_one_line() {
        let complete = finished(TrialState::Complete, Some(0.712_34), None);
        assert_eq!(line(&complete).unwrap(), "2M: trial 3 complete 0.7123 (12.3 s, best 0.7500)");
        let collapsed = finished(TrialState::Pruned, Some(0.5), None);
        assert_eq!(line(&collapsed).unwrap(), "2M: trial 3 collapsed at 0.5000 (12.3 s, best 0.7500)");
        let failed = finished(TrialState::Failed, None, Some("the loss is not finite"));
        assert_eq!(
            line(&failed).unwrap(),
            "2M: trial 3 failed: the loss is not finite (12.3 s, best 0.7500)"
        );
    }
}
