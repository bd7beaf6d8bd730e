//! `allometry sampler`.

mod protocol;
mod session;

use std::io::{BufRead as _, Write as _};

use allometry_core::ladder::SamplerKind;
use clap::{Args, ValueEnum};

use self::protocol::Answer;
use self::session::Session;

/// Proposes configurations to another program: JSON lines in, JSON lines out
///
/// The first line of standard input describes the space; values are minimised:
///
///   {"name": "mlp", "seed": 7, "budget": 50, "params": [
///    {"name": "lr", "type": "ordinal", "values": [0.001, 0.01, 0.1]}, {"name": "act", "type": "categorical", "values": ["relu", "tanh"]},
///    {"name": "x", "type": "float", "low": 0.001, "high": 1, "log": true}, {"name": "n", "type": "int", "low": 1, "high": 8}]}
///
/// (on one line). Then {"ask": 0} is answered by {"params": {...}}; {"tell": 0, "value": 0.25} by nothing, a null value is a failed
/// trial; {"recommend": true} by the told configuration that is probably best. A line that makes no sense is answered by
/// {"error": "..."}. The command ends with its input.
///
/// With "directions": ["minimize", "maximize"] in the first line there are as many objectives: {"tell": 0, "values": [0.25, 3]}, and
/// {"recommend": true} is answered by {"front": [{"trial": 0, "values": [...], "params": {...}}]}, the trials that none beats.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
#[expect(clippy::doc_link_with_quotes, reason = "the help shows JSON as it is")]
pub(crate) struct Sampler {
    /// The sampler
    #[arg(long, value_enum, default_value = "gp")]
    kind: Kind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Bayesian optimisation with a Gaussian process; beyond 300 trials as tpe
    Gp,
    /// Tree-structured Parzen estimator
    Tpe,
    /// Scrambled Sobol points
    Sobol,
    /// Independent draws
    Random,
    /// Every configuration, spread
    Grid,
}

impl From<Kind> for SamplerKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Gp => Self::Gp,
            Kind::Tpe => Self::Tpe,
            Kind::Sobol => Self::Sobol,
            Kind::Random => Self::Random,
            Kind::Grid => Self::Grid,
        }
    }
}

impl Sampler {
    pub(super) fn run(self) {
        let mut session = Session::new(self.kind.into());
        let mut output = std::io::stdout().lock();
        for line in std::io::stdin().lock().split(b'\n') {
            // A reader that went away, or a writer that broke off, is the end.
            let Ok(line) = line else { break };
            let answer = match std::str::from_utf8(&line) {
                Ok(text) if text.trim().is_empty() => continue,
                Ok(text) => {
                    session.answer(text).unwrap_or_else(|error| Some(Answer::Error(error.to_string())))
                }
                Err(_) => Some(Answer::Error("the line is not UTF-8".into())),
            };
            let Some(answer) = answer else { continue };
            let mut text = serde_json::to_string(&answer).expect("an answer has only text as keys");
            text.push('\n');
            if output.write_all(text.as_bytes()).and_then(|()| output.flush()).is_err() {
                break;
            }
        }
    }
}
