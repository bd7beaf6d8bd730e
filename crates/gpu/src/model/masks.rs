//! Dropout masks, recomputed on the device in integer operations from the same hash as on the CPU.

use allometry_trainer::device::{DropoutSite, Mask, Plan};
use burn_tensor::{DType, Device, Int, Tensor, TensorData};

use super::{Shape, floats};

/// First product of the hash for every position of a mask.
#[derive(Debug)]
pub(crate) struct Positions(Tensor<1, Int>);

/// Number of values per window at each kind of dropout site.
#[derive(Debug, Clone, Copy)]
struct Lengths {
    branch: usize,
    attention: usize,
    feed_forward: usize,
    head: usize,
}

impl Lengths {
    fn of(shape: &Shape) -> Self {
        let (architecture, geometry) = (shape.architecture, shape.geometry);
        let (rows, d) = (geometry.rows(), architecture.d_model);
        Self {
            branch: rows * d,
            attention: rows * architecture.n_heads * shape.lanes,
            feed_forward: rows * architecture.d_ff(),
            head: geometry.head_inputs(d),
        }
    }
}

impl Positions {
    /// Computes the products for batches of at most `capacity` windows.
    pub(crate) fn new(shape: &Shape, capacity: usize, device: &Device) -> Self {
        let Lengths { branch, attention, feed_forward, head } = Lengths::of(shape);
        let max_values = branch.max(attention).max(feed_forward).max(head) * capacity;
        let products: Vec<u32> = (0..max_values as u32).map(|p| p.wrapping_mul(0x9e37_79b1)).collect();
        Self(unsigned(products, [max_values], device))
    }
}

/// Dropout masks of one batch of several models. A mask is `None` if the dropout of all models is 0.
#[derive(Debug, Default)]
pub(crate) struct Masks {
    /// Masks of residual branches, `models x sites x values`; the other fields have their own sites.
    branch: Option<Tensor<3>>,
    attention: Option<Tensor<3>>,
    feed_forward: Option<Tensor<3>>,
    head: Option<Tensor<3>>,
}

impl Masks {
    /// Computes the masks of models, each at its own batch, for batches of `windows` windows.
    pub(crate) fn new(
        plans: &[(Plan<'_>, u64)],
        shape: &Shape,
        positions: &Positions,
        windows: usize,
    ) -> Self {
        let layers = shape.architecture.n_layers;
        let lengths = Lengths::of(shape);
        let masks_for = |sites: &[DropoutSite], length: usize| {
            let masks: Vec<Mask> = plans
                .iter()
                .flat_map(|(plan, batch)| sites.iter().map(|site| plan.mask(*batch, *site)))
                .collect();
            let off = masks.iter().all(|mask| mask.threshold == 0);
            (!off).then(|| factors(&masks, [plans.len(), sites.len()], positions, length * windows))
        };
        let numbered =
            |site: fn(usize) -> DropoutSite, count: usize| (0..count).map(site).collect::<Vec<_>>();
        Self {
            branch: masks_for(&numbered(DropoutSite::Branch, 2 * layers + 1), lengths.branch),
            attention: masks_for(&numbered(DropoutSite::Attention, layers), lengths.attention),
            feed_forward: masks_for(&numbered(DropoutSite::FeedForward, layers), lengths.feed_forward),
            head: masks_for(&[DropoutSite::Head], lengths.head),
        }
    }

    /// Applies the mask of the branch before normalisation `site` to `models x rows x d`.
    pub(super) fn branch(&self, site: usize, x: Tensor<3>) -> Tensor<3> {
        apply(self.branch.as_ref(), site, x)
    }

    /// Applies the mask of a block's activations to `models x rows x d_ff`.
    pub(super) fn feed_forward(&self, block: usize, x: Tensor<3>) -> Tensor<3> {
        apply(self.feed_forward.as_ref(), block, x)
    }

    /// Applies the mask of the head's input to `models x windows x inputs`.
    pub(super) fn head(&self, x: Tensor<3>) -> Tensor<3> {
        apply(self.head.as_ref(), 0, x)
    }

    /// Applies the mask of a block's attention to `sequences of all models x heads x patches x patches`.
    pub(super) fn attention(&self, block: usize, lanes: usize, x: Tensor<4>) -> Tensor<4> {
        let Some(all) = &self.attention else { return x };
        let [sequences, heads, queries, keys] = x.dims();
        let mask = site_mask(all, block).reshape([sequences, heads, queries, lanes]);
        x * mask.slice([0..sequences, 0..heads, 0..queries, 0..keys])
    }
}

fn site_mask(all: &Tensor<3>, site: usize) -> Tensor<3> {
    all.clone().narrow(1, site, 1)
}

fn apply(all: Option<&Tensor<3>>, number: usize, x: Tensor<3>) -> Tensor<3> {
    let Some(all) = all else { return x };
    let shape = x.dims();
    x * site_mask(all, number).reshape(shape)
}

/// Returns the factors that values are multiplied by, `models x sites x values`.
fn factors(masks: &[Mask], [models, sites]: [usize; 2], positions: &Positions, values: usize) -> Tensor<3> {
    let device = positions.0.device();
    let column =
        |of: fn(&Mask) -> u32| unsigned::<3>(masks.iter().map(of).collect(), [models, sites, 1], &device);
    let xor_shifted =
        |x: Tensor<3, Int>, bits: u32| x.clone().bitwise_xor(x.bitwise_right_shift_scalar(bits));
    let products = positions.0.clone().narrow(0, 0, values).reshape([1, 1, values]);
    let first: Tensor<3, Int> = products.expand([models, sites, values]);
    let x = xor_shifted(first.bitwise_xor(column(|m| m.keys[0])), 16);
    let x = xor_shifted((x * 0x7feb_352d_u32).bitwise_xor(column(|m| m.keys[1])), 15);
    let x = xor_shifted(x * 0x846c_a68b_u32, 16);
    let scales = floats(masks.iter().map(|m| m.scale).collect(), [models, sites, 1], &device);
    x.greater_equal(column(|m| m.threshold)).float() * scales
}

fn unsigned<const D: usize>(values: Vec<u32>, shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    Tensor::from_data(TensorData::new(values, shape), (device, DType::U32))
}
