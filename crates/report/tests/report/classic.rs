//! The classic report against the seed's report and against an independent reading of its rules.

use allometry_report::classic;

use crate::support;

#[test]
fn the_seed_trials_give_the_seed_report() {
    let test = "the_seed_trials_give_the_seed_report";
    let (Some(ladder), Some(report)) =
        (support::seed(test), allometry_testkit::reference_file(test, "seed/report.md"))
    else {
        return;
    };
    assert_same(&classic(&ladder), &std::fs::read_to_string(report).unwrap(), "seed");
}

#[test]
fn random_trials_give_what_the_reference_gives() {
    let cases: serde_json::Value = serde_json::from_str(include_str!("../oracle/classic.json")).unwrap();
    for case in cases.as_array().unwrap() {
        let json = &case["ladder"];
        let studies = json["studies"].as_array().unwrap().iter().map(|study| {
            let best = serde_json::from_value(study["best_params"].clone()).unwrap();
            support::study(study["label"].as_str().unwrap(), &study["trials"], best)
        });
        let ladder =
            support::ladder(json["tag"].as_str(), json["metric"].as_str().unwrap(), studies.collect());
        assert_same(&classic(&ladder), case["expected"].as_str().unwrap(), case["name"].as_str().unwrap());
    }
}

/// Fails with the first line that differs, which a comparison of whole reports would bury.
fn assert_same(ours: &str, theirs: &str, case: &str) {
    for (number, (our, their)) in ours.lines().zip(theirs.lines()).enumerate() {
        assert_eq!(our, their, "{case}, line {}", number + 1);
    }
    assert_eq!(ours, theirs, "{case}: one report is longer");
}

#[test]
fn a_best_configuration_without_a_parameter_is_none() {
    let trial =
        serde_json::json!([{"number": 0, "value": 0.7, "params": {"d_model": 16}, "state": "COMPLETE"}]);
    let study = |best| support::study("2M", &trial, best);
    for best in [None, Some(allometry_core::Params::default())] {
        let text = classic(&support::ladder(None, "AUC", vec![study(best)]));
        assert!(!text.contains("**Best Configuration:**"), "{text}");
    }
}
