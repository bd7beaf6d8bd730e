//! Tests of the repository's Markdown and line widths: links resolve, the book lists every page, lines are
//! short.
//!
//! This is a test binary without dependencies: it reads files and uses nothing of the program.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

/// Maximum width of a line of prose. Tables, code, headings and lines without a space to break at are
/// exempt.
const PROSE: usize = 100;
/// Maximum width of a line of Rust, comments and templates included.
const RUST: usize = 110;
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository is there")
}

/// Returns the files below `folder` with one of these extensions, without build output and hidden files.
fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder is readable") {
            let path = entry.expect("the entry is readable").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                let is_ours =
                    !name.starts_with('.') && !["target", "node_modules", "__pycache__"].contains(&&*name);
                folders.extend(is_ours.then_some(path));
            } else if path.extension().is_some_and(|e| extensions.contains(&&*e.to_string_lossy())) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn pages() -> BTreeMap<PathBuf, String> {
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("Markdown is UTF-8");
        (path, text)
    };
    files(&root(), &["md"]).into_iter().map(read).collect()
}

/// Returns the lines outside fenced code, each with its number.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut fence: Option<String> = None;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let start = line.trim_start();
        let ticks: String = start.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if start.trim_end() == open => fence = None,
            None if ticks.len() >= 3 => fence = Some(ticks),
            None => lines.push((number, line)),
            Some(_) => {}
        }
    }
    lines
}

/// Returns the line without the text between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// Returns the targets of a page's links, each with its line number.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in prose(text) {
        let line = without_code(line);
        let mut rest = line.as_str();
        while let Some(at) = rest.find("](") {
            rest = &rest[at + 2..];
            let end = rest.find(')').unwrap_or(rest.len());
            links.push((number, rest[..end].to_owned()));
        }
    }
    links
}

/// Returns the anchors of a page's headings, as mdBook and most forges generate them.
fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for (_, line) in prose(text) {
        let heading = line.trim_start_matches('#');
        if heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let plain: String = heading.trim().chars().filter(|c| *c != '`').collect();
        let slug: String = plain
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let again = anchors.iter().filter(|other| **other == slug).count();
        anchors.push(if again == 0 { slug } else { format!("{slug}-{again}") });
    }
    anchors
}

/// Returns the path with `.` and `..` resolved.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

#[test]
fn links_lead_to_files_and_headings_that_are_there() {
    let pages = pages();
    let mut dead = String::new();
    for (page, text) in &pages {
        for (line, link) in links(text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => page.clone(),
                file => normal(&page.parent().expect("a page has a folder").join(file)),
            };
            // The book contains only what is below `docs`.
            let docs = root().join("docs");
            let leaves_the_book = page.starts_with(&docs) && !target.starts_with(&docs);
            let has_anchor = anchor.is_empty()
                || pages.get(&target).is_some_and(|text| anchors(text).iter().any(|other| other == anchor));
            if !target.exists() || !has_anchor || leaves_the_book {
                writeln!(dead, "{}:{line}: {link}", shown(page)).expect("text");
            }
        }
    }
    assert!(dead.is_empty(), "links that lead nowhere:\n{dead}");
}

#[test]
fn paths_of_pages_in_sources_are_there() {
    let root = root();
    let mut dead = String::new();
    for file in ["crates", "python", "examples", "benches"]
        .iter()
        .flat_map(|f| files(&root.join(f), &["rs", "py", "toml"]))
    {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        for rest in text.split("docs/").skip(1) {
            let path: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || "/._-".contains(*c)).collect();
            let path = path.trim_end_matches('.');
            let names_a_page =
                ["adr/", "guide/", "methods/", "reference/"].iter().any(|f| path.starts_with(f));
            // A decision may be referred to by its number only.
            let (folder, start) = path.rsplit_once('/').unwrap_or(("", path));
            let is_there = root.join("docs").join(path).exists()
                || std::fs::read_dir(root.join("docs").join(folder)).is_ok_and(|mut entries| {
                    entries.any(|e| {
                        e.is_ok_and(|e| e.file_name().to_string_lossy().starts_with(&format!("{start}-")))
                    })
                });
            if names_a_page && !is_there {
                writeln!(dead, "{}: docs/{path}", shown(&file)).expect("text");
            }
        }
    }
    assert!(dead.is_empty(), "pages that are not there:\n{dead}");
}

#[test]
fn the_book_lists_every_page_of_docs() {
    let docs = root().join("docs");
    let summary = std::fs::read_to_string(docs.join("SUMMARY.md")).expect("the book has a summary");
    let listed: Vec<PathBuf> =
        links(&summary).into_iter().map(|(_, link)| normal(&docs.join(link))).collect();
    for page in files(&docs, &["md"]).iter().filter(|page| !page.ends_with("SUMMARY.md")) {
        assert_eq!(listed.iter().filter(|other| *other == page).count(), 1, "{}", shown(page));
    }
}

#[test]
fn decisions_that_another_replaced_say_so_first() {
    let decisions = root().join("docs/adr");
    for page in files(&decisions, &["md"]) {
        let text = std::fs::read_to_string(&page).expect("Markdown is UTF-8");
        if let Some(at) = text.find("Status: ").filter(|_| !page.ends_with("README.md")) {
            let status = text[at + 8..].split("\n\n").next().unwrap_or_default();
            let is_known = ["accepted", "superseded by [", "superseded in part by ["]
                .iter()
                .any(|word| status.starts_with(word));
            assert!(is_known, "{}: {status}", shown(&page));
            assert_eq!(text[..at].lines().count(), 2, "{}: the status follows the title", shown(&page));
        }
    }
}

#[test]
fn the_reference_lists_every_exit_code() {
    let root = root();
    let page = std::fs::read_to_string(root.join("docs/reference/exit-codes.md")).expect("the page is there");
    let source =
        std::fs::read_to_string(root.join("crates/cli/src/exit_code.rs")).expect("the codes are there");
    let codes =
        source.lines().filter_map(|line| line.split_once(" => ")?.1.trim_end_matches(',').parse::<u8>().ok());
    let codes: Vec<u8> = std::iter::once(0).chain(codes).collect();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse::<u8>().ok());
    let listed: Vec<u8> = rows.filter(|code| *code != 128).collect();
    assert_eq!(listed, codes);
}

#[test]
fn the_reference_lists_every_schema() {
    let root = root();
    let page = std::fs::read_to_string(root.join("docs/reference/schemas.md")).expect("the page is there");
    for file in files(&root.join("docs/reference"), &["json"]) {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        assert!(page.contains(&format!("({name})")), "docs/reference/schemas.md has no link to {name}");
    }
    for file in files(&root.join("crates"), &["rs"]).iter().filter(|file| shown(file).contains("/src/")) {
        let text = std::fs::read_to_string(file).expect("Rust is UTF-8");
        for rest in text.split("\"allometry.").skip(1) {
            let name = rest.split('"').next().unwrap_or_default();
            let is_schema = name.ends_with("/1") && !name.contains(['{', ' ']);
            assert!(
                !is_schema || page.contains(&format!("`allometry.{name}`")),
                "{}: allometry.{name}",
                shown(file)
            );
        }
    }
}

#[test]
fn prose_is_wrapped() {
    let mut long = String::new();
    // Reports are as the program writes them, with a paragraph in a line.
    let is_report =
        |page: &Path| page.starts_with(root().join("docs/examples")) && page.ends_with("report.md");
    for (page, text) in pages().into_iter().filter(|(page, _)| !is_report(page)) {
        for (number, line) in prose(&text) {
            let start = line.trim_start();
            // A list marker belongs to the first word, and a single link cannot be broken.
            let words = start
                .trim_start_matches(['-', '*', '>', ' '])
                .trim_start_matches(|c: char| c.is_numeric() || c == '.');
            let is_link = words.starts_with('[') && words.ends_with(')');
            let is_free = start.starts_with(['|', '#', '<', '!']) || is_link || !words.trim().contains(' ');
            if line.chars().count() > PROSE && !is_free {
                writeln!(long, "{}:{number}", shown(&page)).expect("text");
            }
        }
    }
    assert!(long.is_empty(), "lines of more than {PROSE} columns:\n{long}");
}

#[test]
fn rust_is_wrapped() {
    let mut long = String::new();
    for file in files(&root().join("crates"), &["rs"]) {
        let text = std::fs::read_to_string(&file).expect("Rust is UTF-8");
        for (number, _) in (1..).zip(text.lines()).filter(|(_, line)| line.chars().count() > RUST) {
            writeln!(long, "{}:{number}", shown(&file)).expect("text");
        }
    }
    assert!(long.is_empty(), "lines of more than {RUST} columns:\n{long}");
}
