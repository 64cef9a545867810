"""A VGG-19 with few channels as a module of PyTorch, with torchvision's names."""

import torch

FEATURES = [8, 8, "M", 8, 8, "M", 16, 16, 16, 16, "M", 16, 16, 16, 16, "M", 16, 16, 16, 16, "M"]


class Vgg(torch.nn.Module):
    def __init__(self, classes=10, batch_norm=False, pool=torch.nn.MaxPool2d, widths=FEATURES):
        super().__init__()
        layers, channels = [], 3
        for width in widths:
            if width == "M":
                layers.append(pool(2, 2))
                continue
            layers.append(torch.nn.Conv2d(channels, width, 3, padding=1))
            if batch_norm:
                layers.append(torch.nn.BatchNorm2d(width))
            layers.append(torch.nn.ReLU(inplace=True))
            channels = width
        self.features = torch.nn.Sequential(*layers)
        self.avgpool = torch.nn.AdaptiveAvgPool2d(7)
        self.classifier = torch.nn.Sequential(
            torch.nn.Linear(channels * 49, 24), torch.nn.ReLU(True), torch.nn.Dropout(),
            torch.nn.Linear(24, 20), torch.nn.ReLU(True), torch.nn.Dropout(), torch.nn.Linear(20, classes))
        for module in self.modules():
            if isinstance(module, torch.nn.Conv2d):
                torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                torch.nn.init.normal_(module.bias, std=0.05)

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


def make(seed=0, **options):
    """In eval mode, with weights of this seed that need no gradient."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Vgg(**options)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
                torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    return network.eval().requires_grad_(False)
