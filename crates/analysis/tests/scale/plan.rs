//! Plans for the verdict on simulated ladders: how often they err at their looks, and what they cost beside
//! an equal number of trainings for every budget.

use allometry_analysis::plan::{BudgetSeeds, Design, Forecast, Looks, Step, VerdictPlan};
use allometry_analysis::stats::random::{below, uniform};
use allometry_analysis::stats::weighted_auc::SortedRows;
use allometry_analysis::{
    LadderTrials, Options, Outcome, RetrainedTrials, RowOrder, StudyPredictions, StudyTrials, analyze,
};
use allometry_core::rng::stream;
use allometry_core::{
    Direction, FrozenTrial, Metrics, ModelSize, Origin, Params, Retraining, TrialNumber, TrialState,
    ValidationScores,
};
use jiff::Timestamp;

use crate::random::gaussian;
use crate::world::Market;
use crate::{simulations, slack};

/// A ladder over a decade of weights that is searched at random and then confirmed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Confirmed {
    /// Number of trials of each budget, from the smallest to the largest.
    pub(crate) trials: &'static [u64],
    /// Gain for each tenfold number of weights.
    pub(crate) gain: f64,
    /// Standard deviation over configurations.
    pub(crate) spread: f64,
    /// Standard deviation over seeds.
    pub(crate) seeds: f64,
    /// Whether the searches learn from their trials.
    pub(crate) learns: bool,
    /// Whether a training costs as its weights do; otherwise all cost the same.
    pub(crate) costly: bool,
    /// Number of test rows, whose labels look five rows ahead; `None` for a score without rows.
    pub(crate) rows: Option<usize>,
}

pub(crate) const WORLD: Confirmed = Confirmed {
    trials: &[50, 50, 50],
    gain: 0.0,
    spread: 0.012,
    seeds: 0.006,
    learns: false,
    costly: true,
    rows: None,
};

/// Who chooses the trainings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Chooser {
    /// The plan.
    Plan,
    /// The same number of seeds of every budget's best configuration.
    Equal,
}

/// The end of a plan.
pub(crate) struct Ended {
    pub(crate) outcome: Option<Outcome>,
    pub(crate) trainings: f64,
    /// What was forecast after each look, with the trainings until then.
    pub(crate) forecasts: Vec<(f64, Forecast)>,
    /// In trainings of every budget.
    pub(crate) cost: f64,
    pub(crate) too_few_rows: bool,
}

impl Ended {
    pub(crate) fn is_told(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Holds | Outcome::Violated))
    }

    pub(crate) fn is_decided(&self) -> bool {
        self.is_told() || self.outcome == Some(Outcome::Flat)
    }
}

/// One ladder of a world. Trainings depend on the budget, the rank and the seed alone, so that all choosers
/// have the same luck.
pub(crate) struct Simulated {
    world: Confirmed,
    index: u64,
    /// The qualities of each budget's configurations, best value of the search first.
    ranked: Vec<Vec<(u64, f64)>>,
    /// The test rows, with what the models of each budget share.
    market: Option<(Market, Vec<Vec<f64>>)>,
    pub(crate) studies: Vec<StudyTrials>,
}

fn label(place: usize) -> String {
    format!("b{place}")
}

fn params(number: u64) -> Params {
    [("rate", 0.001 * (number + 1) as f64)].into_iter().collect()
}

fn total(place: usize, budgets: usize) -> u64 {
    (1e6 * 10.0_f64.powf(place as f64 / (budgets - 1) as f64)) as u64
}

impl Simulated {
    pub(crate) fn new(world: Confirmed, name: &str, index: u64) -> Self {
        let mut rng = stream(29, name, index);
        let budgets = world.trials.len();
        let market = world.rows.map(|rows| {
            let market = Market::new(&mut rng, rows, 5, 0.9, 0.0);
            let families = (0..budgets).map(|_| market.noise(&mut rng)).collect();
            (market, families)
        });
        let (mut ranked, mut studies) = (Vec::new(), Vec::new());
        for (place, &count) in world.trials.iter().enumerate() {
            let decades = place as f64 / (budgets - 1) as f64;
            let (mut found, mut best) = (Vec::new(), (f64::NEG_INFINITY, 0.0));
            let trials = (0..count).map(|number| {
                let mut level = gaussian(&mut rng);
                let model = world.learns && number >= 10;
                if model {
                    // Neighbours of the trial that looks best.
                    level = 0.7 * best.1 + 0.4 * level;
                }
                let quality = world.gain * decades + world.spread * level;
                let value = 0.7 + quality + world.seeds * gaussian(&mut rng);
                if value - world.gain * decades > best.0 {
                    best = (value - world.gain * decades, level);
                }
                found.push((value, number, quality));
                let mut trial = FrozenTrial::new(number, TrialState::Complete, Some(value), params(number));
                trial.record.size = Some(ModelSize { total: total(place, budgets), non_embedding: 0 });
                let seconds = if world.costly { total(place, budgets) as i64 / 100_000 } else { 10 };
                trial.started = Some(Timestamp::UNIX_EPOCH);
                trial.completed = Timestamp::from_second(seconds).ok();
                trial.record.origin = Some(if model { Origin::Model } else { Origin::Random });
                trial
            });
            studies.push(StudyTrials::new(&label(place), "simulation", trials.collect()));
            found.sort_by(|a, b| b.0.total_cmp(&a.0));
            ranked.push(found.into_iter().map(|(_, number, quality)| (number, quality)).collect());
        }
        Self { world, index, ranked, market, studies }
    }

    /// Returns the trainings of a budget with its predictions.
    fn trained(&self, name: &str, place: usize, design: &Design) -> RetrainedTrials {
        let mut predictions = StudyPredictions::default();
        let (mut plan, mut trials) = (Vec::new(), Vec::new());
        for rank in 0..design.top {
            let (number, quality) = self.ranked[place][rank as usize];
            let seeds = if rank == 0 { design.seeds_of(&label(place)) } else { 1 };
            for seed in 1..=seeds {
                let key = format!("{name} {place} {rank} {seed}");
                let mut rng = stream(31, &key, self.index);
                let (test, validation) =
                    (self.world.seeds * gaussian(&mut rng), self.world.seeds * gaussian(&mut rng));
                let at = TrialNumber(trials.len() as u64);
                let value = match &self.market {
                    None => 0.7 + quality + test,
                    Some((market, families)) => {
                        let scores = market.scores(&mut rng, &families[place], |_| quality + test);
                        let ones = vec![1.0; scores.len()];
                        let value = SortedRows::new(&market.labels, &scores).auc(&ones).unwrap();
                        let rows = (0..scores.len() as u64).collect();
                        let labels = market.labels.clone();
                        assert!(predictions.insert(at, ValidationScores { rows, labels, scores }));
                        value
                    }
                };
                let mut trial = FrozenTrial::new(at.0, TrialState::Complete, Some(value), params(number));
                trial.record.seed = Some(seed);
                trial.record.size = self.studies[place].trials[number as usize].record.size;
                let metric = (Retraining::VALIDATION.to_owned(), 0.7 + quality + validation);
                trial.record.metrics.extend([metric]);
                trials.push(trial);
                let (from, trial) = (label(place), TrialNumber(number));
                plan.push(Retraining { from, trial, rank, params: params(number), seed });
            }
        }
        RetrainedTrials { budget: label(place), plan, trials, predictions }
    }

    fn ladder(&self, name: &str, looks: Looks, design: &Design) -> LadderTrials {
        let places = 0..self.studies.len();
        LadderTrials {
            metrics: Metrics::one(if self.market.is_some() { "AUC" } else { "score" }, Direction::Maximize),
            horizon: 5,
            row_order: RowOrder::Stored,
            can_confirm: true,
            looks: Some(Looks { is_trained: true, ..looks }),
            confirmations: places.map(|place| self.trained(name, place, design)).collect(),
            ..LadderTrials::new(self.studies.clone())
        }
    }

    /// Returns the ladder whose searches end after these numbers of trials.
    pub(crate) fn cut(&self, counts: &[u64]) -> Self {
        let studies = self.studies.iter().zip(counts).map(|(study, count)| {
            let trials: Vec<FrozenTrial> = study.trials.iter().take(*count as usize).cloned().collect();
            StudyTrials { trials: trials.into(), ..study.clone() }
        });
        let ranked = self
            .ranked
            .iter()
            .zip(counts)
            .map(|(ranked, count)| ranked.iter().copied().filter(|(number, _)| number < count).collect());
        let (world, index, market) = (self.world, self.index, None);
        Self { world, index, ranked: ranked.collect(), market, studies: studies.collect() }
    }

    /// Returns the ladder before its plan.
    pub(crate) fn unplanned(&self) -> LadderTrials {
        LadderTrials {
            metrics: Metrics::one("score", Direction::Maximize),
            can_confirm: true,
            ..LadderTrials::new(self.studies.clone())
        }
    }

    /// Plays a plan to its end, without further trials of the searches.
    pub(crate) fn play(&self, name: &str, chooser: Chooser, options: &Options) -> Ended {
        let mut plan = VerdictPlan::new(&self.unplanned(), Looks::TRAININGS, options).unwrap();
        let mut forecasts = Vec::new();
        while let Step::Train { round } | Step::Search { otherwise: round, .. } = &plan.step {
            let equal = || {
                let seeds = round.looks.trainings * round.looks.look / round.looks.of;
                let of = |place| BudgetSeeds { budget: label(place), seeds };
                Design { top: 1, seeds: (0..self.studies.len()).map(of).collect() }
            };
            let design = match chooser {
                Chooser::Plan => round.design.clone(),
                Chooser::Equal => equal(),
            };
            plan = VerdictPlan::new(&self.ladder(name, round.looks, &design), 0, options).unwrap();
            assert_eq!(plan.trainings, design.trainings());
            forecasts.extend(plan.forecast.clone().map(|forecast| (plan.trainings as f64, forecast)));
        }
        let design = plan.design.as_ref().unwrap();
        let weights: Vec<f64> = (0..self.studies.len())
            .map(|place| if self.world.costly { total(place, self.studies.len()) as f64 } else { 1.0 })
            .collect();
        let every: f64 = weights.iter().sum();
        let cost = design.seeds.iter().zip(&weights);
        let cost = cost.map(|(one, weight)| design.trainings_of(&one.budget) as f64 * weight);
        let cost = cost.sum::<f64>() / every;
        let too_few_rows = matches!(plan.step, Step::TooFewRows { .. });
        let trainings = plan.trainings as f64;
        Ended { outcome: plan.outcome, trainings, forecasts, cost, too_few_rows }
    }
}

fn played(name: &str, world: Confirmed, chooser: Chooser) -> Vec<Ended> {
    let options = Options::default();
    (0..simulations()).map(|index| Simulated::new(world, name, index).play(name, chooser, &options)).collect()
}

pub(crate) fn share(ended: &[Ended], of: impl Fn(&Ended) -> bool) -> f64 {
    ended.iter().filter(|one| of(one)).count() as f64 / ended.len() as f64
}

pub(crate) fn mean(ended: &[Ended], of: impl Fn(&Ended) -> f64) -> f64 {
    ended.iter().map(of).sum::<f64>() / ended.len() as f64
}

fn print(name: &str, chooser: Chooser, ended: &[Ended]) {
    println!(
        "{name}, {chooser:?}: told {:.3}, decided {:.3}, too few rows {:.3}, trainings {:.1}, cost {:.2}",
        share(ended, Ended::is_told),
        share(ended, Ended::is_decided),
        share(ended, |one| one.too_few_rows),
        mean(ended, |one| one.trainings),
        mean(ended, |one| one.cost),
    );
}

/// Scale does nothing, and the verdict is tested at up to four looks.
#[test]
fn plans_err_at_the_stated_level_over_all_their_looks() {
    let unequal: &[u64] = &[20, 50, 100];
    for (name, world) in [
        ("random", WORLD),
        ("two budgets", Confirmed { trials: &[50, 50], ..WORLD }),
        ("20 trials", Confirmed { trials: &[20; 3], ..WORLD }),
        ("unequal effort", Confirmed { trials: unequal, ..WORLD }),
        ("noisy seeds", Confirmed { seeds: 0.012, spread: 0.006, ..WORLD }),
        ("learns", Confirmed { learns: true, ..WORLD }),
        ("learns, unequal effort", Confirmed { learns: true, trials: unequal, ..WORLD }),
        ("717 dependent rows", Confirmed { rows: Some(717), ..WORLD }),
        (
            "717 dependent rows, noisy seeds, learns, unequal effort",
            Confirmed {
                rows: Some(717),
                seeds: 0.012,
                spread: 0.006,
                learns: true,
                trials: unequal,
                ..WORLD
            },
        ),
    ] {
        let ended = played(name, world, Chooser::Plan);
        print(name, Chooser::Plan, &ended);
        let told = share(&ended, Ended::is_told);
        assert!(told <= 0.05 + slack(0.05), "{name}: {told}");
    }
}

/// Returns the quotient of the costs of one decision by the plan and by equal numbers, with its 95% interval
/// over ladders.
pub(crate) fn ratio(plan: &[Ended], equal: &[Ended], cost: fn(&Ended) -> f64) -> [f64; 3] {
    let each = |ended: &[Ended], places: &[usize]| {
        let of = |what: &dyn Fn(&Ended) -> f64| places.iter().map(|&place| what(&ended[place])).sum::<f64>();
        of(&|one| cost(one)) / of(&|one| f64::from(u8::from(one.is_told()))).max(1.0)
    };
    let all: Vec<usize> = (0..plan.len()).collect();
    let quotient = |places: &[usize]| each(plan, places) / each(equal, places);
    let mut rng = stream(37, "ratio", 0);
    let mut drawn: Vec<f64> = (0..1000)
        .map(|_| quotient(&all.iter().map(|_| below(&mut rng, all.len())).collect::<Vec<usize>>()))
        .collect();
    drawn.sort_by(f64::total_cmp);
    [quotient(&all), drawn[24], drawn[974]]
}

/// Scale pays. Beside the plan, every budget gets as many trainings of its best configuration as every other
/// one, with the same looks.
#[test]
fn plans_decide_for_less_than_equal_numbers_of_trainings() {
    for (name, world) in [
        ("gain 0.02", Confirmed { gain: 0.02, costly: false, ..WORLD }),
        ("gain 0.03", Confirmed { gain: 0.03, costly: false, ..WORLD }),
        ("gain 0.04", Confirmed { gain: 0.04, costly: false, ..WORLD }),
        ("gain 0.03, costs as weights", Confirmed { gain: 0.03, ..WORLD }),
        ("gain 0.03, two budgets", Confirmed { gain: 0.03, trials: &[50; 2], costly: false, ..WORLD }),
        ("gain 0.03, noisy seeds", Confirmed { gain: 0.03, seeds: 0.012, spread: 0.006, ..WORLD }),
        ("gain 0.05, learns", Confirmed { gain: 0.05, learns: true, costly: false, ..WORLD }),
    ] {
        let plan = played(name, world, Chooser::Plan);
        let equal = played(name, world, Chooser::Equal);
        print(name, Chooser::Plan, &plan);
        print(name, Chooser::Equal, &equal);
        let [cost, lower, upper] = ratio(&plan, &equal, |one| one.cost);
        println!("{name}: the plan's cost of a decision is {cost:.2} ({lower:.2} to {upper:.2}) of that");
        if !world.learns {
            assert!(upper < 1.0, "{name}: {cost} ({lower} to {upper})");
            assert!(share(&plan, Ended::is_told) > share(&equal, Ended::is_told), "{name}");
        }
    }
}

/// Gains of all sizes are as likely, as a forecast takes for granted. After each look as many plans decide by
/// each later look as were forecast, after as many trainings.
#[test]
fn forecasts_come_true_on_average() {
    let options = Options::default();
    for (name, world) in [
        ("any gain", Confirmed { costly: false, ..WORLD }),
        ("any gain, two budgets", Confirmed { trials: &[50; 2], costly: false, ..WORLD }),
        ("any gain, noisy seeds", Confirmed { seeds: 0.012, spread: 0.006, ..WORLD }),
        ("any gain, learns", Confirmed { learns: true, ..WORLD }),
    ] {
        // Few plans reach the last looks.
        let ended: Vec<Ended> = (0..simulations().max(200))
            .map(|index| {
                let gain = 0.3 * uniform(&mut stream(41, name, index)) - 0.15;
                Simulated::new(Confirmed { gain, ..world }, name, index).play(name, Chooser::Plan, &options)
            })
            .collect();
        for look in 0..3 {
            let found: Vec<(&Ended, &(f64, Forecast))> =
                ended.iter().filter_map(|one| Some((one, one.forecasts.get(look)?))).collect();
            let count = found.len() as f64;
            let mean = |of: &dyn Fn(&Ended, f64, &Forecast) -> f64| {
                found.iter().map(|(one, (trainings, forecast))| of(one, *trainings, forecast)).sum::<f64>()
                    / count
            };
            let forecast = mean(&|_, _, forecast| forecast.mean);
            let taken = mean(&|one, trainings, _| one.trainings - trainings);
            println!(
                "{name}, after look {} of {count} plans: {forecast:.1} further trainings forecast, \
                 {taken:.1} taken",
                look + 1
            );
            assert!(count < 100.0 || (forecast / taken - 1.0).abs() < 0.15, "{name}: {forecast}, {taken}");
            let slack = 0.08 + 2.0 * (0.25 / count).sqrt();
            for ahead in look..3 {
                let forecast = mean(&|_, _, forecast| forecast.looks[ahead - look].decided);
                let decided = mean(&|one, _, _| {
                    f64::from(u8::from(one.is_decided() && one.forecasts.len() <= ahead + 1))
                });
                println!("  by look {}: {forecast:.3} forecast, {decided:.3} decided", ahead + 2);
                assert!((forecast - decided).abs() < slack, "{name}: {forecast}, {decided} of {count}");
            }
        }
    }
}

/// The report's verdict and the plan are one computation, before and after the trainings of a look have
/// ended.
#[test]
fn a_plan_says_what_the_report_says() {
    let options = Options { permutations: 0, bootstraps: 0, ..Options::default() };
    let world = Confirmed { gain: 0.03, costly: false, ..WORLD };
    let mut decided = 0;
    for index in 0..20 {
        let simulated = Simulated::new(world, "report", index);
        let of = |place| BudgetSeeds { budget: label(place), seeds: 4 };
        let design = Design { top: 8, seeds: (0..3).map(of).collect() };
        let looks = Looks { look: 2, ..Looks::first(16) };
        let ladder = simulated.ladder("report", looks, &design);
        let plan = VerdictPlan::new(&ladder, 0, &options).unwrap();
        let analysis = analyze(&ladder, &options);
        assert_eq!(plan.outcome, Some(analysis.verdict.outcome));
        assert_eq!(plan.step == Step::Decided, analysis.verdict.outcome == Outcome::Holds);
        decided += u64::from(plan.step == Step::Decided);
        // The interval is that of all looks: it excludes 0 exactly where p, restated, is significant.
        let judgement = analysis.confirmation.as_ref().unwrap().headline().unwrap();
        assert!((judgement.slope.level - 0.95).abs() < 1e-12);
        let waiting = LadderTrials { looks: Some(looks), ..ladder };
        let analysis = analyze(&waiting, &options);
        assert_eq!(analysis.verdict.outcome, Outcome::Undecided, "trainings are still to come");
        let plan = VerdictPlan::new(&waiting, 0, &options).unwrap();
        assert!(matches!(plan.step, Step::Train { round } if round.looks == looks && round.new.is_empty()));
    }
    assert!((5..20).contains(&decided), "{decided}");
}

/// A budget in the middle of the ladder has no weight in the slope and gets no further seeds; of two budgets
/// with one weight the cheaper one gets more.
#[test]
fn seeds_go_where_they_say_most_for_their_cost() {
    let options = Options::default();
    for costly in [false, true] {
        let world = Confirmed { spread: 0.001, seeds: 0.02, costly, ..WORLD };
        let simulated = Simulated::new(world, "seeds", 0);
        let of = |place| BudgetSeeds { budget: label(place), seeds: 8 };
        let design = Design { top: 2, seeds: (0..3).map(of).collect() };
        let looks = Looks { look: 2, ..Looks::first(40) };
        let plan = VerdictPlan::new(&simulated.ladder("seeds", looks, &design), 0, &options).unwrap();
        let Step::Train { round } = plan.step else { panic!("{:?}", plan.step) };
        let [small, middle, large] = [0, 1, 2].map(|place| round.design.seeds_of(&label(place)));
        assert!(middle == 8 && small > 8, "{small}, {middle}, {large}");
        assert!(if costly { small > large } else { large > 8 }, "{small}, {middle}, {large}");
    }
}

/// Scale does nothing, and the searches learn. A confirmation of one configuration under five seeds keeps the
/// level, as one look of a plan does, although the best trials of one search are neighbours.
#[test]
fn confirmations_after_searches_that_learn_keep_the_level() {
    let options = Options { permutations: 0, bootstraps: 0, ..Options::default() };
    let world = Confirmed { learns: true, ..WORLD };
    let (mut planned, mut unplanned) = (0, 0);
    for index in 0..simulations() {
        let simulated = Simulated::new(world, "neighbours", index);
        let of = |place| BudgetSeeds { budget: label(place), seeds: 5 };
        let design = Design { top: 1, seeds: (0..3).map(of).collect() };
        let ladder = simulated.ladder("neighbours", Looks::first(5), &design);
        let told = |ladder: &LadderTrials| {
            let outcome = analyze(ladder, &options).verdict.outcome;
            u64::from(matches!(outcome, Outcome::Holds | Outcome::Violated))
        };
        planned += told(&ladder);
        unplanned += told(&LadderTrials { looks: None, ..ladder });
    }
    let [planned, unplanned] = [planned, unplanned].map(|told| told as f64 / simulations() as f64);
    println!("one configuration, five seeds: planned {planned:.3}, without a plan {unplanned:.3}");
    for told in [planned, unplanned] {
        assert!(told <= 0.05 + slack(0.05), "{told}");
    }
}
