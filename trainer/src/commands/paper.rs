//! `trainer paper`.

use std::path::{Path, PathBuf};
use std::process::Command;

use shared::weights::AnyModelFile;

use super::model::{Loaded, load_any};
use super::sample::Sample;
use crate::cli::{DataSetArgs, PaperArgs};
use crate::device::dispatch;
use crate::disentangle::factors_of;
use crate::drawing::Drawing;
use crate::error::{Error, Result};
use crate::files::write_whole;
use crate::output::say;
use crate::report::{Outcome, Sources, html, pictures, sections};
use crate::sheet;

/// Pictures that are mixed.
const INPUTS: u64 = 4;

/// Runs every command that the paper has a figure for, and writes a page of what they say and draw.
///
/// Each is a process of its own, so that one that fails leaves the others; the page says what failed.
///
/// # Errors
/// A model or data that cannot be read, or a folder that cannot be written.
pub fn run(args: PaperArgs) -> Result<()> {
    let loaded = load_any(&args.model)?;
    super::keep_apart(args.data.name(), args.data.test_data.as_deref(), &args.out)?;
    let inputs = args.out.join("inputs");
    std::fs::create_dir_all(&inputs).map_err(Error::io(&inputs, "create it"))?;
    let (pictures_in, mask) = write_inputs(&args, &loaded, &inputs)?;
    let absolute = |path: &Path| std::path::absolute(path).map_err(Error::io(path, "find it"));
    let word = |path: PathBuf| path.display().to_string();
    let others: Vec<String> = args.compare.iter().map(|p| absolute(p).map(word)).collect::<Result<_>>()?;
    let model = absolute(&args.model).map(word)?;
    let mut data = vec!["--data".to_owned(), data_word(args.data.name(), absolute)?];
    if let Some(test) = &args.data.test_data {
        data.extend(["--test-data".to_owned(), absolute(test).map(word)?]);
    }
    let scored = scored(&args, &loaded)?.into_iter().map(|p| absolute(&p).map(word)).collect::<Result<Vec<_>>>()?;
    let temperature = args.temperature.words();
    let sources = Sources {
        model: &model,
        others: &others,
        data: &data,
        temperature: &temperature,
        inputs: &pictures_in,
        mask: &mask,
        images: args.images,
        ovals: args.data.name().starts_with("msds"),
        scored: &scored,
        levels: matches!(loaded.file, AnyModelFile::RgFlow(_)),
    };
    let program = std::env::current_exe().map_err(Error::io(Path::new("trainer"), "find this program"))?;
    let mut outcomes = Vec::new();
    for section in sections(&sources) {
        say!("trainer {}", section.words.join(" "))?;
        let output = Command::new(&program).args(&section.words).current_dir(&args.out).output();
        let output = output.map_err(Error::io(&program, "run it"))?;
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            text += &String::from_utf8_lossy(&output.stderr);
        }
        say!("{text}")?;
        let pictures = pictures(&args.out, &section);
        outcomes.push(Outcome { section, text, pictures });
    }
    let index = args.out.join("index.html");
    let name = &loaded.file.card().name;
    let name = if name.is_empty() { "A model" } else { name };
    write_whole(&index, html(name, &outcomes).as_bytes())?;
    say!("{}", index.display())?;
    Ok(())
}

/// The models with levels, if the data have known factors.
fn scored(args: &PaperArgs, loaded: &Loaded<AnyModelFile>) -> Result<Vec<PathBuf>> {
    let few = DataSetArgs { test_limit: Some(64), ..args.data.clone() };
    let test = super::load_test(&few, loaded.file.config().image_shape())?.images;
    if test.labels().is_none_or(|labels| factors_of(labels).is_empty()) {
        return Ok(vec![]);
    }
    let levels = |file: &AnyModelFile| matches!(file, AnyModelFile::RgFlow(_));
    let own = levels(&loaded.file).then(|| args.model.clone());
    // One that cannot be read fails in its own sections.
    let others = args.compare.iter().filter(|path| load_any(path).is_ok_and(|other| levels(&other.file)));
    Ok(own.into_iter().chain(others.cloned()).collect())
}

/// A path as seen from the report's folder; a name stays one.
fn data_word(data: &str, absolute: impl Fn(&Path) -> Result<PathBuf>) -> Result<String> {
    let path = Path::new(data);
    if path.exists() { absolute(path).map(|p| p.display().to_string()) } else { Ok(data.to_owned()) }
}

/// Pictures to mix and complete, samples unless test images are asked for, and a mask over the middle.
fn write_inputs(args: &PaperArgs, loaded: &Loaded<AnyModelFile>, folder: &Path) -> Result<(Vec<String>, String)> {
    let [channels, size] = loaded.file.config().image_shape();
    let pictures = if args.test_images {
        let test = super::load_test(&args.data, [channels, size])?.images;
        (0..test.len().min(INPUTS as usize)).map(|i| test.image(i).to_vec()).collect()
    } else {
        let drawing = Drawing::of(&loaded.file, &args.temperature);
        dispatch(args.device.device, Sample { loaded, path: &args.model, seed: 7, count: INPUTS, drawing })?
    };
    let save = |pixels: &Vec<u8>, channels: usize, name: String| {
        sheet::save(&sheet::picture_of(pixels, size, channels), &folder.join(&name))?;
        Ok(format!("inputs/{name}"))
    };
    let names = pictures.iter().enumerate().map(|(i, p)| save(p, channels, format!("{i}.png")));
    let hole = (size / 3)..(size - size / 3);
    let inside = |i: usize| hole.contains(&(i / size)) && hole.contains(&(i % size));
    let mask = (0..size * size).map(|i| if inside(i) { 255 } else { 0 }).collect();
    Ok((names.collect::<Result<_>>()?, save(&mask, 1, "mask.png".into())?))
}
