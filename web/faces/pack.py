#!/usr/bin/env python3
"""Writes faces.safetensors from the archive of the npm package @vladmandic/face-api. README.md says how it is called."""

import io
import json
import struct
import sys
import tarfile

SOURCE = "@vladmandic/face-api 1.7.15, https://www.npmjs.com/package/@vladmandic/face-api"
LICENCE = "MIT, Copyright (c) Vladimir Mandic"
NETS = {"detector": "tiny_face_detector_model", "landmarks": "face_landmark_68_tiny_model"}


def tensors(archive):
    """Each tensor's name, type, shape and bytes: the package's bytes as they are, and each one's scale and smallest value."""
    for net, name in NETS.items():
        manifest = json.load(archive.extractfile(f"package/model/{name}-weights_manifest.json"))
        data = archive.extractfile(f"package/model/{name}.bin")
        for weight in (weight for group in manifest for weight in group["weights"]):
            quantization = weight["quantization"]
            assert quantization["dtype"] == "uint8", weight
            count = 1
            for edge in weight["shape"]:
                count *= edge
            path = f"{net}/{weight['name']}"
            yield path, "U8", weight["shape"], data.read(count)
            yield f"{path}/range", "F32", [2], struct.pack("<2f", quantization["scale"], quantization["min"])
        assert not data.read(1), f"{name}.bin is longer than its manifest says"


def main(package, out):
    with tarfile.open(package) as archive:
        # Numbers of four bytes first, so that they are aligned.
        found = sorted(tensors(archive), key=lambda tensor: tensor[1] != "F32")
    header, body = {"__metadata__": {"source": SOURCE, "licence": LICENCE}}, io.BytesIO()
    for path, kind, shape, data in found:
        start = body.tell()
        body.write(data)
        header[path] = {"dtype": kind, "shape": shape, "data_offsets": [start, body.tell()]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(out, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body.getvalue())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
