//! Tests of `allometry transfer`.

use crate::support::{project, report, run};

#[test]
fn budgets_train_each_others_settings() {
    let folder = project();
    let folder = folder.path();
    let (code, _, err) = run(folder, &["transfer"]);
    assert_eq!(code, 4, "nothing is searched yet: {err}");

    let (code, _, err) = run(folder, &["run", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let before = report(folder);
    assert_eq!(before.get("transfer"), None);

    let (code, out, err) =
        run(folder, &["transfer", "--top", "3", "--seeds", "2", "--workers", "2", "--no-summary"]);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    let document = report(folder);
    let transfer = &document["transfer"];
    assert_eq!(transfer["budgets"], serde_json::json!(["s", "l"]));
    assert_eq!((&transfer["planned"], &transfer["complete"]), (&24.into(), &24.into()));
    let cells = transfer["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 4);
    for cell in cells {
        let is_home = cell["from"] == cell["to"];
        assert_eq!(cell["seeds"], 2);
        assert_eq!(cell["loss"].is_null(), is_home, "{cell}");
        assert!(is_home || cell["order"]["configurations"] == 3 || cell["order"].is_null(), "{cell}");
    }
    let page = std::fs::read_to_string(folder.join("report/report.md")).unwrap();
    assert!(page.contains("## Transfer Between Budgets") && page.contains("transfer.svg"), "{page}");
    assert!(folder.join("report/report-figures/transfer.svg").exists());
    // The search and its statistics do not include the new trials.
    assert_eq!(document["studies"], before["studies"]);
    let (_, listed, _) = run(folder, &["list", "--json"]);
    assert!(!listed.contains("transfer"), "{listed}");

    let (code, _, err) = run(folder, &["transfer", "--top", "3", "--seeds", "2"]);
    assert_eq!(code, 0, "{err}");
    assert!(!err.contains("trial 0 complete"), "nothing is trained twice: {err}");
    assert_eq!(report(folder), document);

    let (code, _, err) = run(folder, &["transfer", "--top", "1", "--seeds", "3", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let more = &report(folder)["transfer"];
    assert_eq!(
        (&more["planned"], &more["complete"]),
        (&12.into(), &12.into()),
        "another plan, of which two seeds were there"
    );
}

/// A killed transfer continues and ends with equal results.
#[test]
fn a_killed_transfer_goes_on() {
    use std::process::Stdio;
    use std::time::Duration;
    let folder = project();
    let folder = folder.path();
    let (code, _, err) = run(folder, &["run", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let arguments = ["transfer", "--top", "2", "--seeds", "3", "--workers", "2", "--lease", "1s"];
    for wait in [120, 200, 300] {
        let mut child = crate::support::allometry(folder)
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        let _ = child.kill();
        child.wait().unwrap();
    }
    let (code, _, err) = run(folder, &arguments);
    assert_eq!(code, 0, "{err}");
    let transfer = report(folder)["transfer"].clone();
    assert_eq!((&transfer["planned"], &transfer["complete"]), (&24.into(), &24.into()));

    let whole = project();
    let whole = whole.path();
    assert_eq!(run(whole, &["run", "--quiet"]).0, 0);
    assert_eq!(run(whole, &arguments).0, 0);
    assert_eq!(report(whole)["transfer"], transfer, "kills change no figure");
}
