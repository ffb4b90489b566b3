"""RG-Flow in PyTorch, the usual eager way: the peer that the Rust implementation is timed and checked against.

    python rgflow.py check MODEL.safetensors [--image FACE.png [--latents LATENTS.safetensors]]

Tensors in the weights file, and the order of a block's numbers, are as README.md at the top of the project says.
"""

import argparse
import json
import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import weight_norm


def _level(layers, res_blocks, hidden):
    return {"layers": layers, "res_blocks": res_blocks, "mlp": 2, "hidden": hidden}


def _preset(levels, **more):
    return {"size": 32, "channels": 3, "block": 4, "order": "paper", "prior": "laplace", "levels": levels, **more}


# The presets of the same names, spelled as the metadata of a weights file spells its configuration.
PRESETS = {
    "bench": _preset([_level(layers, 2, 128) for layers in (4, 3, 2, 1)]),
    "official_celeba32": _preset([_level(layers, 4, 512) for layers in (8, 6, 4, 2)], order="official"),
    "demo": _preset(
        [_level(6, 1, 96), _level(4, 1, 128), _level(2, 2, 128), _level(2, 2, 128)],
        linear_maps=True,
        mean_image=True,
    ),
}


class Swish(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.sigmoid(self.alpha * x)


def linear(inputs, outputs):
    layer = nn.Linear(inputs, outputs)
    bound = math.sqrt(2.81 * 3 / inputs)
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.zeros_(layer.bias)
    return weight_norm(layer)


class ResBlock(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.f = nn.Sequential(*(part for i, o in pairwise(widths) for part in (Swish(i), linear(i, o))))

    def forward(self, x):
        return (x + self.f(x)) * math.sqrt(0.5)


class Net(nn.Module):
    def __init__(self, dim, level):
        super().__init__()
        widths = [dim, *[level["hidden"]] * level["mlp"], dim]
        self.blocks = nn.Sequential(*(ResBlock(widths) for _ in range(level["res_blocks"])))
        self.scale = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        return self.blocks(x) * self.scale


class Coupling(nn.Module):
    """An affine coupling of the halves a and b of a row, each changed by the other with the same two nets."""

    def __init__(self, dim, level):
        super().__init__()
        self.half = dim // 2
        self.s, self.t = Net(dim, level), Net(dim, level)

    def for_b(self, a):
        x = F.pad(a, (0, self.half))
        return torch.tanh(self.s(x)[:, self.half :]), self.t(x)[:, self.half :]

    def for_a(self, b):
        x = F.pad(b, (self.half, 0))
        return torch.tanh(self.s(x)[:, : self.half]), self.t(x)[:, : self.half]

    def forward(self, a, b):
        s_b, t = self.for_b(a)
        b = b * s_b.exp() + t
        s_a, t = self.for_a(b)
        a = a * s_a.exp() + t
        return a, b, (s_a + s_b).sum(1)

    def inverse(self, a, b):
        s, t = self.for_a(b)
        a = (a - t) * (-s).exp()
        s, t = self.for_b(a)
        return a, (b - t) * (-s).exp()


class LinearMap(nn.Module):
    """x·W + b; `fold` keeps the inverse and the determinant, which change while W is trained."""

    def __init__(self, dim):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.eye(dim)), nn.Parameter(torch.zeros(dim))
        self.register_buffer("inverse_weight", None, persistent=False)
        self.register_buffer("log_det", None, persistent=False)

    def fold(self):
        weight = self.weight.detach().double()
        self.inverse_weight, self.log_det = weight.inverse().float(), weight.slogdet().logabsdet.float()

    def forward(self, rows):
        log_det = self.weight.slogdet().logabsdet if self.log_det is None else self.log_det
        return torch.addmm(self.bias, rows, self.weight), log_det

    def inverse(self, rows):
        inverse = self.weight.inverse() if self.inverse_weight is None else self.inverse_weight
        return (rows - self.bias) @ inverse


class Bijector(nn.Module):
    def __init__(self, dim, level, linear_maps):
        super().__init__()
        self.couplings = nn.ModuleList(Coupling(dim, level) for _ in range(level["layers"]))
        self.entry, self.exit = (LinearMap(dim) if linear_maps else None for _ in range(2))

    def forward(self, rows):
        log_det = 0
        if self.entry is not None:
            rows, log_det = self.entry(rows)
        a, b = rows.chunk(2, 1)
        for coupling in self.couplings:
            a, b, change = coupling(a, b)
            log_det = log_det + change
        rows = torch.cat([a, b], 1)
        if self.exit is not None:
            rows, change = self.exit(rows)
            log_det = log_det + change
        return rows, log_det

    def inverse(self, rows):
        if self.exit is not None:
            rows = self.exit.inverse(rows)
        a, b = rows.chunk(2, 1)
        for coupling in reversed(self.couplings):
            a, b = coupling.inverse(a, b)
        rows = torch.cat([a, b], 1)
        return rows if self.entry is None else self.entry.inverse(rows)


class RgFlow(nn.Module):
    """From images, as logits [batch, C, L, L], to latents of the same shape and back."""

    def __init__(self, config):
        super().__init__()
        if config.get("coupling", "affine") != "affine":
            raise ValueError("a model with splines; this reader knows affine couplings alone")
        self.config = config
        self.block, size, channels = config["block"], config["size"], config["channels"]
        dim = channels * self.block**2
        shifts = [self.block // 2, 0]
        self.shifts = shifts if config["order"] == "paper" else shifts[::-1]
        maps = config.get("linear_maps", False)
        self.levels = nn.ModuleList(
            nn.ModuleList(Bijector(dim, level, maps) for _ in range(2)) for level in config["levels"]
        )
        mean = config.get("mean_image", False)
        self.mean = nn.Parameter(torch.zeros(channels, size, size)) if mean else None
        # A block's pixels: the even ones of the checkerboard first.
        pixels = [(i // self.block + i % self.block) % 2 for i in range(self.block**2)]
        order = torch.tensor(sorted(range(len(pixels)), key=pixels.__getitem__))
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("places", order.argsort(), persistent=False)

    @classmethod
    def random(cls, config, scale=0.02):
        """A model that is not the identity, which a new one is."""
        model = cls(config)
        for net in model.modules():
            if isinstance(net, Net):
                nn.init.normal_(net.scale, std=scale)
        return model

    @classmethod
    def load(cls, path):
        """An exported model, folded already."""
        with safe_open(path, "pt") as file:
            model = cls(json.loads(file.metadata()["config"])).fold()
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}
        with torch.no_grad():
            if model.mean is not None:
                model.mean.copy_(tensors["mean"])
            for h, level in enumerate(model.levels):
                for name, bijector in zip(("disentangler", "decimator"), level):
                    _fill(bijector, tensors, f"levels.{h}.{name}")
        return model.fold()

    def fold(self):
        """Applies the weight norm for good, inverts the linear maps: for use, not for training."""
        for module in self.modules():
            if parametrize.is_parametrized(module):
                parametrize.remove_parametrizations(module, "weight")
            if isinstance(module, LinearMap):
                module.fold()
        return self.requires_grad_(False).eval()

    def to_rows(self, x, shift):
        batch, channels, edge, _ = x.shape
        m, n = self.block, edge // self.block
        if shift:
            x = x.roll((-shift, -shift), (2, 3))
        x = x.reshape(batch, channels, n, m, n, m).permute(0, 2, 4, 3, 5, 1)
        return x.reshape(batch * n * n, m * m, channels).index_select(1, self.order).flatten(1)

    def from_rows(self, rows, shift, shape):
        batch, channels, edge, _ = shape
        m, n = self.block, edge // self.block
        x = rows.reshape(batch * n * n, m * m, channels).index_select(1, self.places)
        x = x.reshape(batch, n, n, m, m, channels).permute(0, 5, 1, 3, 2, 4).reshape(shape)
        return x.roll((shift, shift), (2, 3)) if shift else x

    def forward(self, x):
        """Latents, each where its pixel stood, and log |det ∂z/∂x| of each image."""
        log_det = 0
        fine = []
        # Each weight is used by both halves of a coupling, and normed once.
        with parametrize.cached():
            x = x if self.mean is None else x - self.mean
            for h, level in enumerate(self.levels):
                if h > 0:
                    fine.append(F.pixel_unshuffle(x, 2).unflatten(1, (-1, 4)))
                    x = fine[-1][:, :, 0]
                for bijector, shift in zip(level, self.shifts):
                    rows, change = bijector(self.to_rows(x, shift))
                    log_det = log_det + change.reshape(len(x), -1).sum(1)
                    x = self.from_rows(rows, shift, x.shape)
        for parts in reversed(fine):
            x = _join(x, parts)
        return x, log_det

    def inverse(self, z):
        fine = []
        for _ in self.levels[1:]:
            fine.append(F.pixel_unshuffle(z, 2).unflatten(1, (-1, 4)))
            z = fine[-1][:, :, 0]
        with parametrize.cached():
            for level in reversed(self.levels):
                for bijector, shift in zip(reversed(level), reversed(self.shifts)):
                    z = self.from_rows(bijector.inverse(self.to_rows(z, shift)), shift, z.shape)
                if fine:
                    z = _join(z, fine.pop())
        return z if self.mean is None else z + self.mean

    def log_prob(self, x):
        """log p of images as logits, in nats."""
        z, log_det = self(x)
        z = z.flatten(1)
        if self.config["prior"] == "laplace":
            log_prior = -math.sqrt(2) * z.abs() - math.log(2) / 2
        else:
            log_prior = -z.square() / 2 - math.log(2 * math.pi) / 2
        return log_prior.sum(1) + log_det

    def draw(self, batch, temperature=0.8):
        """Latents from the prior."""
        shape = (batch, self.config["channels"], self.config["size"], self.config["size"])
        if self.config["prior"] == "laplace":
            return torch.distributions.Laplace(0.0, temperature * math.sqrt(0.5)).sample(shape)
        return temperature * torch.randn(shape)


def _join(coarse, parts):
    """The grid whose even rows' even columns are `coarse` and whose other pixels are in `parts`."""
    return F.pixel_shuffle(torch.cat([coarse.unsqueeze(2), parts[:, :, 1:]], 2).flatten(1, 2), 2)


def _fill(bijector, tensors, stage):
    nets = [net for coupling in bijector.couplings for net in (coupling.s, coupling.t)]
    for i, net in enumerate(nets):
        parts = [part for block in net.blocks for part in block.f]
        for k, (swish, layer) in enumerate(zip(parts[::2], parts[1::2])):
            swish.alpha.copy_(tensors[f"{stage}.linears.{k}.alpha"][i])
            layer.weight.copy_(tensors[f"{stage}.linears.{k}.weight"][i].T)
            layer.bias.copy_(tensors[f"{stage}.linears.{k}.bias"][i])
        net.scale.copy_(tensors[f"{stage}.scale"][i])
    for name, linear_map in (("entry", bijector.entry), ("exit", bijector.exit)):
        if linear_map is not None:
            linear_map.weight.copy_(tensors[f"{stage}.{name}.weight"])
            linear_map.bias.copy_(tensors[f"{stage}.{name}.bias"])


def read_image(path, size):
    """A picture as logits, each value the middle of its cell, and the log-determinant of that."""
    import numpy
    from PIL import Image

    picture = Image.open(path).convert("RGB")
    assert picture.size == (size, size), f"{path} is {picture.size}, the model takes {size}×{size}"
    values = torch.from_numpy(numpy.array(picture)).permute(2, 0, 1)[None].double()
    p = (0.9 * (2 * (values + 0.5) / 256 - 1) + 1) / 2
    return p.logit().float(), (0.9 / (p * (1 - p))).log().sum()


def check(args):
    model = RgFlow.load(args.model)
    channels, size = model.config["channels"], model.config["size"]
    dims = channels * size**2
    x = ((torch.arange(dims) * 0.17).sin() * 1.5).reshape(1, channels, size, size)
    print(f"log p of sin(0.17 i)·1.5: {model.log_prob(x).item():.3f} nats")
    print(f"x → z → x: off by {(model.inverse(model(x)[0]) - x).abs().max():.2e} at most")
    if args.image is None:
        return
    x, log_det = read_image(args.image, size)
    bits = (math.log(256) - (model.log_prob(x).item() + log_det.item()) / dims) / math.log(2)
    z = model(x)[0]
    print(f"{args.image}: {bits:.6f} bits/dim, off by {(model.inverse(z) - x).abs().max():.2e} at most")
    if args.latents is not None:
        with safe_open(args.latents, "pt") as file:
            theirs = file.get_tensor(next(iter(file.keys()))).float().reshape(-1, *z.shape[1:])[:1]
        off = (theirs - z).abs()
        print(f"latents differ by {off.max():.2e} at most, {off.mean():.2e} on average; |z| ≤ {z.abs().max():.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("check", help="print what the Rust implementation can be compared with")
    command.add_argument("model", help="weights file")
    command.add_argument("--image", help="a picture of the model's size")
    command.add_argument("--latents", help="what `trainer encode` wrote for that picture")
    command.set_defaults(run=check)
    args = parser.parse_args()
    with torch.inference_mode():
        args.run(args)
