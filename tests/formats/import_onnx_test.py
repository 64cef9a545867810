"""Networks that PyTorch exports as ONNX, converted by vgg19, beside PyTorch's own answers. (Files of its newer
exporter, and of other programs, are in converter/import/testdata.)

  import_onnx_test.py TOOL
"""

import unittest

import torch
import torchvision

import tool


def network(batch_norm, depth=19):
    """torchvision's VGG with few channels."""
    torch.manual_seed(depth + batch_norm)
    widths = {19: (4, 4, 'M', 5, 5, 'M', 6, 6, 6, 6, 'M', 7, 7, 7, 7, 'M', 8, 8, 8, 8, 'M'),
              11: (4, 'M', 5, 'M', 6, 6, 'M', 7, 7, 'M', 8, 8, 'M')}[depth]
    model = torchvision.models.VGG(torchvision.models.vgg.make_layers(widths, batch_norm=batch_norm), init_weights=False)
    model.classifier = torch.nn.Sequential(
        torch.nn.Linear(8 * 49, 12), torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Linear(12, 11), torch.nn.ReLU(),
        torch.nn.Dropout(), torch.nn.Linear(11, 10))
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    return model.eval()


class Import(unittest.TestCase):
    def compare(self, model, size=224, **options):
        values = tool.images((size, size), 2)
        torch.onnx.export(model, torch.zeros(1, 3, size, size), str(tool.path('network.onnx')), **options)
        tool.run('convert', tool.path('network.onnx'), '-o', tool.path('network.safetensors'))
        found, = tool.answers(tool.path('network.safetensors'), values).values()
        with torch.no_grad():
            expected = model(torch.from_numpy(values)).numpy()
        self.assertEqual(found.shape, expected.shape)
        self.assertLessEqual(abs(found - expected).max(), 1e-4 * abs(expected).max())

    def test_exports_of_torchvision(self):
        for batch_norm in (False, True):
            with self.subTest(batch_norm=batch_norm):
                self.compare(network(batch_norm))

    def test_batch_norms_that_are_not_folded(self):
        self.compare(network(True), training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)

    def test_any_batch(self):
        self.compare(network(False, 11), input_names=['image'], dynamic_axes={'image': {0: 'N'}})

    def test_a_size_whose_map_is_averaged(self):
        self.compare(network(False, 11), size=448)

    def test_features_alone(self):
        self.compare(network(False).features, size=64)
        self.compare(network(False).features[:-1], size=64)

    def test_others_are_refused(self):
        with self.assertRaisesRegex(AssertionError, r'LeakyRelu\): expected the layers of a VGG'):
            model = network(False, 11)
            model.features[1] = torch.nn.LeakyReLU()
            self.compare(model)


if __name__ == '__main__':
    tool.main(unittest)
