//! TLS certificates for servers in tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Creates TLS certificates in `folder` and returns the path of the authority's certificate.
///
/// The files are an authority (`ca.crt`), a certificate for `localhost` signed by it (`server.crt`,
/// `server.key`), and a second authority that signed nothing (`other.crt`). `run_as` sets the user that
/// runs `openssl`. Without the program `openssl` the result is `None`, and `test` is reported as skipped.
///
/// # Panics
/// If `openssl` fails.
pub fn certificates(test: &str, folder: &Path, run_as: impl Fn(Command) -> Command) -> Option<PathBuf> {
    let openssl = crate::program(test, "openssl")?;
    let new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let run = |arguments: &[&str]| {
        let mut command = run_as(Command::new(&openssl));
        let output = command.args(arguments).current_dir(folder).output().expect("openssl can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    for name in ["ca", "other"] {
        let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
        let subject = format!("/CN={name}");
        let authority =
            ["req", "-x509", "-days", "30", "-subj", &subject, "-keyout", &key, "-out", &certificate];
        run(&[&authority[..], &new_key].concat());
    }
    let request = ["req", "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr"];
    run(&[&request[..], &new_key].concat());
    fs::write(folder.join("names"), "subjectAltName = DNS:localhost").expect("the folder is there");
    let signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"];
    let sign = ["x509", "-req", "-days", "30", "-in", "server.csr", "-out", "server.crt"];
    run(&[&sign[..], &signed].concat());
    Some(folder.join("ca.crt"))
}
