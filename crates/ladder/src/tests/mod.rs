//! Tests of reading ladder files, valid and invalid.

mod damaged;
mod messages;
mod searched;

use std::path::Path;
use std::time::Duration;

use allometry_core::{
    Direction, Distribution, Metrics, ParamValue, Precision, RowCount, SamplerKind, SamplerSpec, TrainPart,
    WeightTarget,
};

use super::*;

/// The sample ladder of the documentation.
const SAMPLE: &str = r#"
name = "sp500-up-1pct"
tag = "a100"
metric = "auc"
trials = 50
seed = 7

[data]
path = "sp500-a100.parquet"
time = "date"
label = { rise = 0.01, of = "high", over = "close", horizon = 2 }
features = { exclude = ["close", "high"] }
split = { train = 0.60, validation = 0.2 }
na = "drop"

[model]
kind = "patchtst"
context = 80
patch = 16
stride = 8
task = "classes"
normalize = "revin"
revin_affine = true
channels = "independent"
feature_embedding = 12
head = "mean"
head_dropout = 0.2
parametrization = "mup"
base_width = 32
base_head_width = 8
label_smoothing = 0.05
epochs = 30
patience = 5
minimum_gain = 1e-3
monitor = "log_loss"
batch_size = 64
accumulate = 2
average_epochs = 3
collapse_epochs = 4
gradient_clip = inf
schedule = "cosine"
warmup_epochs = 2

[space]
n_layers = { int = [2, 6] }
d_model = [96, 32, 48, 64, 80]
n_heads = [2, 4, 8]
d_ff_ratio = 4
learning_rate = { float = [1e-5, 5e-4], log = true }
dropout = [0, 0.1, 0.3]

[[budget]]
label = "400k"
weights = "any"

[[budget]]
label = "2M"
weights = 2_000_000
tolerance = 0.1
trials = 8
[budget.space]
weight_decay = { float = [0.0, 0.3], step = 0.1 }
d_model = [128, 192, 256]

[sampler]
kind = "grid"
probes = false

[storage]
url = "sqlite:///sp500.db"
"#;

/// The smallest valid ladder.
pub(super) const LEAST: &str = r#"name = "least"

[data]
path = "rows.csv"
label = "up"

[model]
context = 80
patch = 16
stride = 8

[space]
d_model = [32, 64]
n_layers = [2]
n_heads = [2, 4]

[[budget]]
label = "any"
weights = "any"
"#;

fn floats(values: &[f64]) -> Distribution {
    Distribution::list(values.iter().copied().map(ParamValue::Float).collect())
}

fn ints(values: &[i64]) -> Distribution {
    Distribution::list(values.iter().copied().map(ParamValue::Int).collect())
}

/// Data and settings of the built-in model.
fn built_in(ladder: &Ladder) -> (&DataSpec, &ModelSpec) {
    match &ladder.objective {
        ObjectiveSpec::Model { data, model } => (data, model),
        ObjectiveSpec::Command(_) => panic!("the ladder trains the built-in model"),
    }
}

const COMMAND: &str = r#"
name = "external"
metric = "loss"
direction = "minimize"
[command]
run = ["python3", "train.py", "--rate={lr}", "{args}"]
folder = "scripts"
steps = 30
timeout = "2h"
grace = "5s"
retries = 1
weights = "12 * n_layers * d_model ** 2"
value = { pattern = "loss=([0-9.]+)" }
[command.environment]
inherit = ["LANG"]
set = { OMP_NUM_THREADS = "2" }
[space]
lr = { float = [1e-5, 1e-2], log = true }
optimizer = ["sgd", "adam"]
clip = [true, false]
d_model = [64, 32]
n_layers = { int = [1, 4] }
ratio = [3, 0.5]
[[budget]]
label = "2M"
weights = 2e6
"#;

#[test]
fn a_command_takes_the_place_of_data_and_model() {
    let ladder = parse(COMMAND, Path::new("/a/ladder.toml")).unwrap();
    assert_eq!(ladder.metrics, Metrics::one("loss", Direction::Minimize));
    let ObjectiveSpec::Command(command) = &ladder.objective else { panic!("it has a command") };
    let words = ["python3", "train.py", "--rate={lr}", "{args}"].map(str::to_owned);
    assert_eq!(command.run, Invocation::Program(words.to_vec()));
    assert_eq!(command.folder, Path::new("/a/scripts"));
    assert_eq!((command.steps, command.retries), (Some(30), 1));
    assert_eq!(command.timeout, Some(Duration::from_hours(2)));
    assert_eq!(command.grace, Duration::from_secs(5));
    assert_eq!(command.value, ValueSource::Output { pattern: "loss=([0-9.]+)".into() });
    assert_eq!(command.environment.inherit, Inherit::Only(vec!["LANG".into()]));
    assert_eq!(command.environment.set, [("OMP_NUM_THREADS".to_owned(), "2".to_owned())]);
    assert_eq!(command.weights.as_ref().unwrap().value(&[8.0, 2.0, f64::NAN, 4.0]), 1536.0);
    let space = &ladder.budgets[0].space;
    let words = |words: &[&str]| words.iter().map(|w| ParamValue::Text((*w).into())).collect();
    assert_eq!(space.get("optimizer"), Some(&Distribution::list(words(&["sgd", "adam"]))));
    let clip = Distribution::list(vec![ParamValue::Bool(true), ParamValue::Bool(false)]);
    assert_eq!(space.get("clip"), Some(&clip));
    assert_eq!(space.get("d_model"), Some(&ints(&[32, 64])));
    let mixed = Distribution::list(vec![ParamValue::Float(0.5), ParamValue::Int(3)]);
    assert_eq!(space.get("ratio"), Some(&mixed));

    let least = "name = \"least\"\n[command]\nshell = true\nrun = \"./train\"\n[space]\nx = [1, 2]\n\
                 [[budget]]\nlabel = \"a\"\nweights = \"any\"";
    let ladder = parse(least, Path::new("ladder.toml")).unwrap();
    assert_eq!(ladder.metrics, Metrics::one("value", Direction::Maximize));
    let ObjectiveSpec::Command(command) = &ladder.objective else { panic!("it has a command") };
    assert_eq!(command.run, Invocation::Shell("./train".into()));
    assert_eq!((command.steps, command.timeout, command.retries), (None, None, 3));
    assert_eq!((&command.value, &command.weights), (&ValueSource::Report, &None));
}

#[test]
fn every_key_of_the_sample_is_read() {
    let ladder = parse(SAMPLE, Path::new("ladders/sp500.toml")).unwrap();
    assert_eq!(
        (ladder.name.as_str(), ladder.tag.as_deref(), ladder.seed),
        ("sp500-up-1pct", Some("a100"), 7)
    );
    let (data, built_in) = built_in(&ladder);
    assert_eq!(data.path, Path::new("ladders/sp500-a100.parquet"));
    assert_eq!(data.time.as_deref(), Some("date"));
    let label = LabelSpec::Rise { rise: 0.01, of: "high".into(), over: "close".into(), horizon: 2 };
    assert_eq!(data.label, label);
    let exclude = vec!["close".into(), "high".into()];
    assert_eq!(data.features, FeatureSpec { exclude, ..FeatureSpec::default() });
    assert_eq!(data.split, SplitSpec { train: 0.6, validation: 0.2 });
    assert_eq!(data.missing, MissingPolicy::Drop);
    let model = ModelSpec {
        task: Task::Classes,
        normalize: Normalize::Revin,
        revin_affine: true,
        channels: Channels::Independent,
        feature_embedding: 12,
        head: Pooling::Mean,
        head_dropout: 0.2,
        parametrization: Parametrization::Mup,
        base_width: 32,
        base_head_width: 8,
        label_smoothing: 0.05,
        epochs: 30,
        patience: 5,
        minimum_gain: 1e-3,
        monitor: Some(Monitor::LogLoss),
        batch_size: Some(64),
        accumulate: 2,
        average_epochs: 3,
        collapse_epochs: 4,
        gradient_clip: f64::INFINITY,
        schedule: Schedule::Cosine,
        warmup_epochs: 2.0,
        precision: Precision::Auto,
        ..ModelSpec::new(80, 16, 8)
    };
    let text = serde_json::to_string(&model).unwrap();
    assert_eq!(serde_json::from_str::<ModelSpec>(&text).unwrap(), model);
    assert_eq!(*built_in, model);
    assert_eq!(ladder.sampler, SamplerSpec { probes: false, ..SamplerSpec::new(SamplerKind::Grid) });
    assert_eq!(ladder.storage.as_ref().map(allometry_core::Secret::expose), Some("sqlite:///sp500.db"));
}

#[test]
fn budgets_lay_their_space_over_the_shared_one() {
    let ladder = parse(SAMPLE, Path::new("ladder.toml")).unwrap();
    let [small, large] = ladder.budgets.as_slice() else { panic!("two budgets") };
    assert_eq!(small.budget.target, WeightTarget::Any);
    assert_eq!(large.budget.target, WeightTarget::Near { weights: 2_000_000, tolerance: 0.1 });
    assert_eq!((small.trials, large.trials), (50, 8));

    let names = |spec: &BudgetSpec| spec.space.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    let shared = ["n_layers", "d_model", "n_heads", "d_ff_ratio", "learning_rate", "dropout"];
    assert_eq!(names(small), shared);
    assert_eq!(names(large), [&shared[..], &["weight_decay"]].concat());

    let set = |spec: &BudgetSpec, name: &str| spec.space.get(name).unwrap().clone();
    assert_eq!(set(small, "n_layers"), Distribution::Int { low: 2, high: 6, log: false, step: 1 });
    assert_eq!(set(small, "d_model"), ints(&[32, 48, 64, 80, 96]));
    assert_eq!(set(small, "d_ff_ratio"), ints(&[4]));
    assert_eq!(set(small, "dropout"), floats(&[0.0, 0.1, 0.3]));
    let rate = Distribution::Float { low: 1e-5, high: 5e-4, log: true, step: None };
    assert_eq!(set(small, "learning_rate"), rate);
    assert_eq!(set(large, "d_model"), ints(&[128, 192, 256]));
    let decay = Distribution::Float { low: 0.0, high: 0.3, log: false, step: Some(0.1) };
    assert_eq!(set(large, "weight_decay"), decay);
}

/// Integer parameters of a command have no bounds; those of the built-in model do.
#[test]
fn integers_of_a_command_reach_63_bits() {
    for (low, high) in [(0, i64::MAX), (i64::MIN, i64::MAX)] {
        let text = format!(
            "name = \"l\"\n[command]\nrun = [\"sh\", \"{{x}}\"]\n[space]\nx = {{ int = [{low}, {high}] }}\n\
             [[budget]]\nlabel = \"a\"\nweights = \"any\"\n"
        );
        let ladder = parse(&text, Path::new("ladder.toml")).unwrap();
        let set = ladder.budgets[0].space.get("x").unwrap();
        assert_eq!(*set, Distribution::Int { low, high, log: false, step: 1 });
    }
}

#[test]
fn what_is_left_out_has_a_default() {
    let ladder = parse(LEAST, Path::new("/a/ladder.toml")).unwrap();
    let (data, model) = built_in(&ladder);
    assert_eq!(data.path, Path::new("/a/rows.csv"));
    assert_eq!((ladder.seed, ladder.budgets[0].trials, &ladder.storage), (42, 50, &None));
    assert_eq!(data.split, SplitSpec { train: 0.7, validation: 0.15 });
    assert_eq!(data.missing, MissingPolicy::Error);
    assert_eq!(*model, ModelSpec { precision: Precision::Auto, ..ModelSpec::new(80, 16, 8) });
    assert_eq!((model.epochs, model.patience, model.batch_size), (50, 10, Some(128)));
    assert_eq!((model.minimum_gain, model.gradient_clip, model.warmup_epochs), (0.0, 1.0, 0.0));
    assert_eq!((model.normalize, model.schedule), (Normalize::Standard, Schedule::Constant));
    assert_eq!(ladder.sampler, SamplerSpec::new(SamplerKind::Gp));
}

#[test]
fn losses_of_binary_labels_and_sizes_of_batches_are_read() {
    let ladder = with(&[
        ("model.loss", "weighted"),
        ("model.positive_weight", "3"),
        ("model.batch_size", "auto"),
        ("model.schedule", "linear"),
    ]);
    let ladder = ladder.unwrap();
    let (_, model) = built_in(&ladder);
    assert_eq!((model.loss, model.positive_weight), (LossKind::Weighted, Some(3.0)));
    assert_eq!(model.schedule, Schedule::Linear);
    let sizes = [999_999, 1_000_000, 7_999_999, 8_000_000].map(|weights| model.batch_size(weights));
    assert_eq!(sizes, [128, 64, 64, 32]);
    assert_eq!(ModelSpec::new(8, 4, 4).batch_size(8_000_000), 128);
    let classes = with(&[("model.loss", "weighted"), ("model.task", "classes")]);
    assert!(classes.is_ok(), "classes are weighted too: {classes:?}");
    let ladder = with(&[("model.loss", "focal"), ("model.focal_gamma", "0.5")]).unwrap();
    let (_, focal) = built_in(&ladder);
    assert_eq!((focal.loss, focal.focal_gamma), (LossKind::Focal, 0.5));
}

fn with(settings: &[(&str, &str)]) -> Result<Ladder, LadderErrors> {
    let owned: Vec<(String, String)> = settings.iter().map(|&(k, v)| (k.into(), v.into())).collect();
    parse_with(LEAST, Path::new("ladder.toml"), &owned)
}

#[test]
fn settings_mean_the_same_as_in_the_file() {
    let ladder = with(&[
        ("name", "2024"),
        ("tag", "a b"),
        ("model.epochs", "20"),
        ("budget.any.trials", "3"),
        ("budget.any.space.d_model", "[64, 128]"),
        ("sampler.kind", "random"),
        ("space.dropout", "0.3"),
        ("data.label", "{ rise = 0.01, of = 'high', over = 'close' }"),
        ("model.epochs", "21"),
    ])
    .unwrap();
    assert_eq!((ladder.name.as_str(), ladder.tag.as_deref()), ("2024", Some("a b")));
    let (data, model) = built_in(&ladder);
    assert_eq!(model.epochs, 21);
    assert_eq!(ladder.budgets[0].trials, 3);
    assert_eq!(ladder.sampler.kind, SamplerKind::Random);
    assert_eq!(ladder.budgets[0].space.get("d_model"), Some(&ints(&[64, 128])));
    assert_eq!(ladder.budgets[0].space.get("dropout"), Some(&floats(&[0.3])));
    assert_eq!(data.label.horizon(), 1);
}

#[test]
fn a_horizon_is_of_every_label() {
    let horizon = |settings: &[(&str, &str)]| {
        let settings: Vec<(String, String)> =
            settings.iter().map(|&(key, value)| (key.into(), value.into())).collect();
        let ladder = parse_with(LEAST, Path::new("ladder.toml"), &settings).unwrap();
        built_in(&ladder).0.label.horizon()
    };
    let rise = ("data.label", "{ rise = 0.01, of = 'high', over = 'close' }");
    assert_eq!([horizon(&[]), horizon(&[("data.horizon", "5")])], [1, 5]);
    assert_eq!([horizon(&[rise]), horizon(&[rise, ("data.horizon", "3")])], [1, 3]);
    assert_eq!(horizon(&[rise, ("data.label.horizon", "4")]), 4);

    let both = [rise, ("data.label.horizon", "4"), ("data.horizon", "3")];
    let settings = both.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let errors = parse_with(LEAST, Path::new("ladder.toml"), &settings).unwrap_err();
    let kinds: Vec<&str> = errors.problems().iter().map(|problem| problem.kind.code()).collect();
    assert_eq!(kinds, ["repeated"]);
}

#[test]
fn categories_may_have_vectors() {
    let categorical = |value: &str| {
        with(&[("data.categorical", value)]).map(|ladder| {
            let (data, _) = built_in(&ladder);
            data.features.categorical.clone()
        })
    };
    let vectors = |column: &str, size| CategorySpec { embedding: Some(size), ..CategorySpec::from(column) };
    assert_eq!(
        categorical("['a', { column = 'b', embedding = 8 }, { column = 'c', embedding = 1024 }]").unwrap(),
        [CategorySpec::from("a"), vectors("b", 8), vectors("c", 1024)]
    );
    let codes = |value: &str| -> Vec<&str> {
        let errors = categorical(value).unwrap_err();
        errors.problems().iter().map(|problem| problem.kind.code()).collect()
    };
    assert_eq!(codes("[{ column = 'a', embedding = 1025 }]"), ["out_of_range"]);
    assert_eq!(codes("[{ column = 'a' }]"), ["missing_key"]);
    assert_eq!(codes("[{ embedding = 2 }]"), ["missing_key"]);
    assert_eq!(codes("[{ column = 'a', embedding = 2, size = 3 }]"), ["unknown_key"]);
    assert_eq!(codes("['a', { column = 'a', embedding = 2 }]"), ["repeated"]);
    let many: Vec<String> = (0..9).map(|i| format!("{{ column = 'c{i}', embedding = 2 }}")).collect();
    assert_eq!(codes(&format!("[{}]", many.join(", "))), ["needs"]);
    assert_eq!(categorical(&format!("[{}]", many[1..].join(", "))).unwrap().len(), 8);
    // The series is known to the model only if its rows are in all parts.
    let series = |by: &str| {
        let settings = [
            ("data.time", "'t'"),
            ("data.series", "'s'"),
            ("data.categorical", "[{ column = 's', embedding = 2 }]"),
            ("data.split.by", by),
        ];
        let found = with(&settings);
        found.map(|_| ()).map_err(|errors| errors.problems()[0].kind.code())
    };
    assert_eq!(series("'time'"), Ok(()));
    assert_eq!(series("'series'"), Err("not_a_feature"));
}

#[test]
fn a_longest_gap_is_written_as_a_ladder_file_reads_it() {
    for (seconds, text) in [
        (7.0 * 86_400.0, "7d"),
        (36.0 * 3_600.0, "36h"),
        (5_400.0, "90m"),
        (12_525.0, "3h 28m 45s"),
        (90_061.0, "25h 1m 1s"),
        (0.25, "0.25s"),
    ] {
        let gap = MaxGap::Seconds(seconds);
        assert_eq!(gap.to_string(), text);
        let ladder = with(&[("data.time", "'t'"), ("data.max_gap", &format!("'{text}'"))]).unwrap();
        assert_eq!(built_in(&ladder).0.max_gap, Some(gap), "{text}");
    }
    assert_eq!(MaxGap::Number(1.5).to_string(), "1.5");
}

#[test]
fn a_column_that_is_no_feature_is_named_with_the_reason() {
    let why = |settings: &[(&str, &str)]| {
        let panel = [("data.time", "'t'"), ("data.series", "'s'")];
        let settings: Vec<(&str, &str)> = panel.iter().chain(settings).copied().collect();
        let errors = with(&settings).unwrap_err();
        let kind = &errors.problems()[0].kind;
        (kind.to_string(), kind.hint().unwrap())
    };
    let (message, hint) = why(&[("data.features", "{ include = ['a', 's'] }")]);
    assert_eq!(
        message,
        "column `s` cannot be a feature: it tells the series of a row, which is a name and no number"
    );
    assert!(hint.contains("categorical = [\"s\"] under [data]"), "{hint}");
    let (message, hint) = why(&[("data.categorical", "['s']"), ("data.split.by", "'series'")]);
    assert!(message.contains("with by = \"series\" each part has series of its own"), "{message}");
    assert!(hint.contains("by = \"time\" under [data.split]"), "{hint}");
    let (message, _) = why(&[("data.categorical", "['t']")]);
    assert_eq!(message, "column `t` cannot be a feature: it is the time");
}

#[test]
fn a_smallest_effect_and_a_confirmation_are_asked_for() {
    let ladder = with(&[]).unwrap();
    assert_eq!((ladder.smallest_effect, ladder.confirm), (None, None));
    assert_eq!(with(&[("smallest_effect", "0.002")]).unwrap().smallest_effect, Some(0.002));
    assert_eq!(with(&[("smallest_effect", "2")]).unwrap().smallest_effect, Some(2.0));
    let confirm = |settings: &[(&str, &str)]| with(settings).unwrap().confirm;
    assert_eq!(confirm(&[("confirm", "{}")]), Some(ConfirmSpec { top: 1, seeds: 5 }));
    assert_eq!(confirm(&[("confirm.top", "3")]), Some(ConfirmSpec { top: 3, seeds: 5 }));
    assert_eq!(confirm(&[("confirm.seeds", "1000")]), Some(ConfirmSpec { top: 1, seeds: 1000 }));

    let can = COMMAND.replace("retries = 1", "retries = 1\ntest_part = true\nhorizon = 20") + "[confirm]\n";
    let ladder = parse(&can, Path::new("ladder.toml")).unwrap();
    assert_eq!(ladder.confirm, Some(ConfirmSpec::default()));
    let ObjectiveSpec::Command(command) = &ladder.objective else { panic!("it has a command") };
    assert_eq!((command.horizon, command.test_part), (20, true));
}

#[test]
fn rates_of_other_budgets_follow_an_exponent() {
    let exponent = |settings: &[(&str, &str)]| {
        let shared = [("sampler.share", "budgets"), ("budget", "[{ label = \"2M\", weights = 2000 }]")];
        let settings: Vec<(&str, &str)> = shared.iter().chain(settings).copied().collect();
        with(&settings).unwrap().sampler.rate_exponent
    };
    assert_eq!(exponent(&[]), None);
    assert_eq!(exponent(&[("sampler.rate_exponent", "-0.5")]), Some(-0.5));
    assert_eq!(exponent(&[("model.parametrization", "mup")]), Some(0.0));
    let errors = with(&[("sampler.rate_exponent", "-0.5")]).unwrap_err();
    let kinds: Vec<&str> = errors.problems().iter().map(|problem| problem.kind.code()).collect();
    assert_eq!(kinds, ["needs"]);
}

#[test]
fn gp_repeats_in_finite_spaces_without_limits() {
    let with = |settings: &[(&str, &str)]| with(&[&[("sampler.repeats", "true")], settings].concat());
    assert!(with(&[]).unwrap().sampler.repeats);
    assert!(!with(&[("sampler.kind", "tpe"), ("sampler.repeats", "false")]).unwrap().sampler.repeats);
    for settings in [
        [("sampler.kind", "tpe")],
        [("space.dropout", "{ float = [0.0, 0.5] }")],
        [("metric", "['auc', 'seconds']")],
        [("limits", "['seconds <= 5']")],
    ] {
        let errors = with(&settings).unwrap_err();
        let kinds: Vec<String> = errors.problems().iter().map(|problem| problem.kind.to_string()).collect();
        assert!(kinds.iter().any(|kind| kind.starts_with("`repeats` needs ")), "{kinds:?}");
    }
}

#[test]
fn parts_of_the_training_rows_follow_the_budgets() {
    let labels = |settings: &[(&str, &str)]| -> Vec<String> {
        with(settings).unwrap().budgets.into_iter().map(|spec| spec.budget.label).collect()
    };
    assert_eq!(labels(&[("train_share", "[1.0, 0.5, 0.25]")]), ["any", "any@25%", "any@50%"]);
    assert_eq!(labels(&[("train_rows", "[4000, 100]")]), ["any", "any@100", "any@4000"]);
    let ladder = with(&[("train_share", "[0.5]")]).unwrap();
    let [whole, part] = &ladder.budgets[..] else { panic!("two budgets") };
    assert_eq!(part.budget.train, Some(TrainPart { of: "any".into(), rows: RowCount::Share(0.5) }));
    assert_eq!(
        (&part.space, part.trials, part.budget.target),
        (&whole.space, whole.trials, whole.budget.target)
    );
    assert_eq!(ladder.budgets_on_all_rows().collect::<Vec<_>>(), [whole]);
}

#[test]
fn the_longest_gap_is_a_time_or_a_number() {
    let read = |gap: &str| {
        let text = LEAST.replace("[model]", &format!("time = \"date\"\nmax_gap = {gap}\n[model]"));
        let ladder = parse(&text, Path::new("ladder.toml"))?;
        Ok::<_, LadderErrors>(built_in(&ladder).0.max_gap.unwrap())
    };
    for (text, seconds, shown) in [
        ("\"7d\"", 604_800.0, "7d"),
        ("\"1w 12h\"", 648_000.0, "180h"),
        ("\"36h\"", 129_600.0, "36h"),
        ("\"90 minutes\"", 5400.0, "90m"),
        ("\"1.5s\"", 1.5, "1.5s"),
    ] {
        let gap = read(text).unwrap();
        assert_eq!((gap, gap.to_string().as_str()), (MaxGap::Seconds(seconds), shown), "{text}");
        assert_eq!(read(&format!("\"{gap}\"")).unwrap(), gap, "what is shown is read");
    }
    assert_eq!(read("2.5").unwrap(), MaxGap::Number(2.5));
    for bad in ["\"soon\"", "\"1 month\"", "\"0s\"", "\"-1d\"", "0", "-3", "inf", "nan", "true"] {
        let code = if bad == "true" { "wrong_type" } else { "out_of_range" };
        let codes: Vec<&str> = read(bad).unwrap_err().problems().iter().map(|p| p.kind.code()).collect();
        assert_eq!(codes, [code], "{bad}");
    }
    let errors = with(&[("data.max_gap", "7d")]).unwrap_err();
    let needed = errors.problems()[0].to_string();
    assert_eq!(needed, "`max_gap` needs `time`, the column of the times between which it is a distance");
}

#[test]
fn problems_know_their_line() {
    let text = LEAST.replace("stride = 8", "stride = 0").replace("\"up\"", "3");
    let errors = parse(&text, Path::new("ladder.toml")).unwrap_err();
    let lines: Vec<(usize, &str)> = errors.problems().iter().map(|p| (p.line(), p.kind.code())).collect();
    assert_eq!(lines, [(5, "wrong_type"), (10, "out_of_range")]);
    assert_eq!(errors.to_string(), "ladder.toml has 2 problems");
}

proptest::proptest! {
    /// Replacing any part of a file never causes a panic.
    #[test]
    fn mangled_files_do_not_panic(
        start in 0..SAMPLE.len(), len in 0..40_usize, patch in "[\\[\\]{}=\"a-z0-9.,\n-]{0,6}",
    ) {
        let end = (start + len).min(SAMPLE.len());
        let text = format!("{}{patch}{}", &SAMPLE[..start], &SAMPLE[end..]);
        if let Err(errors) = parse(&text, Path::new("ladder.toml")) {
            proptest::prop_assert!(!errors.problems().is_empty());
            for report in errors.reports() {
                let _ = format!("{report:?}");
            }
        }
    }

    #[test]
    fn odd_settings_do_not_panic(key in "[a-z.\" =\n]{0,12}", value in "[\\[\\]{}\"a-z0-9.,=é\n-]{0,8}") {
        if let Err(errors) = with(&[(&key, &value)]) {
            for report in errors.reports() {
                let _ = format!("{report:?}");
            }
        }
    }
}

/// A problem in a line with ten thousand values shows only the values near it.
#[test]
fn of_a_long_line_the_place_is_shown() {
    let values: Vec<String> = (1..10_000).map(|value| format!("{value}e-6")).collect();
    let wrong = |line: &str| {
        let text = SAMPLE.replace("learning_rate = { float = [1e-5, 5e-4], log = true }", line);
        assert_ne!(text, SAMPLE);
        let errors = parse(&text, Path::new("ladder.toml")).unwrap_err();
        format!("{:?}", errors.reports().next().unwrap())
    };
    let (before, after) = (values[..5000].join(", "), values[5000..].join(", "));
    let inside = wrong(&format!("learning_rate = [{before}, \"é\", {after}]"));
    assert!(inside.len() < 2000 && inside.contains("5000e-6, \"é\", 5001e-6"), "{inside}");
    let whole = wrong(&format!("learning_rat = [{before}]"));
    assert!(whole.len() < 2000 && whole.contains("learning_rat = [1e-6"), "{whole}");
}

#[test]
fn every_setting_of_the_model_has_a_range() {
    let settings = [
        "kind = \"lstm\"",
        "task = \"ranking\"",
        "normalize = \"minmax\"",
        "revin_affine = 1",
        "channels = \"both\"",
        "feature_embedding = -1",
        "feature_embedding = 65537",
        "head = \"max\"",
        "head_dropout = 1.0",
        "head_dropout = -0.1",
        "parametrization = \"ntk\"",
        "base_width = 0",
        "base_head_width = 0",
        "loss = \"hinge\"",
        "positive_weight = 0.0",
        "positive_weight = inf",
        "focal_gamma = -1.0",
        "focal_gamma = nan",
        "label_smoothing = 1.0",
        "epochs = 0",
        "epochs = 1.5",
        "patience = 0",
        "collapse_epochs = -1",
        "minimum_gain = -0.1",
        "minimum_gain = inf",
        "monitor = \"loss\"",
        "batch_size = 0",
        "batch_size = \"large\"",
        "accumulate = 0",
        "average_epochs = 0",
        "average_epochs = 101",
        "gradient_clip = 0.0",
        "gradient_clip = nan",
        "schedule = \"step\"",
        "warmup_epochs = -1.0",
        "warmup_epochs = 51",
    ];
    for setting in settings {
        let (key, _) = setting.split_once(" = ").unwrap();
        let text = LEAST.replace("stride = 8\n", &format!("stride = 8\n{setting}\n"));
        let error = parse(&text, Path::new("ladder.toml")).expect_err(setting);
        let problems: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
        assert!(problems.iter().all(|p| p.contains(&format!("`{key}`"))), "{setting}: {problems:?}");
    }
    for (old, key) in [("context = 80", "context"), ("patch = 16", "patch"), ("stride = 8", "stride")] {
        for value in ["0", "-1", "2.5", "\"many\""] {
            let text = LEAST.replace(old, &format!("{key} = {value}"));
            let error = parse(&text, Path::new("ladder.toml")).expect_err(value);
            assert!(
                error.problems().iter().any(|p| p.to_string().contains(&format!("`{key}`"))),
                "{key} = {value}"
            );
        }
        let error = parse(&LEAST.replace(&format!("{old}\n"), ""), Path::new("ladder.toml")).expect_err(key);
        assert!(
            error.problems().iter().any(|p| p.to_string().contains(&format!("`{key}`"))),
            "{key} missing"
        );
    }
}

#[test]
fn pruners_are_read_with_optunas_names() {
    use allometry_core::{CollapseSpec, IntervalSpec, PercentileSpec, PrunerKind, PrunerSpec};
    let pruner = |section: &str| {
        let text = format!("{LEAST}\n[pruner]\n{section}");
        parse(&text, Path::new("ladder.toml")).map(|ladder| ladder.pruner.unwrap())
    };
    let interval = IntervalSpec { n_warmup_steps: 3, interval_steps: 1 };
    let median = PercentileSpec { percentile: 50.0, n_startup_trials: 5, n_min_trials: 1, interval };
    assert_eq!(
        pruner("kind = \"median\"\nn_warmup_steps = 3\ncollapse = { epochs = 4 }").unwrap(),
        PrunerSpec {
            kind: PrunerKind::Percentile(median),
            collapse: Some(CollapseSpec { epochs: 4, spread: 0.01 }),
            complete_share: 0.2
        }
    );
    let collapse = pruner("kind = \"collapse\"\ncomplete_share = 0").unwrap();
    assert_eq!(
        (collapse.kind, collapse.collapse.map(|c| c.epochs), collapse.complete_share),
        (PrunerKind::None, Some(5), 0.0)
    );
    for (section, words) in [
        ("kind = \"best\"", "`kind` cannot be `best`"),
        ("n_warmup_steps = 3", "no `kind`"),
        ("kind = \"median\"\npercentile = 3", "unknown key `percentile`"),
        ("kind = \"percentile\"", "no `percentile`"),
        ("kind = \"threshold\"", "no `lower`"),
        ("kind = \"threshold\"\nlower = 1\nupper = 0", "1.0 is above 0.0"),
        ("kind = \"patience\"\npatience = 3\nwrapped = { kind = \"patience\" }", "cannot be `patience`"),
        ("kind = \"successive_halving\"\nreduction_factor = 1", "from 2 to 1000"),
        ("kind = \"collapse\"\ncollapse = -1", "`collapse` must be"),
    ] {
        let errors = pruner(section).unwrap_err();
        let told: Vec<String> = errors.problems().iter().map(ToString::to_string).collect();
        assert!(told.len() == 1 && told[0].contains(words), "{section}: {told:?}");
    }
}

#[test]
fn constraints_are_read_and_budgets_add_their_own() {
    let text = LEAST.replace(
        "d_model = [32, 64]",
        "d_model = [32, 64]\nconstraints = [\"head_dim >= 16\", 'weights <= 3e6']",
    ) + "[budget.space]\nconstraints = \"d_model > 32 or n_heads == 2\"\n";
    let ladder = parse(&text, Path::new("ladder.toml")).unwrap();
    let constraints: Vec<String> = ladder.budgets[0].constraints.iter().map(ToString::to_string).collect();
    assert_eq!(constraints, ["head_dim >= 16", "weights <= 3e6", "d_model > 32 or n_heads == 2"]);
    assert_eq!(ladder.budgets[0].space.0.len(), 3);
    for (constraint, words, place) in [
        ("learning_rate < 1", "unknown name `learning_rate`", "learning_rate"),
        ("head_dim => 16", "write `==`", "="),
        ("weights <= 2M", "not a number", "2M"),
        ("head_dim", "compare it", "head_dim"),
    ] {
        let text =
            LEAST.replace("n_layers = [2]", &format!("n_layers = [2]\nconstraints = [\"{constraint}\"]"));
        let errors = parse(&text, Path::new("ladder.toml")).unwrap_err();
        let [problem] = errors.problems() else { panic!("{constraint}: {:?}", errors.problems()) };
        assert!(problem.to_string().contains(words), "{problem}");
        let label = &problem.labels[0];
        assert_eq!(&text[label.offset()..label.offset() + label.len()], place, "{constraint}");
    }
}

#[test]
fn conditions_are_read_and_budgets_replace_them() {
    let space = "n_layers = [2]\ndropout = [0.1, 0.3]\n\
        weight_decay = { values = [0.0, 0.1], when = { dropout = 0.1 } }\n\
        learning_rate = { float = [1e-4, 1e-2], log = true, when = { weight_decay = [0.1] } }";
    let text = LEAST.replace("n_layers = [2]", space);
    let ladder = parse(&text, Path::new("ladder.toml")).unwrap();
    let said = |ladder: &Ladder| -> Vec<String> {
        let conditions = &ladder.budgets[0].conditions;
        conditions.iter().map(|when| format!("{}: {when}", when.parameter)).collect()
    };
    assert_eq!(
        said(&ladder),
        ["weight_decay: { dropout = [0.1] }", "learning_rate: { weight_decay = [0.1] }"]
    );
    let own = parse(&(text + "[budget.space]\nlearning_rate = [1e-3]\n"), Path::new("ladder.toml")).unwrap();
    assert_eq!(said(&own), ["weight_decay: { dropout = [0.1] }"]);
    for (decay, place, words) in [
        (
            "{ values = [0.0], when = { dropout = 0.2 } }",
            "{ dropout = 0.2 }",
            "requires the value 0.2, which `dropout` cannot have",
        ),
        ("{ values = [0.0], when = { warmup = 1 } }", "{ warmup = 1 }", "the space does not have"),
        (
            "{ values = [0.0], when = { learning_rate = 0.001 } }",
            "{ learning_rate = 0.001 }",
            "conditions form a cycle: weight_decay depends on learning_rate depends on weight_decay",
        ),
        ("{ values = [0.0], when = {} }", "{}", "is empty"),
        ("{ values = [0.0], when = 3 }", "3", "values of other parameters"),
        ("{ values = [0.0], wen = 3 }", "wen", "`wen`"),
    ] {
        let text = LEAST.replace(
            "n_layers = [2]",
            &format!(
                "n_layers = [2]\ndropout = [0.1, 0.3]\nweight_decay = {decay}\n\
                 learning_rate = {{ values = [0.001], when = {{ weight_decay = [0.0] }} }}"
            ),
        ) + "[[budget]]\nlabel = \"other\"\nweights = \"any\"\n";
        let errors = parse(&text, Path::new("ladder.toml")).unwrap_err();
        let [problem] = errors.problems() else { panic!("{decay}: {:?}", errors.problems()) };
        assert!(problem.to_string().contains(words), "{decay}: {problem}");
        let label = &problem.labels[0];
        assert_eq!(&text[label.offset()..label.offset() + label.len()], place, "{decay}");
    }
}

#[test]
fn limits_are_over_what_trials_report() {
    let with = |limits: &str| parse(&format!("limits = {limits}\n{LEAST}"), Path::new("ladder.toml"));
    let ladder = with("[\"seconds <= 20\", 'log_loss<=0.5']").unwrap();
    let limits: Vec<String> = ladder.limits.iter().map(ToString::to_string).collect();
    assert_eq!(limits, ["seconds <= 20", "log_loss <= 0.5"]);
    assert!(parse(LEAST, Path::new("ladder.toml")).unwrap().limits.is_empty());
    for (bad, words) in [
        ("\"latency <= 20\"", "trials do not report `latency`; they report "),
        ("[\"seconds < 20\"]", "a limit is a metric, `<=` or `>=`, and a number"),
        ("[\"seconds <= soon\"]", "`soon` is not a finite number"),
        ("[\"seconds <= 1\", \"seconds <= 1\"]", "`limits` contains `seconds <= 1` twice"),
        ("3", "`limits` must be a list of limits"),
    ] {
        let errors = with(bad).unwrap_err();
        let [problem] = errors.problems() else { panic!("{bad}: {:?}", errors.problems()) };
        assert!(problem.to_string().contains(words), "{bad}: {problem}");
        assert_eq!(problem.line(), 1);
    }
}
