//! What else than trainings on the test rows may decide: more trials of a search, or another size.
//!
//! Before the first look nothing is known of the test rows, so that the forecast rests on the search: its
//! slope with its error, the spread of its best configurations, and the error over validation rows.

use allometry_core::rng::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::design::most_configurations;
use super::noise::{available, best_factor, costs, place};
use crate::analysis::smallest_effect;
use crate::estimate::Estimate;
use crate::input::{LadderTrials, StudyTrials};
use crate::options::Options;
use crate::outcome::Outcome;
use crate::scaling::{
    BEST_OF_ONE, Configuration, Excess, FOR_LACK_OF_FIT, JudgedBudget, Judgement, Quantity, Scaling, Source,
    configurations, slope_weights, top_spread,
};
use crate::stats::bootstrap::quantile;
use crate::stats::distribution::t_half_width;
use crate::stats::moments::mean;
use crate::stats::normal;
use crate::stats::random::gauss;

/// Number of drawn slopes over which a forecast averages.
const DRAWS: usize = 1_000;
/// Number of shares of luck over which a forecast averages. The share of the variance between a search's
/// values that is luck of the seeds is not known before the trainings, so that all are as likely.
const SHARES: usize = 8;
/// Number of seeds and of configurations at the end of a plan, in the forecast.
const SEEDS: f64 = 8.0;
const CONFIGURATIONS: u64 = 8;
/// Quantile of a search's values whose distance from the median says how much they vary.
const BETTER: f64 = 0.85;
/// Gain in the probability of a decision from which other trials are worth proposing.
const WORTH: f64 = 0.1;
/// More trials are proposed only where they raise the probability by at least this.
const NEARLY: f64 = 0.03;
/// Largest factor by which the next size exceeds the largest.
const LARGEST_STEP: f64 = 10.0;
/// Configurations of the searches for each degree of freedom of the error that they have together. Values
/// of searches have heavy tails, which lower the degrees of freedom.
const CONFIGURATIONS_A_DEGREE: f64 = 3.0;
/// Largest multiple of its trials to which a search is extended.
const MOST_TIMES: f64 = 4.0;

/// Further trials of a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MoreTrials {
    /// The budget's label.
    pub budget: String,
    /// Number of further trials.
    pub trials: u64,
    /// Number of complete trials with them.
    pub in_all: u64,
}

/// Searches to extend, with the forecast of what that brings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Extension {
    /// The budgets with further trials.
    pub more: Vec<MoreTrials>,
    /// Their cost, in trials of every budget.
    pub cost: f64,
    /// Probability that the verdict is then decided.
    pub decided: f64,
}

/// Another size to search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NewSize {
    /// Number of weights: as far beyond the largest as that is beyond the one before, at most tenfold.
    pub weights: f64,
    /// Number of trials, the mean of the present sizes.
    pub trials: u64,
    /// Probability that the verdict is then decided, if the trend over the present sizes goes on.
    pub decided: f64,
}

/// What may decide a verdict, with the probability that it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ways {
    /// Probability that the verdict is decided without further trials of a search: by the plan's trainings on
    /// the test rows; 0 for a verdict by the search alone.
    pub decided: f64,
    /// The searches to extend, with the largest probability for the cost; `null` where that changes little.
    pub extension: Option<Extension>,
    /// Another size; `null` where it changes little, and where sizes are not known.
    pub size: Option<NewSize>,
}

/// A verdict by the search alone, for a ladder whose configurations cannot be trained again on test rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchVerdict {
    /// The verdict so far.
    pub outcome: Outcome,
    /// The test of the searches.
    pub gain: Estimate,
    /// What may decide it.
    pub ways: Ways,
    /// Share of the rows in the variance of the slope, which no trial lowers.
    pub rows: Option<f64>,
}

/// One budget, as its search shows it.
struct Searched {
    label: String,
    place: f64,
    /// Number of distinct configurations and of complete trials.
    found: u64,
    complete: u64,
    cost: f64,
    /// Variance between the best values of the search.
    top: f64,
    /// Variance between all its values.
    whole: f64,
}

/// A test of a slope that is to come.
#[derive(Debug, Clone, Copy)]
struct Ahead {
    /// Standard deviation of the estimate around its mean.
    deviation: f64,
    /// Least absolute slope that is significant.
    half_width: f64,
    /// Slope that the unequal effort of the searches may account for.
    excess: f64,
    /// Largest absolute slope whose interval lies within the smallest effect of interest.
    near: f64,
}

impl Ahead {
    fn decides(&self, estimate: f64) -> bool {
        let cut = estimate - self.excess;
        let is_told = estimate.abs() > self.half_width && cut.abs() > self.half_width;
        (is_told && estimate * cut > 0.0) || (estimate.abs() < self.near && cut.abs() < self.near)
    }

    /// Returns the probability of a decision where the true slope is normal with this mean and deviation, and
    /// the share `lasting` of the excess comes on top.
    fn probability(&self, slope: f64, error: f64, lasting: f64, seed: u64) -> f64 {
        let mut rng = stream(seed, "ways to a decision", 0);
        let decided = (0..DRAWS).filter(|_| {
            let truth = slope + error * gauss(&mut rng);
            self.decides(truth + lasting * self.excess + self.deviation * gauss(&mut rng))
        });
        decided.count() as f64 / DRAWS as f64
    }
}

/// The searches of a ladder with the test of their slope.
struct State<'a> {
    options: &'a Options,
    budgets: Vec<Searched>,
    judgement: Judgement,
    /// Standard error of the tested slope.
    error: f64,
    /// Share of the rows in its variance.
    rows: f64,
}

/// Returns the variance between a search's values, from the distance of its better values from the median: a
/// tail of bad values does not count.
fn better_half(study: &StudyTrials, ladder: &LadderTrials) -> Option<f64> {
    let found = configurations(study, ladder, |_| true);
    let mut values: Vec<f64> = found.iter().map(Configuration::mean).collect();
    values.sort_by(f64::total_cmp);
    let distance = quantile(&values, BETTER)? - quantile(&values, 0.5)?;
    Some((distance / normal::quantile(BETTER)).powi(2))
}

impl Ways {
    /// Forecasts the end of a plan on the test rows that has not begun and costs `trainings` of every
    /// budget, at the level `alpha` of its last look; `None` where the searches have no test of their own.
    pub(super) fn of_plan(
        ladder: &LadderTrials,
        options: &Options,
        (trainings, alpha): (u64, f64),
    ) -> Option<Self> {
        let state = State::new(ladder, options)?;
        let fewest = state.budgets.iter().map(|one| one.found).min()?;
        let now = state.plan_at(fewest, ladder, alpha)?;
        let most = state.budgets.iter().map(|one| one.found).max()?;
        let mut best: Option<Extension> = None;
        let worth = |one: &Extension| one.decided / (trainings as f64 + one.cost);
        for target in State::targets(fewest, most) {
            let decided = state.plan_at(target, ladder, alpha)?;
            let one = Extension { decided, ..state.up_to(target) };
            if decided >= now + WORTH && best.as_ref().is_none_or(|best| worth(&one) > worth(best)) {
                best = Some(one);
            }
        }
        let extension = best;
        let reached = extension.as_ref().map_or(now, |one| one.decided);
        let size = state.size(fewest, alpha, true).filter(|size| size.decided >= reached + WORTH);
        Some(Self { decided: now, extension, size })
    }

    /// Returns the searches to extend before the first look of a plan that costs `trainings` of every
    /// budget: a decision costs less with their trials.
    pub(super) fn first(&self, trainings: u64) -> Option<&Extension> {
        let trainings = trainings as f64;
        let is_worth = |one: &&Extension| one.decided / (trainings + one.cost) >= self.decided / trainings;
        self.extension.as_ref().filter(is_worth)
    }
}

impl SearchVerdict {
    /// Forecasts the verdict of the searches with further trials; `None` where they have no test.
    pub fn new(ladder: &LadderTrials, options: &Options) -> Option<Self> {
        let options = &Options { smallest_effect: smallest_effect(ladder, options), ..*options };
        let state = State::new(ladder, options)?;
        let Judgement { outcome, whole, .. } = &state.judgement;
        let (outcome, gain) = (*outcome, *whole);
        let alpha = 1.0 - options.level;
        let (extension, size) = match outcome {
            Outcome::Undecided => (state.extension(alpha), state.size(0, alpha, false)),
            _ => (None, None),
        };
        let knows_rows = !state.judgement.left_out.contains(&Source::Rows);
        let extension = extension.filter(|one| one.decided >= WORTH);
        let size = size.filter(|one| one.decided >= WORTH);
        let ways = Ways { decided: 0.0, extension, size };
        Some(Self { outcome, gain, ways, rows: knows_rows.then_some(state.rows) })
    }
}

impl<'a> State<'a> {
    fn new(ladder: &LadderTrials, options: &'a Options) -> Option<Self> {
        let scaling = Scaling::new(&[], ladder, &Options { bootstraps: 0, ..*options });
        let judgement = scaling.judgement.filter(|one| matches!(one.quantity, Quantity::BestOf { .. }))?;
        let error = judgement.slope.standard_error.filter(|error| *error > 0.0)?;
        let rows = judgement.shares.iter().find(|one| one.source == Source::Rows);
        let rows = rows.map_or(0.0, |one| one.share);
        let costs = costs(ladder);
        let budget = |(step, value): (usize, &JudgedBudget)| {
            let own = place(&value.budget, ladder)?;
            let study = &ladder.studies[own];
            let top = top_spread(study, ladder)?.0 / BEST_OF_ONE;
            let known = value.weights.filter(|_| judgement.is_per_decade).map(f64::log10);
            Some(Searched {
                label: value.budget.clone(),
                place: known.unwrap_or(step as f64),
                found: available(study, ladder),
                complete: study.trials.iter().filter(|trial| trial.eligible_value().is_some()).count() as u64,
                cost: costs[own],
                top,
                whole: better_half(study, ladder)?,
            })
        };
        let budgets = judgement.values.iter().enumerate().map(budget).collect::<Option<Vec<_>>>()?;
        Some(Self { options, budgets, judgement, error, rows })
    }

    fn places(&self) -> Vec<f64> {
        self.budgets.iter().map(|one| one.place).collect()
    }

    fn weights(&self) -> Vec<f64> {
        slope_weights(&self.places(), 0)
    }

    fn range(&self) -> f64 {
        self.budgets.last().map_or(0.0, |one| one.place) - self.budgets[0].place
    }

    /// Returns the standard error of the present slope over searches.
    fn of_search(&self) -> f64 {
        self.error * (1.0 - self.rows).sqrt()
    }

    /// Returns the test of an estimate with this variance and these degrees of freedom, over `count`
    /// budgets on that range.
    fn ahead(&self, (variance, freedom): (f64, f64), count: usize, range: f64, alpha: f64) -> Ahead {
        let alpha = if count > 2 { alpha * (1.0 - FOR_LACK_OF_FIT) } else { alpha };
        let deviation = variance.sqrt();
        let half_width = t_half_width(1.0 - alpha, freedom).map_or(f64::INFINITY, |half| half * deviation);
        Ahead { deviation, half_width, excess: 0.0, near: self.options.effect() / range - half_width }
    }

    /// Returns the test at the end of a plan over sizes at these places, where each search has at least
    /// `fewest` configurations and the share `lasting` of the variance between values is no luck. Sizes
    /// beyond the present ones are like them on average.
    fn end_of_plan(&self, places: &[f64], fewest: u64, lasting: f64, alpha: f64) -> Option<Ahead> {
        let searches: Vec<u64> = self.budgets.iter().map(|one| one.found.max(fewest)).collect();
        let top = most_configurations(&searches).min(CONFIGURATIONS);
        let count = places.len();
        let mean = |of: &dyn Fn(&Searched) -> f64| mean(self.budgets.iter().map(of));
        let of_search = |of: &dyn Fn(&Searched) -> f64| {
            let missing = mean(of)?;
            let of_place = |place: usize| self.budgets.get(place).map_or(missing, of);
            let weights = slope_weights(places, 0);
            Some((0..count).map(|place| weights[place].powi(2) * of_place(place)).sum::<f64>())
        };
        // Values regress to the mean: of the best ones, the lasting part of their distance is left.
        let again = |one: &Searched| lasting * lasting * one.top + (1.0 - lasting * lasting) * one.whole;
        let range = places[count - 1] - places[0];
        // The models at the ends differ by as much on the rows, over a longer range.
        let rows = self.rows * (self.error * self.range() / range).powi(2);
        let search = of_search(&again)? * best_factor(top) + rows;
        let freedom = (count as u64 * (top - 1).max(1)) as f64;
        let seeds = of_search(&|one| (1.0 - lasting) * one.whole / SEEDS)? + rows;
        let ahead = self.ahead((search, freedom), count, range, alpha);
        let chosen = self.ahead((seeds, count as f64 * (SEEDS - 1.0)), count, range, alpha);
        Some(Ahead { half_width: ahead.half_width.max(chosen.half_width), ..ahead })
    }

    /// Returns the mean over all shares of luck.
    fn over_shares(of: impl Fn(f64) -> Option<f64>) -> Option<f64> {
        let shares = (0..SHARES).map(|place| (place as f64 + 0.5) / SHARES as f64);
        mean(shares.map(of).collect::<Option<Vec<f64>>>()?)
    }

    /// Returns the probability that a plan decides where each search has at least `fewest` configurations.
    fn plan_at(&self, fewest: u64, ladder: &LadderTrials, alpha: f64) -> Option<f64> {
        let studies: Vec<&StudyTrials> = ladder.studies.iter().collect();
        let excess = Excess::beyond(&studies, ladder, fewest);
        let of = |one: &Searched| {
            let own = place(&one.label, ladder)?;
            Some(excess.as_ref().map_or(0.0, |excess| excess.gains[own]))
        };
        let gains = self.budgets.iter().map(of).collect::<Option<Vec<f64>>>()?;
        let excess: f64 = self.weights().iter().zip(&gains).map(|(weight, gain)| weight * gain).sum();
        let places = self.places();
        Self::over_shares(|lasting| {
            let ahead = Ahead { excess, ..self.end_of_plan(&places, fewest, lasting, alpha)? };
            let slope = self.judgement.slope.point;
            Some(ahead.probability(slope, self.of_search(), lasting, self.options.seed))
        })
    }

    /// Returns numbers of configurations between those of the shortest and the longest search.
    fn targets(fewest: u64, most: u64) -> Vec<u64> {
        let step = |place: u32| (fewest as f64 * 2.0_f64.powf(f64::from(place) / 2.0)).round() as u64;
        let mut targets: Vec<u64> = (1..u64::BITS).map(step).take_while(|target| *target < most).collect();
        targets.extend((most > fewest).then_some(most));
        targets.retain(|target| *target > fewest);
        targets
    }

    /// Returns the trials that every search lacks up to `target` configurations.
    fn up_to(&self, target: u64) -> Extension {
        let short = || self.budgets.iter().filter(|one| one.found < target);
        let more = short().map(|one| {
            let trials = target - one.found;
            MoreTrials { budget: one.label.clone(), trials, in_all: one.complete + trials }
        });
        let cost = short().map(|one| (target - one.found) as f64 * one.cost).sum();
        Extension { more: more.collect(), cost: self.in_trials_of_every_budget(cost), decided: 0.0 }
    }

    /// Returns a cost in trials of every budget.
    fn in_trials_of_every_budget(&self, cost: f64) -> f64 {
        cost / self.budgets.iter().map(|one| one.cost).sum::<f64>()
    }

    /// Returns the variances of the budgets' values over searches, and that of the slope over rows.
    fn search_parts(&self) -> (Vec<f64>, f64) {
        let weights = self.weights();
        let whole = self.error * self.error * (1.0 - self.rows);
        let own: Vec<f64> = self.budgets.iter().map(|one| one.top / one.found as f64).collect();
        let sum: f64 = weights.iter().zip(&own).map(|(weight, own)| weight * weight * own).sum();
        // The spread of the best values says how the budgets share the variance, the test how large it is.
        (own.into_iter().map(|own| own * whole / sum).collect(), self.rows * self.error * self.error)
    }

    /// Returns the further trials with which the searches alone decide most probably for their cost. Trials
    /// go one tenth of a search at a time to the budget whose part of the variance they lower most for
    /// their cost.
    fn extension(&self, alpha: f64) -> Option<Extension> {
        let weights = self.weights();
        let (parts, rows) = self.search_parts();
        let units: Vec<f64> =
            parts.iter().zip(&self.budgets).map(|(part, one)| part * one.found as f64).collect();
        let mut counts: Vec<f64> = self.budgets.iter().map(|one| one.found as f64).collect();
        let limit: f64 = MOST_TIMES * self.budgets.iter().map(|one| one.cost * one.found as f64).sum::<f64>();
        let most = MOST_TIMES * counts.iter().copied().fold(0.0, f64::max);
        let step = |place: usize| (self.budgets[place].found as f64 / 10.0).ceil();
        let variance = |counts: &[f64]| -> f64 {
            let of = |place: usize| weights[place] * weights[place] * units[place] / counts[place];
            (0..counts.len()).map(of).sum()
        };
        let now = variance(&counts);
        let mut best: Option<(f64, Vec<f64>)> = None;
        loop {
            let gain = |place: usize| {
                let (count, added) = (counts[place], step(place));
                let lowered =
                    weights[place].powi(2) * units[place] * (count.recip() - (count + added).recip());
                lowered / (added * self.budgets[place].cost)
            };
            let may_grow = |place: &usize| counts[*place] + step(*place) <= most;
            let places = (0..counts.len()).filter(may_grow);
            let Some(place) = places.max_by(|a, b| gain(*a).total_cmp(&gain(*b))) else { break };
            counts[place] += step(place);
            let cost: f64 = counts.iter().zip(&self.budgets).map(|(count, one)| count * one.cost).sum();
            if cost > limit {
                break;
            }
            let left = variance(&counts);
            let freedom = counts.iter().sum::<f64>() / CONFIGURATIONS_A_DEGREE;
            let mut ahead = self.ahead((left + rows, freedom), counts.len(), self.range(), alpha);
            // The present trials stay in the estimate, and the rows are the same.
            ahead.deviation = (now - left).max(0.0).sqrt();
            let decided = ahead.probability(self.judgement.slope.point, 0.0, 0.0, self.options.seed);
            if best.as_ref().is_none_or(|(known, _)| decided > known + NEARLY) {
                best = Some((decided, counts.clone()));
            }
            if decided >= self.options.power {
                break;
            }
        }
        let (decided, counts) = best?;
        let added =
            counts.iter().zip(&self.budgets).map(|(count, one)| (count - one.found as f64) * one.cost);
        let cost = self.in_trials_of_every_budget(added.sum());
        let more = self.budgets.iter().zip(counts).filter_map(|(one, count)| {
            let trials = count as u64 - one.found;
            (trials > 0).then(|| MoreTrials {
                budget: one.label.clone(),
                trials,
                in_all: one.complete + trials,
            })
        });
        Some(Extension { more: more.collect(), cost, decided })
    }

    /// Returns another size beyond the largest, with the probability that the verdict over all sizes is then
    /// decided: by a plan on the test rows where each search has at least `fewest` configurations, or by the
    /// searches alone.
    fn size(&self, fewest: u64, alpha: f64, by_plan: bool) -> Option<NewSize> {
        if !self.judgement.is_per_decade {
            return None;
        }
        let count = self.budgets.len();
        let mut places = self.places();
        let step = (places[count - 1] - places[count - 2]).min(LARGEST_STEP.log10());
        let new = places[count - 1] + step;
        places.push(new);
        let slope = self.judgement.slope.point;
        let decided = if by_plan {
            Self::over_shares(|lasting| {
                let ahead = self.end_of_plan(&places, fewest, lasting, alpha)?;
                Some(ahead.probability(slope, self.of_search(), lasting, self.options.seed))
            })?
        } else {
            let (own, rows) = self.search_parts();
            let added = mean(own.iter().copied())?;
            let weights = slope_weights(&places, 0);
            let all = own.iter().copied().chain([added]);
            let left: f64 = weights.iter().zip(all).map(|(weight, part)| weight * weight * part).sum();
            let range = new - places[0];
            let rows = rows * (self.range() / range).powi(2);
            let freedom =
                self.budgets.iter().map(|one| one.found as f64).sum::<f64>() / CONFIGURATIONS_A_DEGREE;
            let mut ahead = self.ahead((left + rows, freedom), count + 1, range, alpha);
            // The present trials stay in the estimate.
            ahead.deviation = (self.error * self.error - left - rows).max(0.0).sqrt();
            ahead.probability(slope, 0.0, 0.0, self.options.seed)
        };
        let trials = mean(self.budgets.iter().map(|one| one.complete as f64))?.round() as u64;
        Some(NewSize { weights: 10.0_f64.powf(new), trials, decided })
    }
}
