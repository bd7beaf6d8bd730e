//! Modules of a crate do not import each other in circles.
//!
//! Reads the sources, not the compiler's view of them: paths in `use` declarations and `crate::` paths in
//! code. A module may use items of the modules that it lies in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex::Regex;

/// Path of a module within its crate; empty for the root.
type Module = Vec<String>;

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The modules of a crate with their files, without tests.
fn modules(src: &Path, folder: &Path, into: &mut BTreeMap<Module, PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("sources are there") {
        let path = entry.expect("readable").path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with("tests") {
            continue;
        }
        if path.is_dir() {
            modules(src, &path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let within = path.strip_prefix(src).expect("below the sources");
            let parts = within.parent().into_iter().flat_map(Path::iter);
            let mut module: Module = parts.map(|part| part.to_string_lossy().into_owned()).collect();
            if !["mod", "lib", "main"].contains(&name.as_str()) {
                module.push(name);
            }
            into.insert(module, path);
        }
    }
}

/// The paths that a `use` declaration names: `a::{b, c::{d}}` is `a::b` and `a::c::d`.
fn expanded(tree: &str) -> Vec<String> {
    let Some((front, rest)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let inner = rest.trim_end().strip_suffix('}').unwrap_or(rest);
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (place, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| expanded(&format!("{}{}", front.trim(), part.trim()))).collect()
}

/// The longest path of a module that a path begins with, as `module` sees it.
fn target(path: &str, module: &Module, known: &BTreeMap<Module, PathBuf>) -> Option<Module> {
    let mut parts = path.split("::").map(str::trim).peekable();
    let mut found: Module = match parts.next()? {
        "crate" => Vec::new(),
        "self" => module.clone(),
        "super" => module[..module.len().checked_sub(1)?].to_vec(),
        _ => return None,
    };
    while parts.next_if_eq(&"super").is_some() {
        found.pop();
    }
    for part in parts {
        found.push(part.to_owned());
        if !known.contains_key(&found) {
            found.pop();
            break;
        }
    }
    Some(found)
}

/// The modules that each module imports, but for those that it lies in.
fn imports(src: &Path) -> BTreeMap<Module, BTreeSet<Module>> {
    let comment = Regex::new(r"//.*").expect("a valid pattern");
    let declaration = Regex::new(r"\buse ((?:crate|self|super)::[^;]+);").expect("a valid pattern");
    let in_code = Regex::new(r"\b(?:crate|super)::[a-z_:]+").expect("a valid pattern");
    let mut known = BTreeMap::new();
    modules(src, src, &mut known);
    let mut all = BTreeMap::new();
    for (module, file) in &known {
        let text = std::fs::read_to_string(file).expect("Rust is UTF-8");
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let code = comment.replace_all(code, "");
        let declared = declaration.captures_iter(&code).flat_map(|found| expanded(&found[1]));
        let paths = declared.chain(in_code.find_iter(&code).map(|found| found.as_str().to_owned()));
        let targets = paths.filter_map(|path| target(&path, module, &known));
        let others = targets.filter(|other| !module.starts_with(other)).collect();
        all.insert(module.clone(), others);
    }
    // What the root re-exports is not imported from it.
    all.remove(&Vec::new());
    all
}

/// All modules that can be reached from `start`.
fn reached<'a>(start: &'a Module, imports: &'a BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<&'a Module> {
    let (mut found, mut open) = (BTreeSet::new(), vec![start]);
    while let Some(module) = open.pop() {
        for next in imports.get(module).into_iter().flatten() {
            if found.insert(next) {
                open.push(next);
            }
        }
    }
    found
}

/// The circles of a crate: largest sets of modules in which each reaches each.
fn circles(imports: &BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<Vec<String>> {
    let reach: BTreeMap<&Module, BTreeSet<&Module>> =
        imports.keys().map(|module| (module, reached(module, imports))).collect();
    let mut all = BTreeSet::new();
    for (module, others) in &reach {
        let together =
            others.iter().filter(|other| reach.get(*other).is_some_and(|back| back.contains(module)));
        let names: Vec<String> = together.map(|other| other.join("::")).collect();
        if names.len() > 1 {
            all.insert(names);
        }
    }
    all
}

#[test]
fn modules_import_each_other_in_no_circle() {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(crates()).expect("crates are there") {
        let folder = entry.expect("readable").path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        found.extend(
            circles(&imports(&folder.join("src"))).iter().map(|circle| format!("{name}: {circle:?}")),
        );
    }
    assert!(found.is_empty(), "circles of modules:\n{}", found.join("\n"));
}

#[test]
fn declarations_are_taken_apart() {
    let paths = expanded("crate::{a, b::{c, d::{e}}, f as g}");
    assert_eq!(paths, ["crate::a", "crate::b::c", "crate::b::d::e", "crate::f as g"]);
}
