//! The one error of the trainer. Every message names the file it is about and says what to do.

use std::fmt::Display;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("{}: cannot {action}: {source}{}", .path.display(), remedy(source))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was attempted, for instance "read it".
        action: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A picture could not be decoded.
    #[error("{file}: not a picture that can be read ({source}); replace or remove it")]
    Image {
        /// The picture's file, or archive and entry.
        file: String,
        /// The decoder's reason.
        source: image::ImageError,
    },
    /// Some of a set's pictures could not be read.
    #[error("{count} of {of} pictures cannot be read; replace or remove them, or skip them with --skip-broken:{list}")]
    Broken {
        /// How many.
        count: usize,
        /// Of how many that were looked at.
        of: usize,
        /// A line for each, with its reason.
        list: String,
    },
    /// A picture could not be written.
    #[error(
        "{file}: the picture cannot be written ({source}); give a name that ends in .png, or .gif for an animation"
    )]
    Draw {
        /// The picture's file.
        file: String,
        /// The encoder's reason.
        source: image::ImageError,
    },
    /// A zip archive is damaged or of a kind that is not supported.
    #[error("{file}: cannot read the zip ({source}); download it again, or repack it with plain deflate")]
    Zip {
        /// The archive, or archive and entry.
        file: String,
        /// The library's reason.
        source: zip::result::ZipError,
    },
    /// A csv file is malformed.
    #[error("{}: not a well-formed csv ({source}); repair it, or move it away to load the pictures without labels", .path.display())]
    Csv {
        /// The csv file.
        path: PathBuf,
        /// The parser's reason.
        source: csv::Error,
    },
    /// A file was read but does not hold what it should.
    #[error("{file}: {}; {advice}", brief(problem))]
    Content {
        /// The file, or archive and entry.
        file: String,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        advice: String,
    },
    /// The device that was asked for is not there.
    #[error("device: {0}")]
    Device(String),
    /// A model's configuration or weights file.
    #[error("{file}: {}", brief(source))]
    Model {
        /// The weights, configuration or checkpoint file.
        file: String,
        /// What is wrong with it.
        source: shared::Error,
    },
    /// Training met a number that is not finite.
    #[error("training: {problem}; {advice}")]
    Diverged {
        /// What happened at which step.
        problem: String,
        /// Which checkpoint is good, and what to change.
        advice: String,
    },
    /// A signal ended a run before its last step. It has saved, and said so.
    #[error("stopped by signal {signal}")]
    Stopped {
        /// The signal's number.
        signal: u8,
    },
    /// A plot could not be drawn.
    #[error("plot: {0}")]
    Plot(String),
    /// Standard output is closed or its disk full.
    #[error("standard output: cannot write to it: {source}{}", remedy(source))]
    Output {
        /// The system's reason.
        source: std::io::Error,
    },
    /// An option has a value that cannot work.
    #[error("{option}: {}; {advice}", brief(problem))]
    Usage {
        /// The option, or the value given for it.
        option: String,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        advice: String,
    },
}

/// What to do where the system refused, if its reason tells.
fn remedy(error: &std::io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => "; check the path",
        ErrorKind::NotADirectory => "; a folder in the path is a file",
        ErrorKind::PermissionDenied => "; check its permissions, or give another path",
        ErrorKind::ReadOnlyFilesystem => "; give a path that is writable",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "; free some space, or write elsewhere",
        _ => "",
    }
}

/// The start of a text: some libraries list all that they know, which may be many kilobytes.
pub(crate) fn brief(text: &impl Display) -> String {
    const MOST: usize = 1000;
    let text = text.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{} … and {} more bytes", &text[..end], text.len() - end),
        None => text,
    }
}

/// A result with the trainer's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// For `map_err`: the system refused `action` on `path`.
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, action, source }
    }

    /// For `map_err`: the library's error with the model's file.
    pub(crate) fn model(path: &Path) -> impl Fn(shared::Error) -> Self + use<> {
        let file = path.display().to_string();
        move |source| Self::Model { file: file.clone(), source }
    }

    /// For `map_err`: the option that stands for a field of a recipe.
    pub(crate) fn recipe(error: shared::Error) -> Self {
        match error {
            shared::Error::Recipe { field, problem } => {
                Self::usage(format!("--{}", field.replace('_', "-")), problem, "see `trainer train --help`")
            }
            source => Self::Model { file: "the recipe".to_owned(), source },
        }
    }

    /// For `map_err`: a picture was not written, because of the system or of its name.
    pub(crate) fn draw(path: &Path) -> impl FnOnce(image::ImageError) -> Self {
        let path = path.to_path_buf();
        move |source| match source {
            image::ImageError::IoError(source) => Self::Io { path, action: "write it", source },
            source => Self::Draw { file: path.display().to_string(), source },
        }
    }

    /// A file holds something else than it should.
    pub(crate) fn content(file: impl ToString, problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Content { file: file.to_string(), problem: problem.into(), advice: advice.into() }
    }

    /// An option's value cannot work.
    pub(crate) fn usage(option: impl Into<String>, problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Usage { option: option.into(), problem: problem.into(), advice: advice.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::train::Recipe;

    #[test]
    fn a_recipe_that_cannot_work_names_the_option() {
        let error = Recipe { learning_rate: f64::NAN, ..Recipe::cosine(10) }.validate().unwrap_err();
        let text = Error::recipe(error).to_string();
        assert!(text.starts_with("--learning-rate: NaN") && text.contains("trainer train --help"), "{text}");
    }

    #[test]
    fn messages_name_the_file_and_the_remedy() {
        let refused = std::io::Error::other("denied");
        let message = Error::io(Path::new("a/b.png"), "read it")(refused).to_string();
        assert_eq!(message, "a/b.png: cannot read it: denied");
        let message = Error::content("x.bin", "it is empty", "download it again").to_string();
        assert_eq!(message, "x.bin: it is empty; download it again");
        let message = Error::usage("--size", "0 is too small", "use 32").to_string();
        assert_eq!(message, "--size: 0 is too small; use 32");
    }

    #[test]
    fn a_reason_of_the_system_comes_with_advice() {
        let missing = std::fs::metadata("no/such/file").unwrap_err();
        let message = Error::io(Path::new("no/such/file"), "access it")(missing).to_string();
        assert!(message.starts_with("no/such/file: cannot access it: ") && message.ends_with("check the path"));
        let full = Error::Output { source: ErrorKind::StorageFull.into() }.to_string();
        assert!(full.contains("standard output") && full.ends_with("free some space, or write elsewhere"), "{full}");
    }

    #[test]
    fn a_list_of_names_is_cut_and_its_file_and_advice_stay() {
        let names = (0..2000).map(|i| format!("ключ.{i}")).collect::<Vec<_>>().join(", ");
        let model = Error::Model { file: "m".into(), source: shared::Error::Weights(names.clone()) };
        for error in [Error::content("x.bin", &names, "download it again"), model] {
            let message = error.to_string();
            assert!(message.len() < 2200 && message.contains("more bytes"), "{}", message.len());
        }
        assert!(
            Error::content("x.bin", &names, "download it again").to_string().ends_with("more bytes; download it again")
        );
        assert_eq!(brief(&"short"), "short");
    }
}
