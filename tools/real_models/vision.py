# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""torchvision's models, with random weights and a batch that varies."""
import torch
import torchvision
from real_models.spec import Spec, batch


class Segmentation(torch.nn.Module):
    """One of a dictionary of outputs."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images):
        return self.model(images)["out"]


class OneImage(torch.nn.Module):
    """A detector takes a list of images; this takes one and gives its boxes, scores and labels."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, image):
        found = self.model([image])[0]
        return found["boxes"], found["scores"], found["labels"]


class Heads(torch.nn.Module):
    """The same network before boxes are chosen: scores and offsets of all anchors, for a batch."""

    def __init__(self, model):
        super().__init__()
        self.backbone, self.head = model.backbone, model.head

    def forward(self, images):
        found = self.head(list(self.backbone(images).values()))
        return found["bbox_regression"], found["cls_logits"]


def _suppress_by_class(boxes, scores, classes, threshold):
    """torchvision's batched_nms chooses between two ways by the number of boxes, which the exporter cannot follow;
    this is one of them: boxes of different classes are moved apart."""
    apart = classes.to(boxes) * (boxes.max() + 1)
    return torchvision.ops.nms(boxes + apart[:, None], scores, threshold)


def classifier(name, size=224):
    def make():
        model = getattr(torchvision.models, name)(weights=None)
        _liven(model)
        return model

    return Spec(name, make, lambda n: (torch.randn(n, 3, size, size),), (2, 1), ({0: batch()},))


def _liven(model):
    """Running statistics as after training, so that no output is the same for every input."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.7, 1.3)
        if isinstance(module, torch.nn.Linear) and not module.weight.any():  # ViT's head starts as zeros
            torch.nn.init.normal_(module.weight, std=0.02)


def _deeplab():
    model = torchvision.models.segmentation.deeplabv3_resnet50(weights=None, weights_backbone=None)
    _liven(model)
    return Segmentation(model)


def _ssdlite(wrapper):
    torchvision.ops.boxes.batched_nms = _suppress_by_class
    model = torchvision.models.detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None)
    # Statistics of a batch, and scores that are apart, as after training: else everything is nearly the same everywhere,
    # and the last bits of a sum decide which boxes there are.
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    for layers in model.head.classification_head.module_list:
        torch.nn.init.normal_(layers[-1].weight, std=0.5)
    with torch.no_grad():
        model.train()
        model.head(list(model.backbone(torch.randn(4, 3, 320, 320)).values()))
    return wrapper(model.eval())


SPECS = [
    classifier("resnet50"), classifier("efficientnet_b0"), classifier("convnext_tiny"), classifier("vit_b_16"),
    classifier("swin_t"),
    Spec("deeplabv3", _deeplab, lambda n: (torch.randn(n, 3, 224, 224),), (2, 1), ({0: batch()},)),
    Spec("ssdlite_heads", lambda: _ssdlite(Heads), lambda n: (torch.randn(n, 3, 320, 320),), (2, 1), ({0: batch()},)),
    Spec("ssdlite", lambda: _ssdlite(OneImage), lambda n: (torch.rand(3, 320, 320),), (1,), ({},)),
]
