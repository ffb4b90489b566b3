"""Compares rg_flow.py with the library's own numbers: test_rg_flow.py FOLDER.

The folder holds models, NAME.safetensors, each with NAME.expected: what the library computes. The pictures are decoded from
`drawn`. Leaves NAME.saved, the model as rg_flow.py writes it, for the library to read. `cargo xtask test --only python` does all of it.
"""

import pathlib
import sys

import torch
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import rg_flow  # noqa: E402


def check(path):
    """One model; the worst differences, in words."""
    flow = rg_flow.load(path)
    expected = load_file(path.with_suffix(".expected"))
    pictures, n = expected["pictures"], len(expected["pictures"])

    # The same numbers.
    y, of_pixels = rg_flow.to_logits(pictures)
    z, log_det = flow(y)
    wanted = expected["latents"].view(z.shape)
    latents = ((z - wanted).abs().max() / wanted.abs().max()).item()
    assert latents < 1e-3, f"latents differ by {latents} of the largest"
    dims = pictures[0].numel()
    nats = (flow.log_prob(y) - expected["log_prob"]).abs().max().item()
    bits = 0.0
    if flow.of_fields:
        refused(lambda: flow.bits_per_dim(pictures), "log_prob")
    else:
        bits = (flow.bits_per_dim(pictures) - expected["bits_per_dim"]).abs().max().item()
    assert nats / dims < 1e-4 and bits < 1e-4, f"{nats} nats, {bits} bits/dim"
    assert (log_det - expected["log_det"]).abs().max() / dims < 1e-4

    # There and back.
    back = (flow.inverse(z) - y).abs().max().item()
    assert back < 1e-3, f"logits come back {back} away"
    given = y if flow.of_fields else pictures
    assert (flow.decode(flow.encode(given)).double() - given.double()).abs().max() <= (1e-3 if flow.of_fields else 1)

    # The library's samples.
    drawn = expected["drawn"].view(n, *z.shape[1:])
    decoded = rg_flow.to_bytes(flow.decode(drawn)) if flow.of_fields else flow.decode(drawn)
    off = (decoded.int() - pictures.int()).abs().max().item()
    assert off <= 1, f"samples differ by {off} of 255"
    if "joint" in expected:
        noise = expected["noise"].view(z.shape)
        for temperature in (0.7, [0.5, 0.9]):
            joined = flow.join(noise, temperature)
            far = (joined - expected["joint" if temperature == 0.7 else "joint_by_level"].view(z.shape)).abs().max()
            assert far < 1e-4, f"joint draws at {temperature} differ by {far}"

    # Levels are the library's.
    assert flow.latent_levels().flatten().tolist() == expected["levels"].tolist()

    # It writes what the library reads, and reads it itself.
    saved = path.with_suffix(".saved")
    rg_flow.save(flow, saved)
    again = rg_flow.load(saved)
    assert torch.equal(again(y)[0], z) and again.card == flow.card and again.config == flow.config
    assert torch.equal(again.sample(2, seed=1), flow.sample(2, seed=1))

    # Gradients reach every parameter, and are the density's slope.
    flow.double()
    y = y[:1].double().requires_grad_()
    value = flow.log_prob(y).sum()
    value.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in flow.parameters())
    step = torch.randn(y.shape, generator=torch.Generator().manual_seed(0), dtype=y.dtype)
    step *= 1e-5 / step.norm()
    with torch.no_grad():
        rise = (flow.log_prob(y + step) - flow.log_prob(y - step)).item() / 2
    slope = (y.grad * step).sum().item()
    assert abs(rise - slope) < 1e-3 * abs(slope) + 1e-7, f"{rise} is not {slope}"
    return f"latents {latents:.0e}, {bits:.0e} bits/dim, back {back:.0e}, samples {off} of 255"


def draws(path):
    """What `sample` does with its options."""
    flow = rg_flow.load(path)
    z = flow.latents(40, seed=3, temperature=1.0, joint=False)
    assert abs(z.var().item() - 1) < 0.1 and abs(z.mean().item()) < 0.05
    kurtosis = (z**4).mean() / z.var() ** 2
    assert (kurtosis > 4) == (flow.config["prior"] == "laplace"), kurtosis
    assert torch.equal(z, flow.latents(40, seed=3, temperature=1.0, joint=False))
    assert not torch.equal(z, flow.latents(40, seed=4, temperature=1.0, joint=False))
    level = flow.latent_levels()
    cold = flow.latents(40, seed=3, temperature=[0.0, 0.5], joint=False)
    assert (cold[:, level == 0] == 0).all() and torch.allclose(cold[:, level > 0], z[:, level > 0] / 2)
    pictures = flow.sample(3)
    assert pictures.dtype == (torch.float32 if flow.of_fields else torch.uint8) and pictures.shape == (3, *flow.shape)
    if flow.sampler is not None:
        assert not torch.equal(flow.latents(1, 0, 0.7), flow.latents(1, 0, 0.7, joint=False))
        assert torch.allclose(flow.latents(1, 0, 0.0)[0], flow.sampler.mean)
    else:
        refused(lambda: flow.sample(1, joint=True), "fit-latents")
    if flow.of_fields:
        return
    with_noise = flow.bits_per_dim(pictures, seed=1)
    assert torch.equal(with_noise, flow.bits_per_dim(pictures, seed=1))
    assert not torch.equal(with_noise, flow.bits_per_dim(pictures))


def refused(action, part):
    try:
        action()
    except ValueError as error:
        assert part in str(error), error
        return
    raise AssertionError(f"nothing was refused that should say {part}")


def damaged(path, folder):
    """Files that hold something else are named."""
    tensors = load_file(path)
    with rg_flow.safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    other = folder / "damaged.safetensors"

    def error(part, tensors=tensors, **changes):
        save_file(tensors, other, metadata | changes)
        refused(lambda: rg_flow.load(other), part)

    first = next(name for name in tensors if name.endswith("bias"))
    error("no RG-Flow weights file", format="other")
    error("version 9", format_version="9")
    error(f"no tensor {first}", {name: tensor for name, tensor in tensors.items() if name != first})
    error(f"{first} has the shape", tensors | {first: tensors[first].flatten()[1:].contiguous()})
    error(f"{first} has numbers", tensors | {first: tensors[first] + float("nan")})
    huge = metadata["config"].replace('"hidden": ', '"hidden": 1000000').replace('"hidden":', '"hidden":1000000')
    error("has the shape", config=huge)
    other.unlink()


def main(folder):
    torch.manual_seed(0)
    paths = sorted(folder.glob("*.safetensors"))
    assert paths, f"no models in {folder}"
    for path in paths:
        try:
            print(f"{path.stem}: {check(path)}")
            draws(path)
        except AssertionError as error:
            raise AssertionError(f"{path.stem}: {error}") from error
    damaged(paths[0], folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
