//! The page: which commands it runs, and the index.html that shows them.

use std::path::Path;

/// One command of the report, and what it leaves behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Heading.
    pub title: &'static str,
    /// What the section shows, and where the paper has it.
    pub caption: &'static str,
    /// The command's words, without the program's name.
    pub words: Vec<String>,
    /// Its pictures, by their names in the report's folder; a folder stands for all pictures in it.
    pub pictures: Vec<&'static str>,
}

/// A section that has been run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The section.
    pub section: Section,
    /// What the command printed.
    pub text: String,
    /// Its pictures that exist, relative to the report's folder.
    pub pictures: Vec<String>,
}

/// What the report is made from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The model.
    pub model: &'a str,
    /// Models to compare with.
    pub others: &'a [String],
    /// Which checkpoint of a run folder, as words of a command.
    pub which: &'a [String],
    /// Data with a test part.
    pub data: &'a [String],
    /// Temperatures, as words of a command.
    pub temperature: &'a [String],
    /// Pictures to mix and to complete.
    pub inputs: &'a [String],
    /// The mask of the completion.
    pub mask: &'a str,
    /// Images that averages are taken over.
    pub images: usize,
    /// Whether the data are MSDS pictures.
    pub ovals: bool,
    /// Models with levels, of the model and those to compare with, where the data have known factors to score them by.
    pub scored: &'a [String],
    /// Whether the model has levels: an RG-Flow, not a Real NVP.
    pub levels: bool,
}

/// The report's sections, in the order of the paper's figures.
pub fn sections(s: &Sources<'_>) -> Vec<Section> {
    let section = |title, caption, words: &[&[String]], pictures: &[&'static str]| Section {
        title,
        caption,
        words: words.concat(),
        pictures: pictures.to_vec(),
    };
    let w = |words: &str| words.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let (model, images) = ([s.model.to_owned()], [s.images.to_string()]);
    let by_model = [w("--model"), model.to_vec()].concat();
    let mut all = vec![
        section("Likelihood", "Bits/dim of the test images.", &[&w("eval"), &model, s.data], &[]),
        section(
            "Samples",
            "Drawn from the prior.",
            &[&w("sample"), &model, &w("--seed 1 --count 64 --zoom 3 --out samples.png"), s.temperature],
            &["samples.png"],
        ),
        section(
            "Memorisation",
            "How close samples come to training images, compared with test images.",
            &[&w("neighbours"), &model, s.data, &w("--count 256"), s.temperature],
            &[],
        ),
    ];
    if s.levels {
        all.extend([
            section(
                "Progressive generation (fig. 4a)",
                "One sample a row; each column is the image after one more inverse RG step.",
                &[&w("progressive"), &model, &w("--seed 1 --out progressive.png"), s.temperature],
                &["progressive.png"],
            ),
            section(
                "Receptive fields and strengths (fig. 4b, 4c)",
                "Where the strongest latents of each level act (equation 8), on average over the prior, and how the strengths are distributed at each level.",
                &[&w("receptive-fields"), &model, &w("--temperature 1 --independent --out fields.png --histogram strengths.png")],
                &["fields.png", "strengths.png"],
            ),
            section(
                "Factors (fig. 5)",
                "The leading latents of each level, each varied alone from left to right.",
                &[&w("factors"), &model, &w("--seed 1 --count 6 --out factors"), s.temperature],
                &["factors"],
            ),
            section(
                "Mixing (fig. 6, equation 9)",
                "Coarse levels of one image, fine levels of another, with each level as the boundary and in both directions, compared with the usual interpolation.",
                &[&w("mix"), s.inputs, &by_model, &w("--out mix.png --grid mix-grid.png")],
                &["mix.png", "mix-grid.png"],
            ),
        ]);
    }
    for (i, model) in s.scored.iter().enumerate() {
        all.push(section(
            "Disentanglement",
            "How well single latents of each level match the known factors of the data.",
            &[&w("factors"), std::slice::from_ref(model), s.data, &w("--only-scores --out"), &[format!("scores-{i}")]],
            &[],
        ));
    }
    if let Some(first) = s.inputs.first() {
        all.push(section(
            "Inpainting (fig. 7)",
            "The whole image, the part that was given, the best completion, and others.",
            &[
                &w("inpaint"),
                &[first.clone(), s.mask.to_owned()],
                &by_model,
                &w("--out inpainted.png --truth"),
                std::slice::from_ref(first),
            ],
            &["inpainted.png"],
        ));
    }
    all.push(section(
        "Inpainting compared",
        "Peak signal-to-noise ratio of the best completion in the hole, and how many latents may change.",
        // No other completions: a Real NVP would take hours over them.
        &[&w("eval-inpaint"), &model, s.others, s.data, &w("--samples 0 --out inpainting.png --images"), &images],
        &["inpainting.png"],
    ));
    if s.ovals {
        for model in std::iter::once(s.model).chain(s.others.iter().map(String::as_str)) {
            all.push(section(
                "Ovals",
                "What one latent of each level does to the sixteen ovals: colours that changed, ovals that turned.",
                &[&w("ovals"), &[model.to_owned()], s.data],
                &[],
            ));
        }
    }
    // All of these open a model.
    all.iter_mut().for_each(|section: &mut Section| section.words.extend_from_slice(s.which));
    all.push(section(
        "Priors in the plane (appendix)",
        "A flow on the plane with a Gaussian prior and one with a sparse prior: where their axes lie.",
        &[&w("pinwheel --out pinwheel.png")],
        &["pinwheel.png"],
    ));
    all
}

/// A section's pictures that exist.
pub fn pictures(folder: &Path, section: &Section) -> Vec<String> {
    let mut found = Vec::new();
    for &name in &section.pictures {
        let path = folder.join(name);
        if path.is_dir() {
            let inside = std::fs::read_dir(&path).into_iter().flatten().flatten();
            let names = inside.filter_map(|file| file.file_name().into_string().ok());
            let mut names: Vec<_> = names.filter(|n| n.ends_with(".png") || n.ends_with(".gif")).collect();
            names.sort();
            found.extend(names.into_iter().map(|n| format!("{name}/{n}")));
        } else if path.exists() {
            found.push(name.to_owned());
        }
    }
    found
}

/// The page.
pub fn html(model: &str, outcomes: &[Outcome]) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>RG-Flow: {0}</title>\n<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
         padding:0 1rem}}img{{max-width:100%;image-rendering:pixelated;display:block;margin:.5rem 0}}\
         pre{{overflow-x:auto;background:#f4f4f4;padding:.5rem;color:#222}}</style>\n<h1>{0}</h1>\n",
        escape(model)
    );
    for Outcome { section, text, pictures } in outcomes {
        page += &format!("<h2>{}</h2>\n<p>{}</p>\n", escape(section.title), escape(section.caption));
        page += &format!("<pre>trainer {}\n\n{}</pre>\n", escape(&section.words.join(" ")), escape(text.trim_end()));
        for picture in pictures {
            page += &format!("<img src=\"{0}\" alt=\"{0}\">\n", escape(picture));
        }
    }
    page
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(levels: bool, ovals: bool) -> Vec<Section> {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        sections(&Sources {
            model: "m.safetensors",
            others: &words("o.safetensors"),
            which: &words("--which last"),
            data: &words("--data msds1"),
            temperature: &words("--temperature 0.7 --low-temperature 0.3"),
            inputs: &words("a.png b.png"),
            mask: "mask.png",
            images: 8,
            ovals,
            scored: &words("m.safetensors gauss.safetensors"),
            levels,
        })
    }

    #[test]
    fn sections_follow_the_model_and_the_data() {
        let sections = all(true, true);
        let uses = |sections: &[Section], command: &str| sections.iter().filter(|s| s.words[0] == command).count();
        assert_eq!((uses(&sections, "ovals"), uses(&sections, "mix"), uses(&sections, "factors")), (2, 1, 3));
        let scores = sections.iter().flat_map(|s| &s.words).filter(|word| word.starts_with("scores-"));
        assert_eq!(scores.collect::<Vec<_>>(), ["scores-0", "scores-1"]);
        // All that open a model are told which checkpoint.
        assert!(
            sections
                .iter()
                .all(|s| s.words.ends_with(&["--which".into(), "last".into()]) == (s.words[0] != "pinwheel"))
        );
        assert_eq!((uses(&all(false, false), "ovals"), uses(&all(false, false), "mix")), (0, 0));
    }

    #[test]
    fn the_page_shows_what_is_there_and_nothing_else_gets_in() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("factors")).unwrap();
        for name in ["mix.png", "factors/b.png", "factors/a.gif", "factors/scores.json"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let sections = all(true, false);
        let outcome = |section: &Section| {
            let pictures = pictures(folder.path(), section);
            Outcome { section: section.clone(), text: "<b>&".into(), pictures }
        };
        let outcomes: Vec<_> = sections.iter().map(outcome).collect();
        let page = html("a \"model\"", &outcomes);
        let images: Vec<_> =
            page.match_indices("<img src=\"").map(|(i, m)| page[i + m.len()..].split('"').next()).collect();
        assert_eq!(images, [Some("factors/a.gif"), Some("factors/b.png"), Some("mix.png")]);
        assert!(!page.contains("<b>") && page.contains("&lt;b&gt;&amp;") && page.contains("a &quot;model&quot;"));
    }
}
