//! Atomic replacement of files.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::path::Path;

/// Returns the folder of a file. A missing one is created, readable only by its owner.
pub(crate) fn make_folder(path: &Path) -> io::Result<&Path> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut maker = DirBuilder::new();
    maker.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut maker, 0o700);
    maker.create(folder)?;
    Ok(folder)
}

/// Writes a file under a temporary name, then renames it once it is on the disk.
///
/// Whatever happens, either the old or the new file is there.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let folder = make_folder(path)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = folder.join(name);
    let written = write(&part).and_then(|()| File::open(&part)?.sync_all()).and_then(|()| {
        fs::rename(&part, path)?;
        // The renaming is on the disk only once the folder is.
        if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
    });
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}
