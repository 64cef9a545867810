#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "converter/import/testing/files.h"
#include "converter/import/testing/pickle_writer.h"
#include "converter/import/testing/refusal.h"
#include "engine/model/safetensors.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"
#include "kernels/common/testing/random.h"

namespace {

using namespace std::string_literals;  // for texts that contain zero bytes
using vgg19::converter::testing::legacy_file;
using vgg19::converter::testing::little_endian;
using vgg19::converter::testing::patched;
using vgg19::converter::testing::PickleWriter;
using vgg19::converter::testing::read_bytes;
using vgg19::converter::testing::refusal;
using vgg19::kernels::testing::Random;
using vgg19::model::DType;
using vgg19::model::Tensor;
using vgg19::testing::Containing;
using vgg19::testing::TemporaryFolder;

const std::filesystem::path testdata = VGG19_IMPORT_TESTDATA;

/// Imports a state dict with one tensor "w", written by `add`, over a storage "0" of 8 floats.
std::string tensor_refusal(const std::function<void(PickleWriter&)>& add) {
    PickleWriter writer;
    writer.raw("}").text("w");
    add(writer);
    return refusal(legacy_file(writer.raw("s").finished(), 8));
}
std::string view_refusal(std::int64_t offset, const std::vector<std::int64_t>& shape,
                         const std::vector<std::int64_t>& strides) {
    return tensor_refusal([&](PickleWriter& writer) { writer.tensor("0", 8, offset, shape, strides); });
}

TEST_CASE("tensors beyond their storage are refused") {
    CHECK(
        view_refusal(0, {9}, {1}) ==
        Containing(
            "tensor w: shape (9), strides (1) and offset 0 expect more than its storage, found 8 elements"));
    CHECK(view_refusal(1, {8}, {1}) == Containing("offset 1 expect more than its storage"));
    CHECK(view_refusal(8, {1}, {1}) == Containing("expect more than its storage"));
    CHECK(view_refusal(0, {2, 2}, {7, 1}) == Containing("expect more than its storage"));
    CHECK(view_refusal(0, {5}, {2}) == Containing("expect more than its storage"));
    CHECK(view_refusal(std::numeric_limits<std::int64_t>::max(), {2}, {1}) ==
          Containing("expect more than its storage"));
}

TEST_CASE("tensors with overflowing sizes are refused") {
    constexpr std::int64_t huge = std::int64_t{1} << 62;
    CHECK(view_refusal(0, {5}, {huge}) == Containing("expect more than its storage"));
    CHECK(view_refusal(0, {3, 3}, {huge, huge}) == Containing("expect more than its storage"));
    CHECK(view_refusal(0, {huge, 4, 4}, {0, 0, 0}) == Containing("expect more than its storage"));
}

TEST_CASE("tensors with invalid numbers are refused") {
    CHECK(view_refusal(-1, {2}, {1}) ==
          Containing("tensor w: storage offset: expected a non-negative number, found -1"));
    CHECK(view_refusal(0, {-2}, {1}) ==
          Containing("tensor w: shape: expected a non-negative number, found -2"));
    CHECK(view_refusal(0, {2}, {-1}) ==
          Containing("tensor w: strides: expected a non-negative number, found -1"));
    CHECK(view_refusal(0, {2}, {1, 1}) == Containing("tensor w: expected 1 strides, found 2"));
    CHECK(view_refusal(0, std::vector<std::int64_t>(9, 1), std::vector<std::int64_t>(9, 1)) ==
          Containing("tensor w: shape: expected a tuple of at most 8 integers, found a tuple of 9"));
    const auto with_shape = [](const std::string& shape) {
        return tensor_refusal([&](PickleWriter& writer) {
            writer.begin_tensor().storage("0", 8).integer(0).raw(shape).integers({1}).end_tensor();
        });
    };
    CHECK(with_shape("K\x02") == Containing("expected a tuple of at most 8 integers, found an integer"));
    CHECK(with_shape("N\x85") == Containing("tensor w: shape: expected an integer, found None"));
    CHECK(with_shape("\x8a\x09"s
                     "123456789\x85"s) == Containing("expected an integer, found an integer beyond 64 bits"));
}

TEST_CASE("persistent ids that are not storages are refused") {
    const auto with_storage = [](const std::string& id) {
        return tensor_refusal([&](PickleWriter& writer) {
            writer.storage("0", 8)
                .raw("0")
                .begin_tensor()
                .raw(id)
                .integer(0)
                .integers({1})
                .integers({1})
                .end_tensor();
        });
    };
    const std::string type = "ctorch\nFloatStorage\n";
    const std::string start = "(U\x07storage" + type +
                              "U\x01"
                              "0U\x03"
                              "cpu";
    CHECK(with_storage("N") == Containing("expected a storage, found None"));
    CHECK(with_storage("NQ") ==
          Containing("persistent id: expected ('storage', type, key, location, elements), found None of 0"));
    CHECK(with_storage("(NNNNNtQ") == Containing("persistent id: expected ('storage'"));
    CHECK(with_storage("(U\x07storageNU\x01"
                       "0NK\x08tQ") ==
          Containing("persistent id: expected a storage type and a text key, found None and a text"));
    CHECK(with_storage("(U\x07storage" + type + "K\x01NK\x08tQ") ==
          Containing("found the name torch.FloatStorage and an integer"));
    CHECK(with_storage(start + "NtQ") == Containing("storage size: expected an integer, found None"));
    CHECK(with_storage(start + "J\xff\xff\xff\xfftQ") ==
          Containing("storage size: expected a non-negative number, found -1"));
    CHECK(with_storage(start + "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7ftQ") ==
          Containing("storage size: found 9223372036854775807"));
    CHECK(with_storage(start + "K\x08K\x01tQ") ==
          Containing("expected a view (key, offset, elements), found an integer"));
    CHECK(with_storage(start + "K\x08(NK\x04K\x05ttQ") ==
          Containing("storage view: expected at most 8 elements, found 5 from element 4"));
    CHECK(with_storage(start + "K\x08(NK\x04K\x00ttQ"s) ==
          Containing("expect more than its storage, found 0 elements"));
    CHECK(with_storage(start + "K\x08tQ0" + start + "K\x07tQ") ==
          Containing("storage 0: expected 8 elements of float32 as before, found 7 of float32"));
}

TEST_CASE("tensors of types that no VGG has are reported") {
    const auto state_refusal = [](const PickleWriter& writer) {
        return refusal(legacy_file(writer.finished(), 8));
    };
    const PickleWriter with_storage = PickleWriter().storage("0", 8).raw("0");
    const char* none = "expected a VGG's tensors, such as features.0.weight; found 0 others";
    CHECK(state_refusal(PickleWriter(with_storage).raw("N")) == Containing(none));
    CHECK(state_refusal(PickleWriter(with_storage).raw("}").text("epoch").raw("K\x03s")) == Containing(none));
    CHECK(state_refusal(PickleWriter(with_storage).raw("}K\x03").tensor("0", 8, 0, {8}, {1}).raw("s")) ==
          Containing("found 1 others, such as 3"));
    CHECK(
        state_refusal(
            PickleWriter(with_storage).raw("}").text("conv1.weight").tensor("0", 8, 0, {8}, {1}).raw("s")) ==
        Containing("found 1 others, such as conv1.weight"));
    CHECK(state_refusal(PickleWriter(with_storage).raw("}").text("model").global("os", "system").raw("s")) ==
          Containing(none));
}

TEST_CASE("tensors built with a wrong number of arguments are refused") {
    const auto call_refusal = [](const std::string& function, const std::string& arguments) {
        return tensor_refusal([&](PickleWriter& writer) {
            writer.storage("0", 8).raw("0").global("torch._utils", function).raw(arguments).raw("R");
        });
    };
    CHECK(call_refusal("_rebuild_tensor", "NNN\x87") ==
          Containing("_rebuild_tensor: expected a tuple of 4 to 4 arguments, found 3"));
    CHECK(call_refusal("_rebuild_tensor_v2", ")") ==
          Containing("expected a tuple of 6 to 7 arguments, found 0"));
    CHECK(call_refusal("_rebuild_tensor_v3", "N") ==
          Containing("expected a tuple of 7 to 8 arguments, found 0"));
    CHECK(call_refusal("_rebuild_parameter", "]") ==
          Containing("expected a tuple of 1 to 3 arguments, found 0"));
}

// --- Tensors ---

/// A narrow VGG-11 in safetensors, to be modified.
struct NarrowVgg {
    Random random;
    vgg19::testing::RandomTensors made =
        vgg19::testing::random_tensors({{2, 0, 3, 0, 4, 2, 0, 3, 4, 0, 2, 3, 0}, {5, 6, 7}}, random);
    std::vector<Tensor>& tensors = made.tensors;

    std::vector<Tensor>::iterator at(const std::string& name) {
        return std::find_if(tensors.begin(), tensors.end(),
                            [&](const Tensor& tensor) { return tensor.name == name; });
    }
    std::vector<float>& values(const std::string& name) {
        return made.values[static_cast<std::size_t>(at(name) - tensors.begin())];
    }
    std::string content() const {
        const TemporaryFolder folder;
        vgg19::model::write_safetensors(folder / "weights", {}, tensors);
        return read_bytes(folder / "weights");
    }
};

TEST_CASE("missing, extra and mis-shaped tensors are listed together") {
    NarrowVgg vgg;
    vgg.at("features.6.bias")->name = "features.6.offset";
    vgg.at("features.0.weight")->shape = {2, 27};
    vgg.at("classifier.3.weight")->shape = {5, 6};
    const std::string message = refusal(vgg.content());
    CHECK(message == Containing("expected the tensors of a VGG-11, found 6 problems:"));
    CHECK(message == Containing("\n  features.6.bias: missing; expected (4)"));
    CHECK(message == Containing("\n  features.6.offset: not in a VGG-11; found (4)"));
    CHECK(message == Containing("\n  features.0.weight: expected (2, 3, 3, 3), found (2, 27)"));
    CHECK(message == Containing("\n  classifier.3.weight: expected (5, 5), found (5, 6)"));
    CHECK(message == Containing("\n  classifier.3.bias: expected (5), found (6)"));
    CHECK(message == Containing("\n  classifier.6.weight: expected (7, 5), found (7, 6)"));
}

TEST_CASE("a completely missing convolution is detected from the others") {
    NarrowVgg vgg;
    vgg.tensors.erase(vgg.at("features.8.weight"), vgg.at("features.11.weight"));
    const std::string message = refusal(vgg.content());
    CHECK(message == Containing("of a VGG-11, found"));
    CHECK(message == Containing("\n  features.8.weight: missing"));
    CHECK(message == Containing("\n  features.8.bias: missing"));
}

TEST_CASE("weights that are not floating-point are refused") {
    NarrowVgg vgg;
    vgg.at("classifier.0.bias")->dtype = DType::i32;
    CHECK(refusal(vgg.content()) ==
          Containing("classifier.0.bias: expected F64, F32, F16 or BF16, found I32"));
}

TEST_CASE("a tensor under two names is refused") {
    NarrowVgg vgg;
    vgg.at("classifier.3.bias")->name = "head.fc.bias";
    CHECK(refusal(vgg.content()) == Containing("expected once, found again (as classifier.6.bias)"));
}

TEST_CASE("widths beyond what a network may have are refused") {
    NarrowVgg vgg;
    const std::vector<float> many(70000);
    vgg.at("classifier.6.bias")->shape = {many.size()};
    vgg.at("classifier.6.bias")->bytes = std::as_bytes(std::span(many));
    vgg.tensors.erase(vgg.at("classifier.6.weight"));
    CHECK(refusal(vgg.content()) == Containing("found 70000"));
}

TEST_CASE("weights that are not finite are refused") {
    for (const float wrong :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        NarrowVgg vgg;
        vgg.values("features.3.weight")[4] = wrong;
        const std::string message = refusal(vgg.content());
        CHECK(message == Containing("features.3.weight: element 4: expected a finite number, found "));
    }
}

TEST_CASE("an invalid variance is refused") {
    std::string content = read_bytes(testdata / "bn_float64_legacy.pth");
    // The first variance in the file is that of features.1: |(sum of the name mod 61 − 30) / 32| + 1/2.
    std::size_t sum = 0;
    for (const char character : "features.1.running_var"s) sum += static_cast<unsigned char>(character);
    std::string found;
    for (const double variance : {std::abs((static_cast<double>(sum % 61) - 30) / 32) + 0.5, -1.0}) {
        const auto bits = std::bit_cast<std::uint64_t>(variance);
        if (found.empty()) {
            found = little_endian(bits, 8);
        } else {
            content = patched(content, content.find(found), little_endian(bits, 8));
        }
    }
    CHECK(refusal(content) == Containing("running_var: element 0: expected a variance, found -1"));
}

}  // namespace
