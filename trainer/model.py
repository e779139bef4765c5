"""The Siamese network: one shared backbone, the difference of two feature vectors, a small head."""

import logging
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchvision import models

log = logging.getLogger(__name__)

CLASSES = 2  # which image wins; trainer.labels says which column is which


class SiameseRanker(nn.Module):
    """Compares two images [B, 3, H, W] each; gives log-probabilities [B, 2], read as trainer.labels defines.

    `backbone` maps an image batch to features [B, F] (F = 2048 for ResNet50, 512 for ResNet18) and is called twice
    in each forward; `head` maps their difference to two scores.
    """

    def __init__(self, backbone: nn.Module, features: int, hidden: Sequence[int] = (), dropout: float = 0.0) -> None:
        """Join a backbone that gives `features` values an image to a new head."""
        super().__init__()
        self.backbone = backbone
        self.head = build_head(features, hidden, dropout)

    def forward(self, img1: Tensor, img2: Tensor) -> Tensor:
        """Log-probabilities [B, 2] of winner 0 and winner 1."""
        # Logged before and after each call: a process that dies natively leaves its last words here.
        log.debug("Forward: Starting backbone for img1...")
        feat1 = self.backbone(img1)
        log.debug("Forward: Got feat1 with shape %s", feat1.shape)
        log.debug("Forward: Starting backbone for img2...")
        feat2 = self.backbone(img2)
        log.debug("Forward: Got feat2 with shape %s", feat2.shape)
        diff = feat1 - feat2
        log.debug("Forward: Starting head...")
        log_probs = torch.log_softmax(self.head(diff), dim=1)
        log.debug("Forward: Got log_probs with shape %s", log_probs.shape)
        return log_probs


def build_backbone(name: str) -> tuple[nn.Module, int]:
    """A torchvision ResNet without its classifier, weights random, and the number of features that it gives."""
    resnet = models.get_model(name, weights=None)
    features = resnet.fc.in_features
    resnet.fc = nn.Identity()
    return resnet, features


def build_head(features: int, hidden: Sequence[int], dropout: float) -> nn.Module:
    """Linear layers of the `hidden` sizes with ReLU, then one to two scores; dropout, if any, before each.

    Without hidden sizes and dropout it is a single `Linear(features, 2)`.
    """
    sizes = [features, *hidden]
    layers: list[nn.Module] = []
    for wide, narrow in zip(sizes, [*hidden, CLASSES], strict=True):
        layers += [nn.Dropout(dropout)] if dropout > 0 else []
        layers += [fresh_linear(wide, narrow), nn.ReLU()]
    layers.pop()  # no ReLU after the scores
    return layers[0] if len(layers) == 1 else nn.Sequential(*layers)


def fresh_linear(wide: int, narrow: int) -> nn.Linear:
    """A layer with Kaiming-normal weights (He et al., 2015, arXiv:1502.01852) and zero bias."""
    layer = nn.Linear(wide, narrow)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return layer


def parameter_groups(model: SiameseRanker, backbone_lr: float, head_lr_factor: float) -> list[dict[str, object]]:
    """The optimizer's two groups: the backbone learns slowly, the new head `head_lr_factor` times as fast."""
    return [
        {"name": "backbone", "params": list(model.backbone.parameters()), "lr": backbone_lr},
        {"name": "head", "params": list(model.head.parameters()), "lr": backbone_lr * head_lr_factor},
    ]
