//! What must hold of any trials whatever.

use allometry_analysis::{
    Baseline, Comparison, LadderTrials, Options, Side, StudyPredictions, StudyTrials, Training, analyze,
};
use allometry_core::{
    ClassCounts, Direction, Distribution, FrozenTrial, MetricSpec, Metrics, ModelSize, ParamValue, Params,
    SearchSpace, SizeBudget, SizeReach, TrialState, WeightTarget,
};
use allometry_report::{
    ComparisonDocument, Pictures, ReportDocument, classic, comparison, comparison_json, full, json, words,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

fn value() -> impl Strategy<Value = ParamValue> {
    prop_oneof![
        6 => (0..40_i64).prop_map(ParamValue::Int),
        4 => (0.0..1.0).prop_map(ParamValue::Float),
        1 => any::<i64>().prop_map(ParamValue::Int),
        1 => any::<f64>().prop_map(ParamValue::Float),
        1 => any::<bool>().prop_map(ParamValue::Bool),
        1 => ".{0,3}".prop_map(ParamValue::Text),
        1 => Just(ParamValue::Null),
    ]
}

fn params() -> impl Strategy<Value = Params> {
    let names = ["d_model", "n_layers", "n_heads", "d_ff_ratio", "learning_rate", "dropout", "x|y"];
    names
        .map(|name| option::weighted(0.9, value()).prop_map(move |value| Some((name, value?))))
        .prop_map(|pairs: [Option<(&str, ParamValue)>; 7]| pairs.into_iter().flatten().collect())
}

fn size() -> impl Strategy<Value = ModelSize> {
    prop_oneof![0..10_000_000_u64, any::<u64>()]
        .prop_map(|total| ModelSize { total, non_embedding: total / 2 })
}

fn metric() -> impl Strategy<Value = f64> {
    prop_oneof![8 => 0.0..1.0, 1 => Just(0.5), 1 => any::<f64>()]
}

fn trial() -> impl Strategy<Value = FrozenTrial> {
    let state = prop_oneof![
        8 => Just(TrialState::Complete),
        1 => Just(TrialState::Failed),
        1 => Just(TrialState::Pruned),
        1 => Just(TrialState::Running),
    ];
    let names = prop_oneof![
        Just("pred_min"),
        Just("pred_max"),
        Just("pred_sd"),
        Just("pred_mean"),
        Just("brier"),
        Just("recall")
    ];
    let metrics = btree_map(names.prop_map(str::to_owned), metric(), 0..6);
    let values = prop_oneof![19 => vec(metric(), 1..4), 1 => Just(Vec::new())];
    (state, values, params(), option::of(size()), metrics).prop_map(
        |(state, values, params, size, metrics)| {
            let mut trial = FrozenTrial::new(0, state, values, params);
            trial.record.size = size;
            trial.record.metrics = metrics;
            trial
        },
    )
}

fn set() -> impl Strategy<Value = Distribution> {
    prop_oneof![
        vec(value(), 0..5).prop_map(Distribution::list),
        (any::<i64>(), any::<i64>(), any::<bool>(), 0..9_i64)
            .prop_map(|(low, high, log, step)| Distribution::Int { low, high, log, step }),
        (any::<f64>(), any::<f64>(), any::<bool>(), option::of(any::<f64>()))
            .prop_map(|(low, high, log, step)| Distribution::Float { low, high, log, step }),
    ]
}

fn study() -> impl Strategy<Value = StudyTrials> {
    let label = prop_oneof![Just("2M".to_owned()), Just("20M".to_owned()), ".{0,4}"];
    let target = prop_oneof![
        Just(WeightTarget::Any),
        (any::<u64>(), 0.0..1.0).prop_map(|(weights, tolerance)| WeightTarget::Near { weights, tolerance }),
    ];
    let space = btree_map(prop_oneof![Just("d_model"), Just("dropout"), Just("x|y")], set(), 0..3);
    let reach = option::of((size(), size()).prop_map(|(smallest, largest)| SizeReach { smallest, largest }));
    (label, target, vec(trial(), 0..40), option::of(params()), option::of(space), reach).prop_map(
        |(label, target, mut trials, best_params, space, reach)| {
            for (number, trial) in trials.iter_mut().enumerate() {
                trial.number.0 = number as u64;
            }
            let space = space.map(|sets| {
                SearchSpace(sets.into_iter().map(|(name, set)| (name.to_owned(), set)).collect())
            });
            let budget = SizeBudget::new(label, target);
            StudyTrials {
                budget,
                source: "x`y".into(),
                trials: trials.into(),
                best_params,
                space,
                reach,
                predictions: StudyPredictions::default(),
                ended: None,
                sampler: None,
                carried_over: None,
                limits: Vec::new(),
            }
        },
    )
}

pub(crate) fn ladder() -> impl Strategy<Value = LadderTrials> {
    let metric_name = prop_oneof![Just("AUC"), Just("log loss")];
    let direction = prop_oneof![Just(Direction::Maximize), Just(Direction::Minimize)];
    let rows = prop_oneof![(0..200_u64, 0..200_u64), (any::<u64>(), any::<u64>())]
        .prop_map(|(positives, negatives)| ClassCounts { positives, negatives });
    let baseline = ("[a-z|]{0,5}", metric()).prop_map(|(name, value)| Baseline {
        name,
        description: String::new(),
        value,
        metrics: [("m".to_owned(), value)].into(),
    });
    let name = prop_oneof![Just("seconds".to_owned()), ".{0,3}"];
    let later = vec((name, direction.clone()), 0..3);
    let metrics = (metric_name, direction, later).prop_map(|(name, direction, later)| {
        let later = later.into_iter().map(|(name, direction)| MetricSpec { name, direction });
        Metrics::one(name, direction).with(later)
    });
    (vec(study(), 0..5), metrics, option::of(rows), vec(baseline, 0..3), option::of(".{0,4}")).prop_map(
        |(studies, metrics, rows, baselines, tag)| LadderTrials {
            training: rows.map(|_| Training::Model),
            file: tag.clone(),
            tag,
            metrics,
            rows,
            baselines,
            ..LadderTrials::new(studies)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_two_ladders_give_a_comparison(a in ladder(), b in ladder(), at_hand in any::<bool>()) {
        let options = Options { permutations: 0, bootstraps: 20, ..Options::default() };
        let (first, second) = (analyze(&a, &options), analyze(&b, &options));
        let compare = |(a, first), (b, second)| {
            let side =
                |ladder, analysis| Side { source: "x`y", analysis, trials: at_hand.then_some(ladder) };
            Comparison::new(&side(a, first), &side(b, second))
        };
        let both = compare((&a, &first), (&b, &second));
        let document: ComparisonDocument = serde_json::from_str(&comparison_json(&both)).unwrap();
        let worded = words::comparison(&both);
        prop_assert_eq!(&document.comparison.sentence, &worded.sentence);
        prop_assert_eq!(&document.comparison.findings, &worded.findings);
        let text = comparison(&both);
        prop_assert!(!text.contains("NaN") && !text.contains("inf "), "{}", text);
        let (n, m) = (a.studies.len(), b.studies.len());
        let matched = both.budgets.len();
        prop_assert_eq!((matched + both.only_a.len(), matched + both.only_b.len()), (n, m));
        let own = compare((&a, &first), (&a, &first));
        prop_assert!(own.findings.appeared.is_empty() && own.findings.gone.is_empty());
        for budget in &own.budgets {
            prop_assert_eq!(budget.value.as_ref().map_or(0.0, |value| value.difference.point), 0.0);
            prop_assert_eq!(budget.distribution.map_or(0.5, |values| values.superiority.point), 0.5);
        }
    }

    #[test]
    fn any_trials_give_every_report(ladder in ladder()) {
        let options = Options { permutations: 99, bootstraps: 20, ..Options::default() };
        let analysis = analyze(&ladder, &options);
        let document: ReportDocument = serde_json::from_str(&json(&analysis)).unwrap();
        let worded = words::analysis(&analysis);
        prop_assert_eq!(&document.analysis.verdict, &worded.verdict);
        prop_assert_eq!(&document.analysis.findings, &worded.findings);
        let totals: Vec<String> =
            analysis
                .studies
                .iter()
                .map(|study| format!("- Total trials: {}", study.summary.trials))
                .collect();
        let classic = classic(&ladder);
        let printed: Vec<&str> = classic.lines().filter(|line| line.starts_with("- Total trials: \
            ")).collect();
        prop_assert_eq!(printed, totals);
        for front in analysis.studies.iter().filter_map(|study| study.front.as_ref()) {
            prop_assert!(front.hypervolume.is_none_or(|share| (0.0..=1.0 + 1e-9).contains(&share)));
            prop_assert!(front.trials.len() as u64 <= front.complete);
        }
        let report = full(&analysis, &Pictures::none());
        prop_assert!(!report.contains("NaN"), "{}", report);
        for (study, trials) in analysis.studies.iter().zip(&ladder.studies) {
            let complete = trials.trials.iter().filter(|trial| trial.state == TrialState::Complete).count();
            prop_assert!(study.summary.trials <= complete as u64);
            for importance in &study.importance {
                prop_assert!((0.0..1.0 + 1e-9).contains(&importance.naive), "{:?}", importance);
                prop_assert!(importance.epsilon_squared.is_none_or(|share| share < 1.0 + 1e-9));
            }
            for coverage in &study.coverage {
                let counted: u64 = coverage.counts.iter().flatten().sum();
                prop_assert!(counted <= study.summary.trials);
            }
        }
    }
}
