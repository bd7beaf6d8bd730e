//! Further trials of a search and another size: whether they decide as often as forecast, and how often a
//! verdict errs with them.

use allometry_analysis::plan::{Extension, Looks, SearchVerdict, Step, VerdictPlan};
use allometry_analysis::stats::random::uniform;
use allometry_analysis::{LadderTrials, Options, Outcome, StudyTrials, analyze};
use allometry_core::rng::stream;

use crate::plan::{Chooser, Confirmed, Ended, Simulated, WORLD, mean, ratio, share};
use crate::simulations;
use crate::slack;
use crate::world::World;

/// Searches with unequal numbers of trials, with what they would have found with more.
const UNEQUAL: [(&str, [u64; 3]); 3] = [
    ("few trials of the smallest", [20, 50, 100]),
    ("few trials of the largest", [100, 50, 20]),
    ("ten trials of the largest", [100, 100, 10]),
];

const LONG: Confirmed = Confirmed { trials: &[100; 3], costly: false, ..WORLD };

/// Returns the numbers of trials after an extension.
fn extended(counts: &[u64], labels: &LadderTrials, extension: &Extension) -> Vec<u64> {
    let of = |(count, study): (&u64, &StudyTrials)| {
        let more = extension.more.iter().find(|one| one.budget == study.budget.label);
        more.map_or(*count, |one| one.in_all)
    };
    counts.iter().zip(&labels.studies).map(of).collect()
}

/// Returns the extension that a plan asks for before its first look.
fn asked(ladder: &LadderTrials, options: &Options) -> Option<(Extension, f64)> {
    let plan = VerdictPlan::new(ladder, Looks::TRAININGS, options).unwrap();
    match plan.step {
        Step::Search { extension, .. } => Some((extension, plan.ways.unwrap().decided)),
        _ => None,
    }
}

/// Gains of all sizes are as likely, and all shares of luck in the values of a search. Where a plan asks
/// for trials of a search first, as many plans decide with them, and without them, as were forecast.
#[test]
fn plans_that_extend_a_search_decide_as_forecast() {
    let options = Options::default();
    for (name, counts) in UNEQUAL {
        let (mut forecast, mut ended, mut all) = ([0.0; 2], [Vec::new(), Vec::new()], 0);
        for index in 0..simulations().max(100) {
            let mut rng = stream(43, name, index);
            let gain = 0.16 * uniform(&mut rng) - 0.08;
            let lasting = uniform(&mut rng);
            let [spread, seeds] = [lasting, 1.0 - lasting].map(|share| 0.0134 * share.sqrt());
            let long = Simulated::new(Confirmed { gain, spread, seeds, ..LONG }, name, index);
            let short = long.cut(&counts);
            let unplanned = short.unplanned();
            all += 1;
            let Some((extension, decided)) = asked(&unplanned, &options) else { continue };
            forecast = [forecast[0] + decided, forecast[1] + extension.decided];
            let counts = extended(&counts, &unplanned, &extension);
            ended[0].push(short.play(name, Chooser::Plan, &options));
            ended[1].push(long.cut(&counts).play(name, Chooser::Plan, &options));
        }
        let count = ended[0].len() as f64;
        let found = [0, 1].map(|which| share(&ended[which], Ended::is_decided));
        let forecast = forecast.map(|sum| sum / count);
        println!(
            "{name}: {count} of {all} plans ask for trials; decided without {:.3} forecast, {:.3} true; with \
             {:.3} forecast, {:.3} true",
            forecast[0], found[0], forecast[1], found[1]
        );
        let slack = 0.1 + 2.0 * (0.25 / count).sqrt();
        for which in 0..2 {
            assert!((forecast[which] - found[which]).abs() < slack, "{name}: {forecast:?}, {found:?}");
        }
    }
}

/// Plays plans with the trials of a search that they ask for; costs include those trials.
fn played(name: &str, counts: &[u64], gain: f64, extends: bool) -> Vec<Ended> {
    let options = Options::default();
    let play = |index| {
        let long = Simulated::new(Confirmed { gain, ..LONG }, name, index);
        let short = long.cut(counts);
        let unplanned = short.unplanned();
        let Some((extension, _)) = asked(&unplanned, &options).filter(|_| extends) else {
            return short.play(name, Chooser::Plan, &options);
        };
        let trials: u64 = extension.more.iter().map(|one| one.trials).sum();
        let counts = extended(counts, &unplanned, &extension);
        let ended = long.cut(&counts).play(name, Chooser::Plan, &options);
        Ended { cost: ended.cost + trials as f64 / counts.len() as f64, ..ended }
    };
    (0..simulations()).map(play).collect()
}

/// Scale does nothing, and plans extend searches of unequal effort first.
#[test]
fn plans_that_extend_a_search_keep_the_level() {
    for (name, counts) in UNEQUAL {
        let ended = played(name, &counts, 0.0, true);
        let told = share(&ended, Ended::is_told);
        println!("{name}: told {told:.3}");
        assert!(told <= 0.05 + slack(0.05), "{name}: {told}");
    }
}

/// Scale pays. The cost of a decision with the trials that plans ask for stands beside that without them.
#[test]
fn extended_searches_decide_more_often() {
    for (name, counts) in UNEQUAL {
        for gain in [0.02, 0.03] {
            let [with, without] = [true, false].map(|extends| played(name, &counts, gain, extends));
            let [cost, lower, upper] = ratio(&with, &without, |one| one.cost);
            println!(
                "{name}, gain {gain}: told {:.3} with, {:.3} without; cost {:.1} and {:.1}; of a decision \
                 {cost:.2} ({lower:.2} to {upper:.2})",
                share(&with, Ended::is_told),
                share(&without, Ended::is_told),
                mean(&with, |one| one.cost),
                mean(&without, |one| one.cost),
            );
        }
    }
}

/// Gains of all sizes are as likely, and all shares of luck. Where another size makes a decision more
/// probable, as many plans decide with it, and without it, as were forecast.
#[test]
fn plans_with_another_size_decide_as_forecast() {
    let (name, options) = ("another size", Options::default());
    let long = Confirmed { trials: &[50; 4], costly: false, ..WORLD };
    let (mut forecast, mut ended, mut all) = ([0.0; 2], [Vec::new(), Vec::new()], 0);
    for index in 0..simulations().max(100) {
        let mut rng = stream(61, name, index);
        let gain = 0.16 * uniform(&mut rng) - 0.08;
        let lasting = uniform(&mut rng);
        let [spread, seeds] = [lasting, 1.0 - lasting].map(|share| 0.0134 * share.sqrt());
        let long = Simulated::new(Confirmed { gain, spread, seeds, ..long }, name, index);
        let short = long.cut(&[50; 3]);
        all += 1;
        let plan = VerdictPlan::new(&short.unplanned(), Looks::TRAININGS, &options).unwrap();
        let Some(ways) = plan.ways else { continue };
        let Some(size) = ways.size else { continue };
        forecast = [forecast[0] + ways.decided, forecast[1] + size.decided];
        ended[0].push(short.play(name, Chooser::Plan, &options));
        ended[1].push(long.play(name, Chooser::Plan, &options));
    }
    let count = ended[0].len() as f64;
    let found = [0, 1].map(|which| share(&ended[which], Ended::is_decided));
    let forecast = forecast.map(|sum| sum / count);
    println!(
        "{name}: {count} of {all} plans name another size; decided without {:.3} forecast, {:.3} true; with \
         {:.3} forecast, {:.3} true",
        forecast[0], found[0], forecast[1], found[1]
    );
    let slack = 0.1 + 2.0 * (0.25 / count).sqrt();
    for which in 0..2 {
        assert!((forecast[which] - found[which]).abs() < slack, "{name}: {forecast:?}, {found:?}");
    }
}

/// Returns a ladder whose searches end after these numbers of trials, of as many budgets.
fn cut(ladder: &LadderTrials, counts: &[u64]) -> LadderTrials {
    let studies = ladder.studies.iter().zip(counts).map(|(study, count)| {
        let trials: Vec<_> = study.trials.iter().take(*count as usize).cloned().collect();
        StudyTrials { trials: trials.into(), ..study.clone() }
    });
    LadderTrials { studies: studies.collect(), ..ladder.clone() }
}

fn outcome(ladder: &LadderTrials) -> Outcome {
    let options = Options { permutations: 0, bootstraps: 0, ..Options::default() };
    analyze(ladder, &options).verdict.outcome
}

fn is_decided(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Holds | Outcome::Violated | Outcome::Flat)
}

/// Gains of all sizes are as likely, and configurations cannot be trained again. Verdicts of the search that
/// are undecided are decided by further trials, and by another size, as often as forecast.
#[test]
fn searches_alone_decide_as_forecast() {
    let options = Options::default();
    for (name, counts) in [("20 trials", [20, 20, 20]), ("12, 20 and 40 trials", [40, 20, 12])] {
        let (mut more, mut size) = (Vec::new(), Vec::new());
        let mut undecided = 0;
        for index in 0..(4 * simulations()).max(200) {
            let gain = 0.08 * uniform(&mut stream(47, name, index)) - 0.04;
            let world = World { trials: vec![400; 4], gain, ..World::default() };
            let long = world.ladder(&mut stream(53, name, index));
            let ladder = cut(&long, &counts);
            let plan = SearchVerdict::new(&ladder, &options).unwrap();
            if is_decided(plan.outcome) {
                continue;
            }
            undecided += 1;
            if let Some(extension) = plan.ways.extension {
                let counts = extended(&counts, &ladder, &extension);
                assert!(counts.iter().all(|count| *count <= 400), "{counts:?}");
                more.push((extension.decided, is_decided(outcome(&cut(&long, &counts)))));
            }
            if let Some(new) = plan.ways.size {
                let counts: Vec<u64> = counts.iter().copied().chain([new.trials]).collect();
                size.push((new.decided, is_decided(outcome(&cut(&long, &counts)))));
            }
        }
        for (what, found) in [("trials", more), ("size", size)] {
            let count = found.len() as f64;
            let forecast = found.iter().map(|one| one.0).sum::<f64>() / count;
            let decided = found.iter().filter(|one| one.1).count() as f64 / count;
            println!(
                "{name}, {what}: proposed for {count} of {undecided}; decided {forecast:.3} forecast, \
                 {decided:.3} true"
            );
            let slack = 0.1 + 2.0 * (0.25 / count).sqrt();
            assert!((forecast - decided).abs() < slack, "{name}, {what}: {forecast}, {decided} of {count}");
        }
    }
}

/// Scale does nothing, and an undecided verdict is tested once more with the proposed trials.
#[test]
fn a_second_look_at_the_search_errs_a_little_more_often() {
    let options = Options::default();
    for (name, counts) in [("20 trials", [20, 20, 20]), ("12, 20 and 40 trials", [40, 20, 12])] {
        let (mut first, mut both) = (0, 0);
        for index in 0..(4 * simulations()) {
            let world = World { trials: vec![200; 3], ..World::default() };
            let long = world.ladder(&mut stream(59, name, index));
            let ladder = cut(&long, &counts);
            let plan = SearchVerdict::new(&ladder, &options).unwrap();
            let is_told = |outcome| u64::from(matches!(outcome, Outcome::Holds | Outcome::Violated));
            first += is_told(plan.outcome);
            both += match plan.ways.extension {
                Some(extension) if !is_decided(plan.outcome) => {
                    is_told(outcome(&cut(&long, &extended(&counts, &ladder, &extension))))
                }
                _ => is_told(plan.outcome),
            };
        }
        let [first, both] = [first, both].map(|told| told as f64 / (4 * simulations()) as f64);
        println!("{name}: told {first:.3} at the first look, {both:.3} at one of two");
        assert!(both <= 0.1 + slack(0.1), "{name}: {both}");
    }
}
