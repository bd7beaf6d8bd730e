//! Tests that run the transcripts of the documentation and compare its lists with the program.
//!
//! In a ```` ```console ```` block of a page, a line after `$ ` is a command and the next lines are its
//! output. `...` stands for any text in a line, or, alone in a line, for any lines. All blocks of a page run
//! in one folder. A block ```` ```toml file=ladder.toml ```` writes a file. A block
//! ```` ```console not-run ```` is skipped, because it takes hours, another machine or something else that
//! a test lacks.

use std::path::{Path, PathBuf};

use crate::support::{allometry, run, texts};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect("the page is there")
}

/// Returns every page that may have transcripts, relative to the root.
fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned(), "python/README.md".into()];
    for folder in ["docs", "docs/guide", "docs/reference", "docs/methods", "examples"] {
        for entry in std::fs::read_dir(root().join(folder)).expect("the folder is there") {
            let name = entry.expect("the entry is readable").file_name().to_string_lossy().into_owned();
            let path = match folder {
                "examples" => format!("{folder}/{name}/README.md"),
                _ => format!("{folder}/{name}"),
            };
            if Path::new(&path).extension().is_some_and(|ending| ending == "md")
                && root().join(&path).is_file()
            {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

enum Step {
    File { name: String, text: String },
    Command { line: usize, text: String, output: Vec<String> },
}

/// Returns the files and commands of a page in their order.
fn steps(text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((_, line)) = lines.next() {
        let Some(info) = line.trim_start().strip_prefix("```") else { continue };
        let body: Vec<(usize, &str)> = lines.by_ref().take_while(|(_, line)| line.trim() != "```").collect();
        if let Some(name) = info.split_whitespace().find_map(|word| word.strip_prefix("file=")) {
            let mut text = body.iter().map(|(_, line)| *line).collect::<Vec<_>>().join("\n");
            text.push('\n');
            steps.push(Step::File { name: name.to_owned(), text });
        }
        if info.trim() == "console" {
            commands(&body, &mut steps);
        }
    }
    steps
}

fn commands(body: &[(usize, &str)], steps: &mut Vec<Step>) {
    let first = steps.len();
    for (number, line) in body {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step::Command { line: *number, text: command.to_owned(), output: Vec::new() });
        } else if let Some(Step::Command { text, output, .. }) = steps[first..].last_mut() {
            // A command continues until its quotes are closed.
            if output.is_empty() && (text.matches('\'').count() % 2 == 1 || text.ends_with('\\')) {
                text.push('\n');
                text.push_str(line);
            } else {
                output.push((*line).to_owned());
            }
        }
    }
}

/// Returns whether a line matches an expected line, in which `...` stands for any text.
fn is_like(expected: &str, line: &str) -> bool {
    let Some((first, rest)) = expected.split_once("...") else { return expected == line };
    let Some(line) = line.strip_prefix(first) else { return false };
    (0..=line.len()).any(|at| line.is_char_boundary(at) && is_like(rest, &line[at..]))
}

/// Returns whether lines match expected lines, in which a line of `...` stands for any lines.
fn are_like(expected: &[String], lines: &[&str]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first.trim() == "..." => {
            (0..=lines.len()).any(|skipped| are_like(rest, &lines[skipped..]))
        }
        Some((first, rest)) => {
            lines.split_first().is_some_and(|(line, after)| is_like(first, line) && are_like(rest, after))
        }
    }
}

/// Creates the files that a page assumes: files of trials, a study, a table.
fn prepare(page: &str, folder: &Path) {
    if ["docs/guide/optuna-study.md", "docs/reference/exchange.md"].contains(&page) {
        let set = |low: f64, high: f64, log: bool| {
            let attributes = serde_json::json!({"low": low, "high": high, "log": log, "step": null});
            serde_json::json!({"name": "FloatDistribution", "attributes": attributes})
        };
        let sets =
            serde_json::json!({"learning_rate": set(1e-4, 1e-1, true), "dropout": set(0.0, 0.5, false)});
        for (label, weights, best) in [("small", 21_000, 0.7), ("large", 210_000, 0.72)] {
            let trials: Vec<_> = (0..20)
                .map(|number| {
                    let rate = f64::from(number + 1) / 1e3;
                    serde_json::json!({
                        "number": number, "state": "COMPLETE", "user_attrs": {"n_params": weights},
                        "value": best - rate + f64::from(number * 7 % 5) / 1e3,
                        "params": {"learning_rate": rate, "dropout": f64::from(number % 3) / 10.0},
                        "distributions": sets,
                    })
                })
                .collect();
            let file = format!("{label}.json");
            std::fs::write(folder.join(&file), serde_json::to_string(&trials).unwrap()).unwrap();
            if page == "docs/reference/exchange.md" {
                continue;
            }
            let source = format!("{label}={file}");
            let (code, _, err) =
                run(folder, &["import", &source, "--storage", "study.db", "--direction", "maximize"]);
            assert_eq!(code, 0, "{err}");
        }
    }
    if page == "docs/guide/report.md" {
        std::fs::write(folder.join("data.csv"), crate::support::table(400)).unwrap();
        std::fs::write(folder.join("ladder.toml"), crate::support::LADDER).unwrap();
        let (code, _, err) = run(folder, &["run", "--quiet"]);
        assert_eq!(code, 0, "{err}");
    }
    if page == "docs/reference/init.md" {
        std::fs::write(folder.join("data.csv"), crate::support::table(400)).unwrap();
    }
}

/// Returns `PATH` with the folder of the program under test first.
fn path() -> std::ffi::OsString {
    let program =
        Path::new(env!("CARGO_BIN_EXE_allometry")).parent().expect("it lies in a folder").to_owned();
    let others = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(program).chain(std::env::split_paths(&others))).expect("a path")
}

/// Programs that the commands of a page call, besides the shell.
const CALLED: &[(&str, &str)] =
    &[("docs/guide/first-ladder.md", "awk"), ("docs/guide/own-script.md", "python3")];

#[test]
fn transcripts_of_the_documentation_are_what_happens() {
    const TEST: &str = "transcripts_of_the_documentation_are_what_happens";
    if allometry_testkit::program(TEST, "bash").is_none() {
        return;
    }
    let mut commands = 0;
    for page in pages() {
        let mut called = CALLED.iter().filter(|(other, _)| *other == page);
        if called.any(|(_, program)| allometry_testkit::program(TEST, program).is_none()) {
            continue;
        }
        let steps = steps(&self::page(&page));
        if !steps.iter().any(|step| matches!(step, Step::Command { .. })) {
            continue;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        prepare(&page, folder.path());
        for step in steps {
            match step {
                Step::File { name, text } => std::fs::write(folder.path().join(name), text).unwrap(),
                Step::Command { line, text, output } => {
                    commands += 1;
                    let shell = format!("exec 2>&1\n{text}");
                    let mut bash = std::process::Command::new("bash");
                    bash.args(["-c", &shell])
                        .current_dir(folder.path())
                        .env("PATH", path())
                        .env("CI", "true");
                    for variable in ["ALLOMETRY_STORAGE", "OPTUNA_STORAGE"] {
                        bash.env_remove(variable);
                    }
                    let (code, out, _) = texts(&bash.output().expect("bash starts"));
                    assert_eq!(code, 0, "{page}:{line}: {text}\n{out}");
                    let lines: Vec<&str> = out.lines().map(str::trim_end).collect();
                    // If the page shows no output of a command, any output is accepted.
                    assert!(
                        output.is_empty() || are_like(&output, &lines),
                        "{page}:{line}: {text}\nexpected:\n{}\nfound:\n{out}",
                        output.join("\n")
                    );
                }
            }
        }
    }
    assert!(commands > 10, "{commands} commands");
}

#[test]
fn the_readme_has_the_commands_that_ci_runs() {
    let (readme, ci) = (page("README.md"), page(".ci/run"));
    assert!(readme.contains("\ncargo test --workspace\n") && ci.contains("\ncargo test --workspace\n"));
    assert!(
        readme.contains("\ncargo run --release -- demo\n")
            && ci.contains("cargo run --release --quiet -- demo")
    );
    assert!(readme.lines().count() < 150, "the README is long");
}

#[test]
fn the_reference_lists_every_command_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(folder.path(), &["--help"]).1;
    let commands = help.lines().take_while(|line| *line != "Options:");
    let mut names: Vec<&str> = commands
        .filter_map(|line| line.strip_prefix("  "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    names.retain(|name| *name != "help");
    let text = page("docs/reference/commands.md");
    let mut listed: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `allometry "))
        .filter_map(|rest| rest.split([' ', '`']).next())
        .collect();
    names.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, names);
}

#[test]
fn the_reference_lists_every_finding_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    // The error for an unknown finding lists all findings.
    let output = allometry(folder.path()).args(["report", "--fail-on", "nonsense"]).output().unwrap();
    let said = texts(&output).2.replace('\n', " ");
    let of_trials = said.split("codes are ").nth(1).and_then(|rest| rest.split(';').next()).expect("codes");
    let of_reports =
        said.split("conclusions are ").nth(1).and_then(|rest| rest.split("  ").next()).expect("codes");
    let mut codes: Vec<&str> = of_trials.split(", ").chain(of_reports.split(", ")).map(str::trim).collect();
    let text = page("docs/reference/findings.md");
    let mut listed = vec!["contradiction"];
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells = line.split('|').map(str::trim).take(3);
        listed.extend(cells.filter_map(|cell| cell.strip_prefix('`')?.strip_suffix('`')));
    }
    codes.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, codes);
}

#[test]
fn the_reference_has_the_defaults_of_hyperparameters() {
    let params = [("d_model", 8_i64), ("n_layers", 1), ("n_heads", 2)].into_iter().collect();
    let defaults = allometry_trainer::Hyperparameters::from_params(&params).expect("the rest has defaults");
    let text = page("docs/reference/ladder.md");
    for (name, value) in [
        ("d_ff_ratio", defaults.architecture.d_ff_ratio as f64),
        ("learning_rate", defaults.learning_rate),
        ("dropout", defaults.dropout),
        ("weight_decay", defaults.weight_decay),
    ] {
        let row = text.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).expect("a row");
        assert_eq!(row.split('|').nth(3).map(str::trim), Some(value.to_string().as_str()), "{row}");
    }
}
