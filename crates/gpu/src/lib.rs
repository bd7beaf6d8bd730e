//! The built-in trainer's model on graphics processors, through burn. Losses, masks, schedule and
//! checkpoints are those of the CPU. Trials of one architecture that run at the same time are trained as
//! one batched model.
//!
//! Without the feature `wgpu` the crate contains only the error that says so.

#[cfg(feature = "wgpu")]
mod device;
#[cfg(feature = "wgpu")]
mod message;
#[cfg(feature = "wgpu")]
mod model;
#[cfg(feature = "wgpu")]
mod model_batch;
#[cfg(feature = "wgpu")]
mod thread;
#[cfg(feature = "wgpu")]
mod trainee;

use std::sync::Arc;

use allometry_ladder::DeviceKind;
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
            Self::NotBuilt { .. } => "build with --features gpu, or set device = \"cpu\"",
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
        #[cfg(feature = "wgpu")]
        DeviceKind::Wgpu => device::wgpu().map(Some),
        #[cfg(not(feature = "wgpu"))]
        DeviceKind::Wgpu => Err(OpenError::NotBuilt { kind: kind.as_str() }),
    }
}
