"""ONNX files of `vgg19 export`, run by ONNX Runtime and OpenVINO, beside vgg19's own answers.

  export_onnx_test.py TOOL
"""

import json
import unittest

import numpy
import onnx
import onnxruntime
import openvino
from onnx import numpy_helper

import tool


def export(kind, *options):
    """The exported file, checked, with the shapes of all values inferred."""
    file = tool.path('exported.onnx')
    tool.run('export', tool.model(kind), '--onnx', file, *options)
    onnx.checker.check_model(file, full_check=True)
    return file


def onnxruntime_answers(file, values):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(str(file), options, providers=['CPUExecutionProvider'])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {'input': values})))


def openvino_answers(file, values):
    model = openvino.Core().compile_model(str(file), 'CPU', {'INFERENCE_PRECISION_HINT': 'f32',
                                                            'INFERENCE_NUM_THREADS': 2})
    results = model(values)
    return {next(iter(output.get_names())): results[output] for output in model.outputs}


RUNTIMES = {'ONNX Runtime': onnxruntime_answers, 'OpenVINO': openvino_answers}


class Compared(unittest.TestCase):
    def compare(self, file, values, expected, least_cosine, largest_error):
        """The error is relative to the largest value."""
        for name, run in RUNTIMES.items():
            found = run(file, values)
            self.assertEqual(sorted(found), sorted(expected))
            for output, right in expected.items():
                with self.subTest(runtime=name, output=output):
                    self.assertEqual(found[output].shape, right.shape)
                    self.assertGreaterEqual(tool.cosine(found[output], right), least_cosine)
                    error = abs(found[output] - right).max() / abs(right).max()
                    self.assertLessEqual(error, largest_error)


class Fp32(Compared):
    def compare_plain(self, kind, size, *options, count=2):
        values = tool.images(size, count)
        text = f'{size[0]}x{size[1]}'
        file = export(kind, '--size', text, *options)
        shared = [word for word in options if word != '--fp32']
        expected = tool.answers(tool.model(kind), values, '--size', text, *shared)
        self.compare(file, values, expected, 0.999999, 1e-4)

    def test_every_kind_of_model(self):
        for kind in ('baseline', 'output-major', 'pruned', 'factored', 'average', 'int4', 'features'):
            with self.subTest(kind):
                self.compare_plain(kind, (224, 224))

    def test_sizes_that_the_average_pool_divides_or_not(self):
        for size in ((448, 224), (64, 64), (96, 320), (250, 230)):
            with self.subTest(size):
                self.compare_plain('baseline', size)

    def test_outputs_by_any_name(self):
        for kind, names in (('baseline', 'conv1_1,relu1_2,features.9,avgpool,fc6,relu7,probabilities'),
                            ('average', 'pool4'), ('factored', 'classifier.0.0,classifier.0,logits'),
                            ('features', 'relu5_4,pool2')):
            with self.subTest(kind):
                self.compare_plain(kind, (96, 64), '--outputs', names)
        self.compare_plain('baseline', (224, 224), '--outputs', 'avgpool,pool5')

    def test_int8_written_in_fp32(self):
        """Beside the FP32 model, since vgg19 itself would round activations."""
        values = tool.images((64, 64))
        expected = tool.answers(tool.model('baseline'), values, '--size', 64, '--outputs', 'relu1_1,pool3,logits')
        for kind in ('int8', 'full'):
            with self.subTest(kind):
                file = export(kind, '--size', 64, '--fp32', '--outputs', 'relu1_1,pool3,logits')
                types = {tensor.data_type for tensor in onnx.load(file).graph.initializer}
                self.assertEqual(types, {onnx.TensorProto.FLOAT})
                self.compare(file, values, expected, 0.999, 0.05)

    def test_the_batch_is_open_or_fixed(self):
        def batch(*options):
            dimension = onnx.load(export('baseline', '--size', 32, *options)).graph.input[0].type.tensor_type.shape.dim[0]
            return dimension.dim_param or dimension.dim_value

        self.assertEqual(batch(), 'batch')
        self.assertEqual(batch('--batch', 3), 3)
        self.compare_plain('baseline', (32, 32), '--batch', '3', count=3)

    def test_the_description_is_in_the_metadata(self):
        head = onnx.load(export('average'))
        metadata = {entry.key: entry.value for entry in head.metadata_props}
        expected = tool.read_metadata(tool.model('average'))
        lineage = [key for key in metadata if key.startswith('lineage.')]
        self.assertEqual(metadata.pop(lineage[-1]), 'export --onnx --size 224 --outputs logits')
        self.assertEqual(metadata, expected)
        self.assertEqual(json.loads(metadata['class_names'])[7], 'class 7')
        self.assertIn('BGR, values x from 0 to 255', head.graph.input[0].doc_string)

    def test_weights_have_torchvisions_names_and_come_back(self):
        for kind in ('baseline', 'pruned', 'factored'):
            with self.subTest(kind):
                file = export(kind)
                tool.run('convert', tool.model(kind), '-o', tool.path('plain.safetensors'), '--dense-order', 'output')
                plain = tool.read_tensors(tool.path('plain.safetensors'))
                found = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(file).graph.initializer}
                self.assertEqual(sorted(found), sorted(plain))
                for name, right in plain.items():
                    numpy.testing.assert_array_equal(found[name], right)


class Int8Dense(Compared):
    def test_answers(self):
        for kind in ('int8', 'pruned-int8', 'factored-int8', 'output-major-int8'):
            with self.subTest(kind):
                values = tool.images(count=3)
                self.compare(export(kind), values, tool.answers(tool.model(kind), values), 0.9999, 0.02)

    def test_an_image_has_the_same_answer_beside_others(self):
        """Each image is quantised with a scale of its own, as in vgg19."""
        values = tool.images(count=3) * numpy.array([1, 20, 0.01], numpy.float32)[:, None, None, None]
        for kind in ('int8', 'factored-int8'):
            file = export(kind)
            together = onnxruntime_answers(file, values)['logits']
            for i in range(3):
                alone = onnxruntime_answers(file, values[i:i + 1])['logits']
                # The convolutions may sum in another order, which may change an 8-bit input by a step.
                self.assertLessEqual(abs(together[i] - alone[0]).max() / abs(alone).max(), 0.01)

    def test_an_image_of_zeros(self):
        values = numpy.zeros((1, 3, 224, 224), numpy.float32)
        self.compare(export('int8'), values, tool.answers(tool.model('int8'), values), 0.9999, 0.02)


def convolve(values, weights):
    """Exact sums of a 3×3 convolution with padding 1."""
    padded = numpy.pad(values.astype(numpy.int64), ((0, 0), (0, 0), (1, 1), (1, 1)))
    height, width = values.shape[2:]
    return sum(numpy.einsum('nchw,oc->nohw', padded[:, :, i:i + height, j:j + width], weights[:, :, i, j].astype(numpy.int64))
               for i in range(3) for j in range(3))


class Int8Throughout(Compared):
    def test_answers(self):
        for kind, deviation in (('full', 1), ('average-full', 64), ('pruned-full', 1)):
            with self.subTest(kind):
                values = tool.images((64, 64), 2) * numpy.float32(deviation)
                expected = tool.answers(tool.model(kind), values, '--size', 64, '--conv', 'direct')
                self.compare(export(kind, '--size', 64), values, expected, 0.999, 0.2)

    def test_maps_are_the_trained_networks(self):
        """Channels were scaled for the sake of their ranges; outputs are not."""
        values = tool.images((64, 64))
        names = 'conv1_1,relu1_1,relu3_1,pool3'
        expected = tool.answers(tool.model('full'), values, '--size', 64, '--conv', 'direct', '--outputs', names)
        self.compare(export('full', '--size', 64, '--outputs', names), values, expected, 0.999, 0.1)
        plain = tool.answers(tool.model('baseline'), values, '--size', 64, '--outputs', names)
        for name, right in plain.items():
            self.assertGreaterEqual(tool.cosine(expected[name], right), 0.99)

    def test_no_layer_is_more_than_a_step_off(self):
        """From the 8-bit input that ONNX Runtime has, each layer's 8-bit output by the formula of
        kernels/conv_int8: the runtime rounds biases, and may round a tie otherwise."""
        file = export('full', '--size', 64)
        graph = onnx.load(file)
        constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.graph.initializer}
        rounded = [node.output[0] for node in graph.graph.node if node.op_type == 'QuantizeLinear']
        for name in rounded:
            graph.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.UINT8, None))
        shown = tool.path('shown.onnx')
        onnx.save(graph, shown)
        values = onnxruntime_answers(shown, tool.images((64, 64)))
        stored = tool.read_tensors(tool.model('full'))
        checked = 0
        for node in graph.graph.node:
            if node.op_type != 'Conv' or not node.input[1].endswith('.dequantized'):
                continue
            layer = node.name
            relu = f'features.{int(layer.split(".")[1]) + 1}.quantized'
            if relu not in values:
                continue  # the last one, behind which floats follow
            following = f'features.{min(int(key.split(".")[1]) for key in stored if key.endswith(".input_scale") and int(key.split(".")[1]) > int(layer.split(".")[1]))}'
            steps = numpy.float32(1) / stored[f'{following}.input_scale']
            factors = stored[f'{layer}.weight_scale'] * (stored[f'{layer}.input_scale'] * steps)
            bias = stored[f'{layer}.bias'] * steps
            sums = convolve(values[node.input[0].replace('.dequantized', '.quantized')], stored[f'{layer}.weight'])
            y = sums.astype(numpy.float32) * factors[:, None, None] + bias[:, None, None]
            right = numpy.minimum(255, numpy.rint(numpy.maximum(0, y)))
            difference = abs(values[relu].astype(numpy.float32) - right)
            with self.subTest(layer):
                self.assertLessEqual(difference.max(), 1)
                self.assertLessEqual((difference > 0).sum(), 1 + 0.001 * difference.size)
            checked += 1
        self.assertEqual(checked, 14)
        self.assertEqual(constants['features.2.weight'].dtype, numpy.int8)


class Refusals(unittest.TestCase):
    def refusal(self, *words):
        with self.assertRaises(AssertionError) as caught:
            tool.run('export', *words)
        return str(caught.exception)

    def test_wrong_usage(self):
        baseline = tool.model('baseline')
        file = tool.path('none.onnx')
        self.assertIn('expected either --onnx or --torch', self.refusal(baseline))
        self.assertIn('--size: expected with --onnx', self.refusal(baseline, '--torch', file, '--size', 64))
        self.assertIn('"relu9_9": not in this model', self.refusal(baseline, '--onnx', file, '--outputs', 'relu9_9'))
        self.assertIn('has no classifier', self.refusal(tool.model('features'), '--onnx', file, '--outputs', 'logits'))
        self.assertIn('expected another file to write', self.refusal(baseline, '--onnx', baseline))
        self.assertFalse(file.exists())


if __name__ == '__main__':
    tool.main(unittest)
