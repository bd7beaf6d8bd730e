//! `allometry check --coordinates`: activations over widths and steps.

use allometry_analysis::coordinates::{CoordinateCheck, FEWEST_WIDTHS, LayerGrowth, coordinate_check};
use allometry_core::Params;
use allometry_ladder::{Ladder, ModelSpec, Parametrization};
use allometry_report::chart::coordinates_figure;
use allometry_report::words::coordinates as words;
use allometry_search::Feasible;
use allometry_session::{Evaluator, coordinate_runs};
use serde_json::{Value, json};

use crate::error::CliError;

/// Number of widths that are taken from the space of a ladder.
const MOST_WIDTHS: usize = 6;
/// Level of the intervals of exponents.
const LEVEL: f64 = 0.95;

/// A coordinate check with what was trained for it.
pub(super) struct Coordinates {
    check: CoordinateCheck,
    model: ModelSpec,
    /// The configuration at every width, without the width.
    params: Params,
}

impl Coordinates {
    /// Trains the middle of the first budget's space at `widths`, or at widths of the spaces, under `seeds`
    /// seeds for `steps` steps.
    ///
    /// # Errors
    /// A usage error for a ladder that runs a command and for too few widths; otherwise the errors of the
    /// trainings.
    pub(super) fn new(
        ladder: &Ladder,
        evaluator: &Evaluator<'_>,
        widths: &[usize],
        seeds: usize,
        steps: usize,
    ) -> Result<Self, CliError> {
        let Evaluator::Model(prepared) = evaluator else {
            return Err(CliError::Usage {
                message: "--coordinates trains the built-in model, but the ladder runs a command".into(),
                hint: Some("a program can measure the activations of its own model".into()),
            });
        };
        let mut spaces: Vec<Feasible> = Vec::with_capacity(ladder.budgets.len());
        for spec in &ladder.budgets {
            spaces.push(evaluator.feasible(spec)?);
        }
        let widths = if widths.is_empty() { of_spaces(&spaces)? } else { checked(widths)? };
        let first = spaces.first().expect("a ladder has a budget");
        let middle = first.params(&first.at(&vec![0.5; first.dimension()]));
        let runs = coordinate_runs(prepared, &middle, &widths, seeds, steps)?;
        let check = coordinate_check(&runs, LEVEL).expect("there is a run of each width and seed");
        let others = middle.iter().filter(|(name, _)| *name != "d_model");
        let params = others.map(|(name, value)| (name, value.clone())).collect();
        Ok(Self { check, model: prepared.model().clone(), params })
    }

    pub(super) fn text(&self) -> String {
        let Self { check, model, params } = self;
        let parametrization = match model.parametrization {
            Parametrization::Standard => "standard".to_owned(),
            Parametrization::Mup => {
                let ModelSpec { base_width, base_head_width, .. } = model;
                format!("mup (base_width {base_width}, base_head_width {base_head_width})")
            }
        };
        words::summary(check, &format!("{parametrization}, {params}"))
    }

    /// Returns the picture as SVG.
    pub(super) fn svg(&self) -> String {
        coordinates_figure(&self.check).svg()
    }

    pub(super) fn document(&self) -> Value {
        let Self { check, model, params } = self;
        let layers: Vec<Value> = check.layers.iter().map(layer).collect();
        json!({
            "schema": "allometry.coordinates/1",
            "parametrization": model.parametrization,
            "base_width": model.base_width,
            "base_head_width": model.base_head_width,
            "params": params,
            "widths": check.widths,
            "seeds": check.seeds,
            "steps": check.steps,
            "level": check.level,
            "layers": layers,
        })
    }
}

fn layer(layer: &LayerGrowth) -> Value {
    json!({
        "layer": words::layer(layer.layer),
        "sizes": layer.sizes,
        "changes": layer.changes,
        "size_exponent": layer.size,
        "change_exponent": layer.change,
        "growth": layer.growth,
    })
}

/// Returns the given widths in order.
fn checked(widths: &[usize]) -> Result<Vec<usize>, CliError> {
    let mut widths = widths.to_vec();
    widths.sort_unstable();
    widths.dedup();
    enough(&widths, "--widths gives")?;
    Ok(widths)
}

/// Returns widths of the spaces at about equal ratios.
fn of_spaces(spaces: &[Feasible]) -> Result<Vec<usize>, CliError> {
    let architectures = spaces.iter().flat_map(Feasible::architectures);
    let widths = architectures.filter_map(|one| one.params.get("d_model")?.as_i64());
    let mut widths: Vec<usize> = widths.filter_map(|width| usize::try_from(width).ok()).collect();
    widths.sort_unstable();
    widths.dedup();
    enough(&widths, "the budgets have")?;
    if widths.len() <= MOST_WIDTHS {
        return Ok(widths);
    }
    let (low, high) = ((widths[0] as f64).ln(), (widths[widths.len() - 1] as f64).ln());
    let mut chosen: Vec<usize> = (0..MOST_WIDTHS)
        .filter_map(|place| {
            let wanted = low + (high - low) * place as f64 / (MOST_WIDTHS - 1) as f64;
            let distance = |width: &usize| ((*width as f64).ln() - wanted).abs();
            widths.iter().copied().min_by(|a, b| distance(a).total_cmp(&distance(b)))
        })
        .collect();
    chosen.dedup();
    Ok(chosen)
}

fn enough(widths: &[usize], whose: &str) -> Result<(), CliError> {
    if widths.len() >= FEWEST_WIDTHS {
        return Ok(());
    }
    let listed: Vec<String> = widths.iter().map(ToString::to_string).collect();
    Err(CliError::Usage {
        message: format!(
            "--coordinates needs at least {FEWEST_WIDTHS} values of d_model, and {whose} {}: {}",
            widths.len(),
            listed.join(", ")
        ),
        hint: Some("for example --widths 32,64,128,256".into()),
    })
}
