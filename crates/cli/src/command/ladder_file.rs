//! The arguments that name a ladder file, and reading it.

use std::convert::Infallible;
use std::path::PathBuf;

use allometry_core::Secret;
use allometry_core::ladder::{DeviceKind, Ladder, ObjectiveSpec};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use crate::error::CliError;

/// A ladder file and changes to it.
#[derive(Debug, Args)]
pub(super) struct LadderFile {
    /// The ladder file, or the folder of a ladder.toml.
    #[arg(value_name = "LADDER", default_value = "ladder.toml", value_parser = |text: &str| Ok::<_, Infallible>(allometry_study::in_folder(text)))]
    pub(super) ladder: PathBuf,

    /// Changes a setting of the file, such as model.epochs=20; may be repeated.
    #[arg(short = 'S', long = "set", value_name = "KEY=VALUE", value_parser = parse_setting)]
    pub(super) set: Vec<(String, String)>,

    /// Where trials are stored, such as sqlite:///trials.db or postgresql://user@host/database.
    #[arg(long, value_name = "URL", env = "ALLOMETRY_STORAGE", hide_env_values = true)]
    pub(super) storage: Option<Secret>,

    #[command(flatten)]
    device: OnDevice,
}

/// What the built-in model is trained on.
#[derive(Debug, Args)]
pub(super) struct OnDevice {
    /// What the built-in model is trained on, in place of what the ladder says; wgpu needs a program built with --features gpu, cuda one with --features cuda.
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(DeviceKind::ALL.map(DeviceKind::as_str)).map(|name| named(&name)))]
    device: Option<DeviceKind>,
}

fn named(name: &str) -> DeviceKind {
    let found = DeviceKind::ALL.into_iter().find(|kind| kind.as_str() == name);
    found.expect("clap lets no other name through")
}

impl OnDevice {
    /// Has the ladder's model trained there.
    ///
    /// # Errors
    /// [`CliError::Usage`] where there is no such model.
    pub(super) fn lay_over(&self, ladder: &mut Ladder) -> Result<(), CliError> {
        match (self.device, &mut ladder.objective) {
            (None, _) => Ok(()),
            (Some(device), ObjectiveSpec::Model { model, .. }) => {
                model.device = device;
                Ok(())
            }
            (Some(_), ObjectiveSpec::Command(_)) => Err(CliError::Usage {
                message:
                    "--device is for the built-in model; the ladder's trials are evaluated by its command"
                        .into(),
                hint: Some("--devices 0,1 hands devices to the command's trials".into()),
            }),
        }
    }
}

impl LadderFile {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// [`CliError::Read`], [`CliError::Ladder`] with every problem of the file, or [`CliError::Usage`] for a device that is of
    /// no use to it.
    pub(super) fn read(&self) -> Result<Ladder, CliError> {
        self.read_with(&self.set)
    }

    /// The same with other settings.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(super) fn read_with(&self, settings: &[(String, String)]) -> Result<Ladder, CliError> {
        let mut ladder = allometry_study::read_ladder(&self.ladder, settings)?;
        self.device.lay_over(&mut ladder)?;
        Ok(ladder)
    }
}

pub(super) fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().into(), value.trim().into())),
        _ => Err("expected KEY=VALUE".into()),
    }
}
