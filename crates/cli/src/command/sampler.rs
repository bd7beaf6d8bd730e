//! `allometry sampler`.

mod protocol;
mod session;

use std::io::{BufRead as _, Write as _};

use allometry_core::SamplerKind;
use clap::{Args, ValueEnum};

use self::protocol::Answer;
use self::session::Session;

/// Proposes configurations to another program by JSON lines
///
/// The first line of standard input describes the search space (on one line):
///
///   {"name": "mlp", "seed": 7, "budget": 50, "params": [
///    {"name": "lr", "type": "ordinal", "values": [0.001, 0.01, 0.1]},
///    {"name": "act", "type": "categorical", "values": ["relu", "tanh"]},
///    {"name": "x", "type": "float", "low": 0.001, "high": 1, "log": true},
///    {"name": "n", "type": "int", "low": 1, "high": 8}]}
///
/// Each further line is a request:
///
///   {"ask": 0}                  asks for the configuration of trial 0; answered by {"params": {...}}
///   {"tell": 0, "value": 0.25}  gives the value of trial 0, or null if it failed; there is no answer
///   {"recommend": true}         asks for the told configuration that is probably best; answered alike
///
/// Values are minimised. An invalid line is answered by {"error": "..."}. The command ends with its
/// input.
///
/// gp may propose a leading configuration again, since its value under another seed can be worth more
/// than that of a new one: where all parameters are lists or have steps, and no trial has
/// constraints. It stops where three repeats had the values of before. "repeats": false in the first
/// line asks for new configurations alone.
///
/// For several objectives the first line has a field such as "directions": ["minimize", "maximize"].
/// A trial then has as many values, {"tell": 0, "values": [0.25, 3]}, and {"recommend": true} is
/// answered by the Pareto front, {"front": [{"trial": 0, "values": [...], "params": {...}}]}.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
#[expect(clippy::doc_link_with_quotes, reason = "the help shows JSON as it is")]
pub(crate) struct Sampler {
    /// Kind of sampler
    #[arg(long, value_enum, default_value = "gp")]
    kind: Kind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Bayesian optimisation with a Gaussian process; after 300 trials tpe
    Gp,
    /// Tree-structured Parzen estimator
    Tpe,
    /// Scrambled Sobol points
    Sobol,
    /// Independent random draws
    Random,
    /// Every configuration, in a spread-out order
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
            // The command ends when either pipe is closed.
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
