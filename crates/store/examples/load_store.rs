//! Opens a file, reads every trial of every study and prints how many there were; with a number of trials as the
//! second argument, first writes a study of so many: `load_store FILE [TRIALS]`.

use std::error::Error;

use allometry_store::{SqliteStore, Store};

#[path = "../benches/written/mod.rs"]
mod written;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: load_store FILE [TRIALS]")?;
    if let Some(trials) = arguments.next() {
        let store = SqliteStore::open(&path)?;
        let space = written::space();
        let study = written::study(&store, &space)?;
        for i in 0..trials.parse()? {
            written::tell(&store, study, &space, i)?;
        }
        return Ok(());
    }
    let store = SqliteStore::open_read_only(&path)?;
    for study in store.studies()? {
        let trials = store.trials(study.id)?;
        let reports: usize = trials.iter().map(|trial| trial.intermediate.len()).sum();
        println!("{}: {} trials, {reports} intermediate values", study.name, trials.len());
    }
    Ok(())
}
