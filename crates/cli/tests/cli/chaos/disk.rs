//! A run and a worker on a disk that is full at times.

use std::ffi::OsStr;
use std::path::Path;

use super::dice::Dice;
use crate::support::small_disk::run_on_small_disk;

/// Runs the ladder on a disk of eight MiB, fills and frees the disk once for each pair of times in `$PAUSES`,
/// and runs the ladder to its end. The database is left in `$OUT`.
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
    for one in "$run:run.txt" "$worker:worker.txt"; do
        case $one in
            0:*|5:*) ;;
            # The trials are stored, and the report that a run ends with has no room.
            1:*) grep -q "cannot write report" "$OUT/${one#*:}" || exit 96;;
            *) echo "ended with $run and $worker" > "$OUT/err.txt"; exit 96;;
        esac
    done
    "$ALLOMETRY" run --quiet $common 2> "$OUT/err.txt" || exit 95
    cp trials.db* "$OUT"
"#;

/// Plays the round; returns `false`, with a visible skip of `test`, if nothing can be mounted.
pub(crate) fn play(test: &str, folder: &Path, out: &Path, dice: &mut Dice) -> bool {
    let pauses: Vec<String> =
        (0..2 * (1 + dice.below(3))).map(|_| format!("0.{:03}", dice.below(700))).collect();
    let (ladder, pauses) = (folder.join("ladder.toml"), pauses.join(" "));
    let variables = [("LADDER", ladder.as_os_str()), ("PAUSES", OsStr::new(&pauses))];
    let Some((code, err)) = run_on_small_disk(test, SCRIPT, out, &variables) else { return false };
    let said = |name: &str| std::fs::read_to_string(out.join(name)).unwrap_or_default();
    assert_eq!(code, 0, "{err}{}\n{}\n{}", said("err.txt"), said("run.txt"), said("worker.txt"));
    true
}
