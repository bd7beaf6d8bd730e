//! The examples in the help of the program and of its commands.

/// An example of a command: what it does, and the command line.
pub(super) type Example = (&'static str, &'static str);

/// The examples of the program.
pub(super) const OF_PROGRAM: [Example; 2] = [
    ("See a whole ladder in a minute, on generated data:", "allometry demo"),
    (
        "Search your own table at several sizes:",
        "allometry init prices.csv && allometry check && allometry run",
    ),
];

/// The examples of each command.
const OF_COMMANDS: [(&str, &[Example]); 27] = [
    (
        "init",
        &[
            ("Write ladder.toml for a table:", "allometry init prices.csv"),
            (
                "Say which column is predicted and which orders the rows:",
                "allometry init prices.csv --label up --time date --trials 40",
            ),
        ],
    ),
    (
        "check",
        &[
            ("Check the ladder.toml of this folder:", "allometry check"),
            ("Evaluate one trial and store nothing:", "allometry check --try"),
            ("Test whether the features leak the label:", "allometry check --shuffle"),
        ],
    ),
    (
        "run",
        &[
            ("Run the ladder.toml of this folder, or continue it:", "allometry run"),
            ("Start no trial after two hours:", "allometry run --until 2h"),
            (
                "Run the program of a ladder on two graphics processors:",
                "allometry run ladder.toml --devices 0,1 --workers 2",
            ),
        ],
    ),
    (
        "worker",
        &[(
            "Join a run from another machine:",
            "allometry worker --storage postgresql://me@db.example/trials ladder.toml",
        )],
    ),
    (
        "plan",
        &[
            ("See which trainings would decide the verdict:", "allometry plan"),
            ("See a plan that may cost twice as much:", "allometry plan --plan-trainings 32"),
            ("See which configurations to try for a better one:", "allometry plan --for optimum"),
        ],
    ),
    (
        "confirm",
        &[
            ("Train the best configuration of each budget under five seeds:", "allometry confirm"),
            ("Choose among the three best:", "allometry confirm --top 3 --seeds 5"),
        ],
    ),
    ("transfer", &[("Try three configurations of each budget elsewhere:", "allometry transfer --top 3")]),
    (
        "train",
        &[
            ("Repeat a stored trial:", "allometry train --budget 2M --trial 17 -o model.safetensors"),
            ("Train what the report recommends:", "allometry train --recommended -o model.safetensors"),
            (
                "Calibrate its probabilities and judge them on the test rows:",
                "allometry train --recommended -o model.safetensors --calibrate temperature",
            ),
        ],
    ),
    (
        "predict",
        &[
            (
                "Write predictions beside the table:",
                "allometry predict model.safetensors new.csv -o scores.csv",
            ),
            (
                "Decide, where a false negative costs five times as much as a false positive:",
                "allometry predict model.safetensors new.csv --costs 1,5",
            ),
        ],
    ),
    (
        "explain",
        &[
            ("See which features and rows a model uses:", "allometry explain model.safetensors"),
            (
                "Judge each row of the window on the log loss:",
                "allometry explain model.safetensors --steps 1 --metric log_loss --json",
            ),
        ],
    ),
    ("demo", &[("Write to a folder of this name:", "allometry demo first-look")]),
    (
        "status",
        &[
            ("Show the studies of the ladder.toml of this folder:", "allometry status"),
            ("Show the studies of a storage of Optuna:", "allometry status sqlite:///study.db --json"),
        ],
    ),
    (
        "list",
        &[
            ("List the failed trials:", "allometry list --state failed"),
            ("Write a document per trial:", "allometry list study.db --json-lines"),
        ],
    ),
    (
        "show",
        &[
            ("Show trial 12 of a budget:", "allometry show --study 2M 12"),
            ("Show a trial of another storage:", "allometry show study.db 3"),
        ],
    ),
    (
        "best",
        &[
            ("Print the best of each budget:", "allometry best"),
            ("Print it for another program:", "allometry best ladder.toml --study 2M --json"),
        ],
    ),
    (
        "report",
        &[
            ("Print the summary of the ladder of this folder:", "allometry report"),
            (
                "Compare studies of Optuna at two sizes:",
                "allometry report small=study.db:small large=study.db:large -o report.html",
            ),
            (
                "Fail a pipeline if a baseline is ahead:",
                "allometry report --fail-on behind-baseline -o report.json",
            ),
        ],
    ),
    (
        "compare",
        &[
            (
                "Compare a ladder before and after a change:",
                "allometry compare old/ladder.toml new/ladder.toml",
            ),
            ("Write the comparison:", "allometry compare old.json new.json -o comparison.md"),
        ],
    ),
    (
        "fit",
        &[
            ("Fit the loss over the weights:", "allometry fit runs.csv --weights n_params --value loss"),
            (
                "Fit it over weights and data, and write the numbers:",
                "allometry fit runs.csv --weights n_params --flops flops --value loss -o fit.json",
            ),
            ("Fit the budgets of a ladder, with a picture:", "allometry fit --picture laws.svg"),
        ],
    ),
    (
        "serve",
        &[
            ("Watch the ladder of this folder at http://127.0.0.1:8080:", "allometry serve"),
            (
                "Serve a storage to Optuna's workers:",
                "allometry serve --grpc 127.0.0.1:13000 sqlite:///study.db",
            ),
        ],
    ),
    (
        "ask",
        &[
            ("Get a configuration of a ladder:", "allometry ask --study 2M"),
            (
                "Create a study with a space:",
                "allometry ask --in sqlite:///study.db --study mlp --space space.json --direction maximize",
            ),
        ],
    ),
    (
        "tell",
        &[
            ("Give the value of trial 7:", "allometry tell --study 2M 7 0.81"),
            ("Say that it failed:", "allometry tell --study 2M 7 --state failed --reason \"out of memory\""),
        ],
    ),
    (
        "enqueue",
        &[
            ("Try a configuration next:", "allometry enqueue --study 2M learning_rate=1e-4 dropout=0.1"),
            (
                "Try the best ones of another study:",
                "allometry enqueue --study 2M --from old=old.db:2M --top 3",
            ),
        ],
    ),
    ("sampler", &[("Propose configurations by a Parzen estimator:", "allometry sampler --kind tpe")]),
    (
        "import",
        &[
            ("Copy a study of Optuna:", "allometry import study.db --storage sqlite:///trials.db"),
            ("Turn a sweep of Weights & Biases into a ladder:", "allometry import sweep.yaml -o ladder.toml"),
        ],
    ),
    (
        "export",
        &[
            ("Write a study as a table:", "allometry export --study 2M trials.db -o 2M.csv"),
            ("Write a model for ONNX Runtime:", "allometry export model.safetensors --onnx model.onnx"),
        ],
    ),
    ("completions", &[("Print completions for fish:", "allometry completions fish")]),
    ("man", &[("Read the page of a command:", "allometry man run | man -l -")]),
];

/// Returns the examples of a command.
pub(super) fn of(command: &str) -> &'static [Example] {
    OF_COMMANDS.iter().find(|(name, _)| *name == command).map_or(&[], |(_, examples)| examples)
}
