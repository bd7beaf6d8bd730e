//! A run and a worker on a disk that is full now and then.

use std::path::Path;
use std::process::Command;

use allometry_testkit::{program, skip};

use super::dice::Dice;
use super::support::texts;

/// Runs the ladder on a disk of eight MiB, fills it and frees it as often as `$PAUSES` has pairs of times, and runs the ladder to its
/// end. The database is left in `$OUT`.
const SCRIPT: &str = r#"
    mount -t tmpfs -o size=8m none "$DISK" || exit 99
    cp "$LADDER" "$DISK/ladder.toml" && cd "$DISK" || exit 98
    common="--workers 2 --lease 2s --retries 1000"
    "$ALLOMETRY" run --quiet --trials 1 $common 2> "$OUT/err.txt" || exit 97
    "$ALLOMETRY" run $common > "$OUT/run.txt" 2>&1 & run=$!
    "$ALLOMETRY" worker --storage trials.db $common > "$OUT/worker.txt" 2>&1 & worker=$!
    set -- $PAUSES
    while [ $# -ge 2 ]; do
        sleep "$1"
        cat /dev/zero > ballast 2>/dev/null
        sleep "$2"
        rm -f ballast
        shift 2
    done
    wait $run; run=$?
    wait $worker; worker=$?
    for code in $run $worker; do
        case $code in 0|5) ;; *) echo "ended with $run and $worker" > "$OUT/err.txt"; exit 96;; esac
    done
    "$ALLOMETRY" run --quiet $common 2> "$OUT/err.txt" || exit 95
    cp trials.db* "$OUT"
"#;

/// Whether it was played: `false`, with a visible skip of `test`, where nothing can be mounted.
pub(crate) fn play(test: &str, folder: &Path, out: &Path, dice: &mut Dice) -> bool {
    let Some(unshare) = program(test, "unshare") else { return false };
    let disk = tempfile::tempdir().unwrap();
    let pauses: Vec<String> =
        (0..2 * (1 + dice.below(3))).map(|_| format!("0.{:03}", dice.below(700))).collect();
    let output = Command::new(unshare)
        .args(["--map-root-user", "--mount", "sh", "-c", SCRIPT])
        .env("ALLOMETRY", env!("CARGO_BIN_EXE_allometry"))
        .env("LADDER", folder.join("ladder.toml"))
        .env("PAUSES", pauses.join(" "))
        .env("DISK", disk.path())
        .env("OUT", out)
        .env("CI", "true")
        .env_remove("ALLOMETRY_STORAGE")
        .env_remove("OPTUNA_STORAGE")
        .output()
        .unwrap();
    let (code, _, err) = texts(&output);
    if code == 99 || err.contains("unshare") {
        skip(test, &format!("no file system can be mounted here: {}", err.trim()));
        return false;
    }
    let said = |name: &str| std::fs::read_to_string(out.join(name)).unwrap_or_default();
    assert_eq!(code, 0, "{err}{}\n{}\n{}", said("err.txt"), said("run.txt"), said("worker.txt"));
    true
}
