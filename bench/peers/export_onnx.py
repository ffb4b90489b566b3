"""Exports the generator of a weights file, latents to image logits, as ONNX, and checks it.

    python export_onnx.py MODEL.safetensors OUT.onnx --batch N
"""

import argparse

import numpy
import onnx
import onnxruntime
import torch
from rgflow import RgFlow

# What onnxruntime-web's WebGPU kernels cover.
OPSET = 18


class Generator(torch.nn.Module):
    def __init__(self, flow):
        super().__init__()
        self.flow = flow

    def forward(self, latents):
        return self.flow.inverse(latents)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="weights file")
    parser.add_argument("out", help="where to write the ONNX file")
    parser.add_argument("--batch", type=int, default=1, help="images at once")
    args = parser.parse_args()

    flow = RgFlow.load(args.model)
    torch.manual_seed(1)
    latents = flow.draw(args.batch)
    torch.onnx.export(
        Generator(flow).eval(),
        (latents,),
        args.out,
        input_names=["latents"],
        output_names=["image"],
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
    )
    onnx.checker.check_model(args.out)
    session = onnxruntime.InferenceSession(args.out, providers=["CPUExecutionProvider"])
    (image,) = session.run(None, {"latents": latents.numpy()})
    with torch.inference_mode():
        off = numpy.abs(image - flow.inverse(latents).numpy()).max()
    print(f"{args.out}: {len(onnx.load(args.out).graph.node)} nodes, off by {off:.2e} at most from PyTorch")
    assert off < 1e-3, "the exported model draws something else"


if __name__ == "__main__":
    main()
