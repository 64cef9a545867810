// The graphs that are exported, and what convert reads back. tests/formats has other programs run them.
#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "converter/export/onnx_file.h"
#include "converter/export/plain_weights.h"
#include "converter/factorize/factorize.h"
#include "converter/import/formats/formats.h"
#include "converter/import/import.h"
#include "converter/onnx/onnx.pb.h"
#include "converter/quantize/calibration.h"
#include "converter/quantize/equalize.h"
#include "converter/quantize/quantize.h"
#include "converter/quantize/testing/pictures.h"
#include "converter/testing/random_model.h"
#include "engine/testing/error_of.h"

namespace vgg19::converter {
namespace {

using kernels::testing::Random;
using model::ModelFile;
using model::Network;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

Network network() {
    return Network::parse("6 M 9 M 17 16 M 20 18 M 24 20 M", "30 21 7", 2);
}

struct Fixture {
    Random random;
    vgg19::testing::TemporaryFolder folder;
    testing::RandomModel weights{network(), random};
    ModelFile model = weights.write_input_major(folder / "model");

    onnx::ModelProto exported(const ModelFile& from, const OnnxOptions& options = {}) const {
        export_onnx(from, folder / "exported.onnx", options);
        std::ifstream file(folder / "exported.onnx", std::ios::binary);
        onnx::ModelProto result;
        REQUIRE(result.ParseFromIstream(&file));
        return result;
    }
    ModelFile in_int8() {
        const testing::Pictures pictures(folder / "pictures.bin", random);
        const CalibrationImages images = pictures.images(4);
        const EqualizedModel equalized(model, measure_channels(model, images));
        write_full(equalized.file(), quantize_all(equalized.file(), calibrate(equalized.file(), images), {}),
                   "quantize --scope all", folder / "int8");
        return ModelFile::open(folder / "int8");
    }
};

/// "Conv features.0, Relu features.1, …"
std::string nodes_of(const onnx::ModelProto& model) {
    std::string text;
    for (const onnx::NodeProto& node : model.graph().node()) {
        text += (text.empty() ? "" : ", ") + node.op_type() + ' ' + node.output(0);
    }
    return text;
}

std::map<std::string, onnx::TensorProto> constants_of(const onnx::ModelProto& model) {
    std::map<std::string, onnx::TensorProto> constants;
    for (const onnx::TensorProto& tensor : model.graph().initializer()) constants[tensor.name()] = tensor;
    return constants;
}

std::vector<float> floats(const onnx::TensorProto& tensor) {
    REQUIRE(tensor.data_type() == onnx::TensorProto::FLOAT);
    const auto* const begin = reinterpret_cast<const float*>(tensor.raw_data().data());
    return {begin, begin + tensor.raw_data().size() / sizeof(float)};
}

TEST_CASE("a network's nodes have torchvision's names, and its output the name that is asked for") {
    const Fixture fixture;
    const onnx::ModelProto model = fixture.exported(fixture.model, {.input_size = 64});
    CHECK(nodes_of(model) ==
          "Conv features.0, Relu features.1, MaxPool features.2, Conv features.3, Relu features.4, MaxPool "
          "features.5, Conv features.6, Relu features.7, Conv features.8, Relu features.9, MaxPool "
          "features.10, Conv features.11, Relu features.12, Conv features.13, Relu features.14, MaxPool "
          "features.15, Conv features.16, Relu features.17, Conv features.18, Relu features.19, MaxPool "
          "features.20, Flatten flatten, Gemm classifier.0, Relu classifier.1, Gemm classifier.3, Relu "
          "classifier.4, Gemm logits");
    CHECK(model.graph().input(0).type().tensor_type().shape().dim(0).dim_param() == "batch");
    CHECK(model.graph().output(0).type().tensor_type().shape().dim(1).dim_value() == 7);
    const onnx::ModelProto features = fixture.exported(
        fixture.model, {.input_size = 32, .batch = 2, .outputs = {"features.4", "relu2_1", "conv1_1"}});
    CHECK(nodes_of(features) ==
          "Conv conv1_1, Relu features.1, MaxPool features.2, Conv features.3, Relu features.4, Identity "
          "relu2_1");
    const onnx::ValueInfoProto& map = features.graph().output(0);
    CHECK(map.name() == "features.4");
    const auto& shape = map.type().tensor_type().shape();
    CHECK(shape.dim(0).dim_value() == 2);
    CHECK(shape.dim(1).dim_value() == 9);
    CHECK(shape.dim(2).dim_value() == 16);
}

TEST_CASE("the average pool of maps of any size has the windows of PyTorch's") {
    const Fixture fixture;
    const auto last_pool = [&](MapSize size) {
        const std::string nodes = nodes_of(fixture.exported(fixture.model, {.input_size = size}));
        const std::size_t begin = nodes.find("MaxPool features.20, ") + 21;
        return nodes.substr(begin, nodes.find(", Flatten") - begin);
    };
    CHECK(last_pool({128, 192}) == "AveragePool avgpool");
    CHECK(last_pool({160, 32}) == "MatMul avgpool.narrow, MatMul avgpool");
    // Five rows become two, [0, 3) and [2, 5), and one column becomes two.
    const auto constants = constants_of(fixture.exported(fixture.model, {.input_size = MapSize(160, 32)}));
    const float third = 1.0F / 3;
    CHECK(floats(constants.at("avgpool.rows")) ==
          std::vector<float>{third, third, third, 0, 0, 0, 0, third, third, third});
    CHECK(floats(constants.at("avgpool.columns")) == std::vector<float>{1, 1});
}

TEST_CASE("FP32 and factored models come back through convert as they were") {
    const Fixture fixture;
    INFO(fixture.random.replay());
    factorize_model(fixture.model, {.layers = {"classifier.0", "classifier.6"}, .ranks = {11, 3}},
                    fixture.folder / "factored");
    for (const std::string name : {"model"}) {
        CAPTURE(name);
        const ModelFile model = ModelFile::open(fixture.folder / name);
        export_onnx(model, fixture.folder / "exported.onnx", {.input_size = 64});
        import_model(fixture.folder / "exported.onnx", fixture.folder / "back",
                     {.formats = foreign_formats()});
        const ModelFile back = ModelFile::open(fixture.folder / "back");
        REQUIRE(back.network() == model.network());
        for (const model::TensorShape& tensor : model.network().tensors()) {
            const auto plain = [&](const ModelFile& file) {
                std::string bytes;
                for (const model::TensorStream& stream : plain_weights(file)) {
                    if (stream.name != tensor.name) continue;
                    stream.write([&](std::span<const std::byte> part) { bytes += model::as_text(part); });
                }
                return bytes;
            };
            CAPTURE(tensor.name);
            CHECK(plain(back) == plain(model));
        }
    }
}

TEST_CASE("an INT8 convolution stands between its input's and its output's 8-bit steps") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const ModelFile int8 = fixture.in_int8();
    const onnx::ModelProto model = fixture.exported(int8, {.input_size = 64});
    const std::string nodes = nodes_of(model);
    // The pool takes the largest of four 8-bit numbers.
    CHECK(nodes.find("Relu features.4, QuantizeLinear features.4.quantized, DequantizeLinear "
                     "features.4.dequantized, MaxPool features.5, QuantizeLinear features.5.quantized, "
                     "DequantizeLinear features.5.dequantized, DequantizeLinear "
                     "features.6.weight.dequantized, DequantizeLinear features.6.bias.dequantized, Conv "
                     "features.6, Relu features.7, QuantizeLinear features.7.quantized, ") !=
          std::string::npos);
    // Dense layers read what the last convolution gives.
    CHECK(nodes.find("Conv features.18, Relu features.19, MaxPool features.20, Flatten flatten, ReduceMax "
                     "classifier.0.largest") != std::string::npos);
    const auto constants = constants_of(model);
    for (const auto& [name, tensor] : constants) {
        CAPTURE(name);
        if (name.ends_with(".weight") && name != "features.0.weight") {
            CHECK(tensor.data_type() == onnx::TensorProto::INT8);
            CHECK(tensor.raw_data() == model::as_text(int8.tensor(name).bytes));
        }
        if (name.ends_with("input_scale")) {
            CHECK(floats(tensor).front() == int8.tensor(name).as<float>().front());
            CHECK(tensor.dims_size() == 0);
        }
    }
    const float input_scale = int8.tensor("features.8.input_scale").as<float>().front();
    const std::vector<float> steps = floats(constants.at("features.8.bias_scale"));
    const auto* const bias =
        reinterpret_cast<const std::int32_t*>(constants.at("features.8.bias").raw_data().data());
    for (std::size_t o = 0; o < steps.size(); ++o) {
        CHECK(steps[o] == int8.tensor("features.8.weight_scale").as<float>()[o] * input_scale);
        CHECK(std::abs(static_cast<float>(bias[o]) * steps[o] -
                       int8.tensor("features.8.bias").as<float>()[o]) <= 0.51F * steps[o]);
    }
}

TEST_CASE("a map of a model in INT8 is multiplied by the factors of its channels") {
    Fixture fixture;
    const ModelFile int8 = fixture.in_int8();
    const onnx::ModelProto model = fixture.exported(int8, {.outputs = {"features.1"}});
    CHECK(nodes_of(model) == "Conv features.0, Relu features.1.as_stored, Mul features.1");
    const std::span<const float> factors = int8.output_factors("features.0");
    CHECK(floats(constants_of(model).at("features.1.factors")) ==
          std::vector<float>(factors.begin(), factors.end()));
    CHECK(nodes_of(fixture.exported(int8, {.outputs = {"features.1"}, .plain = true})) ==
          "Conv features.0, Relu features.1");
}

TEST_CASE("wrong outputs and sizes are refused") {
    Fixture fixture;
    const auto refusal = [&](const OnnxOptions& options) {
        return error_of(ErrorKind::usage,
                        [&] { export_onnx(fixture.model, fixture.folder / "none.onnx", options); });
    };
    CHECK(refusal({.input_size = 31}) == Containing("input size: expected "));
    CHECK(refusal({.outputs = {"relu9_9"}}) == Containing("\"relu9_9\": not in this model"));
    const testing::Pictures pictures(fixture.folder / "pictures.bin", fixture.random);
    write_full(fixture.model, quantize_all(fixture.model, calibrate(fixture.model, pictures.images(2)), {}),
               "quantize --scope all", fixture.folder / "older");
    CHECK(error_of(ErrorKind::usage,
                   [&] {
                       export_onnx(ModelFile::open(fixture.folder / "older"), fixture.folder / "none.onnx",
                                   {.outputs = {"relu2_1"}});
                   }) == Containing("output \"relu2_1\": " + (fixture.folder / "older").string() +
                                    " was quantised by an earlier version"));
    CHECK_FALSE(std::filesystem::exists(fixture.folder / "none.onnx"));
    CHECK(error_of(ErrorKind::usage, [&] { export_onnx(fixture.model, fixture.folder / "model"); }) ==
          Containing("expected another file to write, found the input"));
}

}  // namespace
}  // namespace vgg19::converter
