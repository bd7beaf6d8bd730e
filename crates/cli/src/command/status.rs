//! `allometry status`.

use std::time::Duration;

use allometry_core::pareto::best_trials;
use allometry_core::significant::significant;
use allometry_core::{FrozenTrial, Standing, TrialState, incumbent};
use allometry_runner::RunOptions;
use allometry_store::{RunningTrial, StudyRecord};
use clap::Args;
use serde_json::{Value, json};

use super::read_args::ReadArgs;
use super::study_args::{label, readable, refusal};
use crate::error::CliError;
use crate::output;

const STANDINGS: [Standing; 6] = [
    Standing::Of(TrialState::Complete),
    Standing::Of(TrialState::Pruned),
    Standing::Of(TrialState::Failed),
    Standing::Interrupted,
    Standing::Of(TrialState::Running),
    Standing::Of(TrialState::Waiting),
];

/// Prints the progress of each study.
///
/// This is the number of trials by state, the best value, the running trials and why the study ended.
#[derive(Debug, Args)]
pub(super) struct Status {
    #[command(flatten)]
    study: ReadArgs,

    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) fn run(self) -> Result<(), CliError> {
        let (place, store) = self.study.open()?;
        let store = &*store;
        let (mut text, mut documents) = (String::new(), Vec::new());
        let studies = self.study.select(&place, store)?;
        for study in &studies {
            let mut read = || -> Result<(), CliError> {
                readable(&place, study)?;
                let (trials, running) = (store.trials(study.id)?, store.running(study.id)?);
                text.push_str(&lines(study, &trials, &running));
                documents.push(document(study, &trials, &running));
                Ok(())
            };
            if let Some(why) = refusal(read(), &studies)? {
                output::push_line(&mut text, &format!("{}: cannot be read: {why}", label(study)));
                documents.push(json!({"study": study.name, "budget": label(study), "unreadable": why}));
            }
        }
        if self.json {
            return output::print_json(&json!({"schema": "allometry.status/1", "studies": documents}));
        }
        output::print(&text)
    }
}

fn count(trials: &[FrozenTrial], standing: Standing) -> usize {
    trials.iter().filter(|trial| trial.standing() == standing).count()
}

/// Returns whether some process works on the study. A stored end is then from another process, and not shown.
fn is_alive(running: &[RunningTrial]) -> bool {
    let lives = |age: Duration| age < 2 * RunOptions::LEASE;
    running.iter().any(|trial| trial.heartbeat_age.is_some_and(lives))
}

/// Returns the number of complete trials that break a constraint.
fn infeasible(trials: &[FrozenTrial]) -> usize {
    trials.iter().filter(|trial| trial.is_infeasible()).count()
}

fn document(study: &StudyRecord, trials: &[FrozenTrial], running: &[RunningTrial]) -> Value {
    let counts: serde_json::Map<String, Value> =
        STANDINGS.iter().map(|one| (one.as_str().into(), json!(count(trials, *one)))).collect();
    let is_running = is_alive(running);
    let running = running.iter().map(|trial| {
        json!({
            "number": trial.handle.number,
            "owner": trial.owner.as_ref().map(ToString::to_string),
            "heartbeat_age": trial.heartbeat_age.map(|age| age.as_secs()),
        })
    });
    let best = incumbent(trials, study.direction());
    let front = study.has_several_objectives().then(|| best_trials(trials, &study.directions));
    json!({
        "study": study.name,
        "budget": label(study),
        "direction": study.direction(),
        "trials": counts,
        "infeasible": infeasible(trials),
        "target": study.facts.target_trials,
        "directions": study.directions,
        "best": best.map(|best| json!({"number": best.number, "value": best.value(), "values": best.values})),
        "front": front.map(|front| front.iter().map(|trial| trial.number).collect::<Vec<_>>()),
        "running": running.collect::<Vec<_>>(),
        "ended": study.facts.ended.filter(|_| !is_running),
    })
}

fn lines(study: &StudyRecord, trials: &[FrozenTrial], running: &[RunningTrial]) -> String {
    let target = study.facts.target_trials;
    let target = target.map_or_else(String::new, |target| format!(" of {target}"));
    let broken = infeasible(trials);
    let broken = if broken > 0 { format!(" ({broken} infeasible)") } else { String::new() };
    let counts: Vec<String> = STANDINGS
        .iter()
        .map(|standing| (count(trials, *standing), standing))
        .filter(|(count, standing)| *count > 0 || **standing == Standing::Of(TrialState::Complete))
        .map(|(count, standing)| {
            let (target, broken) =
                if *standing == Standing::Of(TrialState::Complete) { (&*target, &*broken) } else { ("", "") };
            format!("{count}{target} {}{broken}", standing.as_str())
        })
        .collect();
    let best = incumbent(trials, study.direction()).and_then(|best| Some((best.number, best.value()?)));
    let best = match best {
        Some(_) if study.has_several_objectives() => {
            let front = best_trials(trials, &study.directions);
            format!("; {} on the Pareto front of {} objectives", front.len(), study.directions.len())
        }
        Some((n, value)) => format!("; best {} (trial {n})", significant(value)),
        None if !broken.is_empty() => "; none feasible".into(),
        None => String::new(),
    };
    let mut text = String::new();
    output::push_line(&mut text, &format!("{}: {}{best}", label(study), counts.join(", ")));
    for RunningTrial { handle, owner, .. } in running {
        let owner = owner.as_ref().map_or_else(|| "another program".into(), ToString::to_string);
        output::push_line(&mut text, &format!("  trial {} is being evaluated by {owner}", handle.number));
    }
    if let Some(ending) = study.facts.ended.filter(|_| !is_alive(running)) {
        output::push_line(&mut text, &format!("  {ending}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use allometry_core::{Direction, Failure, Params, StopReason, TrialNumber, TrialState};
    use allometry_store::facts::StudyFacts;
    use allometry_store::{Owner, StudyId, TrialHandle, TrialId};

    use super::*;

    fn study(facts: StudyFacts) -> StudyRecord {
        StudyRecord {
            id: StudyId(1),
            name: "s".into(),
            directions: vec![Direction::Maximize],
            space: None,
            facts,
            attributes: std::collections::BTreeMap::new(),
            user_attributes: std::collections::BTreeMap::new(),
            system_attributes: std::collections::BTreeMap::new(),
            unreadable: None,
        }
    }

    #[test]
    fn interrupted_trials_have_not_failed() {
        let mut trials: Vec<FrozenTrial> = (0..3)
            .map(|number| FrozenTrial::new(number, TrialState::Failed, None, Params::default()))
            .collect();
        for (trial, reason) in
            trials.iter_mut().zip([Failure::INTERRUPTED, "exit code 3", Failure::INTERRUPTED])
        {
            trial.record.failure = Some(Failure { reason: reason.into(), detail: String::new() });
        }
        let study = study(StudyFacts::default());
        assert_eq!(lines(&study, &trials, &[]), "s: 0 complete, 1 failed, 2 interrupted\n");
        let counts = &document(&study, &trials, &[])["trials"];
        assert_eq!((&counts["failed"], &counts["interrupted"]), (&json!(1), &json!(2)));
    }

    /// The stored end is from a process that stopped while another one goes on.
    #[test]
    fn a_study_that_somebody_works_on_has_not_ended() {
        let study = study(StudyFacts { ended: Some(StopReason::Interrupted), ..StudyFacts::default() });
        let running = |seconds| {
            vec![RunningTrial {
                handle: TrialHandle { id: TrialId(1), number: TrialNumber(0) },
                owner: Some(Owner::this_process()),
                heartbeat_age: seconds,
                heartbeat: None,
            }]
        };
        for (running, says) in [
            (Vec::new(), true),
            (running(None), true),
            (running(Some(Duration::from_hours(1))), true),
            (running(Some(Duration::from_secs(5))), false),
        ] {
            assert_eq!(lines(&study, &[], &running).contains("interrupted"), says, "{running:?}");
            assert_eq!(document(&study, &[], &running)["ended"].is_object(), says);
        }
    }
}
