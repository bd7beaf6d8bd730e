//! Tests that no password and no token appears in output, pages, logs, stores, files, or arguments of started
//! programs.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use allometry_testkit::Cluster;

use crate::support::{LADDER, allometry, project, shared, texts};

/// Text that marks a secret.
const MARKER: &str = "hunter2XYZZY";

fn said(mut command: Command) -> (i32, String) {
    let (code, out, err) = texts(&command.output().unwrap());
    (code, out + &err)
}

/// Runs the program with `arguments`, in which `URL` stands for a URL with the password, and returns its
/// output.
fn hunt(folder: &Path, url: &str, arguments: &[&str]) -> (i32, String) {
    let mut command = allometry(folder);
    command.args(arguments.iter().map(|argument| argument.replace("URL", url)));
    let (code, text) = said(command);
    assert!(!text.contains(MARKER), "{arguments:?} says the password:\n{text}");
    (code, text)
}

/// Returns every file below `folder` that contains the marker.
fn holders(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holders(&path));
        } else if std::fs::read(&path).unwrap().windows(MARKER.len()).any(|part| part == MARKER.as_bytes()) {
            found.push(path);
        }
    }
    found
}

#[test]
fn no_error_and_no_help_says_a_password() {
    let folder = project();
    let path = folder.path();
    let ladder = format!(
        "{LADDER}\n[storage]\nurl = \"postgresql://me:{MARKER}@127.0.0.1:1/db?connect_timeout=1\"\nurk = 1\n"
    );
    std::fs::create_dir(path.join("broken")).unwrap();
    std::fs::write(path.join("broken/ladder.toml"), ladder).unwrap();
    let refused = [
        format!("postgresql://me:{MARKER}@127.0.0.1:1/db?sslmode=sometimes"),
        format!(" postgresql://me:{MARKER}@127.0.0.1:1/db?sslmode=sometimes"),
        format!("postgresql:/me:{MARKER}@host/db"),
        format!("mysql://me:{MARKER}@host/db"),
        format!("POSTGRESQL://me:{MARKER}@host/db"),
        format!("postgresql:///db?PASSWORD={MARKER}&host=/nowhere"),
        format!("postgresql://host/db?sslmode=sometimes&Password={MARKER}"),
        format!("postgresql://me:a b{MARKER}@host/db?sslmode=x"),
        format!("sqlite://me:{MARKER}@host/db"),
        format!("me:{MARKER}@host/db"),
    ];
    let commands: &[&[&str]] = &[
        &["run", "--storage", "URL"],
        &["run", "URL"],
        &["check", "URL"],
        &["worker", "--storage", "URL"],
        &["worker", "URL", "--storage", "x.db"],
        &["train", "URL"],
        &["report", "URL"],
        &["report", "2M=URL"],
        &["report", "URL", "2M=URL:study"],
        &["compare", "URL", "URL"],
        &["compare", "x=URL", "ladder.toml"],
        &["status", "--in", "URL"],
        &["list", "--in", "URL"],
        &["best", "--in", "x=URL"],
        &["show", "--in", "URL", "0"],
        &["ask", "--in", "URL"],
        &["tell", "--in", "URL", "0", "1.0"],
        &["enqueue", "--in", "URL", "x=URL"],
        &["import", "URL", "--storage", "URL"],
        &["import", "nowhere.json", "--storage", "URL"],
        &["export", "URL", "-o", "URL"],
        &["export", "ladder.toml", "-o", "URL", "--format", "json"],
        &["serve", "--listen", "URL"],
        &["serve", "--grpc", "127.0.0.1:0", "URL"],
        &["lint", "URL"],
        &["URL"],
        &["predict", "URL", "URL"],
    ];
    for url in &refused {
        for arguments in commands {
            let (code, text) = hunt(path, url, arguments);
            assert_ne!(code, 0, "{arguments:?}: {text}");
        }
    }
    for arguments in [&["check", "broken"][..], &["run", "broken"], &["status", "--in", "broken"]] {
        let (code, text) = hunt(path, "", arguments);
        assert!(code == 3 && text.contains("urk"), "{arguments:?}: {text}");
    }
    for command in ["run", "worker", "import", "export", "status", "list", "serve", "ask", "tell", "man"] {
        for help in ["--help", "-h"] {
            let mut asked = allometry(path);
            asked.args([command, help]).env("ALLOMETRY_STORAGE", &refused[0]).env("ALLOMETRY_TOKEN", MARKER);
            let (code, text) = said(asked);
            assert_eq!(code, 0, "{text}");
            assert!(!text.contains(MARKER), "{command} {help} says the environment's value:\n{text}");
        }
    }
    assert_eq!(holders(path), [path.join("broken/ladder.toml")]);
}

#[test]
fn no_store_file_page_or_child_has_the_password() {
    let test = "no_store_file_page_or_child_has_the_password";
    let Some(cluster) = Cluster::shared(test) else { return };
    let url = cluster.database().replacen("@/", &format!(":{MARKER}@/"), 1);
    let folder = shared::project(2);
    let path = folder.path();
    let text = std::fs::read_to_string(path.join("ladder.toml")).unwrap();
    let text = text
        .replace("for step in", "tr '\\0' ' ' < /proc/$$/cmdline > {checkpoint_dir}/cmdline; for step in");
    std::fs::write(path.join("ladder.toml"), format!("{text}\n[storage]\nurl = \"{url}\"\n")).unwrap();
    let set = format!("storage.url=\"{url}\"");
    for arguments in [
        &["run", "--trials", "1"][..],
        &["run", "-S", &set],
        &["status"],
        &["list"],
        &["best", "--json"],
        &["report", "-o", "report.html"],
        &["report", "-o", "report.json"],
        &["export", "-o", "out.json", "--json"],
        &["export", "-o", "out.db"],
        &["import", "--json", "out.json", "--study", "again", "--storage", "URL"],
        &["worker", "--storage", "URL"],
    ] {
        let (code, text) = hunt(path, &url, arguments);
        assert_eq!(code, 0, "{arguments:?}: {text}");
    }
    let cmdline = walk(&path.join("ladder.runs")).into_iter().find(|file| file.ends_with("cmdline"));
    assert!(std::fs::read_to_string(cmdline.unwrap()).unwrap().starts_with("sh -c"), "a child was looked at");
    assert_eq!(holders(path), [path.join("ladder.toml")], "no file but the user's own");

    let tables = cluster.sql(&url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
    for table in tables.lines() {
        let rows = cluster.sql(&url, &format!("SELECT * FROM {table}"));
        assert!(!rows.contains(MARKER), "{table} holds the password");
    }
    for pages in ["/", "/api/studies"] {
        let page = served(path, &url, pages);
        assert!(!page.contains(MARKER), "{pages}: {page}");
    }
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// Returns the output of the dashboard and its answer to a request, with its token in the environment.
fn served(folder: &Path, url: &str, request: &str) -> String {
    let mut serve = allometry(folder)
        .args(["serve", url, "--listen", "127.0.0.1:0"])
        .env("ALLOMETRY_TOKEN", MARKER)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(serve.stdout.take().unwrap());
    let mut said = String::new();
    out.read_line(&mut said).unwrap();
    let address = said.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    let head = format!("Host: {address}\r\nAuthorization: Bearer {MARKER}\r\nConnection: close");
    write!(stream, "GET {request} HTTP/1.1\r\n{head}\r\n\r\n").unwrap();
    stream.read_to_string(&mut said).unwrap();
    assert!(said.contains("HTTP/1.1 "), "{said}");
    serve.kill().unwrap();
    serve.wait().unwrap();
    out.read_to_string(&mut said).unwrap();
    serve.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    said
}
