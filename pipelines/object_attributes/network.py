"""The detector: a small head on two depths of the frozen network, whose later half is cut off.

Each cell of a 20 x 20 grid says how likely an object's middle lies in it, and how far it is from the cell to the
object's four sides. A place needs no grid: it is told by averages over the picture.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.object_attributes.contract import MOST
from pipelines.image_screening.backbone import Backbone, moments

FINE, COARSE = 4, 10
"""Blocks of the network after which features are taken: 40 channels at stride 8, 112 at stride 16."""
FINE_CHANNELS, COARSE_CHANNELS = 40, 112
GRID = 20
BLIND = 0.15
"""Part of the channels that the head does without at each step of its training: it must not learn sprites by heart."""
LEAST_SCORE = 0.05
"""What scores less is nothing: its order would differ from machine to machine."""
LUMA = (0.299, 0.587, 0.114)


class Trunk(nn.Module):
    """Pixels in, features of two depths out. What comes after them in the network is not computed."""

    def __init__(self) -> None:
        super().__init__()
        self.network = Backbone().network
        self.network._blocks = self.network._blocks[: COARSE + 1]
        for name in ("_conv_head", "_bn1", "_fc"):
            delattr(self.network, name)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """`image` is uint8, [batch, height, width, 3]."""
        network = self.network
        x = image.permute(0, 3, 1, 2).to(torch.float32) * (1 / 128) - (127 / 128)
        x = network._swish(network._bn0(network._conv_stem(x)))
        fine = x
        for depth, block in enumerate(network._blocks):
            x = block(x)
            fine = x if depth == FINE else fine
        return fine, x


class Mixed(nn.Module):
    """Looks around each cell, channel by channel, then mixes the channels; adds what it saw."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.around = nn.Conv2d(channels, channels, width, padding=width // 2, groups=channels, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.mix = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        seen: Tensor = x + self.mix(functional.relu(self.norm(self.around(x))))
        return seen


class Head(nn.Module):
    """Features in; for each cell the logit of an object's middle and four distances, and logits of the place."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.coarse = nn.Sequential(
            nn.BatchNorm2d(COARSE_CHANNELS), nn.Conv2d(COARSE_CHANNELS, 96, 1), nn.ReLU(), Mixed(96, 5), Mixed(96, 5)
        )
        self.down = nn.Conv2d(96, width, 1)
        self.fine = nn.Sequential(nn.BatchNorm2d(FINE_CHANNELS), nn.Conv2d(FINE_CHANNELS, width, 1))
        self.both = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), Mixed(width, 5), Mixed(width, 5), nn.ReLU())
        self.middle = nn.Conv2d(width, 1, 1)
        self.sides = nn.Conv2d(width, 4, 1)
        self.place = nn.Sequential(nn.Dropout(0.3), nn.Linear(4 * (FINE_CHANNELS + COARSE_CHANNELS), 3))
        self.blind = nn.Dropout2d(BLIND)
        nn.init.constant_(self.middle.bias, -3.0)  # type: ignore[arg-type]

    def forward(self, fine: Tensor, coarse: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        place = self.place(torch.cat([*halves(fine), *halves(coarse)], 1))
        fine, coarse = self.blind(fine), self.blind(coarse)
        context = functional.interpolate(self.down(self.coarse(coarse)), scale_factor=2.0, mode="nearest")
        x = self.both(self.fine(fine) + context)
        return self.middle(x)[:, 0], functional.softplus(self.sides(x)), place


def halves(x: Tensor) -> list[Tensor]:
    """What is above and what is below: average and spread of each channel, as parts of length 1."""
    middle = x.shape[2] // 2
    return [*moments(x[:, :, :middle]), *moments(x[:, :, middle:])]


def boxes(sides: Tensor) -> Tensor:
    """Distances [batch, 4, GRID, GRID], in eighths of the picture, to boxes in parts of the picture."""
    middles = (torch.arange(GRID, dtype=torch.float32) + 0.5) / GRID
    across, down = middles[None, None, :], middles[None, :, None]
    left, top, right, bottom = (sides / 8).unbind(1)
    return torch.stack([across - left, down - top, across + right, down + bottom], 1).clamp(0, 1)


class Detector(nn.Module):
    """What is exported and served: trunk, head, and the best boxes of the grid."""

    def __init__(self, trunk: Trunk, head: Head) -> None:
        super().__init__()
        self.trunk, self.head = trunk, head
        self.luma = nn.Parameter(torch.tensor(LUMA) / 255, requires_grad=False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes with scores, best first; probabilities of places; brightness."""
        middle, sides, place = self.head(*self.trunk(image))
        scores = peaks(middle.sigmoid()).flatten(1)
        best, cells = scores.topk(MOST, 1)
        all_boxes = boxes(sides).flatten(2).transpose(1, 2)
        chosen = all_boxes.gather(1, cells[:, :, None].expand(-1, -1, 4))
        found = torch.cat([chosen, best[:, :, None]], 2) * (best > LEAST_SCORE)[:, :, None]
        bright = (image.to(torch.float32).mean((1, 2)) * self.luma).sum(1, keepdim=True)
        return found, place.softmax(1), bright.clamp(0, 1)


def peaks(scores: Tensor) -> Tensor:
    """Zero wherever a neighbour is likelier."""
    highest = functional.max_pool2d(scores[:, None], 3, stride=1, padding=1)[:, 0]
    return scores * (scores >= highest)
