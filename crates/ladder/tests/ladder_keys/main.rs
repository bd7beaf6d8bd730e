//! Generates the reference of the ladder file, `docs/reference/ladder.md`, and tests it against the parser.
//!
//! `keys.rs` has the meaning and the default of each key. Everything else comes from the parser's own
//! messages: the keys of a table, and the types, words and numbers that a key accepts.

mod keys;
mod probe;
mod tables;

use std::fmt::Write as _;
use std::path::Path;

use keys::{Absent, Key, Table};
use probe::{Expected, parses};
use tables::TABLES;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/ladder.md");

#[test]
fn the_reference_has_every_key_that_the_parser_knows_and_no_other() {
    for table in TABLES {
        let mut listed: Vec<&str> =
            table.keys.iter().map(|key| key.name).chain(table.shared.iter().copied()).collect();
        listed.sort_unstable();
        assert_eq!(listed, probe::known_keys(table), "{}", table.heading);
    }
}

#[test]
fn every_table_in_a_table_has_its_own_entry() {
    for table in TABLES {
        for key in table.keys {
            if matches!(probe::expected(table, key), Expected::Table) {
                let heading = match table.at {
                    "" => format!("`[{}]`", key.name),
                    at => format!("`[{at}.{}]`", key.name),
                };
                let has_entry = TABLES.iter().any(|other| other.heading.contains(&heading));
                assert!(has_entry || key.is_free_table, "{heading} is described nowhere");
            }
        }
    }
}

#[test]
fn the_defaults_are_those_of_the_parser() {
    for table in TABLES {
        for key in table.keys {
            let text = table.base_of(key);
            let base = parses(text, &[]).unwrap_or_else(|errors| panic!("{}: {errors:?}", table.heading));
            let name = format!("{} {}", table.heading, key.name);
            match key.absent {
                Absent::Required => {
                    let problems = parses(&probe::without(table, key), &[]).expect_err(&name);
                    assert!(problems.iter().any(probe::is_missing), "{name}: {problems:?}");
                }
                Absent::Is(default) => {
                    let given = parses(text, &[probe::setting(table, key, default)]);
                    assert_eq!(
                        given.as_ref().ok(),
                        Some(&base),
                        "{name} is not {default} by default: {given:?}"
                    );
                    differs(table, key, &name);
                }
                Absent::Means(_) => differs(table, key, &name),
            }
        }
    }
}

/// Checks that the example of another value is accepted and changes the parsed ladder, so that the parser
/// reads the key.
fn differs(table: &Table, key: &Key, name: &str) {
    let mut settings: Vec<(String, String)> =
        key.requires.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let text = table.base_of(key);
    let before = parses(text, &settings);
    settings.push(probe::setting(table, key, key.example));
    let after = parses(text, &settings);
    assert!(after.is_ok(), "{name} = {}: {after:?}", key.example);
    if !key.is_ignored {
        assert_ne!(before.ok(), after.ok(), "{name} = {} changes nothing", key.example);
    }
}

/// Complete ladders in other pages are valid.
#[test]
fn ladders_in_the_documentation_are_valid() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = 0;
    for page in ["README.md", "docs/guide/own-script.md", "docs/reference/protocol.md"] {
        let text = std::fs::read_to_string(root.join(page)).expect("the page is there");
        for block in text.split("\n```toml").skip(1) {
            let (_, block) = block.split_once('\n').expect("a block has lines");
            let ladder = block.split("\n```").next().unwrap_or_default();
            if ladder.starts_with("name = ") {
                found += 1;
                let parsed = parses(ladder, &[]);
                assert!(parsed.is_ok(), "{page}: {parsed:?}");
            }
        }
    }
    assert_eq!(found, 3);
}

#[test]
fn the_page_is_the_generated_one() {
    let generated = page();
    if std::env::var("ALLOMETRY_BLESS").as_deref() == Ok("1") {
        std::fs::write(PAGE, &generated).expect("the page is written");
    }
    let committed = std::fs::read_to_string(Path::new(PAGE)).unwrap_or_default();
    assert!(
        committed == generated,
        "{PAGE} is stale: ALLOMETRY_BLESS=1 cargo test -p allometry-ladder --test ladder_keys"
    );
}

fn page() -> String {
    let mut page = String::from("# The ladder file\n");
    for paragraph in tables::INTRODUCTION {
        write!(page, "\n{}\n", wrapped(paragraph)).expect("text");
    }
    for table in TABLES {
        write!(page, "\n## {}\n\n{}\n\n", table.heading, wrapped(table.about)).expect("text");
        page.push_str("| key | takes | default | meaning |\n|---|---|---|---|\n");
        for key in table.keys {
            let takes = match key.takes {
                "" => probe::expected(table, key).to_string(),
                further => format!("{}, or {further}", probe::expected(table, key)),
            };
            let absent = match key.absent {
                Absent::Required => "required".to_owned(),
                Absent::Is(value) => format!("`{value}`"),
                Absent::Means(text) => text.to_owned(),
            };
            writeln!(page, "| `{}` | {takes} | {absent} | {} |", key.name, key.meaning).expect("text");
        }
        if !table.after.is_empty() {
            write!(page, "\n{}\n", wrapped(table.after)).expect("text");
        }
    }
    page
}

/// The text in lines of at most 100 columns.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is a line");
        if line.is_empty() || line.chars().count() + 1 + word.chars().count() <= 100 {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join("\n")
}
