"""RG-Flow in PyTorch: reads the weights files of the RG-Flow trainer.

One file, on torch and safetensors alone; copy it next to your code. It follows docs/weights.md of the RG-Flow
repository and reads every file described there: both block orders, both priors, linear maps, a mean image, place
features, shared levels, splines, joint samples, models of fields, and the Real NVP.

    pip install torch safetensors

Example
-------
Load a model. A folder that `trainer export --hub` wrote, or that was downloaded from the Hugging Face Hub, works too:

    import torch
    import rg_flow

    flow = rg_flow.load("faces.safetensors")            # or rg_flow.load("faces-folder"); .to("cuda") as usual
    print(flow.card["name"], flow.config["size"], sum(p.numel() for p in flow.parameters()))

Draw pictures. They are bytes, [n, channels, size, size]. The temperature is the one that the model's card recommends
unless you give one: a number, or a list with one number per level, finest first.

    pictures = flow.sample(16, seed=0)
    cooler = flow.sample(16, seed=0, temperature=[0.3, 0.3, 0.6, 0.6])
    as_in_the_paper = flow.sample(16, seed=0, temperature=0.7, joint=False)

    from PIL import Image                               # to look at one
    Image.fromarray(pictures[0].permute(1, 2, 0).numpy()).resize((256, 256), 0).show()

Encode pictures into latents, and decode them again, exactly:

    z = flow.encode(pictures)                           # [n, channels, size, size], the latents in their places
    assert (flow.decode(z).int() - pictures.int()).abs().max() <= 1

The latent at row r and column c belongs to the highest level h for which 2**h divides both; there are
`len(flow.config["levels"])` levels. Mix the coarse levels of one picture with the fine levels of another:

    level = flow.latent_levels()                        # the level of each latent, [channels, size, size]
    mixed = flow.decode(torch.where(level >= 2, z[:1], z[1:2]))

Likelihoods. `log_prob` is exact, in nats, of logits; `bits_per_dim` takes bytes and adds the noise that makes them
continuous:

    print(flow.bits_per_dim(pictures, seed=0))          # [n]
    y, log_det_of_pixels = rg_flow.to_logits(pictures)  # the model's input
    z, log_det = flow(y)                                # forward: image to latents
    back = flow.inverse(z)                              # and back
    print(flow.log_prob(y))                             # = prior + log_det

The model is an ordinary `torch.nn.Module`, and everything is differentiable. To fine-tune it:

    optimizer = torch.optim.AdamW(flow.parameters(), lr=1e-4)
    loss = -flow.log_prob(y).mean()
    loss.backward()
    optimizer.step()
    rg_flow.save(flow, "tuned.safetensors")             # which the trainer and the page read

A model of fields takes and gives real numbers where others have bytes: `encode`, `decode` and `sample` are of fields,
[n, channels, size, size], and `log_prob` takes them as they are. It has no bits_per_dim.

Seeds are PyTorch's: the same seed gives other pictures in the trainer and on the page.
"""

import json
import math
import os

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

__all__ = ["load", "save", "to_logits", "to_bytes", "RgFlow", "RealNvp"]

VERSIONS = ("1", "2", "3", "4", "5", "6")
# Logits come from pixels squeezed by this factor, so that black and white are finite.
SQUEEZE = 0.9
# Splines run from -EDGE to EDGE.
EDGE = 3.0


def load(path):
    """The model of a weights file, or of a folder with a model.safetensors, in float32 on the CPU."""
    path = os.fspath(path)
    if os.path.isdir(path):
        path = os.path.join(path, "model.safetensors")
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name).float() for name in file.keys()}
    if metadata.get("format") != "rg-flow":
        raise ValueError(f"{path} is no RG-Flow weights file; `trainer export` writes one")
    version = metadata.get("format_version")
    if version not in VERSIONS:
        raise ValueError(f"{path} has format version {version}; this file reads {', '.join(VERSIONS)}: take a newer one")
    config, card = json.loads(metadata["config"]), json.loads(metadata.get("card", "{}"))
    kinds = {"rg-flow": RgFlow, "real-nvp": RealNvp}
    kind = kinds.get(config.get("architecture", "rg-flow"))
    if kind is None:
        raise ValueError(f"{path} has the architecture {config['architecture']}; this file knows {', '.join(kinds)}")
    # No memory is taken for what the file only claims to hold.
    with torch.device("meta"):
        flow = kind(config, card, directions=len(tensors.get("sampler.variances", ())))
    wanted = flow.state_dict()
    for name, tensor in wanted.items():
        if name not in tensors:
            raise ValueError(f"{path} has no tensor {name}: it is damaged, or not what its config says")
        if tensors[name].shape != tensor.shape:
            shapes = f"{list(tensors[name].shape)}, not {list(tensor.shape)}"
            raise ValueError(f"{path}: {name} has the shape {shapes}")
        if not tensors[name].isfinite().all():
            raise ValueError(f"{path}: {name} has numbers that are not finite")
    flow.load_state_dict({name: tensors[name] for name in wanted}, assign=True)
    for parameter in flow.parameters():
        parameter.requires_grad_()
    flow.places()
    return flow.eval()


def save(flow, path, half=False):
    """Writes a weights file that the trainer and the page read; with `half`, in float16."""
    config = flow.config
    version = "3" if "coupling" in config and config["coupling"] != "affine" else "2"
    if config.get("data", "images") == "field":
        version = "4"
    if config.get("place_features"):
        version = "5"
    if config.get("share_levels"):
        version = "6"
    if version == "2" and isinstance(flow, RgFlow) and not (config.get("linear_maps") or config.get("mean_image")):
        version = "1"
    metadata = {"format": "rg-flow", "format_version": version}
    metadata |= {"config": json.dumps(config), "card": json.dumps(flow.card)}
    kind = torch.float16 if half else torch.float32
    tensors = {name: tensor.detach().cpu().to(kind).contiguous() for name, tensor in flow.state_dict().items()}
    save_file(tensors, os.fspath(path), metadata)


def to_logits(pictures, noise=0.5):
    """Logits of bytes, and the sum of ln(dy/dv) over each picture, where v is in [0, 1].

    `noise` is added to each byte: a tensor of the pictures' shape in [0, 1), or 1/2 for the middle of a byte's cell.
    """
    p = (SQUEEZE * (2 * (pictures.double() + noise) / 256 - 1) + 1) / 2
    log_det = (math.log(SQUEEZE) - torch.log(p) - torch.log1p(-p)).flatten(1).sum(1)
    return torch.logit(p).to(torch.get_default_dtype()), log_det


def to_bytes(logits):
    """The pictures of logits, as bytes."""
    v = ((2 * torch.sigmoid(logits.double()) - 1) / SQUEEZE + 1) / 2
    return torch.floor(256 * v).clamp(0, 255).to(torch.uint8)


class Flow(nn.Module):
    """What both architectures can do."""

    def __init__(self, config, card, directions):
        super().__init__()
        self.config, self.card = config, card
        self.shape = (config["channels"], config["size"], config["size"])
        data = config.get("data", "images")
        if data not in ("images", "field"):
            raise ValueError(f"there is no kind of data {data}")
        self.of_fields = data == "field"
        if config["prior"] not in ("laplace", "gaussian"):
            raise ValueError(f"there is no prior {config['prior']}")
        self.sampler = None
        if directions:
            self.sampler = nn.Module()
            self.sampler.register_buffer("mean", torch.empty(self.shape))
            self.sampler.register_buffer("directions", torch.empty(directions, *self.shape))
            self.sampler.register_buffer("variances", torch.empty(directions))

    def places(self):
        """Makes what follows from the configuration alone."""

    def latent_levels(self):
        """The level of each latent, in the shape of one picture's latents."""
        raise NotImplementedError

    def log_prior(self, z):
        """ln p(z) of latents, [n]."""
        z = z.flatten(1)
        if self.config["prior"] == "laplace":
            return -(math.sqrt(2) * z.abs() + math.log(2) / 2).sum(1)
        return -(z.square() + math.log(2 * math.pi)).sum(1) / 2

    def log_prob(self, y):
        """ln p(y) of logits [n, channels, size, size] in nats, [n]."""
        z, log_det = self(y)
        return self.log_prior(z) + log_det

    def bits_per_dim(self, pictures, seed=None):
        """Bits per number of pictures (bytes [n, channels, size, size]), [n].

        With a seed, uniform noise is added to the bytes, as a likelihood wants it; without one, 1/2.
        """
        if self.of_fields:
            raise ValueError("a model of fields has no bits; log_prob gives nats")
        noise = 0.5
        if seed is not None:
            generator = torch.Generator().manual_seed(seed)
            noise = torch.rand(pictures.shape, generator=generator, dtype=torch.float64).to(pictures.device)
        y, of_pixels = to_logits(pictures, noise)
        nats = self.log_prob(self.input(y)).double() + of_pixels
        return 8 - nats / (math.prod(self.shape) * math.log(2))

    def input(self, y):
        """Numbers in the type and on the device of the model."""
        return y.to(next(self.parameters()))

    @torch.no_grad()
    def encode(self, pictures):
        """The latents of pictures (bytes), each value the middle of its cell; or of fields."""
        return self(self.input(pictures if self.of_fields else to_logits(pictures)[0]))[0]

    @torch.no_grad()
    def decode(self, z):
        """The pictures of latents, as bytes; or the fields."""
        return self.inverse(z) if self.of_fields else to_bytes(self.inverse(z))

    @torch.no_grad()
    def sample(self, n, seed=0, temperature=None, joint=None):
        """`n` pictures as bytes, or fields, [n, channels, size, size]; see `latents` for the options."""
        return self.decode(self.latents(n, seed, temperature, joint))

    @torch.no_grad()
    def latents(self, n, seed=0, temperature=None, joint=None):
        """Latents to decode.

        `temperature`: a factor on the prior's scale, or a list of them, finest level first; by default what the card
        recommends, or 0.8. `joint`: whether latents are drawn together along the directions that the file has
        (`sampler.*`); by default if it has them.
        """
        joint = self.sampler is not None if joint is None else joint
        if joint and self.sampler is None:
            raise ValueError("this model has no sampler for joint draws; `trainer fit-latents` makes one")
        temperature = self._temperature(temperature, joint)
        shape = (n, *self.latent_levels().shape)
        generator = torch.Generator().manual_seed(seed)
        if joint or self.config["prior"] == "gaussian":
            noise = torch.randn(shape, generator=generator)
        else:
            u = torch.rand(shape, generator=generator, dtype=torch.float64).clamp(min=1e-12) - 0.5
            noise = -u.sign() * torch.log1p(-2 * u.abs().clamp(max=0.5 - 1e-12)) / math.sqrt(2)
        noise = self.input(noise)
        return self.join(noise, temperature) if joint else self._scale(temperature) * noise

    def join(self, noise, temperature):
        """Latents that go together, from independent normal numbers of their shape."""
        levels = [temperature] if isinstance(temperature, (int, float)) else list(temperature)
        mean, directions, variances = (getattr(self.sampler, name) for name in ("mean", "directions", "variances"))
        along = torch.einsum("kchw,nchw->nk", directions, noise)
        rest = noise - torch.einsum("nk,kchw->nchw", along, directions)
        last = levels[min(int(self.latent_levels().max()), len(levels) - 1)]
        stretched = min(1, 9 / 7 * last) * variances.clamp(min=1).sqrt() * along
        return mean + self._scale(levels) * rest + torch.einsum("nk,kchw->nchw", stretched, directions)

    def _temperature(self, temperature, joint):
        if temperature is None:
            temperature = self.card.get("joint_temperature" if joint else "temperature") or [0.8]
            sane = all(isinstance(t, (int, float)) and 0 <= t <= 1.5 for t in temperature)
            return temperature if sane else [0.8]
        return [temperature] if isinstance(temperature, (int, float)) else list(temperature)

    def _scale(self, temperature):
        factors = self.input(torch.tensor(temperature, dtype=torch.float64))
        return factors[self.latent_levels().clamp(max=len(temperature) - 1)]


class Linear(nn.Module):
    """A swish with a slope for each input, then a linear map: one for each of `nets` nets."""

    def __init__(self, nets, inputs, outputs):
        super().__init__()
        self.alpha = nn.Parameter(torch.empty(nets, inputs))
        self.weight = nn.Parameter(torch.empty(nets, inputs, outputs))
        self.bias = nn.Parameter(torch.empty(nets, outputs))

    def forward(self, x, pair):
        """Of a pair of nets, [2, rows, inputs] to [2, rows, outputs]."""
        x = x * torch.sigmoid(self.alpha[pair, None] * x)
        return torch.baddbmm(self.bias[pair, None], x, self.weight[pair])


class LinearMap(nn.Module):
    """x·W + b."""

    def __init__(self, d):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(d, d))
        self.bias = nn.Parameter(torch.empty(d))

    def forward(self, x):
        return x @ self.weight + self.bias

    def inverse(self, x):
        return torch.linalg.solve(self.weight, x - self.bias, left=False)

    def log_det(self):
        return torch.linalg.slogdet(self.weight.double())[1]


class Bijector(nn.Module):
    """What a stage does to each of its blocks, given as rows of d numbers: the even pixels, then the odd ones."""

    def __init__(self, d, level, bins, maps, blocks, features):
        super().__init__()
        # Learned numbers for each block's place, which both halves of its row get besides.
        self.own, self.places = d // 2, nn.Parameter(torch.empty(blocks, features)) if features else None
        self.entry, self.exit = (LinearMap(d), LinearMap(d)) if maps else (None, None)
        d += 2 * features
        self.half, self.bins, self.layers, self.res_blocks = d // 2, bins, level["layers"], level["res_blocks"]
        # Numbers that a net gives for each number of a block: one, and half of a spline's parameters.
        self.outputs = 1 + (-(-(3 * bins - 1) // 2) if bins else 0)
        nets, widths = 2 * self.layers, [d] + [level["hidden"]] * level["mlp"]
        self.depth = len(widths)
        self.linears = nn.ModuleList()
        for block in range(self.res_blocks):
            last = d * self.outputs if block == self.res_blocks - 1 else d
            for inputs, outputs in zip(widths, widths[1:] + [last]):
                self.linears.append(Linear(nets, inputs, outputs))
        self.scale = nn.Parameter(torch.empty(nets, d * self.outputs))

    def halves(self, x):
        """The even and the odd half of rows [n · blocks, d], each with its place's features."""
        halves = list(x.split(self.own, 1))
        if self.places is not None:
            features = self.places.repeat(len(x) // len(self.places), 1)
            halves = [torch.cat([half, features], 1) for half in halves]
        return halves

    def join(self, halves):
        """The rows of such halves."""
        return torch.cat([half[:, : self.own] for half in halves], 1)

    def forward(self, x):
        """Rows [n, d] to rows, and each row's log-determinant, [n]."""
        log_det = x.new_zeros(len(x))
        if self.entry is not None:
            x = self.entry(x)
            log_det = log_det + (self.entry.log_det() + self.exit.log_det()).to(x.dtype)
        halves = self.halves(x)
        for layer in range(self.layers):
            for given in (0, 1):
                s, t, spline = self.nets(layer, halves, given)
                moved = halves[1 - given] * torch.exp(s) + t
                log_det = log_det + s.sum(1)
                if spline is not None:
                    moved, change = bend(moved, spline, self.bins)
                    log_det = log_det + change.sum(1)
                halves[1 - given] = moved
        x = self.join(halves)
        return (x if self.exit is None else self.exit(x)), log_det

    def inverse(self, x):
        """Rows back to rows."""
        x = x if self.exit is None else self.exit.inverse(x)
        halves = self.halves(x)
        for layer in reversed(range(self.layers)):
            for given in (1, 0):
                s, t, spline = self.nets(layer, halves, given)
                moved = halves[1 - given] if spline is None else unbend(halves[1 - given], spline, self.bins)
                halves[1 - given] = (moved - t) * torch.exp(-s)
        x = self.join(halves)
        return x if self.entry is None else self.entry.inverse(x)

    def nets(self, layer, halves, given):
        """s and t of the half that is not given, [n, d/2], and the parameters of its splines, [n, 3K - 1, d/2]."""
        pair = slice(2 * layer, 2 * layer + 2)
        x = [torch.zeros_like(half) for half in halves]
        x[given] = halves[given]
        h = torch.cat(x, 1).expand(2, -1, -1)
        for block in range(self.res_blocks):
            f = h
            for linear in self.linears[block * self.depth : (block + 1) * self.depth]:
                f = linear(f, pair)
            if f.shape == h.shape:
                h = (h + f) / math.sqrt(2)
            else:
                # Of each half the first numbers alone go on from h.
                f = f.unflatten(2, (2, self.outputs, self.half))
                first = f[..., :1, :] + h.unflatten(2, (2, 1, self.half))
                h = (torch.cat([first, f[..., 1:, :]], 3) / math.sqrt(2)).flatten(2)
        out = (self.scale[pair, None] * h).unflatten(2, (2, self.outputs, self.half))[:, :, 1 - given]
        # Features stay as they are.
        out = functional.pad(out[..., : self.own], (0, self.half - self.own))
        spline = torch.cat([out[0, :, 1:], out[1, :, 1:]], 1) if self.bins else None
        return torch.tanh(out[0, :, 0]), out[1, :, 0], spline


def bins_of(v, bins):
    """The edges of a spline's bins on both axes and the slopes at them, [n, K + 1, d/2] each."""
    v = torch.exp(2 * torch.tanh(v / 2))
    edges = []
    for sides in (v[:, :bins], v[:, bins : 2 * bins]):
        sides = 2 * EDGE * sides / sides.sum(1, keepdim=True)
        edges.append(functional.pad(sides.cumsum(1), (0, 0, 1, 0)) - EDGE)
    slopes = functional.pad(v[:, 2 * bins : 3 * bins - 1], (0, 0, 1, 1), value=1.0)
    return *edges, slopes


def bin_of(u, edges, bins):
    """The bin that each number of u [n, d/2] is in."""
    return (u[:, None] >= edges[:, 1:bins]).sum(1, keepdim=True)


def its_bin(u, v, bins, axis):
    """Of the bin that each number of u is in, by its place on that axis (0: before the spline, 1: after it): whether u is
    within all bins at all, where the bin begins on both axes, its width and height, and its slope at either end and between.
    """
    *edges, slopes = bins_of(v, bins)
    k = bin_of(u, edges[axis], bins)
    at = lambda values, k: values.gather(1, k).squeeze(1)
    starts = [at(edge, k) for edge in edges]
    width, height = (at(edge, k + 1) - start for edge, start in zip(edges, starts))
    return u.abs() < EDGE, *starts, width, height, at(slopes, k), at(slopes, k + 1), height / width


def bend(u, v, bins):
    """A monotone rational-quadratic spline (Durkan et al. 2019), and the logarithm of its slope."""
    inside, x, y, width, height, d, e, g = its_bin(u, v, bins, 0)
    # What is outside is computed as if it were in the middle, and not used.
    q = torch.where(inside, (u - x) / width, 0.5)
    r = q * (1 - q)
    below = g + (d + e - 2 * g) * r
    bent = y + height * (g * q * q + d * r) / below
    slope = g * g * (e * q * q + 2 * g * r + d * (1 - q) ** 2) / (below * below)
    return torch.where(inside, bent, u), torch.where(inside, torch.log(slope), 0.0)


def unbend(bent, v, bins):
    """The number that a spline bends to `bent`."""
    inside, x, y, width, height, d, e, g = its_bin(bent, v, bins, 1)
    above = torch.where(inside, bent - y, 0.0)
    a = height * (g - d) + above * (d + e - 2 * g)
    b = height * d - above * (d + e - 2 * g)
    c = -g * above
    q = 2 * c / (-b - torch.sqrt((b * b - 4 * a * c).clamp(min=0)))
    return torch.where(inside, x + q * width, bent)


class RgFlow(Flow):
    """An RG-Flow. Latents are a picture, [n, channels, size, size]: each stands where its pixel was."""

    def __init__(self, config, card, directions):
        super().__init__(config, card, directions)
        if config["order"] not in ("paper", "official"):
            raise ValueError(f"there is no block order {config['order']}")
        coupling = config.get("coupling", "affine")
        bins = 0 if coupling == "affine" else coupling["spline"]
        d, maps = config["channels"] * config["block"] ** 2, config.get("linear_maps", False)
        self.levels, own = nn.ModuleList(), config["levels"]
        # Where all levels share their weights, one pair of bijectors serves them all.
        for h, level in enumerate(own[:1] if config.get("share_levels", False) else own):
            blocks = (config["size"] // config["block"] // 2**h) ** 2
            features = config.get("place_features", 0) if blocks > 1 and h >= config.get("places_from", 0) else 0
            new = lambda: Bijector(d, level, bins, maps, blocks, features)
            stages = {stage: new() for stage in ("disentangler", "decimator")}
            self.levels.append(nn.ModuleDict(stages))
        self.mean = nn.Parameter(torch.empty(self.shape)) if config.get("mean_image", False) else None

    def places(self):
        for h in range(len(self.config["levels"])):
            for stage in ("disentangler", "decimator"):
                self.register_buffer(f"places_{h}_{stage}", self._places(h, stage), persistent=False)
        levels = torch.zeros(self.shape[1:], dtype=torch.long)
        for h in range(1, len(self.config["levels"])):
            levels[:: 2**h, :: 2**h] = h
        self.register_buffer("level_of", levels.expand(self.shape).contiguous(), persistent=False)

    def _places(self, h, stage):
        """Where the numbers of a stage's blocks are in the flat picture, [blocks, d]."""
        channels, size, _ = self.shape
        m, step = self.config["block"], 2**h
        n = size // step
        shift = m // 2 if (self.config["order"] == "paper") == (stage == "disentangler") else 0
        pixels = [(a, b) for parity in (0, 1) for a in range(m) for b in range(m) if (a + b) % 2 == parity]
        a, b = torch.tensor(pixels).T
        first = torch.arange(n // m) * m
        rows, columns = ((first[:, None] + inside + shift) % n * step for inside in (a, b))
        flat = rows[:, None] * size + columns[None]
        return (flat[..., None] + torch.arange(channels) * size * size).reshape(-1, channels * m * m)

    def latent_levels(self):
        return self.level_of

    def stages(self):
        """The stages in order, each with where its blocks' numbers are."""
        for h in range(len(self.config["levels"])):
            level = self.levels[min(h, len(self.levels) - 1)]
            for stage in ("disentangler", "decimator"):
                yield level[stage], getattr(self, f"places_{h}_{stage}")

    def forward(self, y):
        """Logits [n, channels, size, size] to latents of the same shape and log-determinants [n]."""
        x = (y if self.mean is None else y - self.mean).flatten(1)
        log_det = x.new_zeros(len(x))
        for bijector, places in self.stages():
            rows, change = bijector(x[:, places].flatten(0, 1))
            x = x.index_copy(1, places.flatten(), rows.reshape(len(x), -1))
            log_det = log_det + change.view(len(x), -1).sum(1)
        return x.view(y.shape), log_det

    def inverse(self, z):
        """Latents to logits."""
        x = z.flatten(1)
        for bijector, places in reversed(list(self.stages())):
            rows = bijector.inverse(x[:, places].flatten(0, 1))
            x = x.index_copy(1, places.flatten(), rows.reshape(len(x), -1))
        x = x.view(z.shape)
        return x if self.mean is None else x + self.mean


class ConvNet(nn.Module):
    """The net of a Real NVP's coupling."""

    def __init__(self, channels, hidden, blocks):
        super().__init__()
        wide = lambda inputs: nn.Conv2d(inputs, hidden, 3, padding=1)
        self.entry = wide(channels)
        self.blocks = nn.ModuleList(
            nn.ModuleDict({"first": wide(hidden), "second": wide(hidden)}) for _ in range(blocks)
        )
        self.exit = nn.Conv2d(hidden, 2 * channels, 1)
        self.scale = nn.Parameter(torch.empty(channels))

    def forward(self, x):
        h = self.entry(x)
        for block in self.blocks:
            h = (h + block["second"](functional.relu(block["first"](functional.relu(h))))) / math.sqrt(2)
        s, t = self.exit(functional.relu(h)).chunk(2, 1)
        return self.scale[:, None, None] * torch.tanh(s), t


class RealNvp(Flow):
    """A Real NVP. Latents are in a row, [n, channels·size²]: those of the finest scale first."""

    def __init__(self, config, card, directions):
        super().__init__(config, card, 0)
        self.nets, channels = nn.ModuleList(), config["channels"]
        for k, scale in enumerate(config["scales"]):
            last = k == len(config["scales"]) - 1
            widths = [channels] * scale["couplings"] + ([] if last else [4 * channels] * scale["couplings"])
            self.nets.extend(ConvNet(width, scale["hidden"], scale["res_blocks"]) for width in widths)
            channels *= 2

    def latent_levels(self):
        sizes, left = [], math.prod(self.shape)
        for _ in self.config["scales"][1:]:
            sizes.append(left // 2)
            left //= 2
        sizes.append(left)
        levels = [torch.full((size,), k, dtype=torch.long) for k, size in enumerate(sizes)]
        return torch.cat(levels).to(next(self.parameters()).device)

    def steps(self):
        """What is done, in order: ("couple", net, what it keeps), ("squeeze",) or ("split",)."""
        nets, last = iter(self.nets), len(self.config["scales"]) - 1
        for k, scale in enumerate(self.config["scales"]):
            for i in range(scale["couplings"]):
                yield "couple", next(nets), lambda x, i=i: self._checkerboard(x, i % 2)
            if k < last:
                yield "squeeze", None, None
                for i in range(scale["couplings"]):
                    yield "couple", next(nets), lambda x, i=i: self._channels(x, i % 2)
                yield "split", None, None

    @staticmethod
    def _checkerboard(x, parity):
        row, column = (torch.arange(edge, device=x.device) for edge in x.shape[2:])
        return ((row[:, None] + column) % 2 == parity).to(x.dtype)

    @staticmethod
    def _channels(x, which):
        first = torch.arange(x.shape[1], device=x.device) < x.shape[1] // 2
        return (first if which == 0 else ~first).to(x.dtype)[:, None, None]

    def forward(self, y):
        """Logits [n, channels, size, size] to latents [n, dims] and log-determinants [n]."""
        x, latents, log_det = y, [], y.new_zeros(len(y))
        for what, net, kept in self.steps():
            if what == "couple":
                keep = kept(x)
                s, t = net(x * keep)
                x = keep * x + (1 - keep) * (x * torch.exp(s) + t)
                log_det = log_det + ((1 - keep) * s).flatten(1).sum(1)
            elif what == "squeeze":
                n, c, h, w = x.shape
                x = x.view(n, c, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(n, 4 * c, h // 2, w // 2)
            else:
                x, out = x.chunk(2, 1)
                latents.append(out.flatten(1))
        return torch.cat([*latents, x.flatten(1)], 1), log_det

    def inverse(self, z):
        """Latents to logits."""
        parts, channels, edge = [], *self.shape[:2]
        for _ in self.config["scales"][1:]:
            channels, edge = 2 * channels, edge // 2
            parts.append((channels, edge))
        sizes = [c * e * e for c, e in parts]
        *outs, x = z.split([*sizes, z.shape[1] - sum(sizes)], 1)
        x = x.reshape(len(z), channels, edge, edge)
        for what, net, kept in reversed(list(self.steps())):
            if what == "couple":
                keep = kept(x)
                s, t = net(x * keep)
                x = keep * x + (1 - keep) * ((x - t) * torch.exp(-s))
            elif what == "squeeze":
                n, c, h, w = x.shape
                x = x.view(n, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2).reshape(n, c // 4, 2 * h, 2 * w)
            else:
                c, e = parts.pop()
                x = torch.cat([x, outs.pop().reshape(len(z), c, e, e)], 1)
        return x
