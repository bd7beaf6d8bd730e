//! Discovery of devices and their threads.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use allometry_ladder::Parametrization;
use allometry_trainer::device::{Device, DeviceError, Plan, Trainee};

use crate::OpenError;
use crate::message::Message;
use crate::thread::serve;
use crate::trainee::OnDevice;

/// A device, driven by one thread.
#[derive(Debug)]
struct Gpu {
    name: String,
    messages: Mutex<Sender<Message>>,
}

impl Gpu {
    fn start(kind: &'static str, device: burn_tensor::Device) -> Result<Arc<dyn Device>, OpenError> {
        let name = device
            .identity()
            .map_or_else(|| kind.to_owned(), |identity| format!("{kind}: {}", identity.name));
        let (sender, receiver) = channel();
        let own = name.clone();
        std::thread::Builder::new()
            .name(kind.to_owned())
            .spawn(move || serve(device, &own, &receiver))
            .map_err(|error| OpenError::Absent { kind, why: error.to_string() })?;
        Ok(Arc::new(Self { name, messages: Mutex::new(sender) }))
    }
}

impl Device for Gpu {
    fn name(&self) -> &str {
        &self.name
    }

    fn open<'a>(&'a self, plan: &Plan<'a>) -> Result<Box<dyn Trainee + 'a>, DeviceError> {
        if plan.settings.parametrization != Parametrization::Standard {
            // One update kernel with one learning rate serves all tensors of a model.
            let why = "it trains the standard parametrization only".to_owned();
            return Err(DeviceError { device: self.name.clone(), why });
        }
        if plan.geometry.form.embeddings.count() > 0 {
            let why = "it trains no learned vectors of categories (`embedding`)".to_owned();
            return Err(DeviceError { device: self.name.clone(), why });
        }
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Box::new(OnDevice::open(&self.name, messages, plan)?))
    }
}

/// Returns the device that the system's graphics driver prefers.
pub(crate) fn wgpu() -> Result<Arc<dyn Device>, OpenError> {
    static OPENED: OnceLock<Result<Arc<dyn Device>, OpenError>> = OnceLock::new();
    let open = || {
        let device = burn_tensor::Device::wgpu_options()
            .init()
            .map_err(|error| OpenError::Absent { kind: "wgpu", why: error.to_string() })?;
        Gpu::start("wgpu", device)
    };
    OPENED.get_or_init(open).clone()
}
