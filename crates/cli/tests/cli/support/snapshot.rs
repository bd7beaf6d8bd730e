//! Output of the program as texts for snapshots.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use super::run;

/// Columns after which [`folded`] breaks a line.
const WIDTH: usize = 100;

/// Returns a text of the program for a snapshot: [`folded`], the path of `folder` replaced by `FOLDER`, and
/// estimated times, the number of workers, and precisions and instruction sets, which depend on the machine,
/// by `TIME`, `N`, `PRECISION` and `INSTRUCTIONS`.
pub(crate) fn shown(folder: &Path, text: &str) -> String {
    static ESTIMATE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"about .+? with \d+ workers?").expect("a valid expression"));
    static PRODUCTS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(matrix products are computed in) \w+ with \w+").expect("a valid expression")
    });
    let text = text.replace(&folder.display().to_string(), "FOLDER");
    let text = PRODUCTS.replace_all(&text, "$1 PRECISION with INSTRUCTIONS");
    let text = ESTIMATE.replace_all(&text, "about TIME with N workers");
    folded(&text)
}

/// Returns a text without spaces at the ends of lines, and with long lines broken by a backslash.
pub(crate) fn folded(text: &str) -> String {
    text.lines().map(|line| broken(line.trim_end())).collect()
}

/// Returns a line with its line break, broken at spaces into parts of at most [`WIDTH`] columns.
fn broken(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while rest.chars().count() > WIDTH {
        let end = rest.char_indices().nth(WIDTH).map_or(rest.len(), |(end, _)| end);
        let Some(space) = rest[..end].rfind(' ').filter(|at| !rest[..*at].trim().is_empty()) else { break };
        text += &rest[..=space];
        text += "\\\n";
        rest = &rest[space + 1..];
    }
    text + rest + "\n"
}

/// Returns a call that must succeed without a note: the command line and the output.
pub(crate) fn printed(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = run(folder, arguments);
    assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
    shown(folder, &format!("{}\n{out}", typed(arguments)))
}

/// Returns a call that the program must refuse without printing data: the command line, the error and the
/// exit code.
pub(crate) fn refused(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = run(folder, arguments);
    assert_ne!(code, 0, "{arguments:?} is refused");
    assert_eq!(out, "", "{arguments:?} prints no data");
    shown(folder, &format!("{}\n{}\nexit code {code}\n", typed(arguments), err.trim_end()))
}

/// Returns the command line as it is typed in a shell.
fn typed(arguments: &[&str]) -> String {
    let quoted = |argument: &&str| {
        let is_plain = !argument.contains([' ', '"']);
        if is_plain { (*argument).to_owned() } else { format!("'{argument}'") }
    };
    let arguments: Vec<String> = arguments.iter().map(quoted).collect();
    format!("$ allometry {}", arguments.join(" "))
}

/// Returns [`refused`] of each of the calls, with an empty line between them.
pub(crate) fn all_refused(folder: &Path, calls: &[&[&str]]) -> String {
    let calls: Vec<String> = calls.iter().map(|arguments| refused(folder, arguments)).collect();
    calls.join("\n")
}
