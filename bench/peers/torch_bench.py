"""Images per second of the PyTorch peer: training steps, sampling, encoding; on a GPU also MiB of the card in use.

    python torch_bench.py [bench] [demo] [MODEL.safetensors] --out FILE.json [--threads N] [--compile] [--device cuda]

Writes {"train/bench/64": images per second, "sample/bench/1": ..., "encode/bench/64": ..., "torch": version, ...}:
the names of `cargo bench` in this folder's parent. A weights file holds no training parameters, so a model from a file
is not trained; it goes by the file's name.
"""

import argparse
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

import torch
from rgflow import PRESETS, Net, RgFlow

TRAIN_BATCH = 64
BATCHES = (1, 64)
GROUPS = ("train", "sample", "encode")


def rate(images, work, args):
    """Images per second: the median of the repetitions, as many as fit into the time but no fewer than `repeat`."""
    for _ in range(args.warmup):
        work()
    times, end = [], time.perf_counter() + args.seconds
    while len(times) < args.repeat or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return images / statistics.median(times)


def training_step(model, config, device):
    dims = config["channels"] * config["size"] ** 2
    images = torch.randn(TRAIN_BATCH, config["channels"], config["size"], config["size"], device=device)
    parameters = list(model.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=1e-2, fused=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = -model.log_prob(images).mean() / dims
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        return loss.item()

    return step


def inference(work, device):
    def run():
        with torch.inference_mode():
            work()
        if device == "cuda":
            torch.cuda.synchronize()

    return run


def memory():
    """MiB in use on the first card. PyTorch keeps what it once had, until its cache is emptied."""
    query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id=0"]
    return float(subprocess.run(query, check=True, capture_output=True, text=True).stdout)


def compile_nets(model):
    """Compiles each net by itself: the time goes there, and the whole flow would be one graph of thousands of nodes."""
    for module in model.modules():
        if isinstance(module, Net):
            module.compile()


def measure(name, load, args, report, suffix=""):
    def note(group, batch, work):
        key = f"{group}/{name}/{batch}{suffix}"
        try:
            report[key] = round(rate(batch, work, args), 3)
            # At once: compiling may take longer than anybody waits.
            args.out.write_text(json.dumps(report, indent=2) + "\n")
            print(f"{key}: {report[key]:.1f} images/s", flush=True)
        except Exception as error:
            if not suffix:
                raise
            print(f"{key}: skipped, {type(error).__name__}: {str(error).splitlines()[0]}", flush=True)

    def fresh():
        torch.manual_seed(1)
        model = load().to(args.device)
        if suffix:
            compile_nets(model)
        return model

    if "train" in args.groups and name in PRESETS:
        if args.device == "cuda":
            torch.cuda.empty_cache()
        note("train", TRAIN_BATCH, training_step(fresh(), PRESETS[name], args.device))
        if args.device == "cuda":
            report[f"memory/{name}/{TRAIN_BATCH}{suffix}"] = memory() - args.idle
            args.out.write_text(json.dumps(report, indent=2) + "\n")
    model = fresh().fold()
    for batch in BATCHES:
        if "sample" in args.groups:
            note("sample", batch, inference(lambda: model.inverse(model.draw(batch).to(args.device)), args.device))
        if "encode" in args.groups:
            images = torch.randn(batch, *model.draw(1).shape[1:], device=args.device)
            note("encode", batch, inference(lambda: model.log_prob(images), args.device))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["bench", "demo"], metavar="MODEL_OR_PRESET")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--groups", nargs="+", choices=GROUPS, default=GROUPS)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=10, help="least number of repetitions")
    parser.add_argument("--seconds", type=float, default=3, help="repeat for so long, each")
    parser.add_argument("--compile", action="store_true", help="measure torch.compile too")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    args = parser.parse_args()
    if args.device == "cuda":
        # Before this process uses it.
        args.idle = memory()
        # Tensor cores, as anyone who trains would have them.
        torch.set_float32_matmul_precision("high")
    torch.set_num_threads(args.threads)
    report = {"torch": torch.__version__, "threads": args.threads}
    for model in args.models:
        if model in PRESETS:
            name, load = model, lambda model=model: RgFlow.random(PRESETS[model])
        else:
            name, load = Path(model).stem, lambda model=model: RgFlow.load(model)
        measure(name, load, args, report)
        if args.compile:
            # Every width and number of rows is a graph of its own.
            torch._dynamo.config.recompile_limit = 256
            measure(name, load, args, report, " (compiled)")


if __name__ == "__main__":
    main()
