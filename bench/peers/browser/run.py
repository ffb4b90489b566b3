"""Times the built page, and its engine beside ONNX Runtime Web, in one headless Chromium.

    python run.py FACES-1.onnx FACES-16.onnx --ort node_modules/onnxruntime-web/dist --out FILE.json

needs the built page (`cargo xtask web`), Chromium and chromedriver (from PATH, or CHROME
and CHROMEDRIVER). The ONNX files are to be of the model that the page opens with: export_onnx.py, batch 1 and 16.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import budgets

HERE = Path(__file__).resolve().parent
# As xtask/tests/browser/harness.rs has them; the last one also offers a GPU that is a program.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-unsafe-webgpu",
]


class Handler(SimpleHTTPRequestHandler):
    extensions_map = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def end_headers(self):
        # Clocks of 5 µs instead of 100 µs.
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *_):
        pass


class Browser:
    """A session of chromedriver, in WebDriver's own words."""

    def __init__(self, chrome, driver, profile):
        self.process = subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE, text=True)
        said = ""
        while not (port := re.search(r"successfully on port (\d+)", said)):
            line = self.process.stdout.readline()
            assert line, f"chromedriver did not start: {said}"
            said += line
        self.base = f"http://127.0.0.1:{port[1]}/session"
        options = {"binary": chrome, "args": [*FLAGS, f"--user-data-dir={profile}"]}
        answer = self.post("", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}})
        self.base += f"/{answer['sessionId']}"
        self.version = answer["capabilities"]["browserVersion"]

    def post(self, path, body):
        request = urllib.request.Request(self.base + path, json.dumps(body).encode())
        with urllib.request.urlopen(request) as response:
            return json.load(response)["value"]

    def eval(self, script):
        return self.post("/execute/sync", {"script": f"return {script}", "args": []})

    def run(self, script):
        """What the body of an asynchronous function returns, which may `await pause(millis)`."""
        self.post("/timeouts", {"script": 120_000})
        pause = "const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));"
        return self.eval(f"(async () => {{ {pause} {script} }})()")

    def end(self):
        urllib.request.urlopen(urllib.request.Request(self.base, method="DELETE")).close()
        self.process.terminate()
        self.process.wait()


def lay_out(site, args):
    """The page, ONNX Runtime Web, the models and the built page side by side."""
    for file in ("ort.html", "bench.mjs", "ort.mjs", "engine.mjs", "counting.mjs"):
        shutil.copy(HERE / file, site)
    (site / "ort").symlink_to(args.ort.resolve())
    for file in args.onnx:
        shutil.copy(file, site)
    # A copy: somebody may be building it again.
    shutil.copytree(args.dist, site / "rgflow")
    program = site / "rgflow" / "gpu.js"
    program.write_text('import "../counting.mjs";\n' + program.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("onnx", nargs="+", type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--dist", type=Path, default=HERE.parents[2] / "dist", help="the built page")
    parser.add_argument("--ort", required=True, type=Path, help="the folder dist of the npm package onnxruntime-web")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60, help="for CPU and WebGPU each, however few repeats")
    parser.add_argument("--no-webgpu", action="store_true")
    parser.add_argument("--limit", type=float, default=600, help="give up after so many seconds")
    args = parser.parse_args()
    chrome = os.environ.get("CHROME") or shutil.which("chromium") or shutil.which("google-chrome")
    driver = os.environ.get("CHROMEDRIVER") or shutil.which("chromedriver")
    assert chrome and driver, "no Chromium or no chromedriver: run `cargo xtask setup`"
    assert args.ort.is_dir(), f"no {args.ort}: run `npm install onnxruntime-web`"
    assert (args.dist / "engine.js").is_file(), "no built page: run `cargo xtask web`"

    query = [("onnx", file.name) for file in args.onnx]
    query += [("engine", "rgflow/"), ("repeats", args.repeats), ("seconds", args.seconds)]
    query += [("webgpu", "no")] if args.no_webgpu else []
    with tempfile.TemporaryDirectory() as folder:
        site, profile = Path(folder, "site"), Path(folder, "profile")
        site.mkdir()
        lay_out(site, args)
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=site))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        site_url = f"http://127.0.0.1:{server.server_address[1]}"
        costs = budgets.measure(partial(Browser, chrome, driver), f"{site_url}/rgflow/", args.dist)
        browser = Browser(chrome, driver, profile)
        try:
            browser.post("/url", {"url": f"{site_url}/ort.html?{urllib.parse.urlencode(query)}"})
            end = time.monotonic() + args.limit
            while not (result := browser.eval("window.result ?? null")):
                if time.monotonic() > end:
                    result = browser.eval("window.partial ?? {}")
                    result["error"] = f"no end after {args.limit:g} s"
                    break
                time.sleep(1)
            result["browser"] = browser.version
            result["budgets"] = costs
        finally:
            browser.end()
            server.shutdown()
    text = json.dumps(result, indent=2) + "\n"
    args.out.write_text(text)
    print(text, end="")
    if "error" in result:
        raise SystemExit(result["error"])


if __name__ == "__main__":
    main()
