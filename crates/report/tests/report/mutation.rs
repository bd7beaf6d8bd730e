//! Reports of any trials agree with themselves; reports that were cut, mixed and scribbled on never stop the
//! program.

use std::sync::LazyLock;

use allometry_analysis::{Analysis, Knowledge, LadderTrials, Options, analyze, lint as weigh};
use allometry_core::{ClassCounts, ModelSize, ParamValue, Params};
use allometry_report::classic::read;
use allometry_report::{Pictures, ReadError, brief, classic, full, json, lint, lint_json, read_json};
use allometry_testkit::{Limits, damaged};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::{property, support};

/// Trials whose names and words hold nothing that means something in the report's own form.
fn plain(mut ladder: LadderTrials) -> LadderTrials {
    let tame = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let tame_params = |params: &mut Params| {
        for value in params.0.values_mut() {
            if let ParamValue::Text(text) = value {
                *text = format!("w{}", tame(text));
            }
        }
    };
    for (position, study) in ladder.studies.iter_mut().enumerate() {
        study.budget.label = format!("{}{position}M", tame(&study.budget.label));
        study.best_params.iter_mut().for_each(tame_params);
        study.trials.iter_mut().for_each(|trial| tame_params(&mut trial.params));
    }
    ladder.tag = ladder.tag.as_deref().map(tame);
    ladder
}

/// A small ladder's classic report.
static CLASSIC: LazyLock<String> = LazyLock::new(|| classic(&support::synthetic()));

/// The same ladder's document.
static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| json(&analyze(&support::synthetic(), &Options::default())));

/// What a damaged report may take.
static OF_CLASSIC: LazyLock<Limits> = LazyLock::new(|| Limits::of(|| survive(&CLASSIC)));

/// What a damaged document may take.
static OF_DOCUMENT: LazyLock<Limits> =
    LazyLock::new(|| Limits::of(|| drop(rendered(&read_json(&DOCUMENT).unwrap()))));

/// Both reports of a document.
fn rendered(document: &Analysis) -> String {
    full(document, &Pictures::none()) + &brief(document, &Pictures::none())
}

/// Reads, weighs and renders; nothing of it may panic, whatever comes of it.
fn survive(text: &str) {
    let Ok(report) = read(text) else { return };
    let size = |_: &Params| Some(ModelSize { total: 7, non_embedding: 3 });
    let rows = Some(ClassCounts { positives: 76, negatives: 346 });
    for knowledge in [Knowledge::default(), Knowledge { rows, size: Some(&size) }] {
        let found = weigh(&report, &knowledge, &Options::default());
        lint(&found, "report.md");
        lint_json(&found, "report.md");
    }
}

#[derive(Debug, Clone)]
enum Edit {
    Remove(Index),
    Repeat(Index, Index),
    Replace(Index, String),
    Insert(Index, String),
}

fn edit() -> impl Strategy<Value = Edit> {
    let scrap = prop_oneof![
        "[0-9.|#*:{}' -]{0,6}",
        ".{0,4}",
        Just("N/A".to_owned()),
        Just("1e999".to_owned()),
        Just("99999999999999999999".to_owned()),
        Just("4000000000".to_owned()),
        Just("0".to_owned()),
        Just("\n".to_owned()),
        Just("\n\n# HPO Analysis: 2M\n".to_owned()),
        Just("\n## Parameter Trends\n".to_owned()),
        Just("9".repeat(90)),
    ];
    let scrap = scrap.boxed();
    prop_oneof![
        any::<Index>().prop_map(Edit::Remove),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Edit::Repeat(from, to)),
        (any::<Index>(), scrap.clone()).prop_map(|(at, text)| Edit::Replace(at, text)),
        (any::<Index>(), scrap).prop_map(|(at, text)| Edit::Insert(at, text)),
    ]
}

/// Applies edits to pieces of lines between spaces, so that most lines keep their form.
fn edited(text: &str, edits: &[Edit]) -> String {
    let mut pieces: Vec<String> = text.split_inclusive([' ', '\n']).map(str::to_owned).collect();
    for edit in edits {
        let count = pieces.len();
        if count == 0 {
            break;
        }
        match edit {
            Edit::Remove(at) => drop(pieces.remove(at.index(count))),
            Edit::Repeat(from, to) => {
                let piece = pieces[from.index(count)].clone();
                pieces.insert(to.index(count), piece);
            }
            Edit::Replace(at, text) => {
                let piece = &mut pieces[at.index(count)];
                let end = piece.chars().next_back().filter(|c| c.is_whitespace());
                piece.clone_from(text);
                piece.extend(end);
            }
            Edit::Insert(at, text) => pieces.insert(at.index(count), text.clone()),
        }
    }
    pieces.concat()
}

proptest! {
    #[test]
    fn reports_of_any_trials_agree_with_themselves(ladder in property::ladder()) {
        let text = classic(&ladder);
        if let Ok(report) = read(&text) {
            let found = weigh(&report, &Knowledge::default(), &Options::default());
            prop_assert_eq!(&found.contradictions, &[], "{}", text);
        }
        let plain = plain(ladder);
        let text = classic(&plain);
        if plain.studies.is_empty() {
            prop_assert!(read(&text).is_err());
            return Ok(());
        }
        let report = read(&text);
        prop_assert!(report.is_ok(), "{:?}\n{}", report, text);
        let found = weigh(&report.unwrap(), &Knowledge::default(), &Options::default());
        prop_assert_eq!(&found.contradictions, &[], "{}", text);
        survive(&text);
    }

    #[test]
    fn no_edit_stops_the_program(ladder in property::ladder(), edits in vec(edit(), 1..12)) {
        survive(&edited(&classic(&plain(ladder)), &edits));
    }

    #[test]
    fn no_damage_stops_the_program(bytes in damaged(CLASSIC.clone().into_bytes())) {
        OF_CLASSIC.hold(|| survive(&String::from_utf8_lossy(&bytes)));
    }

    #[test]
    fn a_damaged_document_is_rendered_or_refused(bytes in damaged(DOCUMENT.clone().into_bytes())) {
        let text = String::from_utf8_lossy(&bytes);
        match OF_DOCUMENT.hold(|| read_json(&text).map(|document| rendered(&document))) {
            Ok(rendered) => prop_assert!(rendered.starts_with("# "), "{rendered}"),
            Err(ReadError::Newer { found }) => {
                prop_assert!(found.starts_with("allometry.report/"), "{found}");
            }
            Err(error) => prop_assert!(error.hint().is_some(), "{error}"),
        }
    }

    #[test]
    fn no_text_stops_the_program(pieces in vec(edit(), 0..40), text in "\\PC{0,200}") {
        survive(&text);
        let form = "# Cross-Budget HPO Comparison\n## Best Results by Budget\n| Budget | Best AUC \
                    |\n|---|---|\n| a | 0.5 |\n";
        survive(&edited(form, &pieces));
    }
}
