//! How fast this machine trains, from a few steps of the real thing.

use std::sync::Mutex;
use std::time::Instant;

use allometry_core::{
    EpochReport, Objective as _, Params, Reporter, Signal, SizeBudget, StudyIdentity, TrialNumber, TrialSpec,
};
use allometry_trainer::PatchTstObjective;

/// Steps that are timed; the ones before warm the caches up.
const STEPS: usize = 3;
const WARM_UP: usize = 1;

/// Floating-point operations a second of training `params` on one core; `None` where its training does not get so far.
pub(super) fn flops_per_second(
    objective: &PatchTstObjective<'_>,
    budget: &SizeBudget,
    params: &Params,
) -> Option<f64> {
    let clock = StepClock::default();
    let trial = TrialSpec {
        study: StudyIdentity::default(),
        budget: budget.clone(),
        number: TrialNumber(0),
        first_attempt: TrialNumber(0),
        params: params.clone(),
        seed: 0,
    };
    // The clock interrupts the trial: that it has no value is what was asked for.
    let _ = objective.evaluate(&trial, &clock);
    let polls = clock.polls.into_inner().ok()?;
    let (first, last) = (polls.get(WARM_UP)?, polls.last()?);
    let steps = polls.len() - 1 - WARM_UP;
    let seconds = last.duration_since(*first).as_secs_f64();
    let flops = objective.cost(params).ok()?.flops_per_step as f64 * steps as f64;
    (steps > 0 && seconds > 0.0).then(|| flops / seconds)
}

/// Notes when each training step begins, and ends the trial after a few.
#[derive(Default)]
struct StepClock {
    polls: Mutex<Vec<Instant>>,
}

impl Reporter for StepClock {
    fn report(&self, _: &EpochReport) -> Signal {
        Signal::Interrupt
    }

    fn interrupted(&self) -> bool {
        let Ok(mut polls) = self.polls.lock() else { return true };
        polls.push(Instant::now());
        polls.len() > WARM_UP + STEPS
    }
}
