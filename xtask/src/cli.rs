//! The command line.

use std::path::PathBuf;

use anyhow::{Result, bail};
use lexopt::prelude::*;

use crate::{fuzz, test};

/// What to do.
#[derive(Debug)]
pub enum Command {
    /// Show the help.
    Help,
    /// `setup`
    Setup,
    /// `web`
    Web {
        /// The address that the page will have.
        site: Option<String>,
        /// The address of its source.
        source: Option<String>,
    },
    /// `demo`
    Demo {
        /// The first port to try.
        port: u16,
        /// Whether to open a browser.
        open: bool,
    },
    /// `serve`
    Serve {
        /// The folder.
        dir: PathBuf,
        /// The port; 0 for any.
        port: u16,
        /// What the addresses begin with.
        prefix: String,
    },
    /// `test`
    Test(test::Options),
    /// `bench`
    Bench {
        /// Whether PyTorch, ONNX Runtime Web and the page in a browser are measured too.
        peers: bool,
    },
    /// `bench-gpu`
    BenchGpu {
        /// Whether PyTorch is fetched and measured too.
        peers: bool,
    },
    /// `film`
    Film,
    /// `pictures`
    Pictures,
    /// `deny`
    Deny,
    /// `coverage`
    Coverage,
    /// `licences`
    Licences,
    /// `fuzz`
    Fuzz(fuzz::Options),
}

/// The text of `--help`.
pub fn help() -> String {
    let steps = test::step_names().collect::<Vec<_>>().join(", ");
    format!(
        "cargo xtask COMMAND

  setup                              install what the page's build and tests need
  web    [--site URL] [--source URL] build the page into dist/, small, to be published; with its address there, other
                                     sites show a picture beside a link to it (default: RG_FLOW_SITE); with its
                                     source's, the page links to that (default: RG_FLOW_SOURCE)
  demo   [--port 8080] [--no-open]   set up, build the page quickly and serve it
  serve  [--dir dist] [--port 8080] [--prefix /]
                                     serve a folder; port 0 is any free one
  test   [--skip-browser] [--only STEP]
                                     set up and run every check; steps: {steps}; two run only with
                                     --only: python, which fetches PyTorch for the CPU and checks python/rg_flow.py with
                                     it, and kills, which ends a training run a hundred times (RG_FLOW_KILLS)
  bench  [--no-peers]                measure, and write docs/benchmarks.md: on the CPU beside PyTorch, in the browser
                                     beside ONNX Runtime Web, which are fetched; --no-peers: the CPU alone
  bench-gpu [--no-peers]             measure training on a CUDA card, beside PyTorch; write docs/benchmarks-gpu.md
  film                               make docs/page.gif, a mix on the page as its slider moves
  pictures                           make web/pictures from the model that the page opens with: the samples shown until
                                     it is loaded, and the picture beside links on other sites
  deny                               check licences and advisories with cargo-deny
  coverage                           run the native tests with counters, and print which lines they run
  licences                           write web/licences.txt and trainer/licences.txt: the licences of everything that
                                     the page and the trainer are made of
  fuzz   [--minutes 5] [--keep] [TARGET]
                                     give every reader of files, links and messages bytes that libFuzzer makes up, for
                                     so many minutes each; --keep: keep what covers most, for the ordinary tests

Environment:
  RG_FLOW_SITE    the address that the page will have, as https://example.org/rg-flow/
  RG_FLOW_SOURCE  the address of the page's source, as https://example.org/me/rg-flow
  RG_FLOW_TOOLS   the folder for tools (default: rg-flow in XDG_CACHE_HOME or ~/.cache)
  RG_FLOW_WASM    `rustup` or `debian`: take the wasm compiler from there and nowhere else
  RG_FLOW_PYTHON  a Python with torch and safetensors for the step python (default: one in target/python, made for it)
  RG_FLOW_STRESS  `full`: browser tests that can go on for long do (docs/trust.md)
  CHROME, CHROMEDRIVER   the browser for tests
"
    )
}

/// Reads a command line, without the program's name.
pub fn parse(args: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Command> {
    let mut parser = lexopt::Parser::from_args(args);
    let name = match parser.next()? {
        None | Some(Long("help") | Short('h')) => return Ok(Command::Help),
        Some(Value(name)) => name.string()?,
        Some(other) => return Err(other.unexpected().into()),
    };
    let (mut port, mut open, mut dir, mut prefix) = (8080, true, PathBuf::from("dist"), "/".to_owned());
    let (mut options, mut peers, mut site, mut source) = (test::Options::default(), true, None, None);
    let mut fuzzed = fuzz::Options::default();
    while let Some(arg) = parser.next()? {
        match (name.as_str(), arg) {
            (_, Long("help") | Short('h')) => return Ok(Command::Help),
            ("web", Long("site")) => site = Some(parser.value()?.string()?),
            ("web", Long("source")) => source = Some(parser.value()?.string()?),
            ("demo" | "serve", Long("port")) => port = parser.value()?.parse()?,
            ("demo", Long("no-open")) => open = false,
            ("serve", Long("dir")) => dir = parser.value()?.into(),
            ("serve", Long("prefix")) => prefix = parser.value()?.string()?,
            ("bench" | "bench-gpu", Long("no-peers")) => peers = false,
            ("test", Long("skip-browser")) => options.skip_browser = true,
            ("test", Long("only")) => options.only = Some(parser.value()?.string()?),
            ("fuzz", Long("minutes")) => fuzzed.minutes = minutes(&parser.value()?.string()?)?,
            ("fuzz", Long("keep")) => fuzzed.keep = true,
            ("fuzz", Value(target)) => fuzzed.target = Some(target.string()?),
            (_, arg) => return Err(arg.unexpected().into()),
        }
    }
    Ok(match name.as_str() {
        "help" => Command::Help,
        "setup" => Command::Setup,
        "web" => Command::Web { site, source },
        "demo" => Command::Demo { port, open },
        "serve" => Command::Serve { dir, port, prefix },
        "test" => Command::Test(options),
        "bench" => Command::Bench { peers },
        "bench-gpu" => Command::BenchGpu { peers },
        "film" => Command::Film,
        "pictures" => Command::Pictures,
        "deny" => Command::Deny,
        "coverage" => Command::Coverage,
        "licences" => Command::Licences,
        "fuzz" => Command::Fuzz(fuzzed),
        _ => bail!("there is no command {name}: see `cargo xtask --help`"),
    })
}

fn minutes(text: &str) -> Result<f64> {
    match text.parse() {
        Ok(minutes) if (0.01..=1e5).contains(&minutes) => Ok(minutes),
        _ => bail!("--minutes is {text}, but must be 0.01 to 100000"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command> {
        parse(line.split_whitespace().map(Into::into))
    }

    #[test]
    fn commands_take_their_own_options_only() {
        assert!(matches!(parsed("demo --port 9 --no-open").unwrap(), Command::Demo { port: 9, open: false }));
        assert!(matches!(parsed("demo").unwrap(), Command::Demo { port: 8080, open: true }));
        let Command::Serve { dir, port, prefix } = parsed("serve --dir d --port 0 --prefix /p/").unwrap() else {
            panic!("not serve");
        };
        assert_eq!((dir, port, prefix.as_str()), ("d".into(), 0, "/p/"));
        assert!(matches!(parsed("bench --no-peers").unwrap(), Command::Bench { peers: false }));
        assert!(matches!(parsed("bench-gpu").unwrap(), Command::BenchGpu { peers: true }));
        let line = "web --site https://example.org/ --source https://example.org/me";
        let Command::Web { site, source } = parsed(line).unwrap() else { panic!("not web") };
        assert_eq!(site.as_deref().zip(source.as_deref()), Some(("https://example.org/", "https://example.org/me")));
        let Command::Test(options) = parsed("test --only fmt").unwrap() else { panic!("not test") };
        assert_eq!((options.only.as_deref(), options.skip_browser), (Some("fmt"), false));
        let Command::Fuzz(options) = parsed("fuzz --minutes 0.5 own").unwrap() else { panic!("not fuzz") };
        assert_eq!(options, fuzz::Options { target: Some("own".into()), minutes: 0.5, keep: false });
        assert!(parsed("fuzz --minutes nan").is_err() && parsed("fuzz --minutes 0").is_err());
        for wrong in ["setup --port 1", "demo --port x", "demo --port 65536", "serve --no-open", "nothing", "--port 1"]
        {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn help_names_every_step() {
        assert!(matches!(parsed("").unwrap(), Command::Help));
        assert!(matches!(parsed("test -h").unwrap(), Command::Help));
        assert!(test::step_names().all(|step| help().contains(step)));
    }
}
