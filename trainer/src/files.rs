//! Reading files up to a bound, and writing them whole or not at all.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// How a temporary file's name starts and ends, by which files left by a killed process are recognised.
const TEMPORARY: (&str, &str) = (".rg-flow-", ".tmp");

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Content`] if it is larger.
pub fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let size = fs::metadata(path).map_err(Error::io(path, "access it"))?.len();
    if size > limit {
        return Err(Error::Content {
            file: path.display().to_string(),
            problem: format!("it has {size} bytes, more than the {limit} that such a file may have"),
            advice: "check that it is the right file".into(),
        });
    }
    fs::read(path).map_err(Error::io(path, "read it"))
}

/// Replaces a file in one step: readers see the old content or the new one, never a part, whenever the process is killed.
///
/// A symbolic link stays, and the file that it names is written. The folder is made.
///
/// # Errors
/// [`Error::Content`] for a folder, a device, a pipe or a file that is read-only; [`Error::Io`] if the system refuses.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, bytes, false)
}

/// As [`write_whole`], and on the disk before it returns: for files that took hours, or that replace another one.
///
/// # Errors
/// As [`write_whole`].
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, bytes, true)
}

/// Gives a file a second name, replacing what has it, in one step: by a link where the file system can, else by a copy. For
/// files that are only ever replaced whole.
///
/// # Errors
/// [`Error::Io`] if the system refuses.
pub fn link_whole(from: &Path, to: &Path) -> Result<()> {
    let second_name = |at: &Path| {
        fs::hard_link(from, at).or_else(|_| {
            fs::copy(from, at)?;
            File::open(at)?.sync_all()
        })
    };
    // Removed when dropped: two names of one file are not renamed, both stay.
    let temporary = temporary().make_in(parent(to), second_name).map_err(Error::io(to, "write it"))?.into_temp_path();
    fs::rename(&temporary, to).map_err(Error::io(to, "replace it"))
}

/// Names of temporary files.
fn temporary() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY.0).suffix(TEMPORARY.1);
    builder
}

/// Whether a folder has something in it.
///
/// # Errors
/// [`Error::Io`] if it cannot be listed.
pub fn is_used(folder: &Path) -> Result<bool> {
    Ok(fs::read_dir(folder).map_err(Error::io(folder, "list it"))?.next().is_some())
}

fn replace(path: &Path, bytes: &[u8], sync: bool) -> Result<()> {
    let target = writable(path)?;
    let folder = parent(&target);
    make_folder(folder)?;
    let mut builder = temporary();
    // Temporary files are for their owner alone; this one is to become a file as any other, for whom the umask says.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(Error::io(folder, "write into it"))?;
    // Tells `sweep` that somebody is at work. Where files cannot be locked nothing is swept either.
    let _ = file.as_file().try_lock();
    if let Ok(old) = fs::metadata(&target) {
        fs::set_permissions(file.path(), old.permissions()).map_err(Error::io(path, "keep its permissions"))?;
    }
    file.write_all(bytes).map_err(Error::io(path, "write it"))?;
    if sync {
        file.as_file().sync_all().map_err(Error::io(path, "write it"))?;
    }
    file.persist(&target).map_err(|e| Error::io(path, "replace it")(e.error))?;
    Ok(())
}

/// Makes a folder, and those above it.
///
/// # Errors
/// [`Error::Io`] if the system refuses.
pub fn make_folder(path: &Path) -> Result<()> {
    if path.is_file() {
        return Err(Error::content(path.display(), "it is a file", "give the name of a folder"));
    }
    fs::create_dir_all(path).map_err(Error::io(path, "create it"))
}

/// The ordinary file that a name stands for, behind symbolic links, whether it is there yet or not.
///
/// # Errors
/// As [`write_whole`].
pub fn writable(path: &Path) -> Result<PathBuf> {
    let refuse = |problem: &str, advice: &str| Err(Error::content(path.display(), problem, advice));
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => refuse("it is a folder", "give the name of a file"),
        Ok(found) if !found.is_file() => {
            refuse("it is a device or a pipe, which cannot be replaced by a file", "give the name of an ordinary file")
        }
        Ok(found) if found.permissions().readonly() => {
            refuse("it exists and is read-only", "give another name, or make it writable")
        }
        Ok(_) => fs::canonicalize(path).map_err(Error::io(path, "access it")),
        Err(error) if error.kind() == ErrorKind::NotFound => match fs::read_link(path) {
            // A link whose file is still to be made. One that leads to itself is another error than "not found".
            Ok(link) => writable(&parent(path).join(link)),
            Err(_) => Ok(path.to_path_buf()),
        },
        Err(error) => Err(Error::io(path, "write it")(error)),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Deletes the temporary files that killed processes left in a folder; one that is being written is locked, and stays.
pub fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ours = name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1);
        if ours && File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            // What cannot be deleted harms nobody.
            let _ = fs::remove_file(&path);
        }
    }
}

/// Gives a file another name in its folder, NAME.old or the next free one, and returns that.
///
/// # Errors
/// [`Error::Io`] if it cannot be renamed.
pub fn set_aside(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let candidates =
        (1..).map(|k| path.with_file_name(if k == 1 { format!("{name}.old") } else { format!("{name}.old{k}") }));
    let free = candidates.into_iter().find(|candidate| fs::symlink_metadata(candidate).is_err());
    let free = free.unwrap_or_else(|| path.with_file_name(format!("{name}.old")));
    fs::rename(path, &free).map_err(Error::io(path, "rename it"))?;
    Ok(free)
}

/// A folder locked for one process. The system holds the lock, so a killed process leaves none.
#[derive(Debug)]
pub struct FolderLock {
    file: File,
}

impl FolderLock {
    /// Makes the folder and locks it, by a file in it.
    ///
    /// # Errors
    /// [`Error::Content`] if another process has it, [`Error::Io`] if it cannot be made or written.
    pub fn take(folder: &Path) -> Result<Self> {
        make_folder(folder)?;
        let path = folder.join(".lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(Error::io(&path, "write it"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(Error::content(
                folder.display(),
                "another run is writing into this folder",
                "wait until it has ended, or give another --out",
            )),
            // Some network file systems have no locks.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(Self { file }),
            Err(TryLockError::Error(error)) => Err(Error::io(&path, "lock it")(error)),
        }
    }
}

impl Drop for FolderLock {
    /// A process that was just started holds the file, too, until it runs its own program.
    fn drop(&mut self) {
        // Closing it unlocks it all the same, only later.
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/folder/a.bin");
        for (write, bytes) in [(write_whole as fn(&Path, &[u8]) -> Result<()>, b"one"), (write_atomically, b"two")] {
            write(&path, bytes).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
            assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        }
        let inside = write_whole(&path.join("b.bin"), b"x").unwrap_err().to_string();
        assert!(inside.contains("b.bin") && inside.contains("cannot write it"), "{inside}");
        assert!(write_whole(dir.path(), b"x").unwrap_err().to_string().contains("it is a folder"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_permissions_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("far")).unwrap();
        symlink("far/later.bin", at("link")).unwrap();
        symlink("link", at("link-to-link")).unwrap();
        // First the file is still to be made, then it is there.
        for bytes in [b"one", b"two"] {
            write_whole(&at("link-to-link"), bytes).unwrap();
            assert_eq!(fs::read(at("far/later.bin")).unwrap(), bytes);
            assert!(at("link").is_symlink() && at("link-to-link").is_symlink());
            fs::set_permissions(at("far/later.bin"), fs::Permissions::from_mode(0o640)).unwrap();
        }
        write_whole(&at("link"), b"three").unwrap();
        assert_eq!(fs::metadata(at("far/later.bin")).unwrap().permissions().mode() & 0o777, 0o640);
        symlink("round", at("round")).unwrap();
        assert!(write_whole(&at("round"), b"x").unwrap_err().to_string().contains("round"));
        fs::set_permissions(at("far/later.bin"), fs::Permissions::from_mode(0o440)).unwrap();
        assert!(write_whole(&at("link"), b"x").unwrap_err().to_string().contains("read-only"));
        assert_eq!(fs::read(at("far/later.bin")).unwrap(), b"three");
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_sockets_stay_what_they_are() {
        use std::os::unix::fs::{FileTypeExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let null = dir.path().join("null");
        symlink("/dev/null", &null).unwrap();
        for path in [&socket, &null, Path::new("/dev/null")] {
            let error = write_whole(path, b"x").unwrap_err().to_string();
            assert!(error.contains("ordinary file") && error.contains(&path.display().to_string()), "{error}");
        }
        assert!(fs::metadata(&socket).unwrap().file_type().is_socket());
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }

    #[test]
    fn only_what_killed_processes_left_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in [".rg-flow-Ab3xYz.tmp", ".rg-flow-locked.tmp", ".tmpforeign", "mine.tmp", ".rg-flow-notes"] {
            fs::write(at(name), "half").unwrap();
        }
        let busy = File::open(at(".rg-flow-locked.tmp")).unwrap();
        busy.lock().unwrap();
        sweep(dir.path());
        let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".rg-flow-locked.tmp", ".rg-flow-notes", ".tmpforeign", "mine.tmp"]);
        sweep(&at("no/such/folder"));
    }

    #[test]
    fn what_is_set_aside_replaces_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        for (content, name) in [("1", "a.txt.old"), ("2", "a.txt.old2"), ("3", "a.txt.old3")] {
            fs::write(&path, content).unwrap();
            assert_eq!(set_aside(&path).unwrap(), dir.path().join(name));
            assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), content);
        }
        assert!(!path.exists() && set_aside(&path).is_err());
    }

    #[test]
    fn a_second_name_replaces_what_had_it_and_outlives_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for content in ["one", "two"] {
            fs::write(at("new"), content).unwrap();
            link_whole(&at("new"), &at("best")).unwrap();
            // Again, which changes nothing.
            link_whole(&at("new"), &at("best")).unwrap();
            fs::remove_file(at("new")).unwrap();
            assert_eq!(fs::read_to_string(at("best")).unwrap(), content);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        }
        assert!(link_whole(&at("none"), &at("best")).unwrap_err().to_string().contains("best"));
        assert_eq!(fs::read_to_string(at("best")).unwrap(), "two");
    }

    #[test]
    fn a_folder_is_for_one_run_until_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("run");
        let first = FolderLock::take(&folder).unwrap();
        let error = FolderLock::take(&folder).unwrap_err().to_string();
        assert!(error.contains("another run") && error.contains("--out"), "{error}");
        drop(first);
        FolderLock::take(&folder).unwrap();
    }
}
