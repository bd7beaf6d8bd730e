//! Rows of a window that no patch contains.

use std::fmt::Write as _;

use allometry_core::Params;
use allometry_report::number::counted;
use allometry_search::Feasible;
use allometry_trainer::{Geometry, PatchTstObjective};
use serde::Serialize;

use crate::styles::Label;

/// Largest number of combinations that are written out.
const SHOWN: usize = 5;

/// A combination of settings with which rows of a window are in no patch.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct UnseenRows {
    context: usize,
    patch: usize,
    stride: usize,
    /// Number of rows after the last patch, the newest of a window.
    newest: usize,
    /// Number of rows between patches.
    between: usize,
}

impl UnseenRows {
    /// Returns the combinations of the spaces that leave rows out, without duplicates.
    pub(super) fn of(spaces: &[Feasible], objective: &PatchTstObjective<'_>) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let mut geometries: Vec<Geometry> = Vec::new();
        for one in spaces.iter().flat_map(Feasible::architectures) {
            let Some(geometry) = geometry(objective, &one.params) else { continue };
            if geometries.contains(&geometry) {
                continue;
            }
            geometries.push(geometry);
            let [newest, between] = geometry.unseen();
            if newest + between > 0 {
                let Geometry { context, patch, stride, .. } = geometry;
                all.push(Self { context, patch, stride, newest, between });
            }
        }
        all.sort();
        all
    }

    fn line(&self, text: &mut String) {
        let Self { context, patch, stride, newest, between } = self;
        let newest = match newest {
            0 => None,
            1 => Some("its newest row".to_owned()),
            more => Some(format!("its {more} newest rows")),
        };
        let between = match between {
            0 => None,
            more => Some(format!("{} between two patches", counted(*more as u64, "row"))),
        };
        let unseen: Vec<String> = newest.into_iter().chain(between).collect();
        let _ = writeln!(
            text,
            "  {} the model does not see all rows of a window with context = {context}, patch = {patch}, \
             stride = {stride}: no patch contains {}",
            Label::Warning,
            unseen.join(" and ")
        );
    }
}

fn geometry(objective: &PatchTstObjective<'_>, params: &Params) -> Option<Geometry> {
    objective.settings(params).ok().map(|settings| settings.geometry)
}

/// Writes the first combinations, and what avoids them.
pub(super) fn lines(all: &[UnseenRows], text: &mut String) {
    for one in all.iter().take(SHOWN) {
        one.line(text);
    }
    if all.len() > SHOWN {
        let _ = writeln!(text, "    and with {} more combinations (--json lists them)", all.len() - SHOWN);
    }
    if !all.is_empty() {
        let _ = writeln!(
            text,
            "    patches contain all rows where `stride` is at most `patch` and divides `context` - `patch`"
        );
    }
}
