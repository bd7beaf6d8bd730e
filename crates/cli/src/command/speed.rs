//! Measures how fast this machine trains, from a few training steps.

use std::sync::Mutex;
use std::time::Instant;

use allometry_core::{
    EpochReport, Objective as _, Params, Reporter, Signal, SizeBudget, StudyIdentity, TrialNumber, TrialSpec,
};
use allometry_trainer::PatchTstObjective;

/// Number of timed steps, and of steps before them that warm up the caches.
const STEPS: usize = 3;
const WARM_UP: usize = 1;

/// Returns the floating-point operations per second of training `params` on one core; `None` if its training
/// ends too early to measure them.
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
    // The clock interrupts the trial, so the result is always an error.
    let _ = objective.evaluate(&trial, &clock);
    let polls = clock.polls.into_inner().ok()?;
    let (first, last) = (polls.get(WARM_UP)?, polls.last()?);
    let steps = polls.len() - 1 - WARM_UP;
    let seconds = last.duration_since(*first).as_secs_f64();
    let flops = objective.cost(params, None).ok()?.flops_per_step as f64 * steps as f64;
    (steps > 0 && seconds > 0.0).then(|| flops / seconds)
}

/// Records when each training step begins, and interrupts the trial after a few.
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
