//! Tests of the selection of trials in a browser: ranges on axes, filters, the explorer.

use serde_json::{Value, json};

use crate::driver::Browser;
use crate::report::{DESKTOP, page};

#[test]
fn a_brush_filters_the_table_and_the_charts() {
    let Some(browser) = Browser::start("a_brush_filters_the_table_and_the_charts") else { return };
    let folder = tempfile::tempdir().unwrap();
    browser.open(&page(folder.path(), 50), DESKTOP);
    browser.open_sections();
    browser.middle("#parallel-0 svg.panel");
    // The brush starts in the middle of a wide gap between two values, so that a pixel does not matter.
    let ends = browser.value(
        "(() => { const panel = panelOf(document.querySelector('#parallel-0 svg.panel')); \
         const last = panel.axes.length - 1; \
         const values = trialData().studies.flatMap((study) => study.values) \
         .filter((value) => value !== null) \
         .sort((a, b) => b - a); \
         const gaps = values.slice(10, 50).map((value, place) => [values[place + 9] - value, place + 10]) \
         .sort((a, b) => b[0] - a[0]); \
         const kept = gaps[0][1]; \
         const least = (values[kept - 1] + values[kept]) / 2; \
         const unit = unitOf(panel.axes[last], least); \
         const box = panel.svg.getBoundingClientRect(); const view = panel.svg.viewBox.baseVal; \
         const at = (unit) => [box.left + axisX(panel, last) * box.width / view.width, \
         box.top + axisY(panel, unit) * box.height / view.height]; \
         return [at(unit), at(1.02), kept]; })()",
    );
    let point = |end: usize| (ends[end][0].as_f64().unwrap(), ends[end][1].as_f64().unwrap());
    let middle = (point(0).0, f64::midpoint(point(0).1, point(1).1));
    browser.pointer(&[point(0), middle, point(1)], true);
    let expected = &ends[2];
    browser.wait_for("document.querySelectorAll('#parallel-0 .brush').length === 1");
    browser.wait_for(&format!(
        "document.querySelector('#trials-table p.count').textContent.startsWith('{expected} trials')"
    ));
    assert!(expected.as_u64().unwrap() > 0 && expected.as_u64().unwrap() < 94, "{expected}");
    // The other budget shows the same range.
    for panel in ["#slice-0", "#slice-1", "#parallel-1"] {
        let panel = format!("document.querySelector('{panel} svg.panel').classList.contains('filtered')");
        assert_eq!(browser.value(&panel), true, "{panel}");
    }
    assert_eq!(browser.value("document.querySelectorAll('#parallel-1 .brush').length"), 1);
    let chip = browser.value("document.querySelector('#selection span').textContent");
    assert!(chip.as_str().unwrap().starts_with(&format!("{expected} of 100 trials; AUC: from 0.")), "{chip}");
    browser.picture("brush");
    // The address keeps the selection.
    browser.wait_for("location.hash.includes('range=value')");
    let address = browser.value("location.href");
    browser.open("about:blank", DESKTOP);
    browser.open(address.as_str().unwrap(), DESKTOP);
    browser.wait_for(&format!(
        "document.querySelector('#selection').textContent.startsWith('{expected} of 100 trials')"
    ));
    browser.open_sections();
    browser.middle("#parallel-0 svg.panel");
    browser.pointer(&[point(0)], true);
    browser.wait_for("document.querySelector('#trials-table p.count').textContent.startsWith('100 trials')");
    assert_eq!(
        browser.value("document.querySelector('#slice-0 svg.panel').classList.contains('filtered')"),
        false
    );
    browser.wait_for("document.querySelector('#selection') === null && location.hash === ''");
}

/// The reader chooses the axes and the colour of a chart; the forest's predictions lie under the trials.
#[test]
fn the_explorer_draws_any_two_fields() {
    let Some(browser) = Browser::start("the_explorer_draws_any_two_fields") else { return };
    let folder = tempfile::tempdir().unwrap();
    browser.open(&page(folder.path(), 60), DESKTOP);
    browser.open_sections();
    let choose = |name: &str, value: &str| {
        browser.value(&format!(
            "(() => {{ const select = document.querySelector('#explorer select[name={name}]'); \
             select.value = '{value}'; select.dispatchEvent(new Event('change')); }})()"
        ))
    };
    let places = |expected: &str| {
        let panel = "panelOf(document.querySelector('#explorer svg.panel'))";
        let found = browser.value(&format!("placesOf({panel}).length"));
        let wanted = browser.value(&format!("trialData().studies.flatMap({expected}).length"));
        assert_eq!(found, wanted);
    };
    choose("x", "param:d_model");
    places("(study) => study.values.filter((value) => value !== null)");
    let curves = browser.value(
        "explorerMarginals(document.getElementById('explorer'), \
        panelOf(document.querySelector('#explorer svg.panel')).x, { field: 'value' }).length",
    );
    assert_eq!(browser.value("document.querySelectorAll('#explorer .marks path.band').length"), curves);
    assert!(curves.as_u64().unwrap() > 0, "the forest of some budget predicts");
    browser.middle("#explorer svg.panel");
    browser.picture("explorer-model");
    choose("colour", "state");
    let legend = "Array.from(document.querySelectorAll('#explorer .legend li'), (one) => one.textContent)";
    let of_forests = "one.startsWith('forest of ')";
    let states = browser.value(&format!("{legend}.filter((one) => !{of_forests}).sort()"));
    assert_eq!(states, json!(["complete", "failed"]));
    assert_eq!(browser.value(&format!("{legend}.filter((one) => {of_forests}).length")), curves);
    choose("x", "param:learning_rate");
    choose("colour", "param:learning_rate");
    assert_eq!(browser.value("panelOf(document.querySelector('#explorer svg.panel')).x.kind"), "log");
    browser.click("#explorer input[name=logX]");
    assert_eq!(browser.value("panelOf(document.querySelector('#explorer svg.panel')).x.kind"), "linear");
    assert_eq!(browser.value("document.activeElement.name"), "logX");
    browser.middle("#explorer svg.panel");
    browser.picture("explorer-rate");
    choose("y", "number");
    places("(study) => study.numbers");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// The chip counts the marked trials and clears them; a link with a filter that cannot be read says so.
#[test]
fn marked_trials_and_a_filter_that_is_not_understood_have_a_chip() {
    let Some(browser) = Browser::start("marked_trials_and_a_filter_that_is_not_understood_have_a_chip")
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let page = page(folder.path(), 20);
    browser.open(&page, DESKTOP);
    let chip = "document.querySelector('#selection span').textContent";
    browser.value("pinTrial([0, 0])");
    assert_eq!(browser.value(chip), "1 marked");
    browser.value("[1, 2, 3, 4, 5, 6].forEach((trial) => pinTrial([0, trial]))");
    assert_eq!(browser.value(chip), "6 marked, the most that charts mark");
    browser.click("#selection button");
    assert_eq!(
        browser.value("[looks.pinned.length, document.querySelector('#selection')]"),
        json!([0, null])
    );
    browser.open("about:blank", DESKTOP);
    browser.open(&format!("{page}#?filter=AUC%20%3E%3E%201"), DESKTOP);
    browser.wait_for("document.querySelector('#selection') !== null");
    assert_eq!(browser.value(chip), "The filter is not understood");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// The labels of an axis have one notation, whatever the page shows of it.
#[test]
fn ticks_of_an_axis_have_one_notation() {
    let Some(browser) = Browser::start("ticks_of_an_axis_have_one_notation") else { return };
    let folder = tempfile::tempdir().unwrap();
    browser.open(&page(folder.path(), 20), DESKTOP);
    let labels = |axis: &str, low: f64, high: f64| {
        browser.value(&format!("ticks({axis}, {low}, {high}).map(([, label]) => label)"))
    };
    let log = "{ kind: 'log', format: 'number' }";
    assert_eq!(labels(log, 2e-4, 3e-3), json!(["0.0002", "0.0005", "0.001", "0.002"]));
    assert_eq!(labels(log, 1e-5, 2e-2), json!(["1e-05", "1e-04", "1e-03", "1e-02"]));
    let linear = "{ kind: 'linear', format: 'number' }";
    assert_eq!(labels(linear, 0.0, 2e-4), json!(["0", "5e-05", "1e-04", "1.5e-04", "2e-04"]));
    assert_eq!(labels(linear, 0.68, 0.73), json!(["0.68", "0.69", "0.70", "0.71", "0.72", "0.73"]));
    assert_eq!(labels(linear, -1.0, 1.0), json!(["-1.0", "-0.5", "0.0", "0.5", "1.0"]));
}

#[test]
fn the_table_sorts_and_filters() {
    let Some(browser) = Browser::start("the_table_sorts_and_filters") else { return };
    let folder = tempfile::tempdir().unwrap();
    browser.open(&page(folder.path(), 60), DESKTOP);
    browser.open_sections();
    let column = |place: usize| -> Vec<f64> {
        let cells = browser.value(&format!(
            "Array.from(document.querySelectorAll('#trials-table tbody td:nth-child({place})'), \
             (cell) => Number(cell.textContent))"
        ));
        serde_json::from_value(cells).unwrap()
    };
    let values = column(4);
    assert_eq!(values.len(), 50, "a page of the table");
    assert!(values.is_sorted_by(|a, b| a >= b), "the best first: {values:?}");
    browser.click("#trials-table th:nth-child(4) button");
    assert!(column(4).is_sorted());
    let filter = |text: &str| {
        browser.value(&format!(
            "(() => {{ const filter = document.getElementById('trials-filter'); \
             filter.value = {text:?}; filter.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()"
        ));
        browser.wait_for("scheduled.table === null");
    };
    filter("d_model=64 budget=10M value>0.69");
    let expected = browser.value(
        "(() => { const study = trialData().studies[1]; \
         const model = study.params.find((one) => one.name === 'd_model'); \
         return study.values.filter((value, trial) => value > 0.69 \
         && model.names[model.values[trial]] === '64').length; })()",
    );
    assert_eq!(Value::from(column(4).len()), expected);
    assert!(column(4).iter().all(|value| *value > 0.69));
    for (text, alike) in [
        ("AUC > 0.69 and d_model = 64 and budget = 10M", true),
        ("not (budget == 1M or d_model != 64) and auc >= 0.69", true),
        ("d_model = 64 and value > 0.69", false),
    ] {
        filter(text);
        assert_eq!(expected == column(4).len(), alike, "{text}");
    }
    filter("");
    let before = column(4);
    filter(&format!("value = {:.4}", before[3]));
    assert!(!column(4).is_empty() && column(4).iter().all(|value| *value == before[3]), "{:?}", column(4));
    for (text, error) in [
        ("dropuot = 0.1", "there is no column “dropuot”; there are budget, trial, state, value"),
        ("value > ", "a value is missing after “value >”"),
        ("value > much", "“much” after “value >” is not a number"),
        ("(value > 0.6", "a “)” is missing before the end"),
        ("value > 0.6 and", "a name, a word or “(” is missing before the end"),
        ("value ! 3", "cannot read “! 3”"),
        ("value > 0.6 && d_model = 64", "cannot read “&& d_model = 64”"),
        ("AUC", "a comparison is missing after “AUC”"),
    ] {
        filter(text);
        let shown = browser.value("document.getElementById('trials-filter-error').textContent");
        assert!(shown.as_str().unwrap().contains(error), "{text}: {shown}");
        assert_eq!(column(4), before, "all trials are shown: {text}");
    }
    filter("");
    assert_eq!(browser.value("document.getElementById('trials-filter-error').textContent"), "");
    assert_eq!(column(4).len(), 50);
}
