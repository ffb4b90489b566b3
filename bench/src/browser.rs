//! What `peers/browser/run.py` measured, as a document.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

/// Its file.
#[derive(Debug, Default, Deserialize)]
pub struct Browser {
    /// Chromium's version.
    browser: String,
    /// The model that was timed.
    model: String,
    /// The page's costs.
    budgets: Budgets,
    /// The shortest times, by names such as `rgflow/cpu/16`, in ms a picture.
    best: BTreeMap<String, f64>,
    /// What one run asks of the GPU, under the same names.
    #[serde(default)]
    calls: BTreeMap<String, Calls>,
    /// WebGPU's adapter, if there was one.
    adapter: Option<Adapter>,
    /// Medians under the same names, and what else the page said.
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// What budgets.py measured.
#[derive(Debug, Default, Deserialize)]
struct Budgets {
    first_paint_ms: f64,
    first_sample_ms: f64,
    sixteen_ms: f64,
    slider_coarse_ms: f64,
    slider_fine_ms: f64,
    longest_task_ms: f64,
    layout_shift: f64,
    cpu_wasm_mb: f64,
    later_wasm_mb: f64,
    gpu_wasm_mb: f64,
}

/// Counted by counting.mjs.
#[derive(Debug, Deserialize)]
struct Calls {
    dispatches: u32,
    submits: u32,
    readbacks: u32,
}

#[derive(Debug, Deserialize)]
struct Adapter {
    description: String,
    software: bool,
}

/// The tables, in Markdown.
pub fn tables(browser: &Browser) -> String {
    let mut text = String::new();
    engines(&mut text, browser);
    calls(&mut text, browser);
    budgets(&mut text, browser);
    text
}

fn engines(text: &mut String, browser: &Browser) {
    let _ = writeln!(text, "## In the browser\n");
    let _ = writeln!(
        text,
        "Chromium {}, one thread, the model `{}`, both engines in turns on one page. Milliseconds per picture: \
         the\nmedian, and the best in brackets. Ours also draws latents and computes pixels and likelihoods.\n",
        browser.browser, browser.model
    );
    let _ = writeln!(text, "| on | pictures at once | ours | ONNX Runtime Web | ratio |");
    let _ = writeln!(text, "|---|---|---|---|---|");
    for (name, ours, theirs) in [("CPU", "rgflow/cpu", "ort/wasm"), ("WebGPU", "rgflow/webgpu", "ort/webgpu")] {
        for batch in [1, 16] {
            let time = |who: &str| {
                let name = format!("{who}/{batch}");
                Some((browser.rest.get(&name)?.as_f64()?, browser.best.get(&name).copied()?))
            };
            let cell = |time: Option<(f64, f64)>| {
                time.map_or_else(|| "–".to_owned(), |(median, best)| format!("{median:.1} ({best:.1})"))
            };
            let (ours, theirs) = (time(ours), time(theirs));
            if ours.is_none() && theirs.is_none() {
                continue;
            }
            let ratio = ours.zip(theirs).map_or_else(|| "–".to_owned(), |(o, t)| format!("{:.2}", t.0 / o.0));
            let _ = writeln!(text, "| {name} | {batch} | {} | {} | {ratio} |", cell(ours), cell(theirs));
        }
    }
    if let Some(adapter) = browser.adapter.as_ref().filter(|adapter| adapter.software) {
        let what = if adapter.description.is_empty() { "a software renderer" } else { &adapter.description };
        let _ = writeln!(
            text,
            "\nThe GPU here is {what} on the CPU: this shows that WebGPU is correct, not how fast it is."
        );
    }
    let _ = writeln!(text);
}

fn calls(text: &mut String, browser: &Browser) {
    if browser.calls.is_empty() {
        return;
    }
    let _ = writeln!(text, "What one run asks of the GPU, the same for any GPU:\n");
    let _ = writeln!(text, "| pictures at once | by | dispatches | submissions | readbacks |");
    let _ = writeln!(text, "|---|---|---|---|---|");
    for (name, calls) in &browser.calls {
        let who = if name.starts_with("rgflow/") { "ours" } else { "ONNX Runtime Web" };
        let pictures = name.rsplit('/').next().unwrap_or_default();
        let Calls { dispatches, submits, readbacks } = calls;
        let _ = writeln!(text, "| {pictures} | {who} | {dispatches} | {submits} | {readbacks} |");
    }
    let _ = writeln!(text);
}

fn budgets(text: &mut String, browser: &Browser) {
    let b = &browser.budgets;
    let _ = writeln!(text, "## The page\n");
    let _ = writeln!(text, "| what | measured | budget |");
    let _ = writeln!(text, "|---|---|---|");
    let rows = [
        ("first paint, nothing cached, from localhost", b.first_paint_ms, "ms", 300.0),
        ("the first live sample on screen, 64×64", b.first_sample_ms, "ms", 1000.0),
        ("all sixteen", b.sixteen_ms, "ms", 2500.0),
        (
            "from a slider's move to the new picture, for a latent of the coarsest level",
            b.slider_coarse_ms,
            "ms",
            60.0,
        ),
        ("the same, for a latent of the finest level", b.slider_fine_ms, "ms", 60.0),
        ("longest task on the page while sampling (0: none over 50 ms)", b.longest_task_ms, "ms", 50.0),
        ("largest layout shift while one of the five panels opens", b.layout_shift, "", 0.1),
        ("wasm for the CPU, brotli", b.cpu_wasm_mb, "MB", 0.62),
        ("wasm for holes, faces and training, brotli, fetched when wanted", b.later_wasm_mb, "MB", 0.6),
        ("wasm for WebGPU, brotli, fetched after the first pictures", b.gpu_wasm_mb, "MB", 1.1),
    ];
    for (what, measured, unit, budget) in rows {
        let over = if measured > budget { " **over**" } else { "" };
        let _ = writeln!(text, "| {what} | {measured} {unit}{over} | {budget} {unit} |");
    }
    let _ = writeln!(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_theirs_over_ours_and_budgets_are_kept_or_not() {
        let json = r#"{"browser": "156", "model": "faces", "notes": [], "rgflow/cpu/1": 10.0, "ort/wasm/1": 15.0,
            "ort/webgpu/1": 3.0, "best": {"rgflow/cpu/1": 9.0, "ort/wasm/1": 14.0, "ort/webgpu/1": 2.0},
            "calls": {"rgflow/webgpu/16": {"dispatches": 90, "submits": 6, "readbacks": 1}},
            "adapter": {"vendor": "v", "description": "", "software": true},
            "budgets": {"first_paint_ms": 250, "first_sample_ms": 1100, "sixteen_ms": 2400, "slider_coarse_ms": 40.5, "slider_fine_ms": 9, "longest_task_ms": 0, "layout_shift": 0,
            "cpu_wasm_mb": 0.59, "later_wasm_mb": 0.5, "gpu_wasm_mb": 1.1}}"#;
        let text = tables(&serde_json::from_str(json).unwrap());
        assert!(text.contains("| CPU | 1 | 10.0 (9.0) | 15.0 (14.0) | 1.50 |"), "{text}");
        assert!(text.contains("| WebGPU | 1 | – | 3.0 (2.0) | – |") && !text.contains("| CPU | 16 |"), "{text}");
        assert!(
            text.contains("1100 ms **over** | 1000 ms |")
                && text.contains("| 2400 ms | 2500 ms |")
                && text.contains("| 40.5 ms | 60 ms |"),
            "{text}"
        );
        assert!(text.contains("a software renderer on the CPU"));
        assert!(text.contains("| 16 | ours | 90 | 6 | 1 |"), "{text}");
    }
}
