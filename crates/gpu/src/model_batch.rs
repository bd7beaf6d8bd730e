//! Batches of models of one architecture over one series, whose work runs at once.

use std::sync::Arc;
use std::time::Instant;

use allometry_trainer::device::{DeviceError, Plan, StepError};
use allometry_trainer::{BrokenLayer, Diverged, StepReport};
use burn_tensor::{Device, Tensor};

use crate::message::{Opened, OwnPlan, Reply, Work, catch_driver_errors};
use crate::model::{Masks, Pass, Positions, Rates, Series, Shape, Weights, adamw, floats, sums_of_squares};

/// Models that can be trained together.
#[derive(Debug)]
pub(crate) struct ModelBatch {
    device: Device,
    shape: Shape,
    /// Plan of the first model. Those of the other models are equal in everything that [`Self::fits`]
    /// compares.
    plan: OwnPlan,
    series: Arc<[f32]>,
    on_device: Series,
    positions: Positions,
    members: Vec<Member>,
}

/// One model of the batch.
#[derive(Debug)]
struct Member {
    id: u64,
    plan: OwnPlan,
    /// Weights, first moments and second moments, `1 x weights` each.
    state: [Tensor<2>; 3],
    /// Gradient of the step so far.
    gradient: Option<Tensor<2>>,
    /// Residual stream of the last batch, reported if the step turns out not to be finite.
    streams: Vec<Tensor<3>>,
    waiting: Option<(Work, Instant)>,
}

/// Work of one model, run together with that of others.
struct Job<W, T, E> {
    /// Index among the members.
    member: usize,
    work: W,
    reply: Reply<T, E>,
}

struct Add {
    starts: Vec<i32>,
    targets: Vec<f32>,
    share: Option<f32>,
    first: bool,
    batch: u64,
    step: u64,
}

struct Update {
    loss: f64,
    learning_rate: f64,
    gradient_clip: f64,
    step: u64,
}

impl ModelBatch {
    pub(crate) fn new(first: &Opened, device: &Device) -> Self {
        let plan = first.plan.plan();
        let shape = Shape::new(&plan);
        Self {
            device: device.clone(),
            on_device: Series::new(&first.series, plan.geometry, device),
            positions: Positions::new(&shape, plan.capacity, device),
            series: Arc::clone(&first.series),
            plan: first.plan.clone(),
            shape,
            members: Vec::new(),
        }
    }

    /// Whether a model can be trained together with the present ones.
    pub(crate) fn fits(&self, opened: &Opened) -> bool {
        let (ours, theirs) = (&self.plan, &opened.plan);
        ours.hyperparameters.architecture == theirs.hyperparameters.architecture
            && ours.geometry == theirs.geometry
            && ours.capacity == theirs.capacity
            && ours.settings == theirs.settings
            && self.series == opened.series
    }

    pub(crate) fn open(&mut self, id: u64, opened: Opened) {
        let count = opened.weights.len();
        let weights = floats(opened.weights, [1, count], &self.device);
        let moments = || Tensor::zeros([1, count], &self.device);
        let state = [weights, moments(), moments()];
        self.members.push(Member {
            id,
            plan: opened.plan,
            state,
            gradient: None,
            streams: Vec::new(),
            waiting: None,
        });
    }

    pub(crate) fn close(&mut self, id: u64) {
        self.members.retain(|member| member.id != id);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(crate) fn has(&self, id: u64) -> bool {
        self.members.iter().any(|member| member.id == id)
    }

    pub(crate) fn enqueue(&mut self, id: u64, work: Work) {
        self.member(id).waiting = Some((work, Instant::now()));
    }

    /// Returns the weights and moments of a model.
    pub(crate) fn read(&mut self, id: u64) -> Result<[Vec<f32>; 3], String> {
        let [weights, first, second] = self.member(id).state.clone();
        Ok([numbers(weights)?, numbers(first)?, numbers(second)?])
    }

    pub(crate) fn write(&mut self, id: u64, weights: Vec<f32>, moments: Option<[Vec<f32>; 2]>) {
        let device = self.device.clone();
        let flat = |values: Vec<f32>| {
            let count = values.len();
            floats(values, [1, count], &device)
        };
        let member = self.member(id);
        member.state[0] = flat(weights);
        if let Some([first, second]) = moments {
            (member.state[1], member.state[2]) = (flat(first), flat(second));
        }
    }

    fn member(&mut self, id: u64) -> &mut Member {
        self.members
            .iter_mut()
            .find(|member| member.id == id)
            .expect("the batch was found by the id of the model")
    }

    /// Whether every model has work waiting.
    pub(crate) fn is_complete(&self) -> bool {
        !self.members.is_empty() && self.members.iter().all(|member| member.waiting.is_some())
    }

    /// Returns the time at which the oldest waiting work arrived.
    pub(crate) fn waiting_since(&self) -> Option<Instant> {
        self.members.iter().filter_map(|member| member.waiting.as_ref().map(|(_, since)| *since)).min()
    }

    /// Runs all waiting work, jobs of one kind and size at once.
    pub(crate) fn run(&mut self, name: &str) {
        let (mut adds, mut updates, mut logits) = (Vec::new(), Vec::new(), Vec::new());
        for (member, waiting) in self.members.iter_mut().map(|m| m.waiting.take()).enumerate() {
            match waiting {
                Some((Work::Add { starts, targets, share, first, batch, step, reply }, _)) => {
                    let work = Add { starts, targets, share, first, batch, step };
                    adds.push(Job { member, work, reply });
                }
                Some((Work::Update { loss, learning_rate, gradient_clip, step, reply }, _)) => {
                    let work = Update { loss, learning_rate, gradient_clip, step };
                    updates.push(Job { member, work, reply });
                }
                Some((Work::Logits { starts, reply }, _)) => logits.push(Job { member, work: starts, reply }),
                None => {}
            }
        }
        for jobs in group_by_size(adds, |work| work.starts.len()) {
            run_jobs(name, jobs, |indices, work| self.add(indices, &work));
        }
        run_jobs(name, updates, |indices, work| self.update(indices, &work));
        for jobs in group_by_size(logits, Vec::len) {
            run_jobs(name, jobs, |indices, starts| self.logits(indices, &starts));
        }
    }

    /// Returns the windows and the weights of several models.
    fn gathered<'a>(
        &self,
        indices: &[usize],
        starts: impl Iterator<Item = &'a Vec<i32>>,
    ) -> (Tensor<3>, Weights) {
        let starts: Vec<i32> = starts.flatten().copied().collect();
        (self.on_device.windows(starts), Weights(self.stacked(indices, 0)))
    }

    /// Returns one part of the state of several models, `models x weights`.
    fn stacked(&self, indices: &[usize], part: usize) -> Tensor<2> {
        stack(indices.iter().map(|&member| self.members[member].state[part].clone()).collect())
    }

    fn logits(
        &self,
        indices: &[usize],
        starts: &[Vec<i32>],
    ) -> Result<Vec<Result<Vec<f32>, DeviceError>>, String> {
        let (windows, weights) = self.gathered(indices, starts.iter());
        let pass = Pass::new(windows, &self.on_device, &self.shape, &weights, &Masks::default());
        let logits = numbers(pass.logits)?;
        Ok(logits.chunks_exact(logits.len() / indices.len()).map(|own| Ok(own.to_vec())).collect())
    }

    fn add(&mut self, indices: &[usize], work: &[Add]) -> Result<Vec<Result<f64, StepError>>, String> {
        let (windows, weights) = self.gathered(indices, work.iter().map(|work| &work.starts));
        let count = work[0].starts.len();
        let plans: Vec<(Plan<'_>, u64)> = indices
            .iter()
            .zip(work)
            .map(|(&member, work)| (self.members[member].plan.plan(), work.batch))
            .collect();
        let masks = Masks::new(&plans, &self.shape, &self.positions, count);
        let pass = Pass::new(windows, &self.on_device, &self.shape, &weights, &masks);

        let logits = numbers(pass.logits.clone())?;
        let per_model = logits.len() / indices.len();
        let mut d_logits = vec![0.0; logits.len()];
        let losses: Vec<f64> = plans
            .iter()
            .zip(work)
            .zip(logits.chunks_exact(per_model).zip(d_logits.chunks_exact_mut(per_model)))
            .map(|(((plan, _), work), (logits, d_logits))| plan.loss(logits, &work.targets, d_logits))
            .collect();
        let streams = pass.streams.clone();
        let d_logits = floats(d_logits, [indices.len(), count, per_model / count], &self.device);
        let gradient = pass.backward(d_logits, &self.on_device, &self.shape, &weights, &masks);

        let mut results = Vec::with_capacity(indices.len());
        for (place, ((&member, work), loss)) in indices.iter().zip(work).zip(losses).enumerate() {
            let member = &mut self.members[member];
            member.streams = streams.iter().map(|stream| stream.clone().narrow(0, place, 1)).collect();
            if !loss.is_finite() {
                results.push(Err(member.diverged(work.step, loss, f64::NAN)?));
                continue;
            }
            let own = gradient.clone().narrow(0, place, 1);
            member.gradient = Some(match (work.share, member.gradient.take()) {
                (None, _) => own,
                (Some(share), Some(sum)) if !work.first => sum + own * share,
                (Some(share), _) => own * share,
            });
            results.push(Ok(loss));
        }
        Ok(results)
    }

    fn update(
        &mut self,
        indices: &[usize],
        work: &[Update],
    ) -> Result<Vec<Result<StepReport, StepError>>, String> {
        let gradients = indices.iter().map(|&member| {
            self.members[member].gradient.clone().expect("an update follows the gradient of a batch")
        });
        let gradient = stack(gradients.collect());
        let norms: Vec<f64> =
            numbers(sums_of_squares(gradient.clone()))?.iter().map(|sum| f64::from(*sum).sqrt()).collect();
        let rates: Vec<Rates> = indices
            .iter()
            .zip(work)
            .zip(&norms)
            .map(|((&member, work), norm)| Rates {
                clip: (work.gradient_clip / (norm + 1e-6)).min(1.0),
                learning_rate: work.learning_rate,
                weight_decay: self.members[member].plan.hyperparameters.weight_decay,
                step: work.step,
            })
            .collect();
        let state = adamw([0, 1, 2].map(|part| self.stacked(indices, part)), gradient, &rates);

        let mut results = Vec::with_capacity(indices.len());
        for (place, ((&member, work), &gradient_norm)) in indices.iter().zip(work).zip(&norms).enumerate() {
            let member = &mut self.members[member];
            if !gradient_norm.is_finite() {
                results.push(Err(member.diverged(work.step, work.loss, gradient_norm)?));
                continue;
            }
            member.state = state.each_ref().map(|part| part.clone().narrow(0, place, 1));
            member.streams.clear();
            results.push(Ok(StepReport { loss: work.loss, gradient_norm }));
        }
        Ok(results)
    }
}

impl Member {
    /// Returns the report of a step that is not finite, from the residual stream of its last batch.
    fn diverged(&mut self, step: u64, loss: f64, gradient_norm: f64) -> Result<StepError, String> {
        let (mut largest_activation, mut not_finite, mut first_layer) = (0.0f64, 0, None);
        for (site, stream) in self.streams.drain(..).enumerate() {
            for value in numbers(stream)? {
                if value.is_finite() {
                    largest_activation = largest_activation.max(f64::from(value.abs()));
                } else {
                    not_finite += 1;
                    first_layer.get_or_insert(BrokenLayer::before(site));
                }
            }
        }
        Ok(Diverged { step, loss, gradient_norm, largest_activation, not_finite, first_layer }.into())
    }
}

/// Groups jobs by size.
fn group_by_size<W, T, E>(jobs: Vec<Job<W, T, E>>, size: impl Fn(&W) -> usize) -> Vec<Vec<Job<W, T, E>>> {
    let mut groups: Vec<Vec<Job<W, T, E>>> = Vec::new();
    for job in jobs {
        match groups.iter_mut().find(|group| size(&group[0].work) == size(&job.work)) {
            Some(group) => group.push(job),
            None => groups.push(vec![job]),
        }
    }
    groups
}

/// Runs jobs at once and sends each result, or the device's error, to the thread that asked for it.
fn run_jobs<W, T, E: From<DeviceError>>(
    device: &str,
    jobs: Vec<Job<W, T, E>>,
    work: impl FnOnce(&[usize], Vec<W>) -> Result<Vec<Result<T, E>>, String>,
) {
    if jobs.is_empty() {
        return;
    }
    let members: Vec<usize> = jobs.iter().map(|job| job.member).collect();
    let (asked, replies): (Vec<W>, Vec<Reply<T, E>>) =
        jobs.into_iter().map(|job| (job.work, job.reply)).unzip();
    // The receiver may have been dropped.
    match catch_driver_errors(device, || work(&members, asked)) {
        Ok(results) => replies.iter().zip(results).for_each(|(reply, result)| drop(reply.send(result))),
        Err(error) => replies.iter().for_each(|reply| drop(reply.send(Err(error.clone().into())))),
    }
}

/// Stacks tensors of one model each, along the axis of models.
fn stack(mut parts: Vec<Tensor<2>>) -> Tensor<2> {
    if parts.len() == 1 { parts.remove(0) } else { Tensor::cat(parts, 0) }
}

/// Reads a tensor back from the device.
fn numbers<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, String> {
    tensor.try_into_vec_as::<f32>().map_err(|error| error.to_string())
}

#[cfg(all(test, feature = "wgpu"))]
mod tests {
    use std::sync::mpsc::{Receiver, sync_channel};

    use allometry_ladder::ModelSpec;
    use allometry_trainer::{Architecture, Geometry, Hyperparameters};

    use super::*;

    fn opened(seed: u64) -> Opened {
        let settings = ModelSpec::new(8, 4, 4);
        let architecture = Architecture { d_model: 8, n_layers: 1, n_heads: 2, d_ff_ratio: 2 };
        let series: Vec<f32> = (0..40).map(|i| (i as f32 * 0.7).sin()).collect();
        let plan = Plan {
            hyperparameters: Hyperparameters {
                architecture,
                learning_rate: 1e-3,
                dropout: 0.1 * seed as f64,
                weight_decay: 0.0,
            },
            geometry: Geometry::new(2, 0, &settings).unwrap(),
            settings,
            capacity: 4,
            seed,
            series: &series,
            class_weights: Vec::new(),
        };
        Opened { plan: OwnPlan::new(&plan), series: series.clone().into(), weights: plan.initial_weights() }
    }

    fn add(starts: Vec<i32>) -> (Work, Receiver<Result<f64, StepError>>) {
        let (reply, answer) = sync_channel(1);
        let targets = starts.iter().map(|start| (start % 2) as f32).collect();
        (Work::Add { starts, targets, share: None, first: true, batch: 0, step: 1, reply }, answer)
    }

    #[test]
    fn models_of_one_architecture_run_together() {
        let device = match burn_tensor::Device::wgpu_options().init() {
            Ok(device) => device,
            Err(error) => {
                let test = "models_of_one_architecture_run_together";
                return allometry_testkit::skip_absent(test, &error.to_string());
            }
        };
        let mut models = ModelBatch::new(&opened(1), &device);
        for seed in [1, 2, 3] {
            assert!(models.fits(&opened(seed)));
            models.open(seed, opened(seed));
        }
        let mut longer = opened(4);
        longer.plan.capacity = 5;
        assert!(!models.fits(&longer));

        let mut answers = Vec::new();
        for (id, starts) in [(1, vec![0, 3, 5]), (2, vec![0, 3, 5]), (3, vec![1, 2])] {
            assert!(!models.is_complete());
            let (work, answer) = add(starts);
            models.enqueue(id, work);
            answers.push(answer);
        }
        assert!(models.is_complete());
        models.run("wgpu");
        let losses: Vec<f64> = answers.iter().map(|answer| answer.try_recv().unwrap().unwrap()).collect();
        assert_ne!(losses[0], losses[1], "each has its own weights and masks");
        assert!(models.waiting_since().is_none());

        // Models that were closed are not waited for.
        let (work, answer) = add(vec![0, 3, 5]);
        models.enqueue(2, work);
        models.close(1);
        models.close(3);
        assert!(models.is_complete());
        models.run("wgpu");
        let alone = answer.try_recv().unwrap().unwrap();
        assert!((alone - losses[1]).abs() < 1e-5 * alone, "{alone} alone, {} with others", losses[1]);
    }
}
