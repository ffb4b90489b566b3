"""Saves a checkpoint of the authors' code in the ways that PyTorch programs save them: AUTHORS.state FOLDER.

Files whose name begins with `same-` hold the same weights, to the last bit of their half-precision export; those that
begin with `close-` were rounded; those that begin with `not-` must be refused.
"""

import argparse
import pathlib
import sys

import torch
from torch import nn


def main(source, folder):
    whole = torch.load(source, weights_only=True)
    bare = dict(whole["flow"])

    def save(name, value, **how):
        torch.save(value, folder / f"{name}.state", **how)

    def prefixed(prefix, tensors=bare):
        return {prefix + name: tensor for name, tensor in tensors.items()}

    def each(change):
        return {name: change(tensor) for name, tensor in bare.items()}

    save("same-again", whole)
    save("same-bare", bare)
    save("same-data-parallel", prefixed("module."))
    save("same-compiled", {"model": prefixed("_orig_mod.")})
    save("same-compiled-data-parallel", {"state_dict": prefixed("module._orig_mod.flow.")})
    save("same-old-layout", prefixed("module."), _use_new_zipfile_serialization=False)
    for protocol in (3, 4, 5):
        save(f"same-protocol-{protocol}", bare, pickle_protocol=protocol)

    # Beside the state of an optimizer that has taken a step, and what else a training script keeps.
    parameters = [nn.Parameter(tensor.clone()) for tensor in bare.values()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3)
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    training = {
        "epoch": 3,
        "args": argparse.Namespace(data="/home/somebody/data", lr=1e-3),
        "optimizer": optimizer.state_dict(),
        "scheduler": schedule.state_dict(),
        "loss": torch.tensor(1.5, dtype=torch.float64),
        "rng": torch.get_rng_state(),
        "device": torch.device("cpu"),
        "state_dict": prefixed("module."),
    }
    save("same-beside-an-optimizer", training)
    save("same-beside-an-optimizer-old-layout", training, _use_new_zipfile_serialization=False)

    # Views, of which the strides and offsets matter.
    save("same-columns-first", each(lambda t: t.T.contiguous().T if t.dim() == 2 else t))
    save("same-every-other", each(lambda t: torch.stack([t, t + 1], -1)[..., 0]))
    flat = torch.cat([tensor.flatten() for tensor in bare.values()])
    views, start = {}, 0
    for name, tensor in bare.items():
        views[name] = flat[start : start + tensor.numel()].view(tensor.shape)
        start += tensor.numel()
    save("same-one-storage", views)
    save("same-parameters", each(lambda t: nn.Parameter(t.clone())))
    save("same-double", each(lambda t: t.double()))

    # The names of the newer weight norm, and none.
    newer = {"weight_g": "parametrizations.weight.original0", "weight_v": "parametrizations.weight.original1"}
    renamed = {}
    for name, tensor in bare.items():
        stem, _, last = name.rpartition(".")
        renamed[f"{stem}.{newer.get(last, last)}"] = tensor
    save("same-parametrized", renamed)
    plain = {}
    for name, tensor in bare.items():
        if name.endswith("weight_v"):
            plain[name[: -len("_v")]] = bare[name[:-1] + "g"] * tensor / tensor.norm(dim=1, keepdim=True)
        elif not name.endswith("weight_g"):
            plain[name] = tensor
    save("close-weight-norm-removed", plain)
    save("close-half", each(lambda t: t.half()))
    save("close-bfloat16", each(lambda t: t.bfloat16()))

    save("not-a-flow", nn.Linear(3, 3).state_dict())
    save("not-a-state-dict", nn.Linear(3, 3))
    save("not-integers", each(lambda t: (100 * t).long()))
    missing = dict(bare)
    del missing["layers.0.t_layers.0.res_blocks.0.1.weight_v"]
    save("not-complete", missing)


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
