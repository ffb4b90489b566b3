//! What the commands do with odd numbers, with outputs that are closed or full, and with paths that are no files.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};

use burn::backend::Flex;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use shared::weights::{Card, ModelFile, Precision};
use shared::{RgFlow, RgFlowConfig};
use trainer::cli::{self, Cli};

/// A weights file of a random model, and two pictures.
fn model(folder: &Path) {
    let config = RgFlowConfig::tiny();
    let model = RgFlow::<Flex>::random(&config, 0.15, 4, &Default::default()).unwrap();
    let bytes = ModelFile::from_model(&model, Card::default()).to_bytes(Precision::F32).unwrap();
    fs::write(folder.join("m.safetensors"), bytes).unwrap();
    for (name, grey) in [("a.png", 40), ("b.png", 200)] {
        image::RgbImage::from_pixel(16, 16, image::Rgb([grey; 3])).save(folder.join(name)).unwrap();
    }
    let mask = image::GrayImage::from_fn(16, 16, |x, _| image::Luma([if x < 8 { 255 } else { 0 }]));
    mask.save(folder.join("mask.png")).unwrap();
}

fn trainer(line: &str, folder: &Path, configure: impl FnOnce(&mut Command)) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
    // On a machine that is slow today a command would say what it is at.
    command.args(line.split_whitespace()).current_dir(folder).env("RG_FLOW_PROGRESS", "off");
    configure(&mut command);
    command.output().unwrap()
}

/// Every command that prints.
const PRINT: [&str; 24] = [
    "licences",
    "inpaint a.png mask.png --model m.safetensors --samples 1 --device cpu",
    "eval-inpaint m.safetensors --data msds1 --limit 8 --test-limit 2 --images 1 --samples 1 --hole centre --device cpu",
    "bench tiny --batch 1 --seconds 0.01 --device cpu",
    "info m.safetensors",
    "info --machine",
    "presets",
    "sample m.safetensors --count 2 --device cpu",
    "eval m.safetensors --data msds1 --test-limit 2 --limit 1 --device cpu",
    "encode a.png --model m.safetensors --device cpu",
    "decode latents.safetensors --model m.safetensors --device cpu",
    "progressive m.safetensors --count 1 --device cpu",
    "receptive-fields m.safetensors --count 1 --samples 1 --device cpu",
    "mix a.png b.png --model m.safetensors --device cpu",
    "factors m.safetensors --only-scores --data msds1 --images 64 --device cpu",
    "quality m.safetensors --data msds1 --limit 20 --test-limit 16 --count 16 --device cpu",
    "blind m.safetensors --count 1 --out OUT --device cpu",
    "fit-latents m.safetensors --data msds1 --limit 20 --test-limit 1 --directions 2 --out f.safetensors --device cpu",
    "neighbours m.safetensors --data msds1 --limit 4 --test-limit 2 --count 2 --device cpu",
    "ovals m.safetensors --limit 1 --test-limit 1 --images 1 --device cpu",
    "pinwheel --steps 1 --device cpu",
    "export m.safetensors --out e.safetensors --device cpu",
    "data msds1 --limit 2 --out OUT",
    "train --preset tiny --limit 16 --test-limit 2 --steps 1 --device cpu --out OUT",
];

#[cfg(target_os = "linux")]
#[test]
fn a_closed_output_ends_every_command_quietly_and_a_full_one_with_an_error() {
    let dir = tempfile::tempdir().unwrap();
    model(dir.path());
    assert!(trainer("encode a.png --model m.safetensors --device cpu", dir.path(), |_| ()).status.success());
    for (i, line) in PRINT.iter().chain(&["--help", "--version"]).enumerate() {
        let closed = trainer(&line.replace("OUT", &format!("closed-{i}")), dir.path(), |command| {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            command.stdout(writer);
        });
        assert!(closed.status.success() && closed.stderr.is_empty(), "{line}: {closed:?}");
        let full = trainer(&line.replace("OUT", &format!("full-{i}")), dir.path(), |command| {
            command.stdout(File::options().write(true).open("/dev/full").unwrap());
        });
        let error = String::from_utf8_lossy(&full.stderr);
        assert_eq!(full.status.code(), Some(1), "{line}: {full:?}");
        assert!(error.contains("standard output") && error.contains("free some space"), "{line}: {error}");
        // Nobody hears of that error, and nothing else happens.
        let deaf = trainer(&line.replace("OUT", &format!("deaf-{i}")), dir.path(), |command| {
            let full = || File::options().write(true).open("/dev/full").unwrap();
            command.stdout(full()).stderr(full());
        });
        assert_eq!(deaf.status.code(), Some(1), "{line}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_whose_output_closes_saves_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    let line = "train --preset tiny --limit 16 --test-limit 2 --steps 100000 --log-every 1 --device cpu --out run";
    command.args(["-c", &format!("\"$TRAINER\" {line} | head -n 4")]);
    let output = command.env("TRAINER", env!("CARGO_BIN_EXE_trainer")).current_dir(dir.path()).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("standard output: it was closed") && error.contains("--resume run"), "{error}");
    let saved = trainer("info run", dir.path(), |_| ());
    assert!(saved.status.success(), "{saved:?}");
}

/// Options whose value is no number.
const TEXTS: [&str; 30] = [
    "against",
    "data",
    "test-data",
    "licence",
    "dataset",
    "name",
    "model",
    "out",
    "grid",
    "histogram",
    "image",
    "truth",
    "device",
    "config",
    "preset",
    "prior",
    "recipe",
    "resume",
    "precision",
    "factor",
    "compare",
    "count-failed",
    "hole",
    "only",
    "hub",
    "which",
    "best-by",
    "objective",
    "symmetry",
    "from",
];
/// Any number of 64 bits is a seed.
const SEEDS: [&str; 2] = ["seed", "data-seed"];

#[test]
fn every_number_of_every_command_is_refused_where_it_means_nothing() {
    let mut tried = 0;
    let mut whole = Cli::command();
    whole.build();
    for command in whole.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = command.get_name();
        let mut base = vec!["trainer".to_owned(), name.to_owned()];
        let several = |positional: &clap::Arg| positional.get_num_args().is_some_and(|n| n.max_values() > 1);
        let word = |positional: &clap::Arg| {
            let first = positional.get_possible_values().first().map(|value| value.get_name().to_owned());
            first.unwrap_or_else(|| "x".to_owned())
        };
        base.extend(command.get_positionals().flat_map(|p| vec![word(p); if several(p) { 2 } else { 1 }]));
        let required = command.get_opts().filter(|option| option.is_required_set());
        base.extend(required.map(|option| format!("--{}=x", option.get_long().unwrap())));
        // One of several that it could be.
        base.extend((name == "export").then(|| "--out=x".to_owned()));
        for option in command.get_opts() {
            let long = option.get_long().unwrap();
            let text = TEXTS.contains(&long) || (name, long) == ("progressive", "images");
            if text || !option.get_action().takes_values() {
                continue;
            }
            let help = option.get_long_help().or(option.get_help()).map(ToString::to_string).unwrap_or_default();
            let default = help.contains("[default: ") || !option.get_default_values().is_empty();
            assert!(help.split(' ').count() > 2 && (default || long == "temperatures"), "{name} --{long}: {help}");
            // Some number is taken, and as the type that it is wanted as.
            let good = ["1", "0.5", "2", "64"].map(|value| [&base[..], &[format!("--{long}={value}")]].concat());
            assert!(good.into_iter().any(|words| Cli::try_parse_from(words).is_ok()), "{name} --{long}");
            let huge = (!SEEDS.contains(&long)).then_some("18446744073709551615");
            let negative = (long != "change").then_some("-1");
            for value in ["nan", "NaN", "inf", "-inf", "1e999", "1e308", "-1e308", "", "two"]
                .into_iter()
                .chain(huge)
                .chain(negative)
            {
                let words = base.iter().cloned().chain([format!("--{long}={value}")]);
                let error = Cli::try_parse_from(words).map(|_| ()).unwrap_err();
                let kinds = [ErrorKind::ValueValidation, ErrorKind::InvalidValue];
                assert!(kinds.contains(&error.kind()), "{name} --{long}={value}: {error}");
                let own = !SEEDS.contains(&long) && !value.is_empty();
                assert!(!own || error.to_string().contains(" to ") || error.to_string().contains("at most"), "{error}");
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "{tried}");
}

fn run(line: &str) -> Result<(), String> {
    let cli = Cli::try_parse_from(["trainer"].into_iter().chain(line.split(' '))).map_err(|e| e.to_string())?;
    cli::run(cli).map_err(|error| error.to_string())
}

#[test]
fn sheets_too_large_to_draw_are_refused_before_anything_is_computed() {
    let dir = tempfile::tempdir().unwrap();
    model(dir.path());
    let at = |name: &str| dir.path().join(name).display().to_string();
    let (weights, out) = (at("m.safetensors"), at("sheet.png"));
    let error = run(&format!("sample {weights} --count 10000 --zoom 32 --device cpu --out {out}")).unwrap_err();
    assert!(error.contains("--zoom") && error.contains("pixels"), "{error}");
    let error = run(&format!("progressive {weights} --count 256 --zoom 32 --device cpu --out {out}")).unwrap_err();
    assert!(error.contains("--zoom"), "{error}");
    assert!(run(&format!("sample {weights} --count 999999999999 --out {out}")).unwrap_err().contains("1 to 10000"));
    assert!(!Path::new(&out).exists());
}

#[cfg(unix)]
#[test]
fn an_export_writes_through_links_and_leaves_devices_alone() {
    let dir = tempfile::tempdir().unwrap();
    model(dir.path());
    let at = |name: &str| dir.path().join(name);
    fs::write(at("real.safetensors"), "").unwrap();
    std::os::unix::fs::symlink("real.safetensors", at("link.safetensors")).unwrap();
    std::os::unix::fs::symlink("/dev/null", at("null.safetensors")).unwrap();
    let export =
        |out: &str| run(&format!("export {} --device cpu --out {}", at("m.safetensors").display(), at(out).display()));
    export("link.safetensors").unwrap();
    assert!(at("link.safetensors").is_symlink());
    assert!(fs::read(at("real.safetensors")).unwrap().len() > 1000);
    assert!(export("null.safetensors").unwrap_err().contains("ordinary file"));
    assert!(at("null.safetensors").is_symlink());
}

#[test]
fn a_device_that_is_not_there_is_said_before_anything_is_read() {
    for line in ["train", "eval no-model", "export no-model --data no-data --out x", "factors no-model --data no-data"]
    {
        let error = run(&format!("{line} --device cuda:97")).unwrap_err();
        assert!(error.starts_with("device: "), "{line}: {error}");
    }
}

#[test]
fn vectors_are_those_that_the_environment_asks_for_or_it_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let asked = |bits: &str| {
        trainer("info --machine", dir.path(), |command| {
            command.env("RG_FLOW_VECTORS", bits);
        })
    };
    for wrong in ["300", "wide", ""] {
        let refused = asked(wrong);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("RG_FLOW_VECTORS") && said.contains("256 or 512"), "{said}");
    }
    let narrow = asked("256");
    let said = String::from_utf8_lossy(&narrow.stdout).into_owned();
    assert!(!narrow.status.success() || said.contains("AVX2, 8 numbers at a time: as asked for"), "{said}");
}

#[test]
fn what_is_not_there_comes_with_advice() {
    for line in
        ["info no/such/model", "import no/such.state --out x", "train --resume no/such.ckpt --out x --device cpu"]
    {
        let error = run(line).unwrap_err();
        assert!(error.contains("no/such") && error.contains("check the path"), "{line}: {error}");
    }
}
