//! `--which`.

use clap::Args;

use crate::train::best::Which;

/// Which checkpoint stands for a run folder.
#[derive(Args, Debug, Clone, Copy)]
pub struct WhichArgs {
    /// Which checkpoint of a run folder to open: the best by its test images (`trainer train --best-by`), or the last one.
    /// Without test images there is only the last.
    #[arg(long, value_enum, default_value = "best", hide_possible_values = true, value_name = "best|last")]
    pub which: Which,
}

impl WhichArgs {
    /// The words that say the same on a command line.
    pub fn words(self) -> Vec<String> {
        match self.which {
            Which::Best => Vec::new(),
            Which::Last => vec!["--which".to_owned(), "last".to_owned()],
        }
    }
}
