//! Tests of settings of the model that are searched.

use std::path::Path;

use allometry_core::{Distribution, ParamValue, Precision};

use super::super::*;
use super::{LEAST, ints, parse};

/// The smallest ladder with more in its tables `[model]` and `[space]`.
fn with(model: &str, space: &str) -> Result<Ladder, LadderErrors> {
    let text = LEAST
        .replace("stride = 8", &format!("stride = 8\n{model}"))
        .replace("n_layers = [2]", &format!("n_layers = [2]\n{space}"));
    parse(&text, Path::new("ladder.toml"))
}

/// The messages of the problems, with their lines and hints.
fn refused(ladder: Result<Ladder, LadderErrors>) -> String {
    let errors = ladder.expect_err("the file has a problem");
    let one = |problem: &Problem| {
        let hint = problem.kind.hint().map_or_else(String::new, |hint| format!("\n    {hint}"));
        format!("line {}: {problem}{hint}", problem.line())
    };
    errors.problems().iter().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn settings_are_searched_or_fixed() {
    let ladder = with(
        "focal_gamma = 3.0\npatience = 4",
        "batch_size = { int = [16, 128], log = true }\nepochs = [20, 5]\nwarmup_epochs = [0, 2.5]\n\
         loss = [\"bce\", \"focal\"]\nnormalize = \"revin\"",
    )
    .unwrap();
    let [spec] = &ladder.budgets[..] else { panic!("one budget") };
    let words = |words: &[&str]| Distribution::list(words.iter().map(|w| ParamValue::from(*w)).collect());
    assert_eq!(spec.space.get("loss"), Some(&words(&["bce", "focal"])));
    assert_eq!(spec.space.get("normalize"), Some(&words(&["revin"])));
    assert_eq!(spec.space.get("epochs"), Some(&ints(&[5, 20])));
    assert!(spec.constraints.is_empty(), "every warm-up fits all numbers of epochs");
    assert_eq!((ladder.steps(), ladder.length_parameter()), (Some(20), Some("epochs")));
    assert_eq!(spec.largest_setting("batch_size", 1.0), 128.0);
    let ObjectiveSpec::Model { model, .. } = &ladder.objective else { panic!("a model") };
    let expected =
        ModelSpec { focal_gamma: 3.0, patience: 4, precision: Precision::Auto, ..ModelSpec::new(80, 16, 8) };
    assert_eq!(model, &expected, "what is searched has its default");

    let fixed = with("epochs = 7", "").unwrap();
    assert_eq!((fixed.steps(), fixed.length_parameter()), (Some(7), None));
}

#[test]
fn a_setting_that_only_some_trials_have_has_its_default_in_the_others() {
    let epochs = "epochs = { values = [5, 20], when = { dropout = 0.1 } }\ndropout = [0.0, 0.1]";
    assert_eq!(with("", epochs).unwrap().steps(), Some(50));
}

/// Only combinations of a warm-up and enough epochs are tried.
#[test]
fn combinations_that_do_not_fit_are_excluded() {
    let constraints = |space: &str| -> Vec<String> {
        let ladder = with("", space).unwrap();
        ladder.budgets[0].constraints.iter().map(ToString::to_string).collect()
    };
    let space = "warmup_epochs = [0, 8]\nepochs = [4, 10]\n";
    assert_eq!(constraints(space), ["warmup_epochs <= epochs"]);
    let own = format!("{space}constraints = [\"warmup_epochs <= epochs\", \"epochs > 3\"]");
    assert_eq!(constraints(&own), ["warmup_epochs <= epochs", "epochs > 3"]);
    assert_eq!(constraints("warmup_epochs = [0, 8]").len(), 0, "50 epochs are enough for both");
}

/// The smallest ladder whose windows are searched: more in its table `[space]`, and `[model]` without them.
fn windows(space: &str) -> Result<Ladder, LadderErrors> {
    let text = LEAST
        .replace("context = 80\npatch = 16\nstride = 8", "epochs = 3")
        .replace("n_layers = [2]", &format!("n_layers = [2]\n{space}"));
    parse(&text, Path::new("ladder.toml"))
}

#[test]
fn windows_are_searched_and_the_rows_are_those_of_the_longest() {
    let ladder = windows("context = [40, 96, 80]\npatch = [8, 48]\nstride = { int = [4, 8] }").unwrap();
    let ObjectiveSpec::Model { model, .. } = &ladder.objective else { panic!("a model") };
    assert_eq!(model, &ModelSpec { epochs: 3, precision: Precision::Auto, ..ModelSpec::new(96, 0, 0) });
    let constraints: Vec<String> = ladder.budgets[0].constraints.iter().map(ToString::to_string).collect();
    assert_eq!(constraints, ["patch <= context"], "48 rows do not fit into 40");
}

#[test]
fn windows_that_cannot_be_cut_are_refused() {
    insta::assert_snapshot!(refused(windows("")), @r"
    line 7: [model] has no `context`
        write, for example, context = 80
    line 7: [model] has no `patch`
        write, for example, patch = 16
    line 7: [model] has no `stride`
        write, for example, stride = 8
    ");
    insta::assert_snapshot!(refused(windows("context = [40]\npatch = [0, 8]\nstride = [8.5]")), @r"
    line 14: `patch` is 0, but must be from 1 to 1000000
    line 15: `stride` must be a whole number, not a fraction
    ");
    insta::assert_snapshot!(refused(windows("context = [8, 40]\npatch = [16, 48]\nstride = [8]")), @r"
    line 14: `patch` is 48 and context is 40, but `patch` must not be larger
        lower `patch` or raise `context`
    ");
    insta::assert_snapshot!(refused(windows("context = [8, 40]\npatch = [16]\nstride = [8]")), @r"
    line 13: `patch` is 16 and context is 8, but `patch` must not be larger
        lower `patch` or raise `context`
    ");
    let conditional = "context = [40]\nstride = [8]\n\
                       patch = { values = [8, 16], when = { n_heads = 2 } }";
    insta::assert_snapshot!(refused(windows(conditional)), @r"
    line 15: `patch` determines the architecture and cannot have a condition
        conditions are possible only for training parameters
    ");
    let fixed = with("", "context = [40, 80]\nepochs = [3]");
    insta::assert_snapshot!(refused(fixed), @r"
    line 8: `context` is set in [model] and in a search space
        remove it from [model] to search it, or from the space to fix it for all trials
    ");
}

#[test]
fn a_setting_is_in_one_place_for_all_budgets() {
    let both = with("epochs = 20\nnormalize = \"revin\"", "epochs = [5, 10]\nnormalize = [\"none\"]");
    insta::assert_snapshot!(refused(both), @r"
    line 11: `epochs` is set in [model] and in a search space
        remove it from [model] to search it, or from the space to fix it for all trials
    line 12: `normalize` is set in [model] and in a search space
        remove it from [model] to search it, or from the space to fix it for all trials
    ");
    let text = format!(
        "{LEAST}[budget.space]\nepochs = [5, 10]\nloss = [\"bce\", \"focal\"]\n\
         [[budget]]\nlabel = \"second\"\nweights = \"any\"\n"
    );
    insta::assert_snapshot!(refused(parse(&text, Path::new("ladder.toml"))), @r"
    line 23: no values for `epochs`, `loss` at budget `second`
        add it to [space] or to each [budget.space], for example epochs = [2, 4, 8]
    ");
    let top = format!("epochs = 3\n{LEAST}");
    insta::assert_snapshot!(refused(parse(&top, Path::new("ladder.toml"))), @r"
    line 1: unknown key `epochs` in the file
        `epochs` belongs in [model], or in [space] if it is searched
    ");
}

#[test]
fn values_that_a_setting_cannot_have_are_refused() {
    let kinds = "batch_size = [0, \"auto\"]\nepochs = { float = [1.0, 9.0] }\nwarmup_epochs = [-1.0]\n\
                 loss = [\"bce\", \"hinge\", 3]\nnormalize = { int = [1, 2] }";
    insta::assert_snapshot!(refused(with("", kinds)), @r"
    line 16: `batch_size` is 0, but must be from 1 to 1000000
    line 16: `batch_size` must be a whole number, not text
    line 17: `epochs` must be a range of whole numbers, int = [low, high]
    line 18: `warmup_epochs` is -1.0, but must be from 0 to 1000000
    line 19: `loss` cannot be `hinge`
        it can be `bce`, `weighted`, `focal`, `soft_auc`
    line 19: `loss` must be a word, not an integer
    line 20: `normalize` must be a list of words, not a table
    ");
    let none_fits = "warmup_epochs = [0, 20]\nepochs = [5, 10]";
    insta::assert_snapshot!(refused(with("", none_fits)), @r"
    line 16: `warmup_epochs` is 20 and epochs is 10, but `warmup_epochs` must not be larger
        lower `warmup_epochs` or raise `epochs`
    ");
    insta::assert_snapshot!(refused(with("warmup_epochs = 8", "epochs = [5, 10]")), @r"
    line 16: `warmup_epochs` is 8 and epochs is 5, but `warmup_epochs` must not be larger
        lower `warmup_epochs` or raise `epochs`
    ");
    let task = with("task = \"classes\"\nlabel_smoothing = 0.1", "loss = [\"bce\", \"soft_auc\"]");
    insta::assert_snapshot!(refused(task), @r#"
    line 12: `label_smoothing` needs classes and a loss of single windows
    line 17: `loss` needs `task = "binary"`: with "classes" it is "bce" or "weighted"
    "#);
    let others = with("revin_affine = true\nfocal_gamma = 3.0", "normalize = [\"revin\", \"none\"]");
    insta::assert_snapshot!(refused(others), @r#"
    line 11: `revin_affine` needs `normalize = "revin"`
    line 12: `focal_gamma` needs `loss = "focal"`
    "#);
}
