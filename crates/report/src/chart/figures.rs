//! All figures of a report.

use allometry_analysis::{Analysis, LadderTrials, StudyAnalysis, StudyTrials};
use indexmap::IndexMap;

use super::figure::Figure;
use super::{
    best_of, budgets, confirmation, coverage, data, differences, distribution, effects, front, history,
    importance, interaction, law, learning, matters, parallel, reliability, scaling, slice, timeline,
    transfer,
};

/// The figures of a report by their names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures {
    figures: IndexMap<String, Figure>,
}

impl Figures {
    /// Draws every figure for which the trials of a ladder and their analysis have data.
    pub fn new(analysis: &Analysis, ladder: &LadderTrials) -> Self {
        let mut all = opening_figures(analysis, ladder);
        all.extend(ladder_figures(analysis, ladder));
        for (position, (study, trials)) in analysis.studies.iter().zip(&ladder.studies).enumerate() {
            all.extend(study_figures(study, trials, position, analysis));
        }
        Self { figures: all.into_iter().map(|figure| (figure.id.clone(), figure)).collect() }
    }

    /// Returns the figure with this name, if it could be drawn.
    pub fn get(&self, id: &str) -> Option<&Figure> {
        self.figures.get(id)
    }

    /// Returns all figures, those of the ladder first.
    pub fn iter(&self) -> impl Iterator<Item = &Figure> {
        self.figures.values()
    }
}

/// Draws the figures with which a page begins: the budgets, and the importance and the effects of parameters.
pub fn opening_figures(analysis: &Analysis, ladder: &LadderTrials) -> Vec<Figure> {
    let figures = [budgets::figure(analysis), matters::figure(analysis), effects::figure(analysis, ladder)];
    figures.into_iter().flatten().collect()
}

/// Draws the figures over all budgets, apart from those with which a page begins.
pub fn ladder_figures(analysis: &Analysis, ladder: &LadderTrials) -> Vec<Figure> {
    let figures = [
        scaling::figure(analysis, ladder),
        data::figure(analysis),
        law::ladder_figure(analysis),
        differences::figure(analysis),
        distribution::figure(ladder),
        best_of::figure(analysis),
        confirmation::figure(analysis),
        timeline::figure(ladder),
        transfer::figure(analysis),
        reliability::figure(analysis, ladder),
    ];
    figures.into_iter().flatten().collect()
}

/// Draws the figures of one budget, at `position` in the ladder.
pub fn study_figures(
    study: &StudyAnalysis,
    trials: &StudyTrials,
    position: usize,
    analysis: &Analysis,
) -> Vec<Figure> {
    let figures = [
        history::figure(trials, position, analysis),
        front::figure(study, trials, position, analysis),
        importance::figure(study, position),
        interaction::figure(study, position),
        slice::figure(study, trials, position, analysis),
        parallel::figure(study, trials, position, analysis),
        coverage::figure(study, position, analysis),
        learning::figure(trials, position, analysis),
    ];
    figures.into_iter().flatten().collect()
}
