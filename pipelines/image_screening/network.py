"""The whole model as one network, pixels in, answers out: what is exported and served."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pipelines.image_screening.backbone import Backbone, unit
from pipelines.image_screening.heads import Linear
from pipelines.image_screening.photo_prior import category_table, violation_table

OUTPUTS = ["category", "violation", "embedding"]


@dataclass(frozen=True)
class Learnt:
    """Everything that training decides."""

    category: Linear
    violation: Linear
    embedding: Linear
    photo_weight: float
    violation_photo_weight: float


class Screening(nn.Module):
    """Backbone, heads and the mixture with what the photo classes say."""

    def __init__(self, learnt: Learnt) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.category = layer(learnt.category)
        self.violation = layer(learnt.violation)
        self.embedding = layer(learnt.embedding)
        self.photo_weight = learnt.photo_weight
        self.violation_photo_weight = learnt.violation_photo_weight
        self.category_table = nn.Parameter(torch.from_numpy(category_table()), requires_grad=False)
        self.violation_table = nn.Parameter(torch.from_numpy(violation_table()), requires_grad=False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Probabilities of categories and violations, and the embedding."""
        features, photo = self.backbone(image)
        embedding = self.embedding(features)
        return self.categories(features, photo), self.violations(features, photo), unit(embedding)

    def categories(self, features: Tensor, photo: Tensor) -> Tensor:
        """A mixture; what the photo classes do not know is spread evenly."""
        known = photo @ self.category_table
        prior = known + (1 - known.sum(1, keepdim=True)) / known.shape[1]
        learnt: Tensor = self.category(features).softmax(1)
        return self.photo_weight * prior + (1 - self.photo_weight) * learnt

    def violations(self, features: Tensor, photo: Tensor) -> Tensor:
        """A mixture as far as the photo classes know what it is; the head alone for the rest."""
        known = self.violation_photo_weight * (photo @ self.violation_table)
        learnt: Tensor = self.violation(features).softmax(1)
        return known + (1 - known.sum(1, keepdim=True)) * learnt


def layer(linear: Linear) -> nn.Linear:
    """A learnt head as a layer."""
    made = nn.Linear(*linear.weights.shape)
    with torch.no_grad():
        made.weight.copy_(torch.from_numpy(np.ascontiguousarray(linear.weights.T)))
        made.bias.copy_(torch.from_numpy(linear.bias))
    return made
