use allometry_core::{PanelRow, Shared};
use allometry_ladder::{MissingPolicy, ModelSpec};
use allometry_store::StudyId;
use allometry_store::facts::{
    CommandFacts, DataFacts, LabelFacts, LadderPlace, ModelFacts, Program, SplitFacts, StudyFacts,
};

use super::*;

/// Returns the trials of a storage whose only study has these facts.
fn read(facts: StudyFacts) -> LadderTrials {
    let record = StudyRecord {
        unreadable: None,
        id: StudyId(1),
        name: "l/s".into(),
        directions: vec![Direction::Maximize],
        space: None,
        facts,
        attributes: std::collections::BTreeMap::new(),
        user_attributes: std::collections::BTreeMap::new(),
        system_attributes: std::collections::BTreeMap::new(),
    };
    let study = StoredStudy {
        record,
        trials: Shared::default(),
        running: Vec::new(),
        predictions: std::collections::BTreeMap::new(),
    };
    ladder(vec![study], "sqlite:///trials.db")
}

fn of_ladder(objective: Option<ObjectiveFacts>) -> StudyFacts {
    let place = LadderPlace { name: "l".into(), tag: None, seed: 1, position: 0 };
    StudyFacts { ladder: Some(place), objective, ..StudyFacts::default() }
}

/// A study without a ladder gets no ladder name: its report uses the study's own name.
#[test]
fn a_study_of_no_ladder_has_no_name_of_one() {
    assert_eq!(read(of_ladder(None)).name.as_deref(), Some("l"));
    assert_eq!(read(StudyFacts::default()).name, None);
}

#[test]
fn a_smallest_effect_is_read_back() {
    let of = |smallest_effect| read(StudyFacts { smallest_effect, ..of_ladder(None) }).smallest_effect;
    assert_eq!((of(Some(0.002)), of(None)), (Some(0.002), None));
}

#[test]
fn what_labels_look_at_and_how_rows_are_ordered_follows_from_the_objective() {
    let of = |objective: Option<ObjectiveFacts>| {
        let read = read(of_ladder(objective));
        (read.horizon, read.row_order, read.metric().to_owned())
    };
    let model = |label: LabelFacts, horizon: u64| {
        let data = DataFacts {
            rows: 10,
            features: vec!["x".into()],
            label,
            split: SplitFacts { train: 0.7, validation: 0.15 },
            folds: None,
            na: MissingPolicy::Error,
            horizon,
            classes: None,
            class_names: Vec::new(),
            embeddings: Vec::new(),
            max_gap: None,
            series: None,
        };
        Some(ObjectiveFacts::Model(Box::new(ModelFacts { model: ModelSpec::new(8, 4, 4), data, part: None })))
    };
    let column = || LabelFacts::Column("up".into());
    let auc = || "AUC".to_owned();
    assert_eq!(of(model(column(), 1)), (1, RowOrder::Stored, auc()));
    assert_eq!(of(model(column(), 5)), (5, RowOrder::Stored, auc()));
    let rise = LabelFacts::Rise { rise: 0.01, of: "high".into(), over: "close".into(), horizon: 3 };
    assert_eq!(of(model(rise, 1)), (3, RowOrder::Stored, auc()));
    let command = |horizon| {
        Some(ObjectiveFacts::Command(CommandFacts {
            command: Program::Line("train".into()),
            metric: "mse".into(),
            weights: None,
            horizon,
            part: None,
        }))
    };
    assert_eq!(of(command(1)), (1, RowOrder::RowNumbers, "mse".to_owned()));
    assert_eq!(of(command(20)), (20, RowOrder::RowNumbers, "mse".to_owned()));
    assert_eq!(of(None), (1, RowOrder::RowNumbers, auc()));
}

/// Errors over rows of several series need to know them; without, there is none.
#[test]
fn the_series_of_rows_are_read_back_and_their_absence_is_no_single_series() {
    use allometry_ladder::{SeriesSpec, SeriesSplit};
    use allometry_store::facts::PanelFacts;

    let data = |series| DataFacts {
        rows: 10,
        features: vec!["x".into()],
        label: LabelFacts::Column("up".into()),
        split: SplitFacts { train: 0.7, validation: 0.15 },
        folds: None,
        na: MissingPolicy::Error,
        horizon: 1,
        classes: None,
        class_names: Vec::new(),
        embeddings: Vec::new(),
        max_gap: None,
        series,
    };
    let of = |series, panel| {
        let model = ModelFacts { model: ModelSpec::new(8, 4, 4), data: data(series), part: None };
        let objective = Some(ObjectiveFacts::Model(Box::new(model)));
        read(StudyFacts { panel, ..of_ladder(objective) }).panel
    };
    let spec = || Some(SeriesSpec { column: "shop".into(), split: SeriesSplit::Time });
    let names = || vec!["a".to_owned(), "b".to_owned()];
    let row = PanelRow { row: 7, series: 1, time: 3 };
    let facts = PanelFacts::new(names(), [row]);
    assert_eq!(of(spec(), Some(facts)), Some(Panel::new(names(), [row])));
    assert_eq!(of(spec(), None), Some(Panel::default()));
    assert_eq!(of(None, None), None);
}
