// Unusual trees, and the keys that identify facts.
#include "converter/import/checkpoint_tree.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "converter/import/fact_names.h"
#include "converter/import/script_code.h"
#include "converter/import/testing/pickle_writer.h"
#include "converter/import/torch_tensor.h"
#include "engine/testing/error_of.h"

namespace {

using namespace std::string_literals;  // for texts that contain zero bytes
using vgg19::ErrorKind;
using vgg19::converter::batch_norm_epsilons;
using vgg19::converter::ByteReader;
using vgg19::converter::CheckpointContents;
using vgg19::converter::last_called;
using vgg19::converter::Pickle;
using vgg19::converter::StorageBytes;
using vgg19::converter::testing::legacy_preamble;
using vgg19::converter::testing::little_endian;
using vgg19::converter::testing::PickleWriter;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

/// Provides a storage "0" of 8 floats.
CheckpointContents flattened(const std::string& content) {
    static const std::vector<float> storage(8, 0.5F);
    ByteReader reader(std::as_bytes(std::span(content)), "FILE", 0, content.size());
    return vgg19::converter::flatten(Pickle::read(reader),
                                     StorageBytes{{"0", std::as_bytes(std::span(storage))}});
}
CheckpointContents flattened(const PickleWriter& writer) {
    return flattened(writer.finished());
}
std::string error(const PickleWriter& writer) {
    return error_of(ErrorKind::bad_input, [&] { flattened(writer); });
}

std::vector<std::string> names(const CheckpointContents& contents) {
    std::vector<std::string> result;
    for (const auto& tensor : contents.tensors) result.push_back(tensor.name);
    return result;
}

PickleWriter& add_tensor(PickleWriter& writer) {
    return writer.tensor("0", 8, 0, {8}, {1});
}

TEST_CASE("tensors are found in unknown objects: in arguments, states, slots, items and pairs") {
    PickleWriter writer;
    writer.global("a.b", "Unknown").raw("(");
    add_tensor(writer).raw("tR(N}").text("slot");
    add_tensor(writer).raw("stb(");
    add_tensor(writer).raw("e(").text("key");
    add_tensor(writer).raw("u");
    CHECK(names(flattened(writer)) == std::vector<std::string>{"0", "slot", "key", "0"});
}

TEST_CASE("modules' own dicts are not in the path, but the containers around them are") {
    PickleWriter writer;
    writer.raw("}").text("net").global("m", "Net").raw(")\x81}(").text("training").raw("\x88");
    writer.text("_parameters").raw("}").text("weight");
    add_tensor(writer).raw("s").text("_modules").raw("}").text("0").global("m", "Layer").raw(")\x81}");
    writer.text("_buffers").raw("}").text("mean");
    add_tensor(writer).raw("ssbsubs");
    CHECK(names(flattened(writer)) == std::vector<std::string>{"net.weight", "net.0.mean"});
}

TEST_CASE("the stream format stores classes with their code") {
    PickleWriter writer;
    writer.raw("(").text("module").global("m", "BatchNorm2d").text("file").text("code").raw("tQ)\x81}(");
    writer.text("training").raw("\x88").text("eps").raw("G\x3f\x50\x62\x4d\xd2\xf1\xa9\xfc").text("w");
    add_tensor(writer).raw("ub");
    const CheckpointContents contents = flattened(writer);
    CHECK(names(contents) == std::vector<std::string>{"w"});
    REQUIRE(contents.facts.batch_norm_epsilons.size() == 1);
    CHECK(contents.facts.batch_norm_epsilons[0].value == 0.001);
}

TEST_CASE("an epsilon may be a NumPy number, or a text, since YAML reads 1e-3 as one") {
    PickleWriter writer;
    writer.raw("}").text("bn_eps").global("numpy.core.multiarray", "scalar").raw("(");
    writer.global("numpy", "dtype")
        .raw("(")
        .text("f8")
        .raw("\x89\x88tR")
        .global("_codecs", "encode")
        .raw("(");
    writer.text("\xc3\xbc\xc2\xa9\xc3\xb1\xc3\x92MbP?").text("latin1").raw("tRtRs");
    writer.text("norm_eps").text("2e-3").raw("s").text("batch_norm_eps").text("none").raw("s");
    const auto epsilons = flattened(writer).facts.batch_norm_epsilons;
    REQUIRE(epsilons.size() == 2);
    CHECK(epsilons[0].path == "bn_eps");
    CHECK(epsilons[0].value == 0.001);
    CHECK(epsilons[1].path == "norm_eps");
    CHECK(epsilons[1].value == 0.002);
}

TEST_CASE("Python 2 gave an OrderedDict its pairs in the call") {
    PickleWriter writer;
    writer.global("collections", "OrderedDict").raw("](](").text("a");
    add_tensor(writer).raw("e](").text("b").raw("Nee\x85R");
    CHECK(names(flattened(writer)) == std::vector<std::string>{"a"});
}

TEST_CASE("a tree that doubles at every level does not grow") {
    PickleWriter writer;
    add_tensor(writer).raw("q\x00"s);
    for (int i = 0; i < 100; ++i)
        writer.raw("h\x00\x86q\x00"s);  // a pair that holds the previous value twice
    const CheckpointContents contents = flattened(writer);
    CHECK(contents.tensors.size() <= 8);
    CHECK(!contents.tensors.empty());
    REQUIRE(contents.facts.skipped.size() == 1);
    CHECK(contents.facts.skipped[0] == Containing("tensors' containers that more than 4 paths lead to"));
}

TEST_CASE("an object shared by many others is visited only a few times") {
    PickleWriter writer;
    writer.raw("}q\x00("s);
    for (int i = 0; i < 20000; ++i) writer.integer(i).raw("N");
    writer.raw("u0](");
    for (int i = 0; i < 20000; ++i)
        writer.global("a", "b").raw(
            ")\x81h\x00"s
            "b"s);  // 4·10⁸ steps if every path were walked
    CHECK(flattened(writer.raw("e")).tensors.empty());
}

TEST_CASE("tensors too deep or at long paths are left out, and counted") {
    PickleWriter deep;
    add_tensor(deep);
    for (int i = 0; i < 200'000; ++i) deep.raw("\x85");
    CHECK(flattened(deep).facts.skipped ==
          std::vector<std::string>{"values that are nested deeper than 200: 1"});
    PickleWriter longer;
    longer.raw("}").text(std::string(2000, 'k'));
    add_tensor(longer).raw("s");
    CHECK(flattened(longer).tensors.empty());
    CHECK(flattened(longer).facts.skipped == std::vector<std::string>{"values at long paths: 1"});
}

TEST_CASE("tensors beyond a hundred thousand are left out, and counted") {
    PickleWriter writer;
    writer.text(std::string(1 << 20, 'p')).raw("0");  // so that the file's size explains them
    add_tensor(writer).raw(
        "q\x00"s
        "0]("s);
    for (int i = 0; i < 100'007; ++i) writer.raw("h\x00"s);
    const CheckpointContents contents = flattened(writer.raw("e"));
    CHECK(contents.tensors.size() == vgg19::converter::most_tensors);
    CHECK(contents.facts.skipped == std::vector<std::string>{"tensors beyond 100000: 7"});
}

TEST_CASE("tensors that a small file repeats very often are left out, and counted") {
    PickleWriter writer;
    add_tensor(writer).raw(
        "q\x00"s
        "0]("s);
    for (int i = 0; i < 90'000; ++i) writer.raw("h\x00"s);
    const CheckpointContents contents = flattened(writer.raw("e"));
    CHECK(contents.tensors.size() > 20'000);
    REQUIRE(contents.facts.skipped.size() == 1);
    CHECK(contents.facts.skipped[0] ==
          Containing("tensors that are repeated more often than the file's size explains: "));
}

TEST_CASE("class names that a small file repeats very often are left out, and counted") {
    PickleWriter writer;
    writer.raw("}")
        .text(std::string(1000, 'n'))
        .raw(
            "q\x00"
            "0("s);
    for (int i = 0; i < 4; ++i) {
        writer.text("classes" + std::string(static_cast<std::size_t>(i), '_')).raw("](");
        for (int j = 0; j < 1000; ++j) writer.raw("h\x00"s);
        writer.raw("e");
    }
    const CheckpointContents contents = flattened(writer.raw("u"));
    CHECK(contents.facts.class_names.size() == 1);
    const auto& skipped = contents.facts.skipped;
    CHECK(std::find(skipped.begin(), skipped.end(),
                    "lists of names that are repeated more often than the file's size explains: 3") !=
          skipped.end());
}

TEST_CASE("a few bytes cannot cause an allocation of terabytes") {
    constexpr std::int64_t most = vgg19::converter::most_repeated_elements;
    const auto expanded = [](std::vector<std::int64_t> shape) {
        return flattened(PickleWriter().tensor("0", 8, 0, shape, std::vector<std::int64_t>(shape.size(), 0)));
    };
    CHECK(expanded({most}).tensors.size() == 1);
    CHECK(expanded({most + 1}).tensors.empty());
    CHECK(expanded({1 << 30, 1 << 30}).tensors.empty());
    PickleWriter two;
    two.raw("(").tensor("0", 8, 0, {most}, {0}).tensor("0", 8, 0, {9}, {0}).tensor("0", 8, 0, {8}, {0});
    const CheckpointContents contents = flattened(two.raw("t"));
    CHECK(names(contents) == std::vector<std::string>{"0", "2"});
    REQUIRE(contents.facts.skipped.size() == 1);
    CHECK(contents.facts.skipped[0] == Containing("more than 268435456 elements of expanded tensors"));
}

TEST_CASE("a negated view is not read as its storage's values") {
    PickleWriter writer;
    writer.begin_tensor().storage("0", 8).integer(0).integers({8}).integers({1});
    writer.raw("\x89}}").text("neg").raw("\x88stR");
    const CheckpointContents contents = flattened(writer);
    CHECK(contents.tensors.empty());
    CHECK(contents.facts.skipped == std::vector<std::string>{"the file: 1 tensor (a negated view)"});
}

TEST_CASE("a list of a million losses is reported in one line") {
    std::string content = PickleWriter().raw("}").text("losses").raw("](").finished();
    content.pop_back();
    for (int i = 0; i < 1'000'000; ++i) content += "G\x3f\x50\x62\x4d\xd2\xf1\xa9\xfc";
    CHECK(flattened(content + "es.").facts.skipped ==
          std::vector<std::string>{"losses: 1000000 values in a list"});
}

TEST_CASE("of very many keys only the first hundred are reported") {
    PickleWriter writer;
    writer.raw("}(");
    for (int i = 0; i < 150; ++i) writer.integer(i).raw("N");
    const CheckpointContents contents = flattened(writer.raw("u"));
    REQUIRE(contents.facts.skipped.size() == 101);
    CHECK(contents.facts.skipped[99] == "99: None");
    CHECK(contents.facts.skipped[100] == "and 50 keys more: 50 values");
}

TEST_CASE("NumPy's arrays whose bytes do not fit are refused") {
    const auto array = [](const std::string& shape, const std::string& type, const std::string& data) {
        PickleWriter writer;
        writer.global("numpy.core.multiarray", "_reconstruct").raw(")R(K\x01" + shape);
        writer.global("numpy", "dtype").text(type).raw("\x89\x88\x87R").raw("\x89" + data + "tb");
        return writer;
    };
    CHECK(flattened(array("K\x02\x85", "f4",
                          "C\x08"s
                          "12345678"s))
              .tensors.size() == 1);
    const CheckpointContents python2 = flattened(array("K\x02\x85", "f4",
                                                       "U\x08"s
                                                       "12345678"s));
    CHECK(python2.tensors.size() == 1);
    CHECK(flattened(array("K\x02\x85", "U2",
                          "C\x08"s
                          "12345678"s))
              .facts.skipped == std::vector<std::string>{"the file: 1 tensor (NumPy's U2)"});
    CHECK(error(array("K\x03\x85", "f4",
                      "C\x08"s
                      "12345678"s)) == Containing("expected the bytes of shape (3) and type F32, found 8"));
    CHECK(error(array("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fK\x09\x86", "f8", "C\x00"s)) ==
          Containing("expected the bytes of shape (9223372036854775807, 9) and type F64, found 0"));
    CHECK(error(array("J\xff\xff\xff\xff\x85", "f4", "C\x00"s)) ==
          Containing("expected a non-negative number"));
    CHECK(flattened(array("K\x01\x85", "f4", "N")).facts.skipped ==
          std::vector<std::string>{"the file: 1 tensor (an array of NumPy with data that are None)"});
    CHECK(
        flattened(PickleWriter().global("numpy._core.multiarray", "_reconstruct").raw(")R")).tensors.empty());
}

TEST_CASE("nested files in pickles are refused if malformed") {
    const auto storage = [](const std::string& file) {
        PickleWriter writer;
        writer.begin_tensor().global("torch.storage", "_load_from_bytes").raw("B");
        writer.raw(little_endian(file.size(), 4)).raw(file).raw("\x85R").integer(0);
        return writer.integers({2}).integers({1}).end_tensor();
    };
    const std::string head = legacy_preamble() + PickleWriter().storage("s", 2).finished() +
                             PickleWriter().raw("]").text("s").raw("a").finished() + little_endian(2, 8);
    CHECK(flattened(storage(head + "12345678")).tensors.size() == 1);
    CHECK(error(storage(head + "1234567")) == Containing("FILE: storage of tensor : byte "));
    CHECK(error(storage("N.")) == Containing("expected PyTorch's magic number, found None"));
    CHECK(error(storage(legacy_preamble() + "N.].")) == Containing("expected a storage, found None"));
}

TEST_CASE("keys that mean class names, and keys that do not") {
    for (const char* key : {"classes", "class_names", "CLASSES", "classNames", "class_to_idx", "idx_to_class",
                            "id2label", "label-names", "categories", "names"}) {
        CAPTURE(key);
        CHECK(vgg19::converter::says_class_names(key));
    }
    for (const char* key : {"", "num_classes", "class_weights", "losses", "name"}) {
        CAPTURE(key);
        CHECK(!vgg19::converter::says_class_names(key));
    }
}

TEST_CASE("class names are a list of texts, or a map to all indices") {
    const auto classes = [](const std::string& value) {
        const CheckpointContents contents =
            flattened(PickleWriter().raw("}").text("classes").raw(value + "s"));
        return contents.facts.class_names.empty() ? std::vector<std::string>()
                                                  : contents.facts.class_names[0].names;
    };
    const std::vector<std::string> expected = {"a", "b"};
    CHECK(classes("U\x01"
                  "aU\x01"
                  "b\x86") == expected);
    CHECK(classes("](U\x01"
                  "aU\x01"
                  "be") == expected);
    CHECK(classes("}(U\x01"
                  "bK\x01U\x01"
                  "aK\x00u"s) == expected);
    CHECK(classes("}(K\x01U\x01"
                  "bK\x00U\x01"
                  "au"s) == expected);
    CHECK(classes("}(U\x01"
                  "1U\x01"
                  "bU\x01"
                  "0U\x01"
                  "au") == expected);
    CHECK(classes("}(U\x01"
                  "bK\x02U\x01"
                  "aK\x00u"s)
              .empty());
    CHECK(classes("}(U\x01"
                  "bK\x00U\x01"
                  "aK\x00u"s)
              .empty());
    CHECK(classes("](U\x01"
                  "aNe")
              .empty());
    CHECK(classes("]").empty());
    CHECK(classes("K\x0a").empty());
}

TEST_CASE("keys that mean a batch norm's epsilon, and keys that do not") {
    for (const char* path : {"bn_eps", "args.bn_eps", "batch_norm_epsilon", "norm_eps", "model.bnEps",
                             "norm_layer.2.eps", "cfg.bn_kwargs.eps", "BN.EPSILON"}) {
        CAPTURE(path);
        CHECK(vgg19::converter::says_batch_norm_epsilon(path));
    }
    for (const char* path :
         {"eps", "optimizer.eps", "optimizer.param_groups.0.eps", "adam_eps", "layer_norm_eps", "steps",
          "bn.steps", "optimizer.norm.eps", "group_norm_eps", "norm_layer"}) {
        CAPTURE(path);
        CHECK(!vgg19::converter::says_batch_norm_epsilon(path));
    }
}

TEST_CASE("what TorchScript's code calls last") {
    const auto called = [](const std::string& body) {
        return last_called("class A(Module):\n  def forward(self: __torch__.A,\n    x: Tensor) -> Tensor:\n" +
                               body + "class B(Module):\n  def forward(self: __torch__.B) -> Tensor:\n" +
                               "    return torch.tanh(x)\n",
                           "A");
    };
    CHECK(called("    net = self.net\n    return torch.relu((net).forward(x, ))\n") == "torch.relu");
    CHECK(
        called("    _0 = __torch__.torch.nn.functional.relu((net).forward(x, ), False, )\n    return _0\n") ==
        "__torch__.torch.nn.functional.relu");
    CHECK(called("    relu = self.act\n    return (relu).forward(x, )\n") == "self.act");
    CHECK(called("    return x\n").empty());
    CHECK(called("    return (x\n").empty());
    CHECK(called("").empty());
    CHECK(last_called("class A(Module):\n  def forward(", "A").empty());
    CHECK(last_called("", "").empty());
}

TEST_CASE("epsilons in TorchScript's code") {
    CHECK(batch_norm_epsilons("x = torch.batch_norm(f(a, [1, 2]), w, b, m, v, False, 0.1, 0.001, True)\n") ==
          std::vector<double>{0.001});
    CHECK(batch_norm_epsilons("torch.batch_norm(a, b, c, d, e, training, momentum, eps, True)").empty());
    CHECK(batch_norm_epsilons("torch.batch_norm(a, b").empty());
    CHECK(batch_norm_epsilons("class BatchNorm2d(Module):\n  eps : Final[float] = 1e-05\n") ==
          std::vector<double>{1e-5});
    CHECK(batch_norm_epsilons("class LayerNorm(Module):\n  eps : Final[float] = 1e-05\n").empty());
}

}  // namespace
