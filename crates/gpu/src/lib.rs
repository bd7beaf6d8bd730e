//! The built-in trainer's model on graphics processors, through burn. Losses, masks, schedule and
//! checkpoints are those of the CPU. Trials of one architecture that run at the same time are trained as
//! one batched model.
//!
//! Without the features `wgpu` and `cuda` the crate contains only the error that says so.

#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod device;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod model;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod model_batch;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod thread;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod trainee;

use std::sync::Arc;

use allometry_core::ladder::DeviceKind;
use allometry_trainer::device::Device;

/// Reason why there is no device to train on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The program was built without support for this kind of device.
    #[error("this program was built without support for `{kind}` devices")]
    NotBuilt {
        /// Kind of device.
        kind: &'static str,
    },
    /// The machine has no device of this kind.
    #[error("there is no `{kind}` device: {why}")]
    Absent {
        /// Kind of device.
        kind: &'static str,
        /// Message of the driver.
        why: String,
    },
}

impl OpenError {
    /// Returns advice for the user.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotBuilt { kind: "cuda" } => "build with --features cuda, or set device = \"cpu\"",
            Self::NotBuilt { .. } => "build with --features gpu, or set device = \"cpu\"",
            Self::Absent { kind: "cuda", .. } => {
                "install an NVIDIA driver, or set device = \"cpu\" to train without one"
            }
            Self::Absent { .. } => {
                "install a driver for Vulkan, Metal or DirectX 12, or set device = \"cpu\" to train without \
                 one"
            }
        }
    }
}

/// Returns the machine's device of a kind, or `None` for the CPU, for which the trainer needs no device.
///
/// A process opens each device once.
///
/// # Errors
/// [`OpenError`] if there is no such device.
pub fn open(kind: DeviceKind) -> Result<Option<Arc<dyn Device>>, OpenError> {
    match kind {
        DeviceKind::Cpu => Ok(None),
        #[cfg(feature = "cuda")]
        DeviceKind::Cuda => device::cuda().map(Some),
        #[cfg(feature = "wgpu")]
        DeviceKind::Wgpu => device::wgpu().map(Some),
        #[allow(unreachable_patterns, reason = "with both features every kind has its arm")]
        missing => Err(OpenError::NotBuilt { kind: missing.as_str() }),
    }
}
