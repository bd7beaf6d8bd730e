//! The arguments that name a ladder file and override its settings.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use allometry_core::{Precision, Secret, secret};
use allometry_ladder::{DeviceKind, Ladder, ObjectiveSpec};
use allometry_report::command::shell_word;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::error::CliError;

/// A ladder file and the options that override its settings.
#[derive(Debug, Args)]
pub(super) struct LadderFile {
    /// The ladder file, or the folder of a ladder.toml.
    #[arg(value_name = "LADDER", default_value = "ladder.toml", value_parser = parse_path)]
    pub(super) ladder: PathBuf,

    /// Overrides a setting of the file, such as model.epochs=20. May be repeated.
    #[arg(short = 'S', long = "set", value_name = "KEY=VALUE", value_parser = parse_setting)]
    pub(super) set: Vec<(String, String)>,

    /// Storage of the trials, such as sqlite:///trials.db or postgresql://user@host/database.
    #[arg(long, value_name = "URL", env = "ALLOMETRY_STORAGE", hide_env_values = true)]
    pub(super) storage: Option<Secret>,

    #[command(flatten)]
    device: OnDevice,
}

/// The options of what trains the built-in model.
#[derive(Debug, Args)]
pub(super) struct OnDevice {
    /// Device that trains the built-in model; overrides the ladder file. The kind wgpu requires a program
    /// built with --features gpu.
    #[arg(long, value_name = "KIND", value_parser = device_parser())]
    device: Option<DeviceKind>,
    /// Precision of the built-in model's matrix products; overrides the ladder file. `auto` is bf16 on
    /// processors with AMX, where a training step in bf16 takes about half the time, and f32 on others.
    #[arg(long, value_name = "PRECISION", value_parser = precision_parser())]
    precision: Option<Precision>,
}

/// Returns the path of a ladder file, given the file or its folder.
#[expect(clippy::unnecessary_wraps, reason = "the signature that clap calls")]
pub(super) fn parse_path(text: &str) -> Result<PathBuf, Infallible> {
    Ok(allometry_study::in_folder(text))
}

fn device_parser() -> impl TypedValueParser<Value = DeviceKind> {
    PossibleValuesParser::new(DeviceKind::ALL.map(DeviceKind::as_str)).map(|name| {
        let found = DeviceKind::ALL.into_iter().find(|kind| kind.as_str() == name);
        found.expect("clap accepts only the possible values")
    })
}

fn precision_parser() -> impl TypedValueParser<Value = Precision> {
    PossibleValuesParser::new(Precision::ALL.map(Precision::as_str)).map(|name| {
        let found = Precision::ALL.into_iter().find(|precision| precision.as_str() == name);
        found.expect("clap accepts only the possible values")
    })
}

impl OnDevice {
    /// Sets the device and the precision of the ladder's model, where the options are given.
    ///
    /// # Errors
    /// [`CliError::Usage`] if the ladder's trials are evaluated by a command, or if the device does not train
    /// in the precision.
    pub(super) fn apply(&self, ladder: &mut Ladder) -> Result<(), CliError> {
        let ObjectiveSpec::Model { model, .. } = &mut ladder.objective else {
            return match (self.device, self.precision) {
                (None, None) => Ok(()),
                (Some(_), _) => Err(not_of_commands(
                    "--device",
                    Some("--devices 0,1 gives devices to the command's trials".into()),
                )),
                (None, Some(_)) => Err(not_of_commands("--precision", None)),
            };
        };
        model.device = self.device.unwrap_or(model.device);
        model.precision = self.precision.unwrap_or(model.precision);
        if model.precision == Precision::Bf16 && model.device != DeviceKind::Cpu {
            let (precision, device) = (model.precision.as_str(), model.device.as_str());
            return Err(CliError::Usage {
                message: format!("the device {device} does not train in {precision}"),
                hint: Some("--precision f32 trains on it, and --device cpu in any precision".into()),
            });
        }
        Ok(())
    }
}

fn not_of_commands(option: &str, hint: Option<String>) -> CliError {
    let message =
        format!("{option} applies to the built-in model; the ladder's trials are evaluated by its command");
    CliError::Usage { message, hint }
}

impl LadderFile {
    /// Returns the arguments that name the file and its settings to another command, passwords hidden.
    pub(super) fn words(&self) -> String {
        let file = Some(words_of(&self.ladder)).filter(|word| !word.is_empty());
        let settings =
            self.set.iter().map(|(key, value)| format!("-S {}", shell_word(&format!("{key}={value}"))));
        // A storage of the environment is there for the next command too.
        let environment = std::env::var("ALLOMETRY_STORAGE").ok();
        let storage = self.storage.as_ref().map(Secret::expose);
        let storage = storage.filter(|url| Some(*url) != environment.as_deref());
        let storage = storage.map(|url| format!("--storage {}", shell_word(url)));
        let words: Vec<String> = file.into_iter().chain(settings).chain(storage).collect();
        secret::hide(&words.join(" "))
    }

    /// Returns the precision that the studies of the ladder in its storage began with, if there are some.
    pub(super) fn stored_precision(&self, ladder: &Ladder) -> Option<Precision> {
        let url = allometry_study::storage_url(ladder, self.storage.as_ref(), &self.ladder);
        allometry_session::stored_precision(&url, ladder)
    }

    /// Reads and checks the file.
    ///
    /// # Errors
    /// [`CliError::Read`]; [`CliError::Ladder`] with every problem of the file; [`CliError::Usage`] for a
    /// device that the ladder cannot use.
    pub(super) fn read(&self) -> Result<Ladder, CliError> {
        self.read_with(&self.set)
    }

    /// Reads and checks the file with other settings than those of `--set`.
    ///
    /// # Errors
    /// The errors of [`read`](Self::read).
    pub(super) fn read_with(&self, settings: &[(String, String)]) -> Result<Ladder, CliError> {
        let mut ladder = allometry_study::read_ladder(&self.ladder, settings)?;
        self.device.apply(&mut ladder)?;
        Ok(ladder)
    }
}

/// Checks that a ladder has a budget.
///
/// # Errors
/// [`CliError::Usage`] that names the budgets.
pub(super) fn known_budget(ladder: &Ladder, label: &str) -> Result<(), CliError> {
    let labels: Vec<&str> = ladder.budgets.iter().map(|spec| spec.budget.label.as_str()).collect();
    if labels.contains(&label) {
        return Ok(());
    }
    Err(CliError::Usage {
        message: format!("the ladder has no budget `{label}`"),
        hint: Some(format!("it has {}", labels.join(", "))),
    })
}

/// Returns the argument that names a ladder file; empty for the default.
pub(super) fn words_of(path: &Path) -> String {
    if path == Path::new("ladder.toml") { String::new() } else { shell_word(&path.display().to_string()) }
}

pub(super) fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().into(), value.trim().into())),
        _ => Err("expected KEY=VALUE".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_for_a_shell() {
        assert_eq!(words_of(Path::new("ladder.toml")), "");
        assert_eq!(words_of(Path::new("a/b-1.toml")), "a/b-1.toml");
        assert_eq!(words_of(Path::new("my $x's/ladder.toml")), r"'my $x'\''s/ladder.toml'");
    }
}
