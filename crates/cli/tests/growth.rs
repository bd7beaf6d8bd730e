//! Tests that the cost of commands grows linearly: ten times as many trials, values, keys, budgets or steps
//! take less than 15 times the processor time.
//!
//! They are a separate binary, because they measure the processor time of the process's children, and no
//! other test may have children.
//!
//! By default sizes of 1,000 and 10,000 are compared; `ALLOMETRY_GROWTH=100000` adds 100,000.

#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use allometry_testkit::MOST_GROWTH;

/// Minimum seconds of a measurement; below them the start of the process dominates.
const LEAST: f64 = 0.03;
/// Number of runs of the smaller sizes, of which the fastest counts.
const TRIES: usize = 3;
/// Number of measurements of a pair of sizes, one of which must show linear growth.
const ROUNDS: usize = 4;

/// A case: commands on inputs of growing size.
struct Case {
    name: &'static str,
    /// Writes the input of a size into a folder.
    make: fn(&Path, usize),
    /// The actions, each measured by itself.
    runs: fn(usize) -> Vec<Run>,
}

/// An action whose processor time is measured.
enum Run {
    /// A command with its arguments and its expected exit code.
    Command(Vec<String>, i32),
    /// Starting a dashboard until it serves the first page.
    FirstPage,
}

impl Run {
    /// Returns actions for commands that succeed, each given by its arguments as one text.
    fn commands(all: &[&str]) -> Vec<Self> {
        all.iter().map(|words| Self::Command(words.split(' ').map(Into::into).collect(), 0)).collect()
    }

    fn cost(&self, folder: &Path) -> f64 {
        match self {
            Self::Command(arguments, code) => cost(folder, arguments, *code),
            Self::FirstPage => cost_of_first_page(folder),
        }
    }

    /// Returns the least processor seconds of `tries` runs, at least [`LEAST`].
    fn cheapest(&self, folder: &Path, tries: usize) -> f64 {
        (0..tries).map(|_| self.cost(folder)).fold(f64::INFINITY, f64::min).max(LEAST)
    }

    fn name(&self) -> String {
        match self {
            Self::Command(arguments, _) => arguments[..arguments.len().min(6)].join(" "),
            Self::FirstPage => "first page".into(),
        }
    }
}

const CASES: [Case; 5] = [
    Case {
        name: "trials",
        make: |folder, size| {
            trials(&folder.join("trials.json"), size);
            import(folder);
        },
        runs: |_| {
            let mut runs = Run::commands(&[
                "list made.db",
                "status made.db",
                "best made.db",
                "show made.db 0",
                "report made.db -o report.md",
                "report made.db -o report.json",
                "report made.db -o report.html",
                "report a=trials.json --direction maximize -o of_json.html",
                "export made.db -o all.json",
                "export made.db -o all.csv",
            ]);
            runs.push(Run::FirstPage);
            runs
        },
    },
    Case {
        name: "values of a list",
        make: |folder, size| {
            let values: Vec<String> = (0..size).map(|value| format!("{value}")).collect();
            ladder(folder, "", &format!("x = [{}]", values.join(", ")));
        },
        runs: |_| Run::commands(&["check ladder.toml"]),
    },
    Case {
        name: "unknown keys",
        make: |folder, size| {
            let mut keys = String::new();
            (0..size).for_each(|key| writeln!(keys, "key_{key} = 1").unwrap());
            ladder(folder, &keys, "x = [1, 2]");
        },
        runs: |_| vec![Run::Command(vec!["check".into(), "ladder.toml".into()], 3)],
    },
    Case {
        name: "hundreds of budgets",
        make: |folder, size| {
            for budget in 1..=size / 100 {
                trials(&folder.join(format!("{budget}k.json")), 20);
            }
        },
        runs: |size| {
            let options = ["report", "--metric", "auc", "-o", "report.html"].map(str::to_owned);
            let sources = (1..=size / 100).map(|label| format!("{label}k={label}k.json"));
            vec![Run::Command(options.into_iter().chain(sources).collect(), 0)]
        },
    },
    Case {
        name: "steps of a trial",
        make: |folder, size| {
            let steps: Vec<String> =
                (1..=size).map(|step| format!("\"{step}\": {}", 1.0 / step as f64)).collect();
            let text = format!(
                "[{{\"number\": 0, \"value\": 0.5, \"params\": {{\"x\": 1}}, \"state\": \"COMPLETE\", \
                 \"intermediate_values\": {{{}}}}}]",
                steps.join(", ")
            );
            std::fs::write(folder.join("trials.json"), text).unwrap();
            import(folder);
        },
        runs: |_| {
            Run::commands(&["show made.db 0", "report made.db -o report.html", "export made.db -o all.json"])
        },
    },
];

/// Returns the program, to run in `folder`.
fn allometry(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_allometry"));
    command.current_dir(folder).env_remove("ALLOMETRY_STORAGE").env_remove("OPTUNA_STORAGE");
    command
}

/// Runs the program, which must exit with `code`.
fn run(folder: &Path, arguments: &[&str], code: i32) {
    let output = allometry(folder).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
}

/// Imports a list of trials into a database.
fn import(folder: &Path) {
    let arguments = ["import", "a=trials.json", "--storage", "made.db", "--direction", "maximize"];
    run(folder, &arguments, 0);
}

/// Writes a list of trials, like scripts that use Optuna.
fn trials(path: &Path, count: usize) {
    let mut text = String::from("[");
    let mut state: u64 = 9;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1u32 << 31)
    };
    for number in 0..count {
        let (rate, width, value) = (next(), 32 << (next() * 4.0) as u32, next());
        let comma = if number > 0 { "," } else { "" };
        write!(
            text,
            "{comma}\n{{\"number\": {number}, \"value\": {value}, \"state\": \"COMPLETE\", \
             \"params\": {{\"rate\": {rate}, \"width\": {width}}}}}"
        )
        .unwrap();
    }
    std::fs::write(path, text + "]").unwrap();
}

/// Writes a ladder with `keys` at its beginning and a `space`.
fn ladder(folder: &Path, keys: &str, space: &str) {
    let text = format!(
        "{keys}name = \"l\"\nmetric = \"auc\"\ntrials = 4\n[command]\nrun = [\"true\"]\n\
         [[budget]]\nlabel = \"a\"\nweights = \"any\"\n[space]\n{space}\n"
    );
    std::fs::write(folder.join("ladder.toml"), text).unwrap();
}

/// Returns the processor seconds of a process from its line in /proc: its own, or those of its children that
/// have ended.
fn processor_time(stat: &str, first: usize) -> f64 {
    // The name of the program, in parentheses, may contain spaces.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[first..first + 2].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}

/// Returns the processor seconds of a command, which must exit with `code`.
fn cost(folder: &Path, arguments: &[String], code: i32) -> f64 {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let children = || processor_time(&std::fs::read_to_string("/proc/self/stat").unwrap(), 13);
    let before = children();
    run(folder, &arguments, code);
    children() - before
}

/// Returns the processor seconds of a dashboard until it serves the first page.
fn cost_of_first_page(folder: &Path) -> f64 {
    let mut serve = allometry(folder)
        .args(["serve", "made.db", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(serve.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.split("http://").nth(1).unwrap().trim().trim_end_matches('/');
    let mut page = String::new();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    stream.read_to_string(&mut page).unwrap();
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let took = processor_time(&std::fs::read_to_string(format!("/proc/{}/stat", serve.id())).unwrap(), 11);
    serve.kill().unwrap();
    serve.wait().unwrap();
    took
}

/// All cases are one test, so that no other child of this process is measured.
#[test]
fn costs_grow_in_proportion() {
    let most: usize = std::env::var("ALLOMETRY_GROWTH").map_or(10_000, |most| most.parse().unwrap());
    let mut too_steep = Vec::new();
    for case in CASES {
        let mut before: Option<(tempfile::TempDir, Vec<Run>, Vec<f64>)> = None;
        let mut size = 1000;
        while size <= most {
            let folder = tempfile::tempdir().unwrap();
            (case.make)(folder.path(), size);
            let tries = if size > 1000 { 1 } else { TRIES };
            let runs = (case.runs)(size);
            let costs: Vec<f64> = runs.iter().map(|run| run.cheapest(folder.path(), tries)).collect();
            if let Some((tenth, fewer, few)) = &before {
                for (place, (run, cost)) in runs.iter().zip(&costs).enumerate() {
                    let (mut cost, mut few) = (*cost, few[place]);
                    // Other programs can slow down one measurement; quadratic growth fails all of them.
                    for _ in 1..ROUNDS {
                        if cost / few < MOST_GROWTH {
                            break;
                        }
                        cost = run.cheapest(folder.path(), 1);
                        few = fewer[place].cheapest(tenth.path(), 1);
                    }
                    let growth = cost / few;
                    let what = format!(
                        "{}: {}: {size} cost {cost:.2} s, a tenth {few:.2} s: {growth:.1} times",
                        case.name,
                        run.name()
                    );
                    println!("{what}");
                    if growth >= MOST_GROWTH {
                        too_steep.push(what);
                    }
                }
            }
            before = Some((folder, runs, costs));
            size *= 10;
        }
    }
    assert!(too_steep.is_empty(), "{too_steep:#?}");
}
