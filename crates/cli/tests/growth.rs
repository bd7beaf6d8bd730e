//! What commands cost grows in proportion to what they are given: ten times as many trials, values, keys, budgets or steps take less
//! than 15 times the processor time.
//!
//! `ALLOMETRY_GROWTH=100000` goes on to 100,000 of each; without it 1,000 and 10,000 are compared.

#![cfg(target_os = "linux")]

mod support;

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;

use support::{allometry, run};

/// Most that the cost of a tenfold input may grow: linear is 10, linear with a logarithm below 14, quadratic 100.
const MOST_GROWTH: f64 = 15.0;
/// Seconds below which the start of a process says more than its work.
const LEAST: f64 = 0.03;
/// Tries of the smaller sizes, of which the cheapest counts.
const TRIES: usize = 3;

/// What is run on inputs of growing size.
struct Case {
    name: &'static str,
    /// Writes the input of a size into a folder.
    make: fn(&Path, usize),
    /// The commands to run there, each measured by itself. Each must end with this code.
    commands: &'static [(&'static [&'static str], i32)],
}

const CASES: [Case; 5] = [
    Case {
        name: "trials",
        make: |folder, size| {
            trials(&folder.join("trials.json"), size);
            let import = ["import", "a=trials.json", "--storage", "made.db", "--direction", "maximize"];
            assert_eq!(run(folder, &import).0, 0);
        },
        commands: &[
            (&["list", "made.db"], 0),
            (&["status", "made.db"], 0),
            (&["best", "made.db"], 0),
            (&["show", "made.db", "0"], 0),
            (&["report", "made.db", "-o", "report.md"], 0),
            (&["report", "made.db", "-o", "report.json"], 0),
            (&["report", "made.db", "-o", "report.html"], 0),
            (&["report", "a=trials.json", "--direction", "maximize", "-o", "of_json.html"], 0),
            (&["export", "made.db", "-o", "all.json"], 0),
            (&["export", "made.db", "-o", "all.csv"], 0),
        ],
    },
    Case {
        name: "values of a list",
        make: |folder, size| {
            let values: Vec<String> = (0..size).map(|value| format!("{value}")).collect();
            ladder(folder, "", &format!("x = [{}]", values.join(", ")));
        },
        commands: &[(&["check", "ladder.toml"], 0)],
    },
    Case {
        name: "unknown keys",
        make: |folder, size| {
            let mut keys = String::new();
            (0..size).for_each(|key| writeln!(keys, "key_{key} = 1").unwrap());
            ladder(folder, &keys, "x = [1, 2]");
        },
        commands: &[(&["check", "ladder.toml"], 3)],
    },
    Case {
        name: "hundreds of budgets",
        make: |folder, size| {
            for budget in 0..size / 100 {
                trials(&folder.join(format!("{}k.json", budget + 1)), 20);
            }
        },
        commands: &[],
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
            let import = ["import", "a=trials.json", "--storage", "made.db", "--direction", "maximize"];
            assert_eq!(run(folder, &import).0, 0);
        },
        commands: &[
            (&["show", "made.db", "0"], 0),
            (&["report", "made.db", "-o", "report.html"], 0),
            (&["export", "made.db", "-o", "all.json"], 0),
        ],
    },
];

/// A list of trials, as scripts around Optuna write it.
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
            "{comma}\n{{\"number\": {number}, \"value\": {value}, \"params\": {{\"rate\": {rate}, \"width\": {width}}}, \
             \"state\": \"COMPLETE\"}}"
        )
        .unwrap();
    }
    std::fs::write(path, text + "]").unwrap();
}

/// A ladder with `keys` at its beginning and a `space`.
fn ladder(folder: &Path, keys: &str, space: &str) {
    let text = format!(
        "{keys}name = \"l\"\nmetric = \"auc\"\ntrials = 4\n[command]\nrun = [\"true\"]\n\
         [[budget]]\nlabel = \"a\"\nweights = \"any\"\n[space]\n{space}\n"
    );
    std::fs::write(folder.join("ladder.toml"), text).unwrap();
}

/// Processor time in seconds of a process by its line in /proc: its own, or that of its children that have ended.
fn processor_time(stat: &str, first: usize) -> f64 {
    // The program's name, in parentheses, may hold spaces.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[first..first + 2].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}

/// Processor time of a command, which must end with `code`.
fn cost(folder: &Path, arguments: &[&str], code: i32) -> f64 {
    let children = || processor_time(&std::fs::read_to_string("/proc/self/stat").unwrap(), 13);
    let before = children();
    let (ended, _, said) = run(folder, arguments);
    assert_eq!(ended, code, "{arguments:?}: {said}");
    children() - before
}

/// Processor time of a dashboard until its first page is there.
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

/// One test, so that no other child of this process is measured along.
#[test]
fn costs_grow_in_proportion() {
    let most: usize = std::env::var("ALLOMETRY_GROWTH").map_or(10_000, |most| most.parse().unwrap());
    let mut too_steep = Vec::new();
    for case in CASES {
        let mut before: Vec<(String, f64)> = Vec::new();
        let mut size = 1000;
        while size <= most {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path();
            (case.make)(path, size);
            let tries = if size > 1000 { 1 } else { TRIES };
            let cheapest =
                |cost: &dyn Fn() -> f64| (0..tries).map(|_| cost()).fold(f64::INFINITY, f64::min).max(LEAST);
            let mut costs: Vec<(String, f64)> = Vec::new();
            for (arguments, code) in case.commands {
                costs.push((arguments.join(" "), cheapest(&|| cost(path, arguments, *code))));
            }
            if case.name == "trials" {
                costs.push(("serve, first page".into(), cheapest(&|| cost_of_first_page(path))));
            }
            if case.name == "hundreds of budgets" {
                let sources: Vec<String> =
                    (1..=size / 100).map(|label| format!("{label}k={label}k.json")).collect();
                let mut arguments = vec!["report", "--metric", "auc", "-o", "report.html"];
                arguments.extend(sources.iter().map(String::as_str));
                costs.push(("report of budgets".into(), cheapest(&|| cost(path, &arguments, 0))));
            }
            for ((what, cost), (_, few)) in costs.iter().zip(&before) {
                let growth = cost / few;
                println!(
                    "{}: {what}: {size} cost {cost:.2} s, a tenth {few:.2} s: {growth:.1} times",
                    case.name
                );
                if growth >= MOST_GROWTH {
                    too_steep.push(format!(
                        "{}: {what}: {growth:.1} times from {} to {size}",
                        case.name,
                        size / 10
                    ));
                }
            }
            before = costs;
            size *= 10;
        }
    }
    assert!(too_steep.is_empty(), "{too_steep:#?}");
}
