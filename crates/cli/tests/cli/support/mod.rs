//! Runs the program like a user.

pub(crate) mod scripted;
pub(crate) mod shared;
#[cfg(target_os = "linux")]
pub(crate) mod small_disk;
mod snapshot;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

pub(crate) use snapshot::{all_refused, folded, printed, refused, shown};

/// Returns the program, to run in `folder` without the variables of the environment that it reads.
pub(crate) fn allometry(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_allometry"));
    command
        .current_dir(folder)
        .env_remove("ALLOMETRY_STORAGE")
        .env_remove("OPTUNA_STORAGE")
        .env_remove("ALLOMETRY_ISA")
        .env_remove("COLUMNS")
        .env("CI", "true");
    command
}

/// Runs the program and returns its exit code, standard output and standard error.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = allometry(folder).args(arguments).output().expect("the program starts");
    texts(&output)
}

/// Returns the exit code (or minus the number of the signal that killed the process), standard output and
/// standard error.
pub(crate) fn texts(output: &Output) -> (i32, String, String) {
    use std::os::unix::process::ExitStatusExt as _;
    let code = output.status.code().unwrap_or_else(|| -output.status.signal().unwrap_or(0));
    (
        code,
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Returns the JSON document of the report that `allometry run` wrote in `folder`.
pub(crate) fn report(folder: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(folder.join("report/report.json")).expect("the run wrote its report");
    serde_json::from_str(&text).expect("the report is JSON")
}

/// Returns a table of `rows` days with two features, whose label depends on `up`.
pub(crate) fn table(rows: usize) -> String {
    let mut text = String::from("date,up,noise,label\n");
    let mut next = uniform();
    for day in 0..rows {
        let (date, values) = (date(day), values(&mut next));
        writeln!(text, "{date},{values}").expect("writing to a string cannot fail");
    }
    text
}

/// Returns a generator of numbers from -0.5 to 0.5.
pub(crate) fn uniform() -> impl FnMut() -> f64 {
    let mut state: u64 = 9;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1u32 << 31) - 0.5
    }
}

/// Returns the date of a day, of which each month has 28.
pub(crate) fn date(day: usize) -> String {
    format!("{}-{:02}-{:02}", 2000 + day / 336, day / 28 % 12 + 1, day % 28 + 1)
}

/// Returns two features of a row and its label, which depends on the first.
pub(crate) fn values(next: &mut impl FnMut() -> f64) -> String {
    let (up, noise) = (next(), next());
    let label = u8::from(up + 0.2 * next() > 0.15);
    format!("{up:.4},{noise:.4},{label}")
}

/// A ladder of two small budgets for [`table`].
pub(crate) const LADDER: &str = r#"
name = "tiny"
tag = "t"
trials = 4
seed = 1

[data]
path = "data.csv"
time = "date"
label = "label"

[model]
kind = "patchtst"
context = 8
patch = 4
stride = 4
epochs = 2
patience = 2

[space]
n_heads = [1, 2]
n_layers = [1, 2]
d_ff_ratio = [2]
learning_rate = { float = [1e-3, 1e-2], log = true }
dropout = [0.0, 0.1]

[[budget]]
label = "s"
weights = "any"
[budget.space]
d_model = [4, 6, 8]

[[budget]]
label = "l"
weights = "any"
[budget.space]
d_model = [12, 16]
"#;

/// Creates a folder with the table and the ladder.
pub(crate) fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("data.csv"), table(400)).expect("the table is written");
    std::fs::write(folder.path().join("ladder.toml"), LADDER).expect("the ladder is written");
    folder
}

/// Creates the folder of [`project`] with this table, and with these settings in `[data]`.
pub(crate) fn project_of(table: &str, settings: &str) -> tempfile::TempDir {
    let folder = project();
    std::fs::write(folder.path().join("data.csv"), table).expect("the table is written");
    let ladder = LADDER.replacen("time = \"date\"", &format!("time = \"date\"\n{settings}"), 1);
    std::fs::write(folder.path().join("ladder.toml"), ladder).expect("the ladder is written");
    folder
}

/// Returns the lines of `allometry check` about the table.
pub(crate) fn table_lines(folder: &Path) -> String {
    let text = printed(folder, &["check"]);
    text.split("\n\n").next().expect("a text has a first part").to_owned()
}

/// Creates the folder of [`project`], but with a table whose test part has only the label 0.
pub(crate) fn project_with_one_class_of_test_rows() -> tempfile::TempDir {
    let folder = project();
    let table = table(400);
    let last = table.lines().count() - 60;
    let lines = table.lines().enumerate().map(|(number, line)| {
        let (before, _) = line.rsplit_once(',').expect("a line has several columns");
        if number > last { format!("{before},0\n") } else { format!("{line}\n") }
    });
    std::fs::write(folder.path().join("data.csv"), lines.collect::<String>()).expect("the table is written");
    folder
}

/// Sleeps for a random time below `most`.
pub(crate) fn random_pause(most: std::time::Duration) {
    use std::hash::{BuildHasher as _, RandomState};
    let share = RandomState::new().hash_one(0) as f64 / u64::MAX as f64;
    std::thread::sleep(most.mul_f64(share));
}
