"""vgg19.torch against PyTorch's own layers."""

import copy
import multiprocessing
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

torch = pytest.importorskip("torch")

import documentation  # noqa: E402
import narrow_vgg  # noqa: E402
import vgg19  # noqa: E402
import vgg19.torch  # noqa: E402

# Of features and gradients, relative L2. Rounding errors of sixteen layers forwards and as many backwards; with
# these seeds no value is so near to a ReLU's or a maximum's tie that they decide it otherwise.
TOLERANCE = 2e-5

NAMES = {1: "conv1_1", 2: "relu1_1", 5: "pool1", 22: "conv4_2", 36: "relu5_4", 37: "pool5"}


@pytest.fixture(scope="module")
def network():
    return narrow_vgg.make()


@pytest.fixture(scope="module")
def model(network):
    return vgg19.torch.from_torch(network)


def images(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def distance(found, expected):
    found, expected = found.detach().double(), expected.detach().double()
    return float((found - expected).norm() / expected.norm())


def input_gradient(function, x, seed=2):
    """Of a scalar that depends on every value of the function's."""
    x = x.detach().clone().requires_grad_(True)
    y = function(x)
    (y * images(*y.shape, seed=seed).to(y.dtype)).sum().backward()
    return x.grad


def input_gradient_of_squares(function, x, reduce):
    x = x.detach().clone().requires_grad_(True)
    reduce(function(x).square()).backward()
    return x.grad


class TestFeatures:
    @pytest.mark.parametrize("k", NAMES)
    def test_are_those_of_the_slice(self, network, model, k):
        expected = network.features[:k]
        x = images(2, 3, 37, 48)
        for layers in (k, NAMES[k], f"features.{k - 1}"):
            features = vgg19.torch.Features(layers, model)
            assert distance(features(x), expected(x)) < TOLERANCE
            assert distance(input_gradient(features, x), input_gradient(expected, x)) < TOLERANCE

    def test_of_several_layers_are_a_dict(self, network, model):
        layers = ["relu1_2", 10, "relu5_4"]
        x = images(1, 3, 40, 33).requires_grad_(True)
        found = vgg19.torch.Features(layers, model)(x)
        assert list(found) == layers
        for layer, k in zip(layers, (4, 10, 36)):
            assert distance(found[layer], network.features[:k](x)) < TOLERANCE
        # Only one of them leads to the loss; then two.
        (gradient,) = torch.autograd.grad(found[10].square().sum(), x, retain_graph=True)
        (expected,) = torch.autograd.grad(network.features[:10](x).square().sum(), x)
        assert distance(gradient, expected) < TOLERANCE
        (gradient,) = torch.autograd.grad(found[10].square().sum() + found["relu5_4"].sum(), x)
        (expected,) = torch.autograd.grad(network.features[:10](x).square().sum() + network.features[:36](x).sum(), x)
        assert distance(gradient, expected) < TOLERANCE

    def test_of_one_layer_by_several_names(self, network, model):
        x = images(1, 3, 40, 33).requires_grad_(True)
        ks = {36: 36, "features.35": 36, "relu3_1": 12, "relu5_4": 36, 12: 12}
        features = vgg19.torch.Features(list(ks), model)
        for module in (features, pickle.loads(pickle.dumps(features))):
            found = module(x)
            assert list(found) == list(ks)
            for layer, k in ks.items():
                assert distance(found[layer], network.features[:k](x)) < TOLERANCE, layer
        gradient = input_gradient(lambda x: sum(map(torch.sum, features(x).values())).reshape(1), x)
        expected = input_gradient(lambda x: sum(network.features[:k](x).sum() for k in ks.values()).reshape(1), x)
        assert distance(gradient, expected) < TOLERANCE

    def test_of_negative_views(self, model):
        """Their memory holds other values."""
        features = vgg19.torch.Features("relu2_1", model)
        x = torch._neg_view(images(1, 3, 32, 32))
        assert x.is_neg() and torch.equal(features(x), features(x.resolve_neg()))
        leaf = x.resolve_neg().detach().requires_grad_(True)
        y = features(leaf)
        upstream = torch._neg_view(images(*y.shape))
        (found,) = torch.autograd.grad(y, leaf, upstream, retain_graph=True)
        (expected,) = torch.autograd.grad(y, leaf, upstream.resolve_neg())
        assert torch.equal(found, expected)
        session = vgg19.Session(model, size=32, outputs="relu1_1")
        with pytest.raises(vgg19.UsageError, match=r"input: .*is_neg\(\) is true.*resolve_neg"):
            session.run(x)
        with pytest.raises(vgg19.UsageError, match="relu1_1: .*resolve_neg"):
            session.run(x.resolve_neg(), out=torch._neg_view(torch.zeros(session.outputs[0].shape)))
        with pytest.raises(vgg19.UsageError, match="picture: .*resolve_neg"):
            session.preprocess(torch._neg_view(torch.zeros(32, 32, 3, dtype=torch.uint8)))

    def test_whatever_the_default_type_and_device_are(self, network, model):
        x = images(1, 3, 32, 32).sigmoid()

        def everything():
            features = vgg19.torch.Features([5, "relu2_2"], model, pixels=True)
            leaf = x.detach().requires_grad_(True)
            found = features(leaf)
            loss = found[5].sum() + found["relu2_2"].sum()
            return [*found.values(), *torch.autograd.grad(loss, leaf), *vgg19.torch.to_state_dict(model).values()]

        expected = everything()
        for default in (torch.float64, torch.float16, torch.bfloat16):
            torch.set_default_dtype(default)
            try:
                found = everything()
            finally:
                torch.set_default_dtype(torch.float32)
            assert all(map(torch.equal, found, expected)), default
        if hasattr(torch, "set_default_device"):  # from PyTorch 2.0 on
            with torch.device("meta"):
                found = everything()
            assert all(map(torch.equal, found, expected))

    def test_of_dense_layers(self, network, model):
        x = images(2, 3, 64, 50)
        features = vgg19.torch.Features("logits", network)
        assert distance(features(x), network(x)) < TOLERANCE
        assert distance(input_gradient(features, x), input_gradient(network, x)) < TOLERANCE
        probabilities = vgg19.torch.Features("probabilities", model)(x)
        assert distance(probabilities, network(x).softmax(1)) < TOLERANCE

    def test_take_pixels(self, network, model):
        features = vgg19.torch.Features(36, model, pixels=True)
        mean, deviation = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))

        def expected(pixels):
            return network.features[:36]((pixels - mean) / deviation)

        pixels = images(1, 3, 32, 32).sigmoid()
        assert distance(features(pixels), expected(pixels)) < TOLERANCE
        assert distance(input_gradient(features, pixels), input_gradient(expected, pixels)) < TOLERANCE

    def test_take_pixels_for_a_network_of_bgr(self, network):
        bgr = vgg19.torch.from_torch(network, channels="BGR", range=255, mean=(103.9, 116.8, 123.7), deviation=(1, 1, 1))
        pixels = images(1, 3, 32, 32).sigmoid()
        mean = torch.tensor([103.9, 116.8, 123.7]).view(3, 1, 1)
        expected = network.features[:36](pixels.flip(1) * 255 - mean)
        assert distance(vgg19.torch.Features(36, bgr, pixels=True)(pixels), expected) < TOLERANCE

    def test_with_average_pools(self, network, model):
        averaging = narrow_vgg.make(pool=torch.nn.AvgPool2d)
        x = images(1, 3, 48, 36)
        expected = averaging.features[:30]
        for features in (vgg19.torch.Features(30, averaging), vgg19.torch.Features(30, model, pooling="average")):
            assert distance(features(x), expected(x)) < TOLERANCE
            assert distance(input_gradient(features, x), input_gradient(expected, x)) < TOLERANCE

    def test_of_a_torchvision_network(self):
        """The one line of a loss that changes."""
        vgg = pytest.importorskip("torchvision.models.vgg")
        layers = vgg.make_layers(narrow_vgg.FEATURES).requires_grad_(False)
        for module in layers:
            if isinstance(module, torch.nn.Conv2d):
                torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        x = images(1, 3, 32, 32)
        features = vgg19.torch.Features(36, layers)
        assert distance(input_gradient(features, x), input_gradient(layers[:36], x)) < TOLERANCE
        truncated = vgg19.torch.Features(20, layers[:20])
        assert distance(truncated(x), layers[:20](x)) < TOLERANCE


class TestGradients:
    @pytest.mark.parametrize("layers", [2, 5, 19, ("relu2_1", "pool3")])
    def test_pass_gradcheck(self, model, layers):
        """Finite differences of float32 are rough: small steps are lost in rounding, large ones cross kinks."""
        features = vgg19.torch.Features(layers, model)

        def function(x):
            found = features(x)
            return found if torch.is_tensor(found) else tuple(found.values())

        x = images(1, 3, 16, 16, seed=5).double().requires_grad_(True)
        assert torch.autograd.gradcheck(function, x, eps=1e-3, atol=2e-2, rtol=2e-2, nondet_tol=0.0, fast_mode=True)

    def test_of_several_graphs_at_once(self, network, model):
        features, expected = vgg19.torch.Features(28, model), network.features[:28]

        def gradients(function):
            x, y, z = (images(*shape, seed=s).requires_grad_(True)
                       for s, shape in enumerate([(1, 3, 32, 40), (1, 3, 32, 40), (2, 3, 24, 50)]))
            # Two forwards of the same shape before a backward, and one of another between.
            first, third, second = function(x), function(z), function(y)
            with torch.no_grad():
                target = function(images(1, 3, 32, 40, seed=9))
            loss = (first - second).abs().mean() + (first - target).square().mean()
            loss.backward(retain_graph=True)
            third.square().mean().backward()
            loss.backward()  # again: twice the gradient
            return x.grad, y.grad, z.grad

        for found, wanted in zip(gradients(features), gradients(expected)):
            assert distance(found, wanted) < TOLERANCE

    def test_after_the_network_was_planned_anew(self, network, model):
        """For a much larger image, while a graph of a small one is alive."""
        features, expected = vgg19.torch.Features(28, model), network.features[:28]
        small, large = images(1, 3, 24, 24).requires_grad_(True), images(2, 3, 160, 160).requires_grad_(True)
        of_small, of_large = features(small), features(large)
        (of_small.square().sum() + of_large.square().mean()).backward()
        assert distance(small.grad, input_gradient_of_squares(expected, small, torch.sum)) < TOLERANCE
        assert distance(large.grad, input_gradient_of_squares(expected, large, torch.mean)) < 1e-3  # kinks

    def test_of_a_graph_that_is_gone(self, model):
        features = vgg19.torch.Features(10, model)
        x = images(1, 3, 16, 16).requires_grad_(True)
        loss = features(x).sum()
        loss.backward()
        with pytest.raises(RuntimeError, match="second time"):
            loss.backward()

    def test_need_neither_input_nor_output(self, network, model):
        features = vgg19.torch.Features(21, model)
        x = images(1, 3, 32, 32)
        base = x.clone().requires_grad_(True)
        moved = base * 1
        y = features(moved)
        loss = (y * images(*y.shape, seed=2)).sum()
        with torch.no_grad():
            moved.zero_()
            y.zero_()
        loss.backward()
        assert distance(base.grad, input_gradient(network.features[:21], x)) < TOLERANCE

    def test_are_not_computed_where_nobody_asks(self, model):
        features = vgg19.torch.Features(10, model)
        assert not features(images(1, 3, 16, 16)).requires_grad
        x = images(1, 3, 16, 16).requires_grad_(True)
        with torch.no_grad():
            assert not features(x).requires_grad
        with torch.inference_mode():
            features(images(1, 3, 16, 16))
        assert not features(x).detach().requires_grad

    @pytest.mark.parametrize("constant", [True, False])
    def test_have_no_gradient_of_their_own(self, model, constant):
        x = images(1, 3, 16, 16).requires_grad_(True)
        y = vgg19.torch.Features(10, model)(x)
        scalar = y.sum() if constant else y.square().sum()
        (gradient,) = torch.autograd.grad(scalar, x, create_graph=True)
        with pytest.raises(NotImplementedError, match="second derivative"):
            gradient.square().sum().backward()

    def test_with_checkpointing(self, network, model):
        from torch.utils.checkpoint import checkpoint
        features, expected = vgg19.torch.Features(28, model), network.features[:28]
        x = images(1, 3, 32, 32)
        assert distance(input_gradient(lambda x: checkpoint(features, x, use_reentrant=False), x),
                        input_gradient(expected, x)) < TOLERANCE

    def test_are_refused_for_int8(self, network, model, tmp_path):
        vgg19.torch.from_torch(network, tmp_path / "baseline")
        vgg19.quantize(tmp_path / "baseline", tmp_path / "int8", scope="dense")
        features = vgg19.torch.Features("logits", tmp_path / "int8")
        x = images(1, 3, 32, 32)
        assert distance(features(x), network(x)) < 0.1
        with pytest.raises(vgg19.Error, match="INT8|int8"):
            features(x.requires_grad_(True))
        features(x.detach())


class TestTensors:
    @pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
    def test_of_other_types_are_computed_in_float32(self, network, model, dtype):
        features = vgg19.torch.Features(28, model)
        x = images(1, 3, 32, 32).to(dtype)
        y = features(x)
        assert y.dtype == dtype
        assert distance(y, network.features[:28](x.float()).to(dtype)) < TOLERANCE
        gradient = input_gradient(features, x)
        assert gradient.dtype == dtype and gradient.shape == x.shape

    def test_of_other_strides(self, network, model):
        features, expected = vgg19.torch.Features(28, model), network.features[:28]
        x = images(2, 3, 40, 64)
        for strided in (x[:, :, 4:36, ::2], x.flip(1), x.transpose(2, 3), x.to(memory_format=torch.channels_last),
                        x[:1].expand(3, -1, -1, -1), x.as_strided((1, 3, 32, 32), (0, 1, 3, 96))):
            assert distance(features(strided), expected(strided)) < TOLERANCE
            y = strided.detach().requires_grad_(True)
            features(y).sum().backward()
            assert distance(y.grad, torch.autograd.grad(expected(z := strided.clone().requires_grad_(True)).sum(), z)[0]) < TOLERANCE

    def test_with_gradients_of_other_strides(self, network, model):
        features, expected = vgg19.torch.Features(10, model), network.features[:10]
        x = images(1, 3, 32, 32)
        for function in (lambda y: y.sum(), lambda y: y.transpose(2, 3)[..., ::2].square().sum(), lambda y: y.mean((2, 3)).norm()):
            found, wanted = (x.clone().requires_grad_(True) for _ in range(2))
            function(features(found)).backward()
            function(expected(wanted)).backward()
            assert distance(found.grad, wanted.grad) < TOLERANCE

    def test_of_one_image_and_of_none(self, network, model):
        features = vgg19.torch.Features(28, model)
        assert distance(features(images(3, 32, 40)), network.features[:28](images(3, 32, 40))) < TOLERANCE
        x = torch.zeros(0, 3, 32, 40, requires_grad=True)
        y = features(x)
        assert y.shape == network.features[:28](x).shape
        y.sum().backward()
        assert x.grad.shape == x.shape

    @pytest.mark.parametrize("wrong", [
        images(1, 4, 32, 32), images(32, 32), images(1, 1, 3, 32, 32), torch.zeros(1, 3, 32, 32, dtype=torch.uint8), [1, 2]])
    def test_of_wrong_shape_or_type_are_refused(self, model, wrong):
        with pytest.raises(vgg19.UsageError, match="images: expected a floating-point tensor"):
            vgg19.torch.Features(10, model)(wrong)

    def test_elsewhere_are_refused(self, model):
        with pytest.raises(vgg19.UsageError, match="on the CPU"):
            vgg19.torch.Features(10, model)(torch.empty(1, 3, 32, 32, device="meta"))

    def test_too_small_are_refused(self, model):
        features = vgg19.torch.Features(37, model)
        with pytest.raises(vgg19.UsageError):
            features(images(1, 3, 16, 16))
        features(images(1, 3, 32, 32))

    def test_that_are_not_finite_are_refused(self, model):
        features = vgg19.torch.Features(10, model)
        x = images(1, 3, 32, 32)
        x[0, 1, 2, 3] = float("nan")
        with pytest.raises(vgg19.BadInputError, match="finite"):
            features(x)
        y = features(images(1, 3, 32, 32).requires_grad_(True))
        with pytest.raises(vgg19.BadInputError, match="gradient"):
            (y * float("inf")).sum().backward()


class TestModule:
    def test_has_nothing_to_train_move_or_save(self, network, model):
        features = vgg19.torch.Features(28, model)
        x = images(1, 3, 32, 32)
        expected = features(x)
        assert not list(features.parameters()) and not list(features.buffers()) and not features.state_dict()
        for changed in (features.train(), features.eval(), features.half(), features.to("cpu"), features.double(),
                        features.requires_grad_(False)):
            assert torch.equal(changed(x), expected)
        features.load_state_dict({})

    def test_loads_the_weights_of_a_network(self, model):
        """As the checkpoint of a training has them that held torchvision's features."""
        other = narrow_vgg.make(seed=7)
        loss = torch.nn.ModuleDict({"vgg": vgg19.torch.Features(28, model), "head": torch.nn.Conv2d(16, 1, 1)})
        states = {f"vgg.{name}": value for name, value in other.features.state_dict().items()}
        states.update({f"head.{name}": value for name, value in loss["head"].state_dict().items()})
        loss.load_state_dict(states)
        x = images(1, 3, 32, 32)
        assert distance(loss["vgg"](x), other.features[:28](x)) < TOLERANCE
        with pytest.raises(RuntimeError, match="vgg"):
            loss.load_state_dict({**states, "vgg.0.weight": torch.zeros(5)})
        assert distance(loss["vgg"](x), other.features[:28](x)) < TOLERANCE

    @pytest.mark.parametrize("by", ["path", "bytes"])
    def test_is_copied_and_pickled(self, network, tmp_path, by):
        model = vgg19.torch.from_torch(network, tmp_path / "model" if by == "path" else None)
        features = vgg19.torch.Features(["relu2_1", 28], model, pixels=True)
        x = images(1, 3, 32, 32)
        expected = features(x)
        for copied in (copy.copy(features), copy.deepcopy(features), pickle.loads(pickle.dumps(features)),
                       pickle.loads(pickle.dumps(features, protocol=2))):
            found = copied(x.requires_grad_(True))
            assert all(torch.equal(found[name], expected[name]) for name in expected)
            found[28].sum().backward()

    def test_has_a_representation(self, model):
        assert "28" in repr(vgg19.torch.Features(28, model))

    def test_inside_torch_compile(self, network, model):
        if not hasattr(torch, "compile"):
            pytest.skip("this PyTorch has no compiler")
        features = vgg19.torch.Features(28, model)

        def loss(x):
            return (features(x * 2) - 1).abs().mean()

        compiled = torch.compile(loss, backend="eager")
        found, wanted = (images(1, 3, 32, 32).requires_grad_(True) for _ in range(2))
        compiled(found).backward()
        loss(wanted).backward()
        assert torch.equal(found.grad, wanted.grad)

    def test_inside_data_parallel(self, model):
        features = vgg19.torch.Features(28, model)
        x = images(4, 3, 32, 32)
        assert torch.equal(torch.nn.DataParallel(features)(x), features(x))

    def test_is_shared_by_threads(self, model):
        features = vgg19.torch.Features(28, model)
        alone = [input_gradient(features, images(1, 3, 96 + 8 * (i % 2), 96, seed=i)) for i in range(8)]
        found = [[] for _ in range(8)]

        def work(i):
            for _ in range(5):
                found[i].append(input_gradient(features, images(1, 3, 96 + 8 * (i % 2), 96, seed=i)))

        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for gradients, expected in zip(found, alone):
            assert len(gradients) == 5  # no thread's call was refused
            assert all(torch.equal(gradient, expected) for gradient in gradients)

    def test_in_the_child_of_a_fork(self, model):
        features = vgg19.torch.Features(28, model, threads=2)
        x = images(1, 3, 64, 64)
        expected = features(x)
        stop = threading.Event()

        def work():
            while not stop.is_set():
                features(x)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            for _ in range(5):  # some of these forks happen while the thread is in a call
                child = os.fork()
                if child == 0:
                    os._exit(0 if distance(features(x), expected) < TOLERANCE else 1)
                deadline = time.monotonic() + 60
                while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < deadline:
                    time.sleep(0.01)
                if ended == (0, 0):
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)
                assert ended == (child, 0)
        finally:
            stop.set()
            thread.join()

    def test_in_processes_that_are_spawned(self, model):
        x = images(2, 3, 32, 32)
        features = vgg19.torch.Features(28, model)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            assert distance(pool.apply(features, (x,)), features(x)) < TOLERANCE

    def test_uses_as_many_threads_as_pytorch(self, model):
        before = torch.get_num_threads()
        try:
            torch.set_num_threads(1)
            features = vgg19.torch.Features(28, model)
            features(images(1, 3, 32, 32))
            assert features._engine._session.threads == 1
        finally:
            torch.set_num_threads(before)


class TestLayersAndWeights:
    @pytest.mark.parametrize("layers", [0, -1, 38, "relu6_1", [], [5, "nonsense"]])
    def test_that_do_not_exist_are_refused_at_once(self, model, layers):
        with pytest.raises(vgg19.UsageError):
            vgg19.torch.Features(layers, model)

    @pytest.mark.parametrize("layers", [1.5, True, [None]])
    def test_that_are_no_layers_are_refused(self, model, layers):
        with pytest.raises(TypeError):
            vgg19.torch.Features(layers, model)

    def test_from_every_source(self, network, tmp_path):
        torch.save(network.state_dict(), tmp_path / "states.pth")
        torch.save(network, tmp_path / "network.pth")
        vgg19.torch.from_torch(network, tmp_path / "model.safetensors")
        x = images(1, 3, 32, 32)
        expected = vgg19.torch.Features(28, network)(x)
        for weights in (network.features, network.state_dict(), network.features.state_dict(), tmp_path / "states.pth",
                        str(tmp_path / "network.pth"), tmp_path / "model.safetensors",
                        vgg19.Model.open(tmp_path / "model.safetensors")):
            assert torch.equal(vgg19.torch.Features(28, weights)(x), expected)
        half = copy.deepcopy(network).half()
        assert 0 < distance(vgg19.torch.Features(28, half)(x), expected) < 2e-3

    def test_that_cannot_be_read(self, tmp_path):
        (tmp_path / "text.pth").write_text("weights")
        for wrong in (tmp_path / "text.pth", tmp_path / "missing.pth", {"a": torch.zeros(3)}, torch.nn.Linear(3, 3)):
            with pytest.raises(vgg19.BadInputError):
                vgg19.torch.Features(10, wrong)
        with pytest.raises(TypeError):
            vgg19.torch.from_torch([1, 2])

    def test_that_cannot_be_pickled(self):
        network = narrow_vgg.make()
        network.hook = lambda: None
        with pytest.raises(vgg19.UsageError, match="state_dict"):
            vgg19.torch.from_torch(network)
        vgg19.torch.from_torch(network.state_dict())

    def test_with_batch_norms(self):
        network = narrow_vgg.make(batch_norm=True)
        x = images(1, 3, 32, 32)
        features = vgg19.torch.Features("relu5_4", network)
        assert distance(features(x), network.features[:52](x)) < TOLERANCE
        with pytest.raises(vgg19.UsageError, match="batch norms"):
            vgg19.torch.Features(36, network)


class TestStateDict:
    def test_goes_back_to_the_network(self, network, model):
        states = vgg19.torch.to_state_dict(model)
        assert list(states) == list(network.state_dict())
        assert all(torch.equal(states[name], value) for name, value in network.state_dict().items())
        other = narrow_vgg.make(seed=3)
        other.load_state_dict(states)
        assert torch.equal(other(images(1, 3, 32, 32)), network(images(1, 3, 32, 32)))
        states["features.0.weight"].zero_()
        assert torch.equal(vgg19.torch.to_state_dict(model)["features.0.weight"], network.features[0].weight)

    def test_of_features_alone_and_of_a_file(self, network, tmp_path):
        vgg19.torch.from_torch(network, tmp_path / "features", features_only=True)
        states = vgg19.torch.to_state_dict(tmp_path / "features")
        assert all(torch.equal(states[f"features.{name}"], value) for name, value in network.features.state_dict().items())
        assert len(states) == len(network.features.state_dict())

    def test_of_a_network_with_batch_norms_computes_the_same(self):
        network = narrow_vgg.make(batch_norm=True)
        folded = narrow_vgg.make()
        folded.load_state_dict(vgg19.torch.to_state_dict(vgg19.torch.from_torch(network)))
        x = images(2, 3, 64, 64)
        assert distance(folded(x), network(x)) < TOLERANCE

    def test_of_a_pruned_network(self, network, tmp_path):
        vgg19.torch.from_torch(network, tmp_path / "baseline")
        vgg19.prune(tmp_path / "baseline", tmp_path / "pruned")
        states = vgg19.torch.to_state_dict(tmp_path / "pruned")
        widths = iter([states[name].shape[0] for name in states if name.startswith("features") and "weight" in name])
        pruned = narrow_vgg.make(widths=[width if width == "M" else next(widths) for width in narrow_vgg.FEATURES])
        pruned.load_state_dict(states)
        x = images(1, 3, 64, 64)
        assert distance(vgg19.torch.Features("logits", tmp_path / "pruned")(x), pruned(x)) < TOLERANCE

    @pytest.mark.parametrize(("dense", "least", "most"), [("int8", 1e-4, 0.01), ("int4", 0.01, 0.15)])
    def test_of_quantised_weights_is_multiplied_by_their_scales(self, network, model, dense, least, most):
        states = vgg19.torch.to_state_dict(vgg19.quantize(model, scope="dense", dense=dense).model)
        for name, value in network.state_dict().items():
            is_dense = name.startswith("classifier") and name.endswith("weight")
            assert (least < distance(states[name], value) < most) if is_dense else torch.equal(states[name], value)


class TestTraining:
    def test_has_the_curve_of_pytorch(self, network, model):
        """Twenty steps of a small super-resolution network with a perceptual loss.

        Gradients agree to 1e-6, but now and then rounding decides a ReLU or a maximum otherwise, which changes a
        gradient of so few values by 1e-3, and Adam's first steps depend on little more than its signs.
        """
        def curve(features):
            torch.manual_seed(0)
            generator = torch.nn.Sequential(
                torch.nn.Conv2d(3, 16, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(16, 12, 3, padding=1),
                torch.nn.PixelShuffle(2))
            optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3)
            losses = []
            for step in range(20):
                target = images(2, 3, 48, 48, seed=step)
                small = torch.nn.functional.avg_pool2d(target, 2)
                made = generator(small) + torch.nn.functional.interpolate(small, scale_factor=2.0)
                loss = torch.nn.functional.l1_loss(features(made), features(target)) + (made - target).abs().mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            return losses

        expected = curve(network.features[:28])
        found = curve(vgg19.torch.Features(28, model))
        assert expected[-1] < 0.9 * expected[0]
        assert found == pytest.approx(expected, rel=3e-3)


class TestDocumentation:
    @pytest.mark.parametrize("code", **documentation.cases("torch", "README.md", "docs/pytorch.md"))
    def test_pieces_run(self, tmp_path, pixels, code):
        network = narrow_vgg.make(classes=1000)
        torch.save(network, tmp_path / "network.pth")
        torch.save(network.state_dict(), tmp_path / "vgg19-dcbb9e9d.pth")
        (tmp_path / "photo.jpg").write_bytes(b"P6 128 96 255\n" + pixels.tobytes())
        (tmp_path / "narrow_vgg.py").write_text((documentation.ROOT / "python/tests/narrow_vgg.py").read_text())
        if "weights_only" in code and torch.__version__ < "2":
            code = code.replace(", weights_only=False", "")
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def test_has_pieces(self):
        assert len(documentation.pieces("docs/pytorch.md", "torch")) == 2

    def test_the_example_trains(self, network, tmp_path, folder_of_pictures):
        pytest.importorskip("PIL")
        vgg19.torch.from_torch(network, tmp_path / "model.safetensors")
        command = [sys.executable, documentation.ROOT / "examples" / "super_resolution.py", tmp_path / "model.safetensors",
                   folder_of_pictures, tmp_path / "out.pth", "30"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        losses = [float(line.split()[-1]) for line in done.stdout.splitlines()]
        assert len(losses) == 4 and losses[-1] < losses[0]
        assert len(torch.load(tmp_path / "out.pth")) == 6


def test_messages_of_from_torch_name_no_temporary_file():
    with pytest.raises(vgg19.BadInputError, match="^from_torch: expected a VGG's tensors") as raised:
        vgg19.torch.from_torch(torch.nn.Linear(3, 4))
    assert "weights.pth" not in str(raised.value)
