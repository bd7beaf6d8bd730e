//! Tests of completions and manual pages.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::run;

#[test]
fn shells_complete_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, out, err) = run(folder.path(), &["completions", shell]);
        assert_eq!(code, 0, "{err}");
        assert!(["import", "export", "report", "init"].iter().all(|name| out.contains(name)), "{shell}");
    }
    assert_eq!(run(folder.path(), &["completions", "sh"]).0, 2);
    let script = run(folder.path(), &["completions", "bash"]).1;
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success(), "the script is one of bash");
}

#[test]
fn commands_have_manual_pages() {
    let folder = tempfile::tempdir().unwrap();
    let (code, page, err) = run(folder.path(), &["man"]);
    assert_eq!(code, 0, "{err}");
    assert!(page.contains(".TH") && page.contains("import"), "{page}");
    let (code, page, err) = run(folder.path(), &["man", "import"]);
    assert_eq!(code, 0, "{err}");
    assert!(page.contains("allometry\\-import") && page.contains("SOURCE"), "{page}");
    let (code, page, err) = run(folder.path(), &["man", "init"]);
    assert_eq!(code, 0, "{err}");
    assert!(page.contains("allometry\\-init") && page.contains("TABLE"), "{page}");
    let (code, _, err) = run(folder.path(), &["man", "fly"]);
    assert_eq!(code, 2);
    assert!(err.contains("there is no command \"fly\"\nhint: there are run, worker"), "{err}");
}
