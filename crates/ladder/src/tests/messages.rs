//! A catalogue of all error messages for invalid ladder files.

use std::fmt::Write as _;
use std::path::Path;

use miette::{GraphicalReportHandler, GraphicalTheme};

use super::{LEAST, parse_with};

/// An invalid file: its name, replacements in the smallest ladder (old text, new text), settings.
type Mistake =
    (&'static str, &'static [(&'static str, &'static str)], &'static [(&'static str, &'static str)]);

const MISTAKES: &[Mistake] = &[
    ("a missing bracket", &[("[32, 64]", "[32, 64")], &[]),
    (
        "conditions that make no sense",
        &[(
            "n_layers = [2]",
            "n_layers = [2]\ndropout = [0.1, 0.3]\n\
             weight_decay = { values = [0.0], when = { dropout = [0.2] } }",
        )],
        &[],
    ),
    (
        "conditions in a circle",
        &[(
            "n_layers = [2]",
            "n_layers = [2]\ndropout = { values = [0.1], when = { weight_decay = 0.0 } }\n\
             weight_decay = { values = [0.0], when = { dropout = 0.1 } }",
        )],
        &[],
    ),
    ("a key twice", &[("patch = 16", "patch = 16\npatch = 8")], &[]),
    ("misspelt keys", &[("stride = 8", "stride = 8\nepoch = 3\ndropout = 0.1"), ("[space]", "[spce]")], &[]),
    (
        "misspelt parameters",
        &[(
            "n_layers = [2]",
            "n_layers = [2]\nheads = [2]\nlearning-rate = [0.1]\nlr = [0.1]\nmomentum = [1]",
        )],
        &[],
    ),
    (
        "misspelt words",
        &[
            ("\"least\"", "\"least\"\nmetric = \"accuracy\""),
            ("stride = 8", "stride = 8\nnormalize = \"Standard\""),
        ],
        &[],
    ),
    (
        "wrong types",
        &[
            ("\"rows.csv\"", "3"),
            ("context = 80", "context = \"80\""),
            ("patch = 16", "patch = 1.5"),
            ("[2]", "[2.5, \"3\"]"),
        ],
        &[],
    ),
    (
        "nothing required",
        &[
            ("name = \"least\"", ""),
            ("path = \"rows.csv\"", ""),
            ("context = 80\npatch = 16\nstride = 8", ""),
            ("weights = \"any\"", ""),
        ],
        &[],
    ),
    (
        "a command and a model",
        &[("[space]", "[command]\nrun = [\"train\"]\n[space]\nseed = [1]\n\"a b\" = [1]")],
        &[],
    ),
    (
        "a command that makes no sense",
        &[
            ("[data]\npath = \"rows.csv\"\nlabel = \"up\"\n", ""),
            (
                "[model]\ncontext = 80\npatch = 16\nstride = 8",
                "[command]\nrun = [\"train\", \"--lr={learning_rate}\", \"{\"]\ntimeout = \"soon\"\n\
                 retries = 2000\nsteps = 0\nweights = \"width ** 2\"\nvalue = { pattern = \"auc=[0-9.]+\" }\n\
                 [command.environment]\ninherit = 3\nset = { ALLOMETRY_SEED = \"1\" }",
            ),
            ("weights = \"any\"", "weights = 2e6"),
        ],
        &[],
    ),
    (
        "a command without",
        &[
            ("[data]\npath = \"rows.csv\"\nlabel = \"up\"\n", ""),
            (
                "[model]\ncontext = 80\npatch = 16\nstride = 8",
                "[command]\nrun = \"train\"\nvalue = { pattern = \"(\" }",
            ),
            ("d_model = [32, 64]\nn_layers = [2]\nn_heads = [2, 4]", ""),
        ],
        &[],
    ),
    (
        "a command whose sizes are unknown",
        &[
            ("[data]\npath = \"rows.csv\"\nlabel = \"up\"\n", ""),
            ("[model]\ncontext = 80\npatch = 16\nstride = 8", "[command]\nrun = [\"train\"]"),
            ("weights = \"any\"", "weights = 2e6"),
        ],
        &[],
    ),
    ("no budget", &[("[[budget]]\nlabel = \"any\"\nweights = \"any\"\n", "")], &[]),
    ("a budget that is no list", &[("[[budget]]", "[budget]")], &[]),
    (
        "a missing parameter",
        &[("n_heads = [2, 4]", ""), ("weights = \"any\"", "weights = \"any\"\n[[budget]]\nlabel = \"2M\"")],
        &[],
    ),
    (
        "two budgets with one label",
        &[(
            "weights = \"any\"",
            "weights = 2e6\n[[budget]]\nlabel = \"any\"\nweights = 0\ntolerance = -0.5\ntrials = 0",
        )],
        &[],
    ),
    (
        "a label that is a path",
        &[
            ("label = \"any\"", "label = \"a/b\""),
            ("weights = \"any\"", "weights = \"any\"\ntolerance = 0.3"),
        ],
        &[],
    ),
    (
        "values out of range",
        &[(
            "n_heads = [2, 4]",
            "n_heads = [0, 4]\ndropout = [0.5, 1.0]\nlearning_rate = { float = [-1e-3, 1e-2] }",
        )],
        &[],
    ),
    ("bad lists", &[("[32, 64]", "[]"), ("[2, 4]", "[2, 4, 2]")], &[]),
    (
        "bad ranges",
        &[
            ("[32, 64]", "{ int = [64, 32] }"),
            ("[2]", "{ int = [2, 7], step = 2 }"),
            (
                "n_heads = [2, 4]",
                "n_heads = { float = [2, 4] }\nweight_decay = { float = [0.0, 1e-2], log = true }\n\
                 learning_rate = { float = [1e-4, 1e-2], log = true, step = 1e-4 }\n\
                 dropout = { float = [0.0, 0.9], steps = 0.1 }",
            ),
        ],
        &[],
    ),
    (
        "too many values",
        &[("n_heads = [2, 4]", "n_heads = [2, 4]\nweight_decay = { float = [0.0, 1.0], step = 1e-9 }")],
        &[],
    ),
    ("a patch beyond the context", &[("patch = 16", "patch = 96"), ("stride = 8", "stride = 0")], &[]),
    (
        "settings of the model that mean nothing beside the others",
        &[(
            "stride = 8",
            "stride = 8\nrevin_affine = true\npositive_weight = 2\nfocal_gamma = 1\nmonitor = \"mse\"\n\
             warmup_epochs = 60\nbase_width = 32\nbase_head_width = 8",
        )],
        &[],
    ),
    (
        "a parametrization that is not known",
        &[("stride = 8", "stride = 8\nparametrization = \"ntk\"\nbase_width = 32")],
        &[],
    ),
    (
        "a parametrization that the device does not train",
        &[("stride = 8", "stride = 8\nparametrization = \"mup\"\ndevice = \"wgpu\"")],
        &[],
    ),
    (
        "settings of the model out of range",
        &[(
            "stride = 8",
            "stride = 8\nhead_dropout = 1\nlabel_smoothing = -0.1\naccumulate = 0\naverage_epochs = 101\n\
             batch_size = \"large\"\nloss = \"hinge\"",
        )],
        &[],
    ),
    (
        "shares beyond one",
        &[("label = \"up\"", "label = \"up\"\nsplit = { train = 0.9, validation = 0.2 }")],
        &[],
    ),
    (
        "a horizon twice",
        &[(
            "label = \"up\"",
            "label = { rise = 0.01, of = \"high\", over = \"close\", horizon = 2 }\nhorizon = 5",
        )],
        &[],
    ),
    ("a horizon of nothing", &[("label = \"up\"", "label = \"up\"\nhorizon = 0")], &[]),
    ("a horizon that is no number of rows", &[("label = \"up\"", "label = \"up\"\nhorizon = \"5d\"")], &[]),
    ("a smallest effect of nothing", &[("name = \"least\"", "name = \"least\"\nsmallest_effect = 0")], &[]),
    ("a smallest effect that is no number", &[], &[("smallest_effect", "inf"), ("tag", "[1]")]),
    (
        "a confirmation that makes no sense",
        &[("[space]", "[confirm]\ntop = 0\nseeds = 1001\nrows = 5\n[space]")],
        &[],
    ),
    (
        "a confirmation by a command that does not know its test rows",
        &[
            ("[data]\npath = \"rows.csv\"\nlabel = \"up\"\n", "[confirm]\n"),
            ("[model]\ncontext = 80\npatch = 16\nstride = 8", "[command]\nrun = [\"train\"]\nhorizon = 0"),
        ],
        &[],
    ),
    (
        "features that cannot be",
        &[(
            "label = \"up\"",
            "label = \"up\"\nfeatures = { include = [\"a\", \"up\", \"a\", \"b\"], exclude = [\"b\"] }",
        )],
        &[],
    ),
    (
        "parts of the training rows",
        &[(
            "\"least\"",
            "\"least\"\ntrain_share = [0.5, 0.0, 0.5, 1.5, \"half\"]\ntrain_rows = [0, 2.5, 10]",
        )],
        &[],
    ),
    ("one part of the training rows", &[("\"least\"", "\"least\"\ntrain_share = 0.5")], &[]),
    (
        "settings",
        &[],
        &[
            ("model.epochs", "many"),
            ("budget.2M.trials", "3"),
            ("name.x", "1"),
            ("space.d_model", "[32, 64"),
            ("a b", "1"),
            ("space.dropout", "[0.1, 2.5]"),
            ("sampler.knd", "grid"),
        ],
    ),
];

fn rendered((_, changes, settings): &Mistake) -> String {
    let mut text = LEAST.to_owned();
    for (old, new) in *changes {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    let settings: Vec<(String, String)> = settings.iter().map(|&(k, v)| (k.into(), v.into())).collect();
    let errors = parse_with(&text, Path::new("ladder.toml"), &settings).expect_err(&text);
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(110);
    let mut out = String::new();
    for problem in errors.problems() {
        handler.render_report(&mut out, problem).unwrap();
    }
    out
}

#[test]
fn mistakes_are_told_with_their_place_and_a_way_out() {
    let mut catalogue = String::new();
    for mistake in MISTAKES {
        writeln!(catalogue, "======== {}\n\n{}", mistake.0, rendered(mistake)).unwrap();
    }
    insta::assert_snapshot!(catalogue);
}
