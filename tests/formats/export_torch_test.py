"""State dicts of `vgg19 export`, loaded and run by PyTorch and torchvision, beside vgg19's own answers.

  export_torch_test.py TOOL
"""

import unittest
import zipfile

import numpy
import torch
import torchvision

import tool


def export(kind):
    file = tool.path('exported.pth')
    tool.run('export', tool.model(kind), '--torch', file)
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
    return torch.load(file, weights_only=True)


def linear(state, name):
    outputs, inputs = state[name + '.weight'].shape
    return torch.nn.Linear(inputs, outputs)


def network(state, average=False):
    """torchvision's VGG with the widths of a state dict, which it loads."""
    plan, index = [], 0
    for width in tool.narrow_models.FEATURES:
        plan.append(width if width == 'M' else state[f'features.{index}.weight'].shape[0])
        index += 1 if width == 'M' else 2
    layers = torchvision.models.vgg.make_layers(plan)
    if average:
        layers = torch.nn.Sequential(*[torch.nn.AvgPool2d(2) if isinstance(layer, torch.nn.MaxPool2d) else layer
                                       for layer in layers])
    if 'classifier.0.weight' not in state and 'classifier.0.0.weight' not in state:
        model = torch.nn.Module()
        model.features = layers
        model.forward = model.features.forward
    else:
        model = torchvision.models.VGG(layers, init_weights=False)
        for k in (0, 3, 6):
            name = f'classifier.{k}'
            model.classifier[k] = linear(state, name) if name + '.weight' in state else torch.nn.Sequential(
                linear(state, name + '.0'), linear(state, name + '.1'))
    model.load_state_dict(state, strict=True)
    return model.eval()


class Exported(unittest.TestCase):
    def compare(self, kind, expected_kind=None, largest_error=1e-4, **options):
        values = tool.images((96, 64), 2)
        expected, = tool.answers(tool.model(expected_kind or kind), values, '--size', '96x64').values()
        with torch.no_grad():
            found = network(export(kind), **options)(torch.from_numpy(values)).numpy()
        self.assertEqual(found.shape, expected.shape)
        self.assertGreaterEqual(tool.cosine(found, expected), 0.9999 if largest_error <= 1e-4 else 0.999)
        self.assertLessEqual(abs(found - expected).max() / abs(expected).max(), largest_error)

    def test_networks_of_fp32(self):
        for kind in ('baseline', 'output-major', 'pruned', 'factored', 'features'):
            with self.subTest(kind):
                self.compare(kind)
        self.compare('average', average=True)

    def test_quantised_weights_times_their_scales(self):
        self.compare('int4')  # whose activations vgg19 does not round
        for kind in ('int8', 'full'):
            with self.subTest(kind):
                self.compare(kind, 'baseline', 0.05)

    def test_the_state_dict_is_torchvisions(self):
        usual = torchvision.models.vgg19(init_weights=False).state_dict()
        found = export('baseline')
        self.assertIs(type(found), type(usual))
        self.assertEqual(list(found), list(usual))
        for name, tensor in found.items():
            self.assertEqual(tensor.dtype, torch.float32)
            self.assertEqual(tensor.dim(), usual[name].dim())
            self.assertTrue(tensor.is_contiguous())

    def test_saved_again_it_is_the_same(self):
        """What PyTorch saves holds the same pickle, but for the memo's operations."""
        found = export('baseline')
        torch.save(found, tool.path('saved.pth'))
        tool.run('convert', tool.path('saved.pth'), '-o', tool.path('saved.safetensors'))
        tool.run('convert', tool.path('exported.pth'), '-o', tool.path('returned.safetensors'))
        saved = tool.read_tensors(tool.path('saved.safetensors'))
        for name, right in tool.read_tensors(tool.path('returned.safetensors')).items():
            numpy.testing.assert_array_equal(saved[name], right)

    def test_the_description_comes_back(self):
        export('average')
        notes = tool.run('convert', tool.path('exported.pth'), '-o', tool.path('returned.safetensors'))
        self.assertIn('those of the model that vgg19 exported', notes)
        found = tool.read_metadata(tool.path('returned.safetensors'))
        for key, value in tool.read_metadata(tool.model('average')).items():
            if key != 'source_sha256':
                self.assertEqual(found[key], value)


if __name__ == '__main__':
    tool.main(unittest)
