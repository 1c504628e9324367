"""The network: a few convolutions at the small picture's size say by how much bicubic is wrong.

Four answers for each pixel become the four pixels in its place (ESPCN). The first layer sees only differences and
nothing has a bias: what is flat stays flat, and half the contrast has half the answer.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.super_resolution.contract import FACTOR

COLOURS, CHANNELS = 3, 32
ANSWERS = COLOURS * FACTOR**2
REACH = 5
"""How many pixels away still matter: that much of the edge is repeated outside of the picture."""
FIRST_STEPS = 1e-3
"""Spread of the last layer's first weights. From zeros it would not learn for a thousand steps."""
SLOPE = -0.5
"""Of the cubic formula, as Pillow has it."""


class Network(nn.Module):
    """Pixels in, pixels out; 24,000 weights."""

    formula: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.looks = nn.Conv2d(COLOURS, CHANNELS, 5, bias=False)
        self.thinks = nn.ModuleList([nn.Conv2d(CHANNELS, CHANNELS, 3, bias=False) for _ in range(2)])
        self.corrects = nn.Conv2d(CHANNELS, ANSWERS, 3, bias=False)
        nn.init.normal_(self.corrects.weight, std=FIRST_STEPS)
        self.register_buffer("formula", bicubic())

    def forward(self, image: Tensor) -> Tensor:
        """`image` is uint8, [batch, height, width, 3]; so is the answer, twice as high and wide."""
        x = image.permute(0, 3, 1, 2).to(torch.float32) * (1 / 255)
        larger = self.enlarged(x).clamp(0, 1) * 255
        return larger.round().permute(0, 2, 3, 1).to(torch.uint8)

    def enlarged(self, x: Tensor) -> Tensor:
        """From 0 to 1 and [batch, 3, height, width]; may go beyond 0 and 1."""
        x = functional.pad(x, (REACH, REACH, REACH, REACH), mode="replicate")
        around = REACH - 2
        inner = x[:, :, around:-around, around:-around]
        plain = functional.conv2d(inner, self.formula, groups=COLOURS)
        weight = self.looks.weight
        seen = functional.relu(functional.conv2d(x, weight - weight.mean((2, 3), keepdim=True)))
        for layer in self.thinks:
            seen = functional.relu(layer(seen))
        return functional.pixel_shuffle(plain + self.corrects(seen), FACTOR)


def bicubic() -> Tensor:
    """The kernels of the formula: for each colour one for each of the four new pixels."""
    # The first of two new pixels lies a quarter before the old one's middle.
    late = [cubic(distance + 0.25) for distance in (-2, -1, 0, 1, 2)]
    early = late[::-1]
    kernels = [
        torch.outer(torch.tensor(down), torch.tensor(across)) for down in (late, early) for across in (late, early)
    ]
    return torch.stack(kernels)[:, None].repeat(COLOURS, 1, 1, 1)


def cubic(distance: float) -> float:
    """How much a pixel so far away counts."""
    away = abs(distance)
    if away < 1:
        return ((SLOPE + 2) * away - (SLOPE + 3)) * away**2 + 1
    return SLOPE * (((away - 5) * away + 8) * away - 4) if away < 2 else 0.0
