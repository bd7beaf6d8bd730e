//! The next trials worth running.
//!
//! A plan for the verdict trains the best configurations of every budget again and scores them on the test
//! rows, as a confirmation does, in rounds. After each round the verdict is tested at a planned look, and the
//! trainings of the next round are those that lower its error most for their cost.

mod design;
mod noise;
mod search;
mod ways;

use allometry_core::rng::{TrialRng, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::smallest_effect;
use crate::confirmation::Confirmation;
use crate::estimate::{Estimate, Interval};
use crate::input::LadderTrials;
use crate::options::Options;
use crate::outcome::Outcome;
use crate::scaling::Source;
use crate::stats::auc;
use crate::stats::moments::mean;
use crate::stats::random::gauss;
use design::most_configurations;
use noise::Noise;

pub use crate::looks::Looks;
pub use design::{BudgetSeeds, Design};
pub use search::{SearchAim, SearchPlan, SearchedBudget};
pub use ways::{Extension, MoreTrials, NewSize, SearchVerdict, Ways};

/// Number of courses of the estimate over which the forecast averages.
const COURSES: usize = 1_000;
/// The first look after which a plan may end because the rows are too few. The noise of the first trainings
/// is known too poorly.
const FIRST_TO_END: u64 = 2;

/// The plan for the verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictPlan {
    /// The looks: the one that is due or that was made last.
    pub looks: Looks,
    /// Trainings planned so far; `null` before the first round.
    pub design: Option<Design>,
    /// Number of trainings planned so far.
    pub trainings: u64,
    /// The next step.
    pub step: Step,
    /// The verdict of the last look; `null` before it.
    pub outcome: Option<Outcome>,
    /// Gain of the largest budget over the smallest along the slope; its interval holds for all looks
    /// together.
    pub gain: Option<Estimate>,
    /// Shares of the sources in the variance of the slope; empty where nothing is known of it.
    pub sources: Vec<SourceShare>,
    /// Whether the error over test rows is known; it is not where no predictions of them are stored.
    pub knows_rows: bool,
    /// What the rest of the plan is expected to bring; `null` before the first look and after the last.
    pub forecast: Option<Forecast>,
    /// What else may decide the verdict; `null` once the plan has begun, because its looks are those of these
    /// searches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ways: Option<Ways>,
}

/// The next step of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Step {
    /// Trials of the searches, before the first look.
    Search {
        /// The trials.
        extension: Extension,
        /// The first trainings without them.
        otherwise: Round,
    },
    /// Trainings for the next look.
    Train {
        /// The round.
        round: Round,
    },
    /// The verdict is decided.
    Decided,
    /// More trainings cannot decide: the error over rows alone is too large.
    TooFewRows {
        /// Number of test rows.
        rows: u64,
        /// Number of test rows with which the present estimate, or the smallest effect of interest if that is
        /// larger, would be found with probability `power`.
        needed: f64,
        /// The smallest effect of interest.
        smallest_effect: f64,
        /// The power.
        power: f64,
    },
    /// More trainings cannot decide: the searches learned from their trials, and other searches may find
    /// configurations of other worth.
    SearchesDiffer {
        /// The smallest effect of interest.
        smallest_effect: f64,
    },
    /// All looks are made.
    Exhausted,
    /// The trainings have no test.
    NoTest,
}

/// Trainings until the next look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Round {
    /// The look that follows.
    pub looks: Looks,
    /// All trainings until that look, those before included.
    pub design: Design,
    /// Number of trainings of each budget that are new.
    pub new: Vec<NewTrainings>,
    /// Time of the new trainings in seconds, one after another; `null` where the times of trials are not
    /// known.
    pub seconds: Option<f64>,
}

/// New trainings of one budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewTrainings {
    /// The budget's label.
    pub budget: String,
    /// Number of trainings.
    pub trainings: u64,
}

/// Part of the variance of the tested slope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceShare {
    /// The budget; `null` for the rows, which all budgets share.
    pub budget: Option<String>,
    /// The source.
    pub source: PlanSource,
    /// Its share.
    pub share: f64,
}

/// Source of the variance of a confirmed slope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanSource {
    /// Test rows; trainings do not lower it.
    Rows,
    /// Seeds; more seeds of the budget lower it.
    Seeds,
    /// Configurations that the search found; more configurations lower it.
    Configurations,
    /// Another search, where one configuration is trained or the search learns; trainings do not lower it.
    Search,
}

/// What the rest of a plan is expected to bring, where before it every slope was as likely.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Forecast {
    /// The looks that are left.
    pub looks: Vec<LookAhead>,
    /// Mean number of further trainings until the plan ends.
    pub mean: f64,
}

/// A look of a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LookAhead {
    /// Number of further trainings until the look.
    pub trainings: u64,
    /// Probability that the plan decides at this look or before.
    pub decided: f64,
}

/// Why there is no plan for the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoPlan {
    /// No budget has a complete trial.
    NoTrials,
    /// Only one budget has complete trials.
    OneBudget {
        /// Its label.
        budget: String,
    },
    /// The ladder has several objectives, and a verdict judges one.
    SeveralObjectives,
    /// The configurations cannot be trained again on test rows.
    NoTestRows,
    /// The ladder was confirmed without a plan, so that its test rows have been looked at.
    AlreadyConfirmed,
}

impl VerdictPlan {
    /// Plans the next round. `trainings` is the cost of a plan that has not begun, in trainings of every
    /// budget.
    ///
    /// # Errors
    /// Returns [`NoPlan`] with the reason.
    pub fn new(ladder: &LadderTrials, trainings: u64, options: &Options) -> Result<Self, NoPlan> {
        if ladder.metrics.are_several() {
            return Err(NoPlan::SeveralObjectives);
        }
        let options = &Options { smallest_effect: smallest_effect(ladder, options), ..*options };
        let planner = Planner::new(ladder, options);
        match planner.labels.as_slice() {
            [] => return Err(NoPlan::NoTrials),
            [only] => return Err(NoPlan::OneBudget { budget: (*only).to_owned() }),
            _ if !ladder.can_confirm => return Err(NoPlan::NoTestRows),
            _ if ladder.looks.is_none() && ladder.confirmations.iter().any(|one| !one.plan.is_empty()) => {
                return Err(NoPlan::AlreadyConfirmed);
            }
            _ => {}
        }
        let Some(looks) = ladder.looks else {
            let looks = Looks::first(trainings);
            let round = planner.first(looks);
            let ways = Ways::of_plan(ladder, options, (trainings, planner.last_alpha(looks)));
            let step = match ways.as_ref().and_then(|ways| ways.first(trainings)) {
                Some(extension) => Step::Search { extension: extension.clone(), otherwise: round },
                None => Step::Train { round },
            };
            return Ok(Self { ways, ..Self::of(looks, step) });
        };
        let design = Design::of(ladder);
        let confirmation = Confirmation::new(ladder, options);
        let mut plan = Self { trainings: design.trainings(), ..Self::of(looks, Step::NoTest) };
        if !looks.is_trained {
            plan.step = Step::Train { round: planner.round(looks, &design, None) };
            plan.design = Some(design);
            return Ok(plan);
        }
        plan.outcome = confirmation.as_ref().and_then(Confirmation::outcome);
        let judgement = confirmation.as_ref().and_then(Confirmation::headline);
        plan.gain = judgement.map(|judgement| judgement.whole);
        let noise = confirmation.as_ref().and_then(|confirmation| Noise::new(ladder, confirmation));
        if let (Some(noise), Some(judgement)) = (&noise, judgement) {
            plan.sources = sources(noise, &design);
            let slope = tested(&judgement.slope);
            plan.step = planner.step(plan.outcome, looks, &design, noise, slope);
            let chosen = confirmation.as_ref().and_then(|confirmation| confirmation.configurations.as_ref());
            if let (Step::Train { .. }, Some(chosen)) = (&plan.step, chosen) {
                let slopes = [slope, tested(&chosen.slope)];
                plan.forecast = planner.forecast(looks, &design, noise, slopes);
            }
        }
        plan.knows_rows = judgement.is_none_or(|judgement| !judgement.left_out.contains(&Source::Rows));
        plan.design = Some(design);
        Ok(plan)
    }

    fn of(looks: Looks, step: Step) -> Self {
        let (outcome, gain, forecast, design) = (None, None, None, None);
        let (sources, knows_rows) = (Vec::new(), true);
        let ways = None;
        Self { looks, design, trainings: 0, step, outcome, gain, sources, knows_rows, forecast, ways }
    }
}

/// Returns a tested slope, less what unequal effort may account for.
fn tested(slope: &Estimate) -> f64 {
    match slope.interval {
        // At unequal effort the interval is wider on one side.
        Some(Interval { lower, upper }) if slope.point > 0.0 => {
            (slope.point - ((slope.point - lower) - (upper - slope.point)).max(0.0)).max(0.0)
        }
        Some(Interval { lower, upper }) => {
            (slope.point + ((upper - slope.point) - (slope.point - lower)).max(0.0)).min(0.0)
        }
        None => slope.point,
    }
}

/// What the planning of any round needs.
struct Planner<'a> {
    ladder: &'a LadderTrials,
    options: &'a Options,
    labels: Vec<&'a str>,
    most: u64,
}

impl<'a> Planner<'a> {
    fn new(ladder: &'a LadderTrials, options: &'a Options) -> Self {
        let available: Vec<u64> =
            ladder.studies.iter().map(|study| noise::available(study, ladder)).collect();
        let has_some = |place: &usize| available[*place] > 0;
        let labels = (0..available.len()).filter(has_some);
        let labels = labels.map(|place| ladder.studies[place].budget.label.as_str()).collect();
        let searches: Vec<u64> = available.into_iter().filter(|count| *count > 0).collect();
        Self { ladder, options, labels, most: most_configurations(&searches) }
    }

    fn alpha(&self, looks: Looks) -> f64 {
        looks.alpha(1.0 - self.options.level)
    }

    /// Returns the level of the last look, at which most of the level is spent.
    fn last_alpha(&self, looks: Looks) -> f64 {
        self.alpha(Looks { look: looks.of, ..looks })
    }

    fn first(&self, looks: Looks) -> Round {
        let design = Design::first(&self.labels, looks.trainings / looks.of, self.most);
        self.round(looks, &design, None)
    }

    fn round(&self, looks: Looks, design: &Design, before: Option<&Design>) -> Round {
        let known =
            |label: &str| before.map_or_else(|| self.trained(label), |before| before.trainings_of(label));
        let new = design.seeds.iter().map(|one| NewTrainings {
            budget: one.budget.clone(),
            trainings: design.trainings_of(&one.budget) - known(&one.budget),
        });
        let new: Vec<NewTrainings> = new.filter(|one| one.trainings > 0).collect();
        let seconds = new.iter().map(|one| Some(one.trainings as f64 * self.seconds(&one.budget)?));
        let seconds = seconds.sum();
        Round { looks, design: design.clone(), new, seconds }
    }

    /// Returns the number of a budget's planned trainings that have ended with a value.
    fn trained(&self, label: &str) -> u64 {
        let of = self.ladder.confirmations.iter().find(|one| one.budget == label);
        of.map_or(0, |of| of.plan.iter().filter(|one| of.trained(one, self.ladder).is_some()).count() as u64)
    }

    fn seconds(&self, label: &str) -> Option<f64> {
        let study = &self.ladder.studies[noise::place(label, self.ladder)?];
        mean(
            study
                .trials
                .iter()
                .filter(|trial| trial.eligible_value().is_some())
                .filter_map(|trial| trial.cost().seconds),
        )
    }

    /// Returns the trainings until a look.
    fn extended(&self, looks: Looks, design: &Design, noise: &Noise) -> Design {
        let every: f64 = self.labels.iter().map(|label| noise.cost(label)).sum();
        let limit = looks.trainings as f64 * looks.share() * every;
        design.extend(noise, limit, self.most, self.last_alpha(looks))
    }

    fn step(
        &self,
        outcome: Option<Outcome>,
        looks: Looks,
        design: &Design,
        noise: &Noise,
        slope: f64,
    ) -> Step {
        if matches!(outcome, Some(Outcome::Holds | Outcome::Violated | Outcome::Flat)) {
            return Step::Decided;
        }
        if looks.look >= FIRST_TO_END.min(looks.of)
            && let Some(step) = self.hopeless(looks, noise, slope)
        {
            return step;
        }
        let Some(next) = looks.next() else { return Step::Exhausted };
        let extended = self.extended(next, design, noise);
        Step::Train { round: self.round(next, &extended, Some(design)) }
    }

    /// Returns why no number of trainings would decide: the error that they do not lower hides the present
    /// estimate as well as the smallest effect of interest.
    fn hopeless(&self, looks: Looks, noise: &Noise, slope: f64) -> Option<Step> {
        let alpha = noise.of_slope(self.last_alpha(looks));
        let smallest_effect = self.options.effect();
        let difference = slope.abs().max(self.options.effect() / noise.range);
        let hides =
            |search: bool| noise.floor(search).is_some_and(|floor| floor.half_width(alpha) > difference);
        if hides(false) {
            let error = noise.floor(false)?.variance.sqrt();
            let rows = self.test_rows()?;
            let level = 1.0 - alpha;
            let power = self.options.power;
            let needed = auc::rows_to_detect(difference, error, rows as f64, level, power)?;
            return Some(Step::TooFewRows { rows, needed, smallest_effect, power });
        }
        hides(true).then_some(Step::SearchesDiffer { smallest_effect })
    }

    fn test_rows(&self) -> Option<u64> {
        let all =
            self.ladder.confirmations.iter().flat_map(|one| one.plan.iter().map(move |plan| (one, plan)));
        let mut trained = all.filter_map(|(one, plan)| one.trained(plan, self.ladder));
        trained.find_map(|one| Some(one.predictions?.rows() as u64))
    }

    /// Forecasts the looks after this one. The estimates are those of the slope over searches and of that of
    /// the chosen configurations.
    fn forecast(
        &self,
        looks: Looks,
        design: &Design,
        noise: &Noise,
        estimates: [f64; 2],
    ) -> Option<Forecast> {
        let before = design.trainings();
        let mut design = design.clone();
        let mut ahead: Vec<Ahead> = Vec::new();
        let mut next = looks.next();
        while let Some(looks) = next {
            let extended = self.extended(looks, &design, noise);
            let changes = noise.of_change(&design, &extended).map(f64::sqrt);
            design = extended;
            let alpha = noise.of_slope(self.alpha(looks));
            let of_chosen = noise.of_configurations(&design)?;
            let error = noise.of_search(&design).unwrap_or(of_chosen);
            let half_widths = [error, of_chosen].map(|error| error.half_width(alpha));
            let near = self.options.effect() / noise.range - half_widths[0];
            ahead.push(Ahead { trainings: design.trainings() - before, changes, half_widths, near });
            next = looks.next();
        }
        let hidden = self.hidden(looks, noise);
        let mut rng = stream(self.options.seed, "forecast of a plan", looks.look);
        let ends: Vec<End> = (0..COURSES).filter_map(|_| end(&ahead, estimates, hidden, &mut rng)).collect();
        let decided = |at: u64| ends.iter().filter(|end| end.is_decided && end.trainings <= at).count();
        let of_look = |look: &Ahead| LookAhead {
            trainings: look.trainings,
            decided: decided(look.trainings) as f64 / COURSES as f64,
        };
        let looks = ahead.iter().map(of_look).collect();
        Some(Forecast { looks, mean: mean(ends.iter().map(|end| end.trainings as f64))? })
    }

    /// Returns the largest absolute slope at which a look ends the plan, because no number of trainings would
    /// decide.
    fn hidden(&self, looks: Looks, noise: &Noise) -> f64 {
        let alpha = noise.of_slope(self.last_alpha(looks));
        let floors = [false, true].into_iter().filter_map(|search| noise.floor(search));
        let hidden = floors.map(|floor| floor.half_width(alpha)).fold(0.0, f64::max);
        if hidden > self.options.effect() / noise.range { hidden } else { 0.0 }
    }
}

/// A predicted look. Numbers are those of the slope over searches and of that of the chosen configurations: a
/// verdict needs both.
struct Ahead {
    /// Number of trainings until then.
    trainings: u64,
    /// Standard deviations of the changes of the estimates since the look before.
    changes: [f64; 2],
    /// Least absolute slopes that are significant.
    half_widths: [f64; 2],
    /// Largest absolute slope over searches whose interval lies within the smallest effect of interest.
    near: f64,
}

/// A drawn end of a plan.
struct End {
    /// Number of further trainings.
    trainings: u64,
    is_decided: bool,
}

/// Draws the estimates of the looks ahead from the present ones; returns how the plan ends. Where before the
/// plan every slope was as likely, the next estimate is expected to be the present one. A look also ends the
/// plan at an absolute slope below `hidden`.
fn end(ahead: &[Ahead], mut estimates: [f64; 2], hidden: f64, rng: &mut TrialRng) -> Option<End> {
    for look in ahead {
        for (estimate, change) in estimates.iter_mut().zip(look.changes) {
            *estimate += change * gauss(rng);
        }
        let [slope, chosen] = estimates;
        let is_told = (0..2).all(|place| estimates[place].abs() > look.half_widths[place]);
        let is_decided = (is_told && slope * chosen > 0.0) || slope.abs() < look.near;
        if is_decided || slope.abs() < hidden {
            return Some(End { trainings: look.trainings, is_decided });
        }
    }
    Some(End { trainings: ahead.last()?.trainings, is_decided: false })
}

/// Returns the parts of the variance of the tested slope.
fn sources(noise: &Noise, design: &Design) -> Vec<SourceShare> {
    let mut parts = noise.parts(design);
    parts.extend(noise.rows.map(|(variance, _)| (None, PlanSource::Rows, variance)));
    let total: f64 = parts.iter().map(|(_, _, variance)| variance).sum();
    let share = |(budget, source, variance): (Option<String>, PlanSource, f64)| SourceShare {
        budget,
        source,
        share: variance / total,
    };
    parts.into_iter().filter(|(_, _, variance)| *variance > 0.0).map(share).collect()
}
