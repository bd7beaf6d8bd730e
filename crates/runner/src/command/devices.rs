//! The assignment of trials to devices.

use std::sync::{Mutex, PoisonError};

/// Devices that trials share; each trial gets the device with the fewest trials.
#[derive(Debug, Default)]
pub struct Devices {
    names: Vec<String>,
    taken: Mutex<Vec<usize>>,
}

impl Devices {
    /// Devices with their names in `CUDA_VISIBLE_DEVICES`; without devices the variable is not set.
    pub fn new(names: Vec<String>) -> Self {
        let taken = Mutex::new(vec![0; names.len()]);
        Self { names, taken }
    }

    /// Takes a device until the guard is dropped.
    pub(super) fn take(&self) -> Device<'_> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (0..taken.len()).min_by_key(|place| taken[*place]);
        if let Some(place) = place {
            taken[place] += 1;
        }
        Device { devices: self, place }
    }
}

/// A device in use.
#[derive(Debug)]
pub(super) struct Device<'a> {
    devices: &'a Devices,
    place: Option<usize>,
}

impl Device<'_> {
    pub(super) fn name(&self) -> Option<&str> {
        self.place.map(|place| self.devices.names[place].as_str())
    }
}

impl Drop for Device<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.devices.taken.lock().unwrap_or_else(PoisonError::into_inner)[place] -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_spread_over_the_devices() {
        let devices = Devices::new(vec!["0".into(), "1".into()]);
        let (a, b) = (devices.take(), devices.take());
        assert_eq!((a.name(), b.name()), (Some("0"), Some("1")));
        let c = devices.take();
        assert_eq!(c.name(), Some("0"));
        drop(b);
        assert_eq!(devices.take().name(), Some("1"));
        assert_eq!(Devices::default().take().name(), None);
    }
}
