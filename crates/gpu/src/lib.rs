//! The built-in trainer's model on graphics processors, through burn: the same losses, masks, schedule and checkpoints as on
//! the CPU, and trials of one architecture that run beside each other trained as one batched model.
//!
//! Built without the features `wgpu` and `cuda` the crate has nothing in it but the error that says so.

#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod bench;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod device;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod model;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod thread;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod trainee;

use std::sync::Arc;

use allometry_core::ladder::DeviceKind;
use allometry_trainer::device::Device;

/// Why there is no device to train on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The program cannot use devices of this kind.
    #[error("this program was built without support for `{kind}` devices")]
    NotBuilt {
        /// The kind.
        kind: &'static str,
    },
    /// The machine has none of this kind.
    #[error("there is no `{kind}` device: {why}")]
    Absent {
        /// The kind.
        kind: &'static str,
        /// In the words of its driver.
        why: String,
    },
}

impl OpenError {
    /// What a user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotBuilt { kind: "cuda" } => "build with --features cuda, or train with device = \"cpu\"",
            Self::NotBuilt { .. } => "build with --features gpu, or train with device = \"cpu\"",
            Self::Absent { kind: "cuda", .. } => "it needs an NVIDIA driver; device = \"cpu\" trains without",
            Self::Absent { .. } => {
                "it needs a driver for Vulkan, Metal or DirectX 12; device = \"cpu\" trains without"
            }
        }
    }
}

/// The machine's device of a kind; `None` for the CPU, which the trainer needs no device for. A process opens each once.
///
/// # Errors
/// [`OpenError`].
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
