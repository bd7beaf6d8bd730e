//! Tests of the HTML report in a browser.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::driver::{Browser, Screen};

pub(crate) const DESKTOP: Screen = Screen { width: 1280, height: 900, theme: "light" };

/// Returns trials as a CSV: three numbers, of which the first matters, and a word. A `count` of 0 gives one
/// failed trial.
fn trials(count: usize, seed: u64) -> String {
    let mut csv =
        "number,state,value,params_learning_rate,params_d_model,params_depth,params_activation\n".to_owned();
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / 2_147_483_648.0
    };
    if count == 0 {
        csv += "0,FAIL,,0.1,32,1,relu\n";
    }
    for number in 0..count {
        let (a, b, c, noise) = (next(), next(), next(), next());
        let rate = 10.0_f64.powf(-5.0 + 3.0 * a);
        let value = 0.7 - 0.1 * (a - 0.4) * (a - 0.4) + 0.02 * noise;
        let width = [32, 64, 96, 128][(b * 4.0) as usize];
        let word = ["relu", "gelu", "silu"][(c * 3.0) as usize];
        let state = if number % 17 == 16 { "FAIL" } else { "COMPLETE" };
        let value = if state == "FAIL" { String::new() } else { value.to_string() };
        writeln!(csv, "{number},{state},{value},{rate},{width},{},{word}", 1 + (b * 7.0) as usize).unwrap();
    }
    csv
}

/// Writes the report of two budgets with `count` trials each and returns its address.
pub(crate) fn page(folder: &Path, count: usize) -> String {
    for (name, seed) in [("a.csv", 1), ("b.csv", 2)] {
        std::fs::write(folder.join(name), trials(count, seed)).unwrap();
    }
    render(folder, &["1M=a.csv", "10M=b.csv", "--rows", "100:400"])
}

fn render(folder: &Path, arguments: &[&str]) -> String {
    let arguments: Vec<&str> =
        ["report"].iter().chain(arguments).chain(&["-o", "report.html"]).copied().collect();
    let mut program = Command::new(env!("CARGO_BIN_EXE_allometry"));
    let output = program.args(arguments).current_dir(folder).output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    format!("file://{}", folder.join("report.html").display())
}

/// Writes the report of the reference ladder, whose trials have no scores, and returns its address.
fn reference_page(test: &str, folder: &Path) -> Option<String> {
    let source = |label: &str, name: &str| {
        let trials = allometry_testkit::reference_file(test, &format!("seed/trials/{name}/all_trials.json"))?;
        let best = allometry_testkit::reference_file(test, &format!("seed/trials/{name}/best_params.json"))?;
        Some(format!("{label}={}:{}", trials.display(), best.display()))
    };
    let sources = [source("2M", "2m")?, source("20M", "20m")?, source("200M", "200m")?];
    let weights = "patchtst:features=105,context=80,patch=16,stride=8";
    let arguments = ["--tag", "a100", "--rows", "76:346", "--weights", weights];
    Some(render(folder, &arguments.into_iter().chain(sources.iter().map(String::as_str)).collect::<Vec<_>>()))
}

#[test]
fn a_reference_ladder_is_drawn_on_every_screen() {
    let test = "a_reference_ladder_is_drawn_on_every_screen";
    let Some(browser) = Browser::start(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let Some(url) = reference_page(test, folder.path()) else { return };
    for (width, height) in [(360, 740), (1024, 768), (1920, 1080)] {
        for theme in ["light", "dark"] {
            browser.open(&url, Screen { width, height, theme });
            browser.wait_for(
                "document.querySelector('#trials-table p.count').textContent.startsWith('150 trials')",
            );
            let wide = browser.value("document.documentElement.scrollWidth");
            assert!(wide.as_u64().unwrap() <= u64::from(width), "{width} pixels: the page is {wide} wide");
            browser.picture(&format!("reference-{width}-{theme}-first"));
            browser.open_sections();
            let wide = browser.value("document.documentElement.scrollWidth");
            assert!(wide.as_u64().unwrap() <= u64::from(width), "{width} pixels, opened: {wide} wide");
            for place in ["body", "#scaling", "#parallel-2", "#slice-0", "#interaction-1", "#trials"] {
                browser.value(&format!("document.querySelector('{place}')?.scrollIntoView()"));
                browser.picture(&format!("reference-{width}-{theme}-{}", place.trim_start_matches('#')));
            }
        }
    }
    let drawn = figures(&browser);
    let of_budgets = (0..3).flat_map(|position| {
        ["history", "parallel", "importance", "slice", "coverage"].map(|name| format!("{name}-{position}"))
    });
    for figure in ["scaling", "best-of", "distribution"].map(str::to_owned).into_iter().chain(of_budgets) {
        assert!(drawn.contains(&figure), "{figure} is not among {drawn:?}");
    }
    // Its trials look like an adaptive search, so no difference between budgets has an error.
    assert!(!drawn.contains(&"differences".to_owned()), "{drawn:?}");
    assert_sound(&browser, &url);
}

/// Before anything is opened, the page is short and begins with the answer, on a phone too.
#[test]
fn the_page_answers_first() {
    let test = "the_page_answers_first";
    let Some(browser) = Browser::start(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let Some(url) = reference_page(test, folder.path()) else { return };
    for (width, height) in [(360, 740), (1280, 900), (1920, 1080)] {
        browser.open(&url, Screen { width, height, theme: "light" });
        let words = browser.value(
            "document.body.innerText.split(/\\s+/).filter((word) => /[\\p{L}\\p{N}]/u.test(word)).length",
        );
        let tall = browser.value("document.documentElement.scrollHeight");
        println!("{width} pixels wide: {words} words, {tall} pixels tall");
        assert!((200..=1_500).contains(&words.as_u64().unwrap()), "{words} words");
        let shown = browser.value(
            "(() => { const card = document.querySelector('.card').getBoundingClientRect(); \
             const contents = document.querySelector('nav.contents').getBoundingClientRect(); \
             return [card.top, contents.top >= card.bottom, \
             document.querySelector('nav.contents details').open, \
             document.querySelector('.verdict .word').textContent, \
             document.querySelectorAll('details.fold[open], details.finding[open]').length]; })()",
        );
        assert!(shown[0].as_f64().unwrap() < 60.0, "the card begins at {}", shown[0]);
        let is_phone = width == 360;
        assert_eq!((&shown[1], &shown[2]), (&Value::from(is_phone), &Value::from(!is_phone)), "{width}");
        assert_eq!((&shown[3], &shown[4]), (&Value::from("Undecided"), &Value::from(0)));
    }
    let sections = browser.value("Array.from(document.querySelectorAll('h2'), (one) => one.textContent)");
    let wanted = ["What to take", "What next", "What matters", "What is wrong", "Everything else"];
    assert_eq!(sections, Value::from(wanted.to_vec()));
    for figure in ["budgets", "scaling", "importance", "effects"] {
        let is_seen = browser.value(&format!("document.querySelector('#{figure}').checkVisibility()"));
        assert_eq!(is_seen, true, "{figure}");
    }
    let repeated = browser.value(
        "Array.from(document.querySelectorAll('[id]'), (one) => one.id)\
         .filter((id, place, all) => all.indexOf(id) !== place)",
    );
    assert_eq!(repeated, Value::Array(vec![]));
    let lost = browser.value(
        "Array.from(document.querySelectorAll('a[href^=\"#\"]'), (link) => link.hash.slice(1))\
         .filter((id) => !document.getElementById(id))",
    );
    assert_eq!(lost, Value::Array(vec![]));
}

#[test]
fn a_link_into_a_closed_section_opens_it() {
    let Some(browser) = Browser::start("a_link_into_a_closed_section_opens_it") else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = page(folder.path(), 50);
    browser.open(&format!("{url}#slice-1"), DESKTOP);
    let is_seen = |id: &str| browser.value(&format!("document.getElementById('{id}').checkVisibility()"));
    browser.wait_for("document.getElementById('slice-1').checkVisibility()");
    assert_eq!(is_seen("slice-0"), false, "the other budget stays closed");
    assert_eq!(is_seen("trials-table"), false);
    for _ in 0..2 {
        browser.click("nav.contents a[href='#trials']");
        browser.wait_for("document.getElementById('trials-table').checkVisibility()");
        browser.value("document.getElementById('trials').closest('details').open = false");
    }
}

#[test]
fn a_single_study_begins_with_its_story() {
    let Some(browser) = Browser::start("a_single_study_begins_with_its_story") else { return };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.csv"), trials(50, 1)).unwrap();
    let url = render(folder.path(), &["small=a.csv", "--metric", "auc"]);
    browser.open(&url, DESKTOP);
    let card = browser.value("document.querySelector('.card').textContent");
    let card = card.as_str().unwrap();
    assert!(card.starts_with("small") && card.contains("How good is it?"), "{card}");
    assert!(!card.contains("pay?"), "{card}");
    assert_eq!(browser.value("document.querySelector('#history-0').checkVisibility()"), true);
    assert_eq!(browser.value("document.querySelectorAll('.card dl.params dt').length"), 4);
    assert_sound(&browser, &url);
}

/// Writes the report of a ladder of `budgets` budgets whose parameters have many and long values, and returns
/// its address.
fn crowded_page(folder: &Path, budgets: usize, parameters: usize) -> String {
    let words = ["relu", "gelu", "leaky_relu_0.01", "exponential linear", "mish of a long name", "tanh"];
    let mut sources = Vec::new();
    for budget in 0..budgets {
        let mut csv = "number,state,value,params_learning_rate,params_activation_function".to_owned();
        for extra in 2..parameters {
            write!(csv, ",params_parameter_with_a_long_name_{extra}").unwrap();
        }
        for number in 0..60_usize {
            let mixed = |by: usize| number * (by * 7 + 3 + budget) % 59;
            let rate = 10.0_f64.powf(-5.0 + mixed(1) as f64 / 20.0);
            let value = 0.6 + mixed(2) as f64 / 500.0 + budget as f64 / 100.0;
            write!(csv, "\n{number},COMPLETE,{value},{rate},{}", words[mixed(3) % words.len()]).unwrap();
            for extra in 2..parameters {
                let value = if extra % 2 == 0 { 16 << (mixed(extra) % 8) } else { mixed(extra) };
                write!(csv, ",{value}").unwrap();
            }
        }
        std::fs::write(folder.join(format!("{budget}.csv")), csv).unwrap();
        sources.push(format!("{}M={budget}.csv", 1 << budget));
    }
    let sources = sources.iter().map(String::as_str);
    render(folder, &sources.chain(["--metric", "auc", "--rows", "100:400"]).collect::<Vec<_>>())
}

/// Every label is inside its drawing and touches no other one, with all sections open.
#[test]
fn no_label_is_clipped_or_touches_another() {
    let test = "no_label_is_clipped_or_touches_another";
    let Some(browser) = Browser::start(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let ladders = [(3, 7), (10, 7), (2, 30)];
    let pages = ladders.map(|(budgets, parameters)| {
        let folder = folder.path().join(format!("{budgets}-{parameters}"));
        std::fs::create_dir(&folder).unwrap();
        (format!("{budgets} budgets, {parameters} parameters"), crowded_page(&folder, budgets, parameters))
    });
    let reference = reference_page(test, folder.path()).map(|url| ("the reference ladder".to_owned(), url));
    for (name, url) in pages.into_iter().chain(reference) {
        for (width, height) in [(360, 740), (1024, 768), (1920, 1080)] {
            browser.open(&url, Screen { width, height, theme: "light" });
            browser.open_sections();
            let faults = browser.value(include_str!("labels.js").trim_end());
            assert_eq!(faults, Value::Array(vec![]), "{name}, {width} pixels");
            let labels = browser.value("document.querySelectorAll('svg.panel text').length");
            assert!(labels.as_u64().unwrap() > 200, "{name}: {labels} labels");
        }
    }
}

/// Every value of a parameter with names, every pair of budgets and every axis has its label.
#[test]
fn no_name_is_left_out() {
    let Some(browser) = Browser::start("no_name_is_left_out") else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = crowded_page(folder.path(), 10, 14);
    browser.open(&url, Screen { width: 360, height: 740, theme: "light" });
    let named = |id: &str| {
        let texts =
            format!("Array.from(document.querySelectorAll('#{id} .grid text'), (one) => one.textContent)");
        serde_json::from_value::<Vec<String>>(browser.value(&texts)).unwrap()
    };
    let axes = named("parallel-0");
    assert_eq!(axes.len(), 15, "14 parameters and the metric: {axes:?}");
    let budgets = named("budgets");
    assert!((0..10).all(|budget| budgets.iter().any(|name| name.starts_with(&format!("{}M", 1 << budget)))));
    let activations = browser.value(
        "Array.from(document.querySelectorAll('#slice-0 svg.panel')) \
         .find((svg) => svg.querySelector('.title').textContent === 'activation_function') \
         .querySelectorAll('.grid text[transform], .grid text[text-anchor=middle]').length",
    );
    assert_eq!(activations, 6);
    for seed in 0..10 {
        std::fs::write(folder.path().join(format!("{seed}.csv")), trials(60, seed + 1)).unwrap();
    }
    let sources: Vec<String> = (0..10).map(|budget| format!("{}M={budget}.csv", 1 << budget)).collect();
    let arguments = sources.iter().map(String::as_str).chain(["--metric", "auc", "--rows", "100:400"]);
    let url = render(folder.path(), &arguments.collect::<Vec<_>>());
    browser.open(&url, Screen { width: 360, height: 740, theme: "light" });
    let differences = named("differences");
    assert_eq!(differences.iter().filter(|name| name.contains(" over ")).count(), 45);
}

/// Fails if a drawing has an invalid number, if the console has a message, or if the page requested anything
/// else.
fn assert_sound(browser: &Browser, url: &str) {
    let broken = browser.value(
        "Array.from(document.querySelectorAll('svg *')).filter((e) => Array.from(e.attributes).some((a) => \
         /NaN|undefined|Infinity/.test(a.value))).map((e) => e.outerHTML.slice(0, 200))",
    );
    assert_eq!(broken, Value::Array(vec![]));
    assert_eq!(browser.complaints(), Vec::<String>::new());
    let elsewhere: Vec<String> = browser.requests().into_iter().filter(|asked| asked != url).collect();
    assert_eq!(elsewhere, Vec::<String>::new());
}

fn figures(browser: &Browser) -> Vec<String> {
    let ids = browser.value("Array.from(document.querySelectorAll('figure'), (figure) => figure.id)");
    serde_json::from_value(ids).unwrap()
}

#[test]
fn every_figure_is_drawn_and_nothing_leaves_the_page() {
    let Some(browser) = Browser::start("every_figure_is_drawn_and_nothing_leaves_the_page") else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = page(folder.path(), 50);
    browser.open(&url, DESKTOP);
    let drawn = figures(&browser);
    let wanted = ["scaling", "differences", "best-of", "distribution"].map(str::to_owned).into_iter();
    let of_budgets = [0, 1].into_iter().flat_map(|position| {
        ["history", "parallel", "importance", "slice"].map(|name| format!("{name}-{position}"))
    });
    for figure in wanted.chain(of_budgets) {
        assert!(drawn.contains(&figure), "{figure} is not among {drawn:?}");
    }
    let empty = browser.value(
        "Array.from(document.querySelectorAll('svg.panel'))\
         .filter((panel) => !panel.querySelector('.marks *')).map((panel) => panel.id)",
    );
    assert_eq!(empty, Value::Array(vec![]));
    let unnamed = browser.value(
        "Array.from(document.querySelectorAll('figure .panels'))\
         .filter((p) => !p.getAttribute('aria-label')).length",
    );
    assert_eq!(unnamed, 0);
    assert_sound(&browser, &url);
}

/// Prints the times of the first painting and of the loaded page, and the duration of a move of the pointer.
fn print_times(browser: &Browser, count: usize) {
    let painted =
        browser.value("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null");
    let ready = browser.value("performance.getEntriesByType('navigation')[0].loadEventEnd");
    let moved = if count == 0 {
        Value::Null
    } else {
        browser.middle("#history-0 svg.panel");
        browser.value(
            "(() => { const svg = document.querySelector('#history-0 svg.panel'); \
             const box = svg.getBoundingClientRect(); \
             const times = []; for (let at = 1; at < 40; at++) { const start = performance.now(); \
             svg.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, \
             clientX: box.left + box.width * at / 40, clientY: box.top + box.height / 2 })); \
             document.body.getBoundingClientRect(); times.push(performance.now() - start); } \
             return times.sort((a, b) => a - b)[Math.floor(times.length * 0.95)]; })()",
        )
    };
    // A range keeps half of the trials; the next frame shows it in all charts.
    let brushed = browser.promised(
        "(async () => { const values = trialData().studies[0].values; const times = []; \
         const low = [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]; \
         for (let round = 0; round < 10; round++) { const start = performance.now(); \
         selection.ranges.set('value', { low: low + round * 1e-9, high: Infinity }); applySelection(); \
         await new Promise((done) => requestAnimationFrame(() => setTimeout(done))); \
         times.push(performance.now() - start); } \
         clearSelection(); return times.sort((a, b) => a - b)[5]; })()",
    );
    println!(
        "2 x {count} trials: first paint {painted} ms, loaded {ready} ms, 95% of the pointer's moves within \
         {moved} ms, a brush is drawn after {brushed} ms"
    );
}

#[test]
fn few_trials_and_many_have_a_page_too() {
    let Some(browser) = Browser::start("few_trials_and_many_have_a_page_too") else { return };
    for count in [0, 1, 10_000] {
        let folder = tempfile::tempdir().unwrap();
        let url = page(folder.path(), count);
        browser.open(&url, DESKTOP);
        browser.wait_for("document.querySelector('#trials-table p.count') !== null");
        browser.open_sections();
        print_times(&browser, count);
        browser.wait_for(&format!(
            "document.querySelector('#trials-table p.count').textContent.startsWith('{} trials')",
            2 * count.max(1)
        ));
        assert_sound(&browser, &url);
        assert!(
            std::fs::metadata(folder.path().join("report.html")).unwrap().len() < 6_000_000,
            "{count} trials"
        );
    }
}

#[test]
fn the_pointer_finds_a_trial_and_marks_it_everywhere() {
    let Some(browser) = Browser::start("the_pointer_finds_a_trial_and_marks_it_everywhere") else { return };
    let folder = tempfile::tempdir().unwrap();
    browser.open(&page(folder.path(), 50), DESKTOP);
    browser.open_sections();
    browser.middle("#history-0 svg.panel");
    let place = browser.value(
        "(() => { const panel = panelOf(document.querySelector('#history-0 svg.panel')); \
         const [x, y] = placesOf(panel)[7]; \
         const box = panel.svg.getBoundingClientRect(); const view = panel.svg.viewBox.baseVal; \
         return [box.left + x * box.width / view.width, box.top + y * box.height / view.height]; })()",
    );
    let at = (place[0].as_f64().unwrap() + 2.0, place[1].as_f64().unwrap() + 1.0);
    browser.pointer(&[(at.0 - 40.0, at.1), at], false);
    let words = browser.value("document.querySelector('.tip').textContent");
    assert!(words.as_str().unwrap().starts_with("1M, trial 7:"), "{words}");
    let rings = browser.value("document.querySelectorAll('#slice-0 circle.hovered').length");
    assert_eq!(rings, 4, "one ring in each of the slices");
    assert_eq!(browser.value("document.querySelectorAll('#slice-1 circle.hovered').length"), 0);
    assert_eq!(browser.value("document.querySelectorAll('#parallel-0 path.hovered').length"), 1);
    browser.picture("hover");
}

#[test]
fn charts_zoom_by_pointer_and_by_keyboard() {
    let Some(browser) = Browser::start("charts_zoom_by_pointer_and_by_keyboard") else { return };
    let folder = tempfile::tempdir().unwrap();
    browser.open(&page(folder.path(), 50), DESKTOP);
    browser.open_sections();
    let (x, y) = browser.middle("#history-1 svg.panel");
    let ticks =
        "Array.from(document.querySelectorAll('#history-1 .grid text'), (text) => text.textContent).join()";
    let before = browser.value(ticks);
    browser.pointer(&[(x - 60.0, y - 40.0), (x, y), (x + 50.0, y + 30.0)], true);
    let zoom = browser.value("panelOf(document.querySelector('#history-1 svg.panel')).zoom !== null");
    assert_eq!(zoom, true);
    assert_ne!(browser.value(ticks), before);
    browser.value("document.querySelector('#history-1 .panels').focus()");
    browser.key("0");
    assert_eq!(browser.value(ticks), before);
    browser.key("+");
    let shown = browser.value("panelOf(document.querySelector('#history-1 svg.panel')).zoom.sx");
    assert_eq!(shown, 2);
    browser.key("Escape");
    assert_eq!(browser.value(ticks), before);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Numbers of a column have one notation and one number of digits, and are aligned at the right.
#[test]
fn numbers_of_a_column_are_alike() {
    let Some(browser) = Browser::start("numbers_of_a_column_are_alike") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut csv = "number,state,value,params_rate,params_dropout".to_owned();
    for (number, (value, rate)) in [(0.714, 1e-4), (0.7147, 3.25e-3), (0.7, 0.01)].into_iter().enumerate() {
        write!(csv, "\n{number},COMPLETE,{value},{rate},0.{number}").unwrap();
    }
    std::fs::write(folder.path().join("a.csv"), csv).unwrap();
    browser.open(&render(folder.path(), &["a=a.csv", "--metric", "auc"]), DESKTOP);
    browser.open_sections();
    let column = |place: usize| {
        browser.value(&format!(
            "Array.from(document.querySelectorAll('#trials-table td:nth-child({place})'), \
             (cell) => cell.textContent)"
        ))
    };
    assert_eq!(column(4), serde_json::json!(["0.7147", "0.7140", "0.7000"]));
    assert_eq!(column(7), serde_json::json!(["3.25e-3", "1.00e-4", "1.00e-2"]));
    assert_eq!(column(8), serde_json::json!(["0.1", "0.0", "0.2"]));
    let side =
        browser.value("getComputedStyle(document.querySelector('#trials-table td:nth-child(4)')).textAlign");
    assert_eq!(side, "right");
}

/// A mark that turns the direction of text is shown instead of obeyed: numbers after it keep their order.
#[test]
fn a_label_cannot_turn_the_numbers_around() {
    let Some(browser) = Browser::start("a_label_cannot_turn_the_numbers_around") else { return };
    let folder = tempfile::tempdir().unwrap();
    for (name, seed) in [("a.csv", 1), ("b.csv", 2)] {
        std::fs::write(folder.path().join(name), trials(50, seed)).unwrap();
    }
    let url =
        render(folder.path(), &["1M\u{202e}=a.csv", "10M=b.csv", "--metric", "auc", "--rows", "100:400"]);
    browser.open(&url, DESKTOP);
    let marks = browser.value("/[\\u202a-\\u202e\\u2066-\\u2069]/.test(document.documentElement.outerHTML)");
    assert_eq!(marks, false);
    assert_eq!(browser.value("document.body.textContent.includes('1M\\\\u{202e}')"), true);
    assert_eq!(browser.value("trialData().studies[0].label"), "1M\\u{202e}");
    assert_sound(&browser, &url);
}

/// Thousands of dots are gathered by their number, and the pointer still finds each trial.
#[test]
fn thousands_of_trials_are_no_blob() {
    let Some(browser) = Browser::start("thousands_of_trials_are_no_blob") else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = page(folder.path(), 4_000);
    browser.open(&url, DESKTOP);
    browser.open_sections();
    for place in ["#history-0", "#slice-0", "#scaling"] {
        let densities = browser.value(&format!(
            "new Set(Array.from(document.querySelectorAll('{place} .dots.bin'), \
             (one) => getComputedStyle(one).opacity)).size"
        ));
        assert!(densities.as_u64().unwrap() >= 3, "{place}: {densities} densities");
    }
    assert_eq!(browser.value("document.querySelectorAll('#slice-0 .bar.box').length"), 7 + 4 + 3);
    let found = browser.value(
        "(() => { const panel = Array.from(document.querySelectorAll('#slice-0 svg.panel'), panelOf) \
         .find((one) => one.x.field === 'param:activation'); \
         return [0, 1, 2, 3].map((trial) => placeOf(panel, trialData().studies[0], trial)[0]); })()",
    );
    let places: Vec<f64> = serde_json::from_value(found).unwrap();
    assert!(places.windows(2).all(|pair| (pair[0] - pair[1]).abs() > 1.0), "spread: {places:?}");
    assert_sound(&browser, &url);
}

/// A finger's tap shows the trial under it; scrolling with a finger leaves no range on an axis.
#[test]
fn a_tap_shows_a_trial_and_scrolling_marks_nothing() {
    let Some(browser) = Browser::start("a_tap_shows_a_trial_and_scrolling_marks_nothing") else { return };
    let folder = tempfile::tempdir().unwrap();
    browser.open(&page(folder.path(), 50), Screen { width: 360, height: 740, theme: "light" });
    browser.open_sections();
    browser.middle("#history-0 svg.panel");
    let tip = browser.value(
        "(() => { const panel = panelOf(document.querySelector('#history-0 svg.panel')); \
         const [x, y] = placesOf(panel)[7]; const box = panel.svg.getBoundingClientRect(); \
         const scale = box.width / panel.svg.viewBox.baseVal.width; \
         panel.svg.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true, pointerType: 'touch', \
         clientX: box.left + x * scale, clientY: box.top + y * scale })); \
         return document.querySelector('.tip').textContent; })()",
    );
    assert!(tip.as_str().unwrap().starts_with("1M, trial 7:"), "{tip}");
    browser.middle("#parallel-0 svg.panel");
    let brushes = browser.value(
        "(() => { const panel = panelOf(document.querySelector('#parallel-0 svg.panel')); \
         const box = panel.svg.getBoundingClientRect(); const clientX = box.left + axisX(panel, 0); \
         const send = (kind, y) => panel.svg.dispatchEvent(new PointerEvent(kind, \
         { bubbles: true, pointerType: 'touch', clientX, clientY: box.top + y })); \
         send('pointerdown', 100); send('pointercancel', 100); send('pointermove', 200); \
         return document.querySelectorAll('.brush').length; })()",
    );
    assert_eq!(brushes, 0);
}

#[test]
fn names_of_users_are_text() {
    let Some(browser) = Browser::start("names_of_users_are_text") else { return };
    let folder = tempfile::tempdir().unwrap();
    let payloads = [
        "<script>window.harmed=1</script>",
        "\"><img src=x onerror=window.harmed=1>",
        "</title></script><svg onload=window.harmed=1>",
        "[a](javascript:window.harmed=1)",
        "![x](http://127.0.0.1:9/x.png)",
        "`</code><b>`",
    ];
    let mut csv = "number,state,value".to_owned();
    for payload in payloads {
        write!(csv, ",\"params_{}\"", payload.replace('"', "\"\"")).unwrap();
    }
    writeln!(csv, ",params_{}", "x".repeat(100_000)).unwrap();
    for number in 0..30 {
        write!(csv, "{number},COMPLETE,{}", 0.5 + f64::from(number * 7 % 30) / 100.0).unwrap();
        for payload in payloads {
            write!(csv, ",\"{}{}\"", payload.replace('"', "\"\""), number % 3).unwrap();
        }
        writeln!(csv, ",{}", number % 5).unwrap();
    }
    std::fs::write(folder.path().join("a.csv"), csv).unwrap();
    let label = "<b>2M</b><svg/onload>=a.csv";
    let metric = format!("<b>2M</b><svg/onload>={}", payloads[2]);
    let url = render(folder.path(), &[label, "--tag", payloads[0], "--metric", &metric, "--mode", "max"]);
    browser.open(&url, DESKTOP);
    assert_eq!(browser.value("window.harmed === undefined"), true);
    assert_eq!(
        browser.value(
            "document.querySelectorAll('main img, main script, main b, main a[href^=javascript]').length"
        ),
        0
    );
    assert!(browser.value("document.querySelectorAll('figure').length").as_u64().unwrap() > 3);
    let width = browser.value("document.documentElement.scrollWidth");
    assert!(width.as_u64().unwrap() <= 1280, "the long name widens the page to {width}");
    assert_sound(&browser, &url);
}

#[test]
fn the_page_fits_its_screen_in_both_themes() {
    let Some(browser) = Browser::start("the_page_fits_its_screen_in_both_themes") else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = page(folder.path(), 50);
    for (width, height) in [(360, 740), (1024, 768), (1920, 1080)] {
        for theme in ["light", "dark"] {
            browser.open(&url, Screen { width, height, theme });
            let wide = browser.value("document.documentElement.scrollWidth");
            assert!(wide.as_u64().unwrap() <= u64::from(width), "{width} pixels: the page is {wide} wide");
            browser.open_sections();
            let wide = browser.value("document.documentElement.scrollWidth");
            assert!(wide.as_u64().unwrap() <= u64::from(width), "{width} pixels, opened: {wide} wide");
            let paper = browser.value("getComputedStyle(document.documentElement).backgroundColor");
            let expected = if theme == "dark" { "rgb(20, 25, 31)" } else { "rgb(255, 255, 255)" };
            assert_eq!(paper, expected);
            for place in
                ["body", "#scaling", "#parallel-0", "#slice-0", "#importance-0", "#coverage-0", "#trials"]
            {
                if browser.value(&format!("document.querySelector('{place}') !== null")) == true {
                    browser.value(&format!("document.querySelector('{place}').scrollIntoView()"));
                    browser.picture(&format!("{width}-{theme}-{}", place.trim_start_matches('#')));
                }
            }
        }
    }
}

/// A page that the reader made dark is printed light, with what is open, and it says what it leaves out.
#[test]
fn print_is_light_and_says_what_it_leaves_out() {
    let Some(browser) = Browser::start("print_is_light_and_says_what_it_leaves_out") else { return };
    let folder = tempfile::tempdir().unwrap();
    browser.open(&page(folder.path(), 50), DESKTOP);
    browser.click("#theme");
    browser.value("document.getElementById('slice-0').closest('details.fold').open = true");
    browser.value("dispatchEvent(new Event('beforeprint'))");
    browser.cdp("Emulation.setEmulatedMedia", &serde_json::json!({ "media": "print" }));
    let look = browser.value(
        "[getComputedStyle(document.documentElement).backgroundColor, getComputedStyle(document.body).color]",
    );
    assert_eq!(look, serde_json::json!(["rgb(255, 255, 255)", "rgb(29, 37, 48)"]));
    let hidden = ["#theme", "nav.contents", "#trials-filter", "#trials"];
    for place in hidden {
        let is_seen = browser.value(&format!("document.querySelector('{place}').checkVisibility()"));
        assert_eq!(is_seen, false, "{place}");
    }
    for place in ["#slice-0", ".finding .advice"] {
        let is_seen = browser.value(&format!("document.querySelector('{place}').checkVisibility()"));
        assert_eq!(is_seen, true, "{place}");
    }
    let note = browser.value("document.querySelector('.printed').innerText");
    let note = note.as_str().unwrap();
    assert!(note.contains("HPO Analysis: 10M; ") && note.contains("All trials"), "{note}");
    assert!(!note.contains("HPO Analysis: 1M"), "{note}");
    browser.value("dispatchEvent(new Event('afterprint'))");
    assert_eq!(browser.value("document.querySelectorAll('details.finding[open]').length"), 0);
}

#[test]
fn the_theme_can_be_chosen() {
    let Some(browser) = Browser::start("the_theme_can_be_chosen") else { return };
    let folder = tempfile::tempdir().unwrap();
    browser.open(&page(folder.path(), 20), DESKTOP);
    let ink = "getComputedStyle(document.body).color";
    let light = browser.value(ink);
    browser.click("#theme");
    assert_ne!(browser.value(ink), light);
    browser.click("#theme");
    assert_eq!(browser.value(ink), light);
}

#[test]
fn axe_finds_no_barrier() {
    let Some(axe) = allometry_testkit::npm_file("axe_finds_no_barrier", "axe-core/axe.min.js") else {
        return;
    };
    let Some(browser) = Browser::start("axe_finds_no_barrier") else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = page(folder.path(), 50);
    let axe = std::fs::read_to_string(axe).unwrap();
    for theme in ["light", "dark"] {
        browser.open(&url, Screen { theme, ..DESKTOP });
        browser.cdp("Runtime.evaluate", &serde_json::json!({ "expression": axe }));
        for sections in ["closed", "open"] {
            let barriers = browser.promised(
                "axe.run().then((result) => result.violations.map((one) => `${one.id}: \
                 ${one.nodes.length} at ${one.nodes[0].target}: ${one.nodes[0].failureSummary}`))",
            );
            assert_eq!(barriers, Value::Array(vec![]), "{theme}, sections {sections}");
            browser.open_sections();
        }
    }
}
