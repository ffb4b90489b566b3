//! A model as a folder that the Hugging Face Hub takes.

use std::fmt::Write;
use std::path::Path;

use shared::ModelConfig;
use shared::weights::Card;

use super::licence;
use crate::args::TemperatureArgs;
use crate::error::{Error, Result};
use crate::figures::sheet;
use crate::files::{is_used, make_folder, write_atomically, write_whole};
use crate::open::AnyModel;
use crate::output::say;
use crate::train::best::WEIGHTS;

/// The reader in Python that goes with the weights.
const READER: &str = include_str!("../../../../python/rg_flow.py");

/// Refuses a folder with something in it.
pub(super) fn unused(folder: &Path) -> Result<()> {
    if std::fs::symlink_metadata(folder).is_err() {
        return Ok(());
    }
    let refuse =
        |problem: &str| Err(Error::usage("--hub", format!("{} {problem}", folder.display()), "give a new folder"));
    if !folder.is_dir() {
        return refuse("is a file");
    }
    if is_used(folder)? { refuse("is not empty") } else { Ok(()) }
}

/// Writes the folder: the weights `bytes`, with `card`, and what shows and reads them. `model` is what they hold.
pub(super) fn write(folder: &Path, bytes: &[u8], card: &Card, model: &AnyModel) -> Result<()> {
    let [channels, size] = model.config.image_shape();
    let count = if size > 64 { 16 } else { 64 };
    let columns = if size > 64 { 4 } else { 8 };
    let usual = TemperatureArgs { temperature: None, low_temperature: None, cutoff: 1, independent: false };
    let drawing = usual.drawing(model.joint.as_ref(), card);
    let pictures = model.engine.sample(0, count, &drawing)?;
    let samples = sheet::sheet(&pictures, size, channels, columns, (96 / size).clamp(1, 4) as u32);
    make_folder(folder)?;
    write_atomically(&folder.join(WEIGHTS), bytes)?;
    let config = serde_json::to_string_pretty(&model.config).unwrap_or_default();
    write_whole(&folder.join("config.json"), format!("{config}\n").as_bytes())?;
    sheet::save(&samples, &folder.join("samples.png"))?;
    write_whole(&folder.join("rg_flow.py"), READER.as_bytes())?;
    if licence::identifier(&card.licence).is_none() && !card.licence.is_empty() {
        write_whole(&folder.join("LICENSE"), format!("{}\n", card.licence.trim()).as_bytes())?;
    }
    // Last, so that a folder with a README is complete.
    write_whole(&folder.join("README.md"), readme(card, &model.config).as_bytes())?;
    if card.licence.is_empty() {
        say!("no licence is known: give --licence, and name whose images these were")?;
    }
    say!(
        "{}: {:.2} MB; to publish it: hf upload YOU/NAME {}",
        folder.display(),
        bytes.len() as f64 / 1e6,
        folder.display()
    )
}

/// The model's page: front matter for the Hub, then what the card says and how to use the model.
fn readme(card: &Card, config: &ModelConfig) -> String {
    let [channels, size] = config.image_shape();
    let name = if card.name.trim().is_empty() { "RG-Flow" } else { card.name.trim() };
    let what = match config {
        ModelConfig::RgFlow(_) => {
            "An [RG-Flow](https://arxiv.org/abs/2010.00029), a generative model with latents at every scale"
        }
        ModelConfig::RealNvp(_) => "A [Real NVP](https://arxiv.org/abs/1605.08803), trained to compare with an RG-Flow",
    };
    let mut rows = String::new();
    let bits = card.bits_per_dim.map(|bits| format!("{bits} bits/dim")).unwrap_or_default();
    let parameters = format!("{} parameters, {channels}×{size}×{size} images", config.param_count());
    let temperatures = |of: &[f32]| of.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    for (head, text) in [
        ("model", parameters.as_str()),
        ("data", &card.dataset),
        ("licence", &card.licence),
        ("test images", &bits),
        ("training", &card.training),
        ("temperatures, finest level first", &temperatures(&card.temperature)),
        ("temperatures for joint draws", &temperatures(&card.joint_temperature)),
    ] {
        if !text.is_empty() {
            // Writing to a text cannot fail.
            let _ = writeln!(rows, "| {head} | {} |", line(text).replace('|', "\\|"));
        }
    }
    format!(
        "---\n{}---\n\n# {}\n\n![Samples](samples.png)\n\n{what}.\n\n| | |\n|---|---|\n{rows}\n\
         ## Use\n\n\
         `rg_flow.py` beside this file reads the model in Python, with PyTorch and safetensors alone:\n\n\
         ```python\nimport rg_flow\n\n\
         flow = rg_flow.load(\".\")              # this folder\n\
         pictures = flow.sample(16, seed=0)     # bytes, [16, {channels}, {size}, {size}]\n\
         latents = flow.encode(pictures)        # exact: flow.decode(latents) gives the pictures back\n\
         print(flow.bits_per_dim(pictures, seed=0))\n```\n\n\
         The trainer of RG-Flow reads `model.safetensors` too (`trainer sample`, `mix`, `inpaint`, `eval`), and its page\n\
         takes the file by drag and drop.\n",
        front_matter(card, config, name),
        line(name)
    )
}

fn front_matter(card: &Card, config: &ModelConfig, name: &str) -> String {
    let mut text = String::new();
    match licence::identifier(&card.licence) {
        Some(known) => text += &format!("license: {known}\n"),
        None if card.licence.is_empty() => {}
        None => text += "license: other\nlicense_name: see-license\nlicense_link: LICENSE\n",
    }
    let architecture = if matches!(config, ModelConfig::RgFlow(_)) { "rg-flow" } else { "real-nvp" };
    let mut tags = vec!["rg-flow", "normalizing-flow", "image-generation"];
    if architecture != "rg-flow" {
        tags.push(architecture);
    }
    text += &format!(
        "library_name: rg-flow\npipeline_tag: unconditional-image-generation\ntags:\n- {}\n",
        tags.join("\n- ")
    );
    let set = slug(&card.dataset);
    if !set.is_empty() {
        text += &format!("datasets:\n- {}\n", quoted(&set));
    }
    if let Some(bits) = card.bits_per_dim {
        let (set, shown) =
            if set.is_empty() { ("images", "test images") } else { (set.as_str(), card.dataset.as_str()) };
        text += &format!(
            "metrics:\n- bits_per_dim\n\
             model-index:\n- name: {}\n  results:\n  - task:\n      type: unconditional-image-generation\n    \
             dataset:\n      name: {}\n      type: {}\n      split: test\n    \
             metrics:\n    - name: bits/dim\n      type: bits_per_dim\n      value: {bits}\n",
            quoted(name),
            quoted(shown),
            quoted(set)
        );
    }
    text
}

/// A data set's name as the Hub spells names: the words before any explanation, joined by hyphens.
fn slug(dataset: &str) -> String {
    let words = dataset.split(['(', ',', ';', ':']).next().unwrap_or_default();
    let parts = words.split(|c: char| !c.is_ascii_alphanumeric() && !"._".contains(c));
    let slug =
        parts.map(|part| part.trim_matches(['.', '_'])).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    slug.chars().take(96).collect()
}

/// A text on one line.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text in YAML, which takes JSON's notation.
fn quoted(text: &str) -> String {
    serde_json::Value::from(line(text)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::RgFlowConfig;

    fn page(card: &Card) -> String {
        readme(card, &RgFlowConfig::tiny().into())
    }

    #[test]
    fn the_front_matter_is_what_the_hub_asks_for() {
        let card = Card {
            name: "Faces \"32\"".into(),
            dataset: "FairFace (Karkkainen & Joo), near-frontal".into(),
            licence: "FairFace, CC BY 4.0".into(),
            bits_per_dim: Some(3.9526),
            ..Card::default()
        };
        let page = page(&card);
        let front = page.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap().0;
        for part in [
            "license: cc-by-4.0",
            "library_name: rg-flow",
            "pipeline_tag: unconditional-image-generation",
            "tags:\n- rg-flow\n",
            "datasets:\n- \"FairFace\"",
            "metrics:\n- bits_per_dim\n",
            "- name: \"Faces \\\"32\\\"\"\n  results:\n  - task:\n      type: unconditional-image-generation\n    dataset:\n",
            "      value: 3.9526",
        ] {
            assert!(front.contains(part), "{part} in\n{front}");
        }
    }

    #[test]
    fn what_is_not_known_is_left_out_and_other_licences_have_a_file() {
        let bare = page(&Card::default());
        for absent in ["license", "datasets", "model-index", "| data |", "| licence |"] {
            assert!(!bare.contains(absent), "{absent} in\n{bare}");
        }
        let own = page(&Card { licence: "ask me".into(), ..Card::default() });
        assert!(own.contains("license: other\nlicense_name: see-license\nlicense_link: LICENSE\n"), "{own}");
    }

    #[test]
    fn a_text_of_a_card_cannot_leave_its_place() {
        let wild = "x\n---\nlicense: mit | y".to_owned();
        let page = page(&Card {
            name: wild.clone(),
            dataset: wild.clone(),
            training: wild,
            bits_per_dim: Some(1.0),
            ..Card::default()
        });
        assert_eq!(page.matches("\n---\n").count(), 1, "{page}");
        assert!(!page.contains("\nlicense") && page.contains("x --- license: mit \\| y"), "{page}");
    }
}
