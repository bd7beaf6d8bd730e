//! Benchmarks of loading a study of 10,000 trials, and of finishing one more trial.

mod groups {
    use std::hint::black_box;

    use allometry_core::TrialNumber;
    use allometry_store::{SqliteStore, Store as _};
    use criterion::{Criterion, criterion_group};

    use crate::written;

    const TRIALS: u64 = 10_000;

    fn store(criterion: &mut Criterion) {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("x.db");
        let url = path.to_str().expect("temporary folders have plain names");
        let open = || SqliteStore::open(url).expect("the file is a store");
        let writer = open();
        let space = written::space();
        let study = written::study(&writer, &space).expect("the file is new");
        let mut next = 0;
        let mut tell = || {
            written::tell(&writer, study, &space, next).expect("the file can be written");
            next += 1;
        };
        (0..TRIALS).for_each(|_| tell());
        criterion.bench_function("open and read 10,000 trials", |bencher| {
            bencher.iter(|| {
                let reader = SqliteStore::open_read_only(url).expect("the file is a store");
                black_box(reader.trials(study).expect("the trials are whole"))
            });
        });
        criterion.bench_function("read the last 10 of 10,000 trials", |bencher| {
            bencher.iter(|| {
                black_box(writer.trials_from(study, TrialNumber(TRIALS - 10)).expect("they are whole"))
            });
        });
        criterion.bench_function("tell a trial", |bencher| bencher.iter(&mut tell));
    }

    criterion_group! {
        name = benches;
        config = Criterion::default().sample_size(10);
        targets = store
    }
}

mod written;

criterion::criterion_main!(groups::benches);
