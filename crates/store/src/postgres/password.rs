//! Passwords from the sources that PostgreSQL's own programs use.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use allometry_core::Secret;

/// The account whose password is needed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
}

/// Returns the password from `PGPASSWORD` or the password file (`PGPASSFILE`, or `~/.pgpass`).
///
/// # Errors
/// Reason for ignoring a password file that others can read.
pub(super) fn find(account: Account<'_>) -> Result<Option<Secret>, String> {
    if let Ok(password) = env::var("PGPASSWORD") {
        return Ok(Some(password.into()));
    }
    let named = env::var_os("PGPASSFILE").map(PathBuf::from);
    let Some(path) = named.or_else(|| Some(env::home_dir()?.join(".pgpass"))) else { return Ok(None) };
    let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
    if is_open_to_others(&path) {
        return Err(format!("{} is ignored because other users can read it: `chmod 600` it", path.display()));
    }
    Ok(text.lines().find_map(|line| of_line(line, account)).map(Secret::from))
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

/// Returns the password of a line `host:port:database:user:password` if the line matches the account. A field
/// `*` matches everything; `\` escapes `:` and `\` within a field.
fn of_line(line: &str, account: Account<'_>) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match c {
            ':' if fields.len() < 5 => fields.push(String::new()),
            _ => {
                let c = if c == '\\' { characters.next().unwrap_or(c) } else { c };
                fields.last_mut().expect("there is a field from the start on").push(c);
            }
        }
    }
    let [host, port, database, user, password] = <[String; 5]>::try_from(fields).ok()?;
    let is = |field: &str, value: &str| field == "*" || field == value;
    // The folder of a socket means this machine.
    let here = account.host.starts_with('/') && host == "localhost";
    let matches = (here || is(&host, account.host))
        && is(&port, &account.port.to_string())
        && is(&database, account.database)
        && is(&user, account.user);
    (matches && !password.is_empty()).then_some(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_matched_field_by_field() {
        let account = Account { host: "db.example", port: 5433, database: "trials", user: "me" };
        for (line, expected) in [
            ("db.example:5433:trials:me:s3cret", Some("s3cret")),
            ("*:*:*:*:any", Some("any")),
            ("*:*:*:me:with:colon", Some("with:colon")),
            (r"*:*:*:me:a\:b\\c", Some(r"a:b\c")),
            ("other:5433:trials:me:x", None),
            ("db.example:5432:trials:me:x", None),
            ("db.example:5433:trials:you:x", None),
            ("# db.example:5433:trials:me:x", None),
            ("*:*:*:*:", None),
            ("*:*:*", None),
            ("", None),
        ] {
            assert_eq!(of_line(line, account).as_deref(), expected, "{line}");
        }
        let socket = Account { host: "/var/run/postgresql", ..account };
        assert_eq!(of_line("localhost:*:*:*:here", socket).as_deref(), Some("here"));
    }
}
