//! `cargo xtask`: see `cargo xtask --help`.

use std::process::ExitCode;

use anyhow::Result;
use xtask::cli::{self, Command};
use xtask::env::Env;
use xtask::setup::{Needs, setup};
use xtask::{bench, coverage, deny, film, fuzz, licences, page, test};

fn main() -> ExitCode {
    match try_main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::FAILURE
        }
    }
}

fn try_main() -> Result<()> {
    let command = cli::parse(std::env::args_os().skip(1))?;
    let env = Env::new()?;
    match command {
        Command::Help => {
            print!("{}", cli::help());
            Ok(())
        }
        Command::Setup => setup(&env, Needs::PageAndBrowser),
        Command::Web { site, source } => page::web(&env, site, source),
        Command::Demo { port, open } => page::demo(&env, port, open),
        Command::Serve { dir, port, prefix } => page::serve(&dir, port, &prefix),
        Command::Test(options) => test::test(&env, &options),
        Command::Bench { peers } => bench::bench(&env, peers),
        Command::BenchGpu { peers } => bench::bench_gpu(&env, peers),
        Command::Film => film::film(&env),
        Command::Pictures => page::pictures(&env),
        Command::Deny => deny::deny(&env),
        Command::Coverage => coverage::coverage(&env),
        Command::Licences => licences::licences(&env),
        Command::Fuzz(options) => fuzz::fuzz(&env, &options),
    }
}
