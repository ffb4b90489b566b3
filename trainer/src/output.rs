//! How commands print: `println!` panics when the output is closed or its disk is full.

use std::fmt::Arguments;
use std::io::Write;

use crate::error::{Error, Result};

/// Prints a line, as `println!` does, and gives a [`Result`].
macro_rules! say {
    ($($words:tt)*) => { $crate::output::line(format_args!($($words)*)) };
}
pub(crate) use say;

/// Prints a line to standard output.
///
/// # Errors
/// [`Error::Output`] if it is closed or cannot be written.
pub fn line(words: Arguments<'_>) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{words}").and_then(|()| out.flush()).map_err(|source| Error::Output { source })
}

/// Prints a line to standard error, if it is open.
pub fn aside(words: Arguments<'_>) {
    // There is nowhere left to report an error.
    let _ = writeln!(std::io::stderr().lock(), "{words}");
}
