"""What the page may cost: bytes, and the time until something is seen."""

import statistics
import tempfile
import time

import brotli

# Live pictures in the grid: stored ones cannot be chosen yet.
LIVE = "document.querySelectorAll('#grid .cell:enabled canvas[data-painted]').length"
QUIET = "document.documentElement.dataset.state === 'done' && document.documentElement.dataset.busy === 'false'"
OPENINGS = 5
# Seconds after which a browser is done with its own start.
SETTLED = 4
# Moves of the slider's latent, and milliseconds until the picture is another one.
SLIDE = """
const canvas = document.querySelector("#explore-board canvas");
const slider = document.querySelector("#explore-value");
const pixels = () => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.join();
const times = [];
for (let move = 0; move < 15; move++) {
  const before = pixels();
  slider.value = move % 2 ? 2 : -2;
  const start = performance.now();
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  while (pixels() === before && performance.now() - start < 5000) await pause(0);
  times.push(performance.now() - start);
  await pause(400);
}
return times;
"""
# How much of the page moved while it opened, panel by panel, as browsers count it.
SHIFT = """
let shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
await pause(500);
return shift;
"""
PANELS = ("sample", "mix", "explore", "inpaint", "about")
# New samples, and how long the page was not to be spoken to at the worst.
SAMPLE = f"""
let longest = 0;
new PerformanceObserver((list) => {{
  for (const task of list.getEntries()) longest = Math.max(longest, task.duration);
}}).observe({{ type: "longtask" }});
for (let turn = 0; turn < 5; turn++) {{
  document.querySelector("#new-samples").click();
  await pause(50);
  while (!({QUIET})) await pause(20);
}}
await pause(200);
return longest;
"""


def profile_folder():
    # The browser may still be writing when it goes.
    return tempfile.TemporaryDirectory(ignore_cleanup_errors=True)


def show(browser, address):
    """Opens the page afresh, and waits until nothing is on its way any more."""
    browser.post("/url", {"url": "about:blank"})
    browser.post("/url", {"url": address})
    end = time.monotonic() + 60
    while not browser.eval(QUIET):
        assert time.monotonic() < end, f"{address} does not come to rest"
        time.sleep(0.02)


def opening(start, url):
    """Milliseconds from the navigation to the first paint, the first live picture and all sixteen, in a browser that is up,
    with nothing kept from before."""
    with profile_folder() as profile:
        browser = start(profile)
        time.sleep(SETTLED)
        try:
            browser.post("/url", {"url": url})
            script = f"""
                const wait = async (count) => {{ while ({LIVE} < count) await pause(5); return performance.now(); }};
                const [first, sixteen] = [await wait(1), await wait(16)];
                const [paint] = performance.getEntriesByName("first-contentful-paint");
                return [paint.startTime, first, sixteen];"""
            return browser.run(script)
        finally:
            browser.end()


def measure(start, url, dist):
    """`start` starts a browser on a folder for its profile; `url` is the page's, `dist` its files."""
    times = zip(*[opening(start, url) for _ in range(OPENINGS)])
    names = ("first_paint_ms", "first_sample_ms", "sixteen_ms")
    result = {name: round(statistics.median(of)) for name, of in zip(names, times)}
    with profile_folder() as profile:
        browser = start(profile)
        try:
            for level, latent in (("coarse", "4.1.1.0"), ("fine", "0.15.9.1")):
                show(browser, f"{url}?backend=cpu#panel=explore&x=3.0&at={latent}")
                result[f"slider_{level}_ms"] = round(statistics.median(browser.run(SLIDE)), 1)
            shifts = []
            for panel in PANELS:
                show(browser, f"{url}#panel={panel}")
                shifts.append(browser.run(SHIFT))
            result["layout_shift"] = round(max(shifts), 3)
            show(browser, f"{url}?backend=cpu#panel=sample")
            result["longest_task_ms"] = round(browser.run(SAMPLE))
        finally:
            browser.end()

    def megabytes(name):
        [file] = dist.glob(f"{name}*_bg.wasm")
        return len(brotli.compress(file.read_bytes())) / 1e6

    result["cpu_wasm_mb"] = round(megabytes("app") + megabytes("worker"), 3)
    result["later_wasm_mb"] = round(megabytes("later"), 3)
    result["gpu_wasm_mb"] = round(megabytes("gpu"), 3)
    return result
