//! The brief report: its look, its length, and what it must say.

use allometry_analysis::{LadderTrials, Options, StudyTrials, analyze};
use allometry_core::{ClassCounts, FrozenTrial, ModelSize, Origin, Params, TrialState};
use allometry_report::words::verdict::sentence;
use allometry_report::{Pictures, brief, html, terminal};

use crate::support;

fn brief_of(ladder: &LadderTrials) -> String {
    brief(&analyze(ladder, &Options::default()), &Pictures::none())
}

#[test]
fn a_small_ladder_looks_as_committed() {
    insta::assert_snapshot!(brief_of(&support::synthetic()));
}

#[test]
fn odd_input_looks_as_committed() {
    insta::assert_snapshot!(brief_of(&support::odd()));
}

/// A person reads it: at most 1,500 words for three budgets of seven parameters.
#[test]
fn it_is_short_and_answers_first() {
    let Some(ladder) = support::seed("it_is_short_and_answers_first") else { return };
    let mut ladder = support::with_seed_sizes(ladder);
    ladder.rows = Some(ClassCounts { positives: 76, negatives: 346 });
    let report = brief_of(&ladder);
    let words = report.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count();
    assert!(words <= 1500, "{words} words");
    let headings: Vec<&str> = report.lines().filter(|line| line.starts_with("## ")).collect();
    assert_eq!(
        headings,
        [
            "## Do more weights pay?",
            "## What to take",
            "## What matters",
            "## What is wrong",
            "## What else there is"
        ]
    );
    let analysis = analyze(&ladder, &Options::default());
    let (word, reason) =
        sentence(&analysis).split_once(": ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let answer = report.find(&format!("**{word}:**")).expect("the verdict is there");
    assert!(answer < 200, "{report}");
    let escaped_words = |text: &str| text.replace('\\', "").to_lowercase();
    assert!(escaped_words(&report).contains(&escaped_words(&reason)), "{reason}: {report}");
}

/// A single study tells its own story and says nothing of scale.
#[test]
fn a_single_study_has_no_verdict() {
    let mut ladder = support::synthetic();
    ladder.name = None;
    ladder.studies.truncate(1);
    let report = brief_of(&ladder);
    assert!(report.starts_with("# HPO Study: "), "{report}");
    for absent in ["pay?", "all budgets", "| Ladder |"] {
        assert!(!report.contains(absent), "{absent}: {report}");
    }
    assert!(report.contains("## What to take") && report.contains("## What matters"), "{report}");
}

/// After a confirmation the configuration that it chose is shown, which need not be that of the search.
#[test]
fn a_confirmation_chooses_the_configuration_to_take() {
    let mut ladder = support::synthetic();
    ladder.confirmations = ladder.studies.iter().map(support::confirmed).collect();
    let analysis = analyze(&ladder, &Options::default());
    let second = |study: &StudyTrials| study.trials[1].number;
    let searched: Vec<_> = analysis.studies.iter().map(|study| study.to_take().unwrap().0).collect();
    let chosen: Vec<_> = ladder.studies.iter().map(second).collect();
    assert_ne!(searched, chosen, "the search recommends others");
    let report = brief(&analysis, &Pictures::none());
    let numbers: Vec<String> = chosen.iter().map(ToString::to_string).collect();
    assert!(report.contains(&format!("| Trial | {} |\n", numbers.join(" | "))), "{report}");
    assert!(!report.contains("over seeds | "), "the mean of the search is of another trial: {report}");
    let page = html(&analysis, &ladder);
    let every = format!("<td>{}</td>", numbers.join("</td><td>"));
    assert!(page.contains(&every), "{every}");
}

/// A ladder of six sizes has a forecast of the next one, and the test of it, in every form of the report.
#[test]
fn six_sizes_have_a_forecast() {
    let studies = (0..6).map(|place| {
        let weights = 1e5 * 4_f64.powi(place);
        let trials = (0..12).map(|number| {
            let level = f64::from(number * 5 % 12) / 11.0;
            let value = 0.8 - 0.1 * (weights / 1e5).powf(-0.4) + 0.01 * level;
            let params: Params = [("level", level)].into_iter().collect();
            let mut trial = FrozenTrial::new(number as u64, TrialState::Complete, Some(value), params);
            trial.record.size = Some(ModelSize { total: weights as u64, non_embedding: 0 });
            trial.record.origin = Some(Origin::Random);
            trial
        });
        StudyTrials::new(&format!("b{place}"), "test", trials.collect())
    });
    let mut ladder = LadderTrials::new(studies.collect());
    ladder.name = Some("sizes".into());
    let analysis = analyze(&ladder, &Options::default());
    let forecast = allometry_report::words::forecast(&analysis).expect("six sizes bear a law");
    insta::assert_snapshot!(textwrap::fill(&forecast, 90), @"
    At 410M weights a power law of these sizes, with the exponent 0.4000 (95% interval 0.3694
    to 0.4303), forecasts that the mean AUC of a trial is 0.8014 (95% interval 0.7996 to
    0.8031). Test of the law: from the smaller sizes it forecasts 0.7988 (95% interval 0.7963
    to 0.8018) for b5; observed 0.7988, inside the interval.
    ");
    let words = |text: &str| text.replace('\\', "").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&brief(&analysis, &Pictures::none())).contains(&forecast));
    assert!(words(&terminal(&analysis, 100, "")).contains(&forecast));
    assert!(html(&analysis, &ladder).contains(&forecast));
}
