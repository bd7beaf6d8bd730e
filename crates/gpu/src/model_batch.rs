//! Batches of models of one architecture over one series, whose work runs at once.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use allometry_trainer::device::{DeviceError, Plan, StepError};
use allometry_trainer::{BrokenLayer, Diverged, StepReport};
use burn_tensor::{Device, Tensor};

use crate::message::{Opened, OwnPlan, Reply, Step, Work, catch_driver_errors};
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
    series_on_device: Series,
    positions: Positions,
    members: Vec<Member>,
}

/// One model of the batch.
#[derive(Debug)]
struct Member {
    id: u64,
    plan: OwnPlan,
    /// Weights, first moments and second moments, `1 x weights` each, in the layout of the device.
    state: [Tensor<2>; 3],
    waiting: Option<(Work, Instant)>,
    /// Whether its next work comes late, so that others do not wait for it.
    is_away: bool,
}

/// Work of one model, run together with that of others.
struct Job<W, T, E> {
    /// Index among the members.
    member: usize,
    work: W,
    reply: Reply<T, E>,
}

impl ModelBatch {
    pub(crate) fn new(first: &Opened, device: &Device) -> Self {
        let plan = first.plan.plan();
        let shape = Shape::new(&plan);
        Self {
            device: device.clone(),
            series_on_device: Series::new(&first.series, plan.geometry, device),
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
        let weights = self.on_device(&opened.weights);
        let moments = || weights.zeros_like();
        let state = [weights.clone(), moments(), moments()];
        self.members.push(Member { id, plan: opened.plan, state, waiting: None, is_away: true });
    }

    /// Returns a buffer of the trainer as a tensor, `1 x weights`.
    fn on_device(&self, values: &[f32]) -> Tensor<2> {
        floats(self.shape.to_device(values), [1, self.shape.layout.total], &self.device)
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
        let member = self.member(id);
        (member.waiting, member.is_away) = (Some((work, Instant::now())), false);
    }

    /// Lets the other models work without this one until its next work.
    pub(crate) fn pause(&mut self, id: u64) {
        self.member(id).is_away = true;
    }

    /// Returns the weights of a model.
    pub(crate) fn weights(&mut self, id: u64) -> Result<Vec<f32>, String> {
        self.part(id, 0)
    }

    /// Returns the weights and moments of a model.
    pub(crate) fn state(&mut self, id: u64) -> Result<[Vec<f32>; 3], String> {
        Ok([self.part(id, 0)?, self.part(id, 1)?, self.part(id, 2)?])
    }

    /// Returns one part of the state of a model in the layout of the trainer.
    fn part(&mut self, id: u64, part: usize) -> Result<Vec<f32>, String> {
        let values = numbers(self.member(id).state[part].clone())?;
        Ok(self.shape.to_trainer(&values))
    }

    pub(crate) fn write(&mut self, id: u64, weights: &[f32], moments: Option<[Vec<f32>; 2]>) {
        let weights = self.on_device(weights);
        let moments = moments.map(|moments| moments.map(|values| self.on_device(&values)));
        let member = self.member(id);
        member.state[0] = weights;
        if let Some([first, second]) = moments {
            (member.state[1], member.state[2]) = (first, second);
        }
    }

    fn member(&mut self, id: u64) -> &mut Member {
        self.members
            .iter_mut()
            .find(|member| member.id == id)
            .expect("the batch was found by the id of the model")
    }

    /// Whether work is waiting, of every model that is not away.
    pub(crate) fn is_complete(&self) -> bool {
        self.waiting_since().is_some()
            && self.members.iter().all(|member| member.is_away || member.waiting.is_some())
    }

    /// Returns the time at which the oldest waiting work arrived.
    pub(crate) fn waiting_since(&self) -> Option<Instant> {
        self.members.iter().filter_map(|member| member.waiting.as_ref().map(|(_, since)| *since)).min()
    }

    /// Runs all waiting work, jobs of one kind and size at once.
    pub(crate) fn run(&mut self, name: &str) {
        let (mut steps, mut logits) = (Vec::new(), Vec::new());
        for (member, waiting) in self.members.iter_mut().map(|m| m.waiting.take()).enumerate() {
            match waiting {
                Some((Work::Step(work, reply), _)) => steps.push(Job { member, work, reply }),
                Some((Work::Logits(work, reply), _)) => logits.push(Job { member, work, reply }),
                None => {}
            }
        }
        for jobs in group_by_size(steps, |step| step.starts.len()) {
            run_jobs(name, jobs, |indices, steps| self.step(indices, &steps));
        }
        for jobs in group_by_size(logits, Vec::len) {
            run_jobs(name, jobs, |indices, starts| self.logits(indices, &starts));
        }
    }

    /// Returns the windows of several models.
    fn windows<'a>(&self, starts: impl Iterator<Item = &'a [i32]>) -> Tensor<3> {
        self.series_on_device.windows(starts.flatten().copied().collect())
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
        let windows = self.windows(starts.iter().map(Vec::as_slice));
        let weights = Weights(self.stacked(indices, 0));
        let pass = Pass::new(windows, &self.series_on_device, &self.shape, &weights, &Masks::default());
        let logits = numbers(pass.logits)?;
        Ok(logits.chunks_exact(logits.len() / indices.len()).map(|own| Ok(own.to_vec())).collect())
    }

    /// Takes a step of several models, each with the same number of windows.
    fn step(
        &mut self,
        indices: &[usize],
        work: &[Step],
    ) -> Result<Vec<Result<StepReport, StepError>>, String> {
        let weights = Weights(self.stacked(indices, 0));
        let (count, capacity) = (work[0].starts.len(), self.plan.capacity);
        let mut step = Stepped { losses: vec![0.0; work.len()], failed: vec![None; work.len()], last: None };
        for (number, start) in (0..count).step_by(capacity).enumerate() {
            let batch = start..count.min(start + capacity);
            self.add((indices, work), &weights, (number as u64, batch), &mut step)?;
        }
        let Stepped { losses, mut failed, last } = step;
        let (gradient, streams) = last.expect("a step has windows");
        let norms: Vec<f64> =
            numbers(sums_of_squares(gradient.clone()))?.iter().map(|sum| f64::from(*sum).sqrt()).collect();
        let rates = indices.iter().zip(work).zip(&norms).map(|((&member, work), norm)| Rates {
            clip: (work.gradient_clip / (norm + 1e-6)).min(1.0),
            learning_rate: work.learning_rate,
            weight_decay: self.members[member].plan.hyperparameters.weight_decay,
            step: work.number,
        });
        let rates: Vec<Rates> = rates.collect();
        let state = adamw([0, 1, 2].map(|part| self.stacked(indices, part)), gradient, &rates);

        let mut results = Vec::with_capacity(indices.len());
        for (place, (&member, work)) in indices.iter().zip(work).enumerate() {
            let (loss, gradient_norm) = (losses[place], norms[place]);
            if failed[place].is_none() && !gradient_norm.is_finite() {
                failed[place] = Some(diverged(&streams, place, work.number, [loss, gradient_norm])?);
            }
            if let Some(diverged) = failed[place].take() {
                results.push(Err(diverged.into()));
                continue;
            }
            self.members[member].state = state.each_ref().map(|part| part.clone().narrow(0, place, 1));
            results.push(Ok(StepReport { loss, gradient_norm }));
        }
        Ok(results)
    }

    /// Adds the losses and the gradient of a batch to those of a step.
    fn add(
        &self,
        (indices, work): (&[usize], &[Step]),
        weights: &Weights,
        (number, batch): (u64, Range<usize>),
        step: &mut Stepped,
    ) -> Result<(), String> {
        let (count, all) = (batch.len(), work[0].starts.len());
        let windows = self.windows(work.iter().map(|work| &work.starts[batch.clone()]));
        let of = |(&member, work): (&usize, &Step)| (self.members[member].plan.plan(), work.batch + number);
        let plans: Vec<(Plan<'_>, u64)> = indices.iter().zip(work).map(of).collect();
        let masks = Masks::new(&plans, &self.shape, &self.positions, count);
        let pass = Pass::new(windows, &self.series_on_device, &self.shape, weights, &masks);

        let logits = numbers(pass.logits.clone())?;
        let per_model = logits.len() / indices.len();
        let mut d_logits = vec![0.0; logits.len()];
        let of_models = logits.chunks_exact(per_model).zip(d_logits.chunks_exact_mut(per_model));
        let share = count as f64 / all as f64;
        for (place, ((logits, d_logits), (plan, _))) in of_models.zip(&plans).enumerate() {
            let loss = plan.loss(logits, &work[place].targets[batch.clone()], d_logits);
            if step.failed[place].is_none() && !loss.is_finite() {
                let number = work[place].number;
                step.failed[place] = Some(diverged(&pass.streams, place, number, [loss, f64::NAN])?);
            }
            step.losses[place] += share * loss;
        }
        let streams = pass.streams.clone();
        let d_logits = floats(d_logits, [indices.len(), count, per_model / count], &self.device);
        let own = pass.backward(d_logits, &self.series_on_device, &self.shape, weights, &masks);
        let gradient = match step.last.take() {
            _ if count == all => own,
            None => own * share,
            Some((sum, _)) => sum + own * share,
        };
        step.last = Some((gradient, streams));
        Ok(())
    }
}

/// The batches of a step so far.
struct Stepped {
    /// Loss of each model.
    losses: Vec<f64>,
    /// Report of each model whose loss is not finite.
    failed: Vec<Option<Diverged>>,
    /// Gradient of the step, and the residual streams of the last batch.
    last: Option<(Tensor<2>, Vec<Tensor<3>>)>,
}

/// Returns the report of a model's step that is not finite, from the residual streams of its batch.
fn diverged(
    streams: &[Tensor<3>],
    place: usize,
    step: u64,
    [loss, gradient_norm]: [f64; 2],
) -> Result<Diverged, String> {
    let (mut largest_activation, mut not_finite, mut first_layer) = (0.0f64, 0, None);
    for (site, stream) in streams.iter().enumerate() {
        for value in numbers(stream.clone().narrow(0, place, 1))? {
            if value.is_finite() {
                largest_activation = largest_activation.max(f64::from(value.abs()));
            } else {
                not_finite += 1;
                first_layer.get_or_insert(BrokenLayer::before(site));
            }
        }
    }
    Ok(Diverged { step, loss, gradient_norm, largest_activation, not_finite, first_layer })
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

    fn step(starts: Vec<i32>) -> (Work, Receiver<Result<StepReport, StepError>>) {
        let (reply, answer) = sync_channel(1);
        let targets = starts.iter().map(|start| (start % 2) as f32).collect();
        let step = Step { starts, targets, learning_rate: 1e-3, gradient_clip: 1.0, batch: 0, number: 1 };
        (Work::Step(step, reply), answer)
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
            let (work, answer) = step(starts);
            models.enqueue(id, work);
            answers.push(answer);
        }
        assert!(models.is_complete());
        models.run("wgpu");
        let told = |answer: Receiver<Result<StepReport, StepError>>| answer.try_recv().unwrap().unwrap().loss;
        let losses: Vec<f64> = answers.into_iter().map(told).collect();
        assert_ne!(losses[0], losses[1], "each has its own weights and masks");
        assert!(models.waiting_since().is_none() && !models.is_complete());

        // Models that pause, or were closed, are not waited for; others are.
        models.write(2, &opened(2).weights, None);
        let (work, answer) = step(vec![0, 3, 5]);
        models.enqueue(2, work);
        models.close(1);
        assert!(!models.is_complete());
        models.pause(3);
        assert!(models.is_complete());
        models.run("wgpu");
        let alone = told(answer);
        assert!((alone - losses[1]).abs() < 1e-5 * alone, "{alone} alone, {} with others", losses[1]);

        // A buffer is what was written, whatever its place on the device.
        let [mut weights, first, second] = models.state(3).unwrap();
        weights.iter_mut().enumerate().for_each(|(place, weight)| *weight = place as f32);
        models.write(3, &weights, Some([second.clone(), first.clone()]));
        assert_eq!(models.weights(3).unwrap(), weights);
        assert_eq!(models.state(3).unwrap(), [weights, second, first]);
    }
}
