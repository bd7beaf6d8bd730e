//! Opens a storage, reads every trial of every study and prints their number. With a number of trials as the
//! second argument, writes a study of that size: `load_store URL [TRIALS]`.

use std::error::Error;

#[path = "../benches/written/mod.rs"]
mod written;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("usage: load_store URL [TRIALS]")?;
    if let Some(trials) = arguments.next() {
        let store = allometry_store::open(&url)?;
        let space = written::space();
        let study = written::study(store.as_ref(), &space)?;
        for i in 0..trials.parse()? {
            written::tell(store.as_ref(), study, &space, i)?;
        }
        return Ok(());
    }
    let store = allometry_store::open_read_only(&url)?;
    for study in store.studies()? {
        let trials = store.trials(study.id)?;
        let reports: usize = trials.iter().map(|trial| trial.intermediate.len()).sum();
        println!("{}: {} trials, {reports} intermediate values", study.name, trials.len());
    }
    Ok(())
}
