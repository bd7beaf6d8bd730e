//! Measures a training step on a device, for one trial and for several trained together, and on the CPU:
//!
//! ```console
//! cargo run --release -p allometry-gpu --features wgpu --example step -- wgpu S 1 4
//! ```
//!
//! The arguments are a kind of device, sizes of models (all by default) and numbers of trials. Shapes are
//! those of `docs/benchmarks.md`: windows of 80 rows of 105 features, patches of 16 every 8.

use std::time::Instant;

use allometry_ladder::{DeviceKind, ModelSpec, Normalize};
use allometry_trainer::device::{Device, Plan, Trainee};
use allometry_trainer::{Architecture, Geometry, Hyperparameters};

const FEATURES: usize = 105;
const ROWS: usize = 1000;
/// Untimed steps at the beginning, in which kernels are compiled.
const WARM_UP: usize = 3;

/// Name, shape, windows in a batch, timed steps.
const MODELS: [(&str, Architecture, usize, usize); 3] = [
    ("S", Architecture { d_model: 96, n_layers: 2, n_heads: 8, d_ff_ratio: 4 }, 128, 50),
    ("M", Architecture { d_model: 192, n_layers: 6, n_heads: 8, d_ff_ratio: 4 }, 64, 20),
    ("L", Architecture { d_model: 384, n_layers: 10, n_heads: 16, d_ff_ratio: 4 }, 32, 10),
];

/// Returns the milliseconds of one step.
fn time(trainee: &mut dyn Trainee, windows: usize, steps: usize) -> f64 {
    let targets: Vec<f32> = (0..windows).map(|i| (i % 3 / 2) as f32).collect();
    let mut started = Instant::now();
    for step in 0..WARM_UP + steps {
        if step == WARM_UP {
            started = Instant::now();
        }
        let starts: Vec<usize> = (0..windows).map(|i| (step * 37 + i * 11) % (ROWS - 80)).collect();
        trainee.step(&starts, &targets, 1e-4, 1.0).expect("the loss and the gradient are finite");
    }
    started.elapsed().as_secs_f64() * 1e3 / steps as f64
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let kind =
        DeviceKind::ALL.into_iter().find(|kind| arguments.first().is_some_and(|name| name == kind.as_str()));
    let device = match allometry_gpu::open(kind.expect("the first argument is wgpu")) {
        Ok(device) => device.expect("the first argument is wgpu"),
        Err(error) => {
            eprintln!("{error}\nhint: {}", error.hint());
            std::process::exit(4);
        }
    };
    let numbers: Vec<usize> = arguments.iter().filter_map(|word| word.parse().ok()).collect();
    let numbers = if numbers.is_empty() { vec![1] } else { numbers };
    let named = |name: &str| arguments.iter().any(|word| word == name);
    let all = !MODELS.iter().any(|(name, ..)| named(name));
    let series: Vec<f32> = (0..ROWS * FEATURES).map(|i| ((i as f32) * 0.37).sin()).collect();
    let settings = ModelSpec { normalize: Normalize::None, ..ModelSpec::new(80, 16, 8) };
    println!("{}", device.name());
    println!("model  trials  ms a step  ms a step and trial  on one core of the CPU");
    for (name, architecture, capacity, steps) in MODELS.into_iter().filter(|(name, ..)| all || named(name)) {
        let plan = Plan {
            hyperparameters: Hyperparameters {
                architecture,
                learning_rate: 1e-4,
                dropout: 0.1,
                weight_decay: 0.0,
            },
            geometry: Geometry::new(FEATURES, 0, &settings).expect("the shape is a model"),
            settings: settings.clone(),
            capacity,
            seed: 1,
            series: &series,
            class_weights: Vec::new(),
        };
        let cpu = time(&mut *plan.on_cpu(), capacity, steps);
        for &trials in &numbers {
            let taken = together(&*device, &plan, trials, steps);
            println!("{name:<5} {trials:>7} {taken:>10.2} {:>20.2} {cpu:>23.2}", taken / trials as f64);
        }
    }
}

/// Returns the milliseconds of one step of `trials` trials at once.
fn together(device: &dyn Device, plan: &Plan<'_>, trials: usize, steps: usize) -> f64 {
    let opened = std::sync::Barrier::new(trials);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..trials)
            .map(|trial| {
                let (plan, opened) = (Plan { seed: trial as u64, ..plan.clone() }, &opened);
                scope.spawn(move || {
                    let mut trainee = device.open(&plan).expect("the device has room");
                    opened.wait();
                    time(&mut *trainee, plan.capacity, steps)
                })
            })
            .collect();
        let times = threads.into_iter().map(|thread| thread.join().expect("a step does not panic"));
        times.fold(0.0, f64::max)
    })
}
