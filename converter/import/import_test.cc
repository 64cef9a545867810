#include "converter/import/import.h"

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "converter/import/batch_norm.h"
#include "converter/import/stored_tensor.h"
#include "converter/import/testing/files.h"
#include "converter/import/testing/fixture_values.h"
#include "converter/quantize/quantize.h"
#include "engine/model/model_file.h"
#include "engine/model/sha256.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"

namespace {

using vgg19::ErrorKind;
using vgg19::converter::CheckpointFacts;
using vgg19::converter::find_batch_norm_epsilon;
using vgg19::converter::import_model;
using vgg19::converter::ImportOptions;
using vgg19::converter::ImportReport;
using vgg19::converter::StoredTensor;
using vgg19::converter::VggTensors;
using vgg19::converter::testing::fixture_value;
using vgg19::converter::testing::read_bytes;
using vgg19::converter::testing::write_bytes;
using vgg19::model::ConvolutionLayer;
using vgg19::model::dense_weight;
using vgg19::model::DenseLayer;
using vgg19::model::DenseOrder;
using vgg19::model::DType;
using vgg19::model::ModelFile;
using vgg19::model::Network;
using vgg19::testing::Containing;
using vgg19::testing::error_of;
using vgg19::testing::TemporaryFolder;

using Names = std::vector<std::string>;

const std::filesystem::path testdata = VGG19_IMPORT_TESTDATA;

/// The networks in testdata/make.py.
Network narrow(int depth) {
    switch (depth) {
        case 11:
            return {{2, 0, 3, 0, 4, 2, 0, 3, 4, 0, 2, 3, 0}, {5, 6, 7}};
        case 13:
            return {{2, 3, 0, 4, 2, 0, 3, 4, 0, 2, 3, 0, 4, 2, 0}, {5, 6, 7}};
        case 16:
            return {{2, 3, 0, 4, 2, 0, 3, 4, 2, 0, 3, 4, 2, 0, 3, 4, 2, 0}, {5, 6, 7}};
        default:
            return {{2, 3, 0, 4, 2, 0, 3, 4, 2, 3, 0, 4, 2, 3, 4, 0, 2, 3, 4, 2, 0}, {5, 6, 7}};
    }
}

std::vector<float> expected_values(const std::string& tensor, std::size_t count) {
    std::vector<float> values;
    for (std::size_t i = 0; i < count; ++i) values.push_back(static_cast<float>(fixture_value(tensor, i)));
    return values;
}

void check_values(const ModelFile& model, const std::string& tensor, const std::vector<float>& expected) {
    CAPTURE(tensor);
    const std::span<const float> found = model.tensor(tensor).as<float>();
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        CHECK(found[i] == expected[i]);
    }
}

void check_plain(const ModelFile& model, const vgg19::model::TensorShape& tensor) {
    std::size_t count = 1;
    for (const std::size_t size : tensor.shape) count *= size;
    check_values(model, tensor.name, expected_values(tensor.name, count));
}

/// Checks a dense layer's weights, in its order.
void check_dense(const ModelFile& model, const DenseLayer& layer, DenseOrder order) {
    REQUIRE(model.order(layer) == order);
    if (order == DenseOrder::output_major) return check_plain(model, dense_weight(layer, order));
    std::vector<float> expected;
    for (std::size_t i = 0; i < layer.inputs; ++i) {
        for (std::size_t o = 0; o < layer.outputs; ++o) {
            expected.push_back(
                static_cast<float>(fixture_value(layer.name + ".weight", o * layer.inputs + i)));
        }
    }
    check_values(model, dense_weight(layer, order).name, expected);
}

void check_all(const ModelFile& model, DenseOrder order) {
    for (const auto& tensor : model.network().tensors()) {
        const bool dense_weight = tensor.name.starts_with("classifier") && tensor.shape.size() == 2;
        if (!dense_weight) check_plain(model, tensor);
    }
    for (const DenseLayer& layer : model.network().dense_layers()) check_dense(model, layer, order);
}

TEST_CASE("every container, type, layout and naming gives the same tensors") {
    const std::map<std::string, int> depths = {
        {"zip.pth", 11},
        {"zip64.pth", 11},
        {"legacy.pth", 11},
        {"legacy_views.pth", 11},
        {"plain.safetensors", 11},
        {"vgg19_zip.pth", 19},
        {"checkpoint_float16.pth", 16},
        {"checkpoint_float16_legacy.pth", 16},
        {"model_bfloat16.pth", 13},
        {"parameters_float64.pth", 11},
        {"views.pth", 11},
        {"views_legacy.pth", 11},
        {"timm.pth", 11},
    };
    const TemporaryFolder folder;
    for (const auto& entry : depths) {
        const auto& file = entry.first;
        const int depth = entry.second;
        CAPTURE(file);
        import_model(testdata / file, folder / "output-major", {.dense_order = DenseOrder::output_major});
        check_all(ModelFile::open(folder / "output-major"), DenseOrder::output_major);
        import_model(testdata / file, folder / "model");
        const ModelFile model = ModelFile::open(folder / "model");
        CHECK(model.network() == narrow(depth));
        check_all(model, DenseOrder::input_major);
        CHECK(model.description().variant == "baseline");
        CHECK(model.description().lineage == std::vector<std::string>{"convert " + file});
        const std::string content = read_bytes(testdata / file);
        CHECK(model.description().source_sha256 ==
              vgg19::model::sha256_hex(std::as_bytes(std::span(content))));
    }
}

/// Checks the formula in batch_norm.h for the convolution that is `features.INDEX` in the file.
void check_folded(const ModelFile& model, const ConvolutionLayer& layer, std::size_t index) {
    const std::string convolution = "features." + std::to_string(index);
    const std::string norm = "features." + std::to_string(index + 1);
    const std::size_t filter = layer.input_channels * 9;
    std::vector<float> weight;
    std::vector<float> bias;
    for (std::size_t o = 0; o < layer.output_channels; ++o) {
        const double scale =
            fixture_value(norm + ".weight", o) / std::sqrt(fixture_value(norm + ".running_var", o) + 1e-5);
        for (std::size_t i = 0; i < filter; ++i) {
            weight.push_back(
                static_cast<float>(fixture_value(convolution + ".weight", o * filter + i) * scale));
        }
        const double centred =
            fixture_value(convolution + ".bias", o) - fixture_value(norm + ".running_mean", o);
        bias.push_back(static_cast<float>(centred * scale + fixture_value(norm + ".bias", o)));
    }
    check_values(model, layer.name + ".weight", weight);
    check_values(model, layer.name + ".bias", bias);
}

TEST_CASE("batch norm is folded into the convolutions, which get plain VGG's names") {
    const std::map<std::string, int> depths = {{"bn_module.pth", 13}, {"bn_float64_legacy.pth", 11}};
    const TemporaryFolder folder;
    for (const auto& entry : depths) {
        const auto& file = entry.first;
        const int depth = entry.second;
        CAPTURE(file);
        import_model(testdata / file, folder / "model");
        const ModelFile model = ModelFile::open(folder / "model");
        CHECK(model.network() == narrow(depth));
        for (std::size_t k = 0; k < model.network().convolutions().size(); ++k) {
            const ConvolutionLayer& layer = model.network().convolutions()[k];
            check_folded(model, layer, layer.features_index + k);
        }
        for (const DenseLayer& layer : model.network().dense_layers()) {
            check_dense(model, layer, DenseOrder::input_major);
            check_plain(model, {vgg19::model::bias_name(layer.name), {layer.outputs}});
        }
        CHECK(model.description().lineage ==
              std::vector<std::string>{"convert " + file + " (batch norm folded, epsilon 1e-05)"});
    }
}

TEST_CASE("a classifier that was not read is no reason to take a model of features alone") {
    vgg19::kernels::testing::Random random;
    const TemporaryFolder folder;
    const auto parts = vgg19::testing::random_tensors(Network(narrow(11).features(), {}), random);
    std::vector<vgg19::model::Tensor> tensors = parts.tensors;
    const auto import_of = [&] {
        vgg19::model::write_safetensors(folder / "weights", {}, tensors);
        std::string bytes = read_bytes(folder / "weights");
        const std::size_t type = bytes.find(R"("I16")");
        if (type != std::string::npos) bytes.replace(type, 5, R"("U16")");  // a type that is not read
        write_bytes(folder / "weights", bytes);
        return import_model(folder / "weights", folder / "model");
    };
    CHECK(import_of().dense == "none");
    std::filesystem::remove(folder / "model");

    const std::array<std::byte, 12> weights{};
    tensors.push_back(
        {.name = "classifier.0.weight", .dtype = DType::i16, .shape = {2, 3}, .bytes = weights});
    const std::string message = error_of(ErrorKind::bad_input, import_of);
    CHECK(message == Containing("found no dense layers, but tensors that may be theirs"));
    CHECK(message == Containing("\nnot read: tensors of type U16: 1; save dense float32 tensors"));
    CHECK_FALSE(std::filesystem::exists(folder / "model"));
}

TEST_CASE("a zip file needs no zip64 records, and may end with a comment") {
    std::string content = read_bytes(testdata / "zip.pth");
    const std::size_t locator = content.size() - 42;
    REQUIRE(content.substr(locator, 4) == "PK\x06\x07");
    content[locator] = 'X';
    content[content.size() - 2] = 3;
    const TemporaryFolder folder;
    write_bytes(folder / "weights", content + "end");
    import_model(folder / "weights", folder / "model");
    CHECK(ModelFile::open(folder / "model").network() == narrow(11));
}

TEST_CASE("a vgg19 model stays the same, with its dense weights in the requested order") {
    const TemporaryFolder folder;
    import_model(testdata / "zip.pth", folder / "first");
    import_model(folder / "first", folder / "second", {.dense_order = DenseOrder::output_major});
    import_model(folder / "second", folder / "third");
    const ModelFile second = ModelFile::open(folder / "second");
    check_all(second, DenseOrder::output_major);
    const ModelFile third = ModelFile::open(folder / "third");
    check_all(third, DenseOrder::input_major);
    third.verify_checksums();
    CHECK(third.description().source_sha256 == ModelFile::open(folder / "first").description().source_sha256);
    CHECK(third.description().lineage == std::vector<std::string>{"convert zip.pth",
                                                                  "convert --dense-order output",
                                                                  "convert --dense-order input"});
}

TEST_CASE("INT8 dense weights stay as they are when a model is converted again") {
    const TemporaryFolder folder;
    import_model(testdata / "zip.pth", folder / "model");
    vgg19::converter::quantize_dense(ModelFile::open(folder / "model"), folder / "int8");
    import_model(folder / "int8", folder / "again");
    const ModelFile before = ModelFile::open(folder / "int8");
    const ModelFile after = ModelFile::open(folder / "again");
    CHECK(after.description().variant == "int8");
    for (const auto& tensor : before.file().tensors()) {
        const auto bytes = after.tensor(tensor.name).bytes;
        CHECK(std::equal(bytes.begin(), bytes.end(), tensor.bytes.begin(), tensor.bytes.end()));
    }
}

TEST_CASE("class names come from a file, or from the checkpoint if it has one list of them") {
    const TemporaryFolder folder;
    const Names names = {"ant", "bee", "cat", "dog", "eel", "fox", "gnu"};
    const auto names_after = [&](const char* file, const ImportOptions& options) {
        const ImportReport report = import_model(testdata / file, folder / "model", options);
        return std::pair(ModelFile::open(folder / "model").description().class_names, report.notes);
    };
    CHECK(names_after("zip.pth", {}) == std::pair(Names{}, Names{}));
    CHECK(names_after("class_names.pth", {}) ==
          std::pair(names, Names{"names of the classes taken from class_to_idx"}));
    const auto [none, notes] = names_after("two_class_names.pth", {});
    CHECK(none.empty());
    REQUIRE(notes.size() == 1);
    CHECK(notes[0] == Containing("none of the lists is used; give the names with --classes FILE"));
    write_bytes(folder / "names.txt", "a\nb\nc\nd\ne\nf\ng\n");
    const Names others = {"a", "b", "c", "d", "e", "f", "g"};
    CHECK(names_after("class_names.pth", {.classes = folder / "names.txt"}).first == others);
    CHECK(ModelFile::open(folder / "model").description().lineage ==
          Names{"convert class_names.pth --classes names.txt"});
    write_bytes(folder / "names.txt", "a\nb\n");
    CHECK(error_of(ErrorKind::bad_input, [&] {
              names_after("zip.pth", {.classes = folder / "names.txt"});
          }) == Containing("expected a name for each of the model's 7 classes, found 2"));
}

TEST_CASE("preprocessing depends on the head and on the options") {
    const TemporaryFolder folder;
    const auto after = [&](const std::filesystem::path& file, const ImportOptions& options) {
        import_model(file, folder / "model", options);
        return ModelFile::open(folder / "model").description().preprocessing;
    };
    CHECK(after(testdata / "zip.pth", {}).input_size == 224);
    CHECK(after(testdata / "zip.pth", {}).resize_ratio == doctest::Approx(256.0 / 224));
    CHECK(after(testdata / "zip.pth", {.input_size = 64}).resize_ratio == 1);
    CHECK(after(testdata / "zip.pth", {.input_size = 96}).resize_ratio == doctest::Approx(256.0 / 224));
    const std::array<float, 3> mean = {0.5F, 0.25F, 0.125F};
    const std::array<float, 3> deviation = {0.75F, 0.5F, 1};
    const auto own = after(testdata / "zip.pth", {.mean = mean, .deviation = deviation});
    CHECK(own.mean == mean);
    CHECK(own.deviation == deviation);
    CHECK(ModelFile::open(folder / "model").description().lineage ==
          Names{"convert zip.pth --mean 0.5,0.25,0.125 --std 0.75,0.5,1"});
    // A head that reads 2×2 pixels.
    vgg19::kernels::testing::Random random;
    const auto made =
        vgg19::testing::random_tensors(Network::parse("2 M 3 M 2 2 M 2 2 M 2 2 M", "6 7", 2), random);
    vgg19::model::write_safetensors(folder / "weights", {}, made.tensors);
    CHECK(after(folder / "weights", {}).input_size == 64);
    CHECK(after(folder / "weights", {}).resize_ratio == 1);
    CHECK(after(folder / "weights", {.input_size = 224}).input_size == 224);
    const ImportReport report = import_model(folder / "weights", folder / "model");
    REQUIRE(report.notes.size() == 2);
    CHECK(report.notes[0] == Containing("2×2 pixels: input size 64 is assumed; use --size N"));
    CHECK(report.dense == "classifier.0, classifier.3: 8 → 6 → 7");
}

TEST_CASE("a vgg19 model can get class names and preprocessing, and keeps the order of its weights") {
    const TemporaryFolder folder;
    import_model(testdata / "zip.pth", folder / "first", {.dense_order = DenseOrder::output_major});
    write_bytes(folder / "names.txt", "a\nb\nc\nd\ne\nf\ng\n");
    const ImportReport report = import_model(folder / "first", folder / "second",
                                             {.classes = folder / "names.txt", .input_size = 96});
    CHECK(report.is_model);
    const ModelFile second = ModelFile::open(folder / "second");
    check_all(second, DenseOrder::output_major);
    CHECK(second.description().class_names[6] == "g");
    CHECK(second.description().preprocessing.input_size == 96);
    CHECK(second.description().lineage.back() == "convert --classes names.txt --size 96");
    import_model(folder / "second", folder / "third");
    check_all(ModelFile::open(folder / "third"), DenseOrder::input_major);
    CHECK(ModelFile::open(folder / "third").description().class_names[6] == "g");
    for (const ImportOptions& options :
         {ImportOptions{.key = "model"}, ImportOptions{.batch_norm_epsilon = 1e-3}}) {
        CHECK(error_of(ErrorKind::usage, [&] { import_model(folder / "first", folder / "none", options); }) ==
              Containing("expected no --key and no --batch-norm-epsilon"));
    }
}

TEST_CASE("if the file has another epsilon, the option is required; the lineage has the one used") {
    const TemporaryFolder folder;
    const auto lineage = [&](double epsilon) {
        import_model(testdata / "norm_epsilon.pth", folder / "model", {.batch_norm_epsilon = epsilon});
        return ModelFile::open(folder / "model").description().lineage.back();
    };
    CHECK(error_of(ErrorKind::bad_input, [&] { lineage(0); }) ==
          Containing(
              "batch norm's epsilon: found 0.001 under hyper_parameters.bn_eps, where 1e-05 is PyTorch's "
              "default; choose one: --batch-norm-epsilon 0.001 or --batch-norm-epsilon 1e-05"));
    CHECK(lineage(1e-3) == "convert norm_epsilon.pth (batch norm folded, epsilon 0.001)");
    CHECK(lineage(1e-5) == "convert norm_epsilon.pth (batch norm folded, epsilon 1e-05)");
}

TEST_CASE("the epsilon of the batch norms themselves is used, and others are compared with it") {
    VggTensors vgg{.network = narrow(11)};
    vgg.norm_paths = {"net.features.1", "net.features.4"};
    using Said = std::vector<CheckpointFacts::Epsilon>;
    const auto found = [&](const Said& said, double wanted = 0) {
        return find_batch_norm_epsilon(vgg, said, wanted, "file");
    };
    const auto problem = [&](const Said& said, double wanted = 0) {
        return error_of(ErrorKind::bad_input, [&] { found(said, wanted); });
    };
    CHECK(found({}) == 1e-5);
    CHECK(found({}, 1e-3) == 1e-3);
    CHECK(found({{"net.features.1", 1e-3}, {"net.features.4", 1e-3}}) == 1e-3);
    CHECK(found({{"net.features.1", 1e-3}, {"other.features.1", 1e-3}}) == 1e-3);
    CHECK(found({{"args.bn_eps", static_cast<double>(1e-5F)}}) == 1e-5);
    CHECK(found({{"code/__torch__/torch/nn/modules/batchnorm.py", 1e-3}}) == 1e-3);
    CHECK(
        problem({{"net.features.1", 1e-3}, {"net.features.4", 1e-5}}) ==
        Containing(
            "expected one for all layers, found 0.001 under net.features.1 and 1e-05 under net.features.4"));
    CHECK(problem({{"net.features.1", 1e-3}}, 1e-5) ==
          Containing(
              "expected 0.001 under net.features.1, as the model has it, found --batch-norm-epsilon 1e-05"));
    CHECK(problem({{"net.features.1", 1e-3}, {"args.bn_eps", 1e-5}}) ==
          Containing("found 1e-05 under args.bn_eps, where 0.001 is the model's own"));
    CHECK(problem({{"args.bn_eps", 1e-4}}) ==
          Containing("--batch-norm-epsilon 1e-04 or --batch-norm-epsilon 1e-05"));
}

TEST_CASE("progress ends when everything is written") {
    const TemporaryFolder folder;
    std::uint64_t last = 0;
    std::uint64_t all = 1;
    import_model(testdata / "zip.pth", folder / "model", {}, [&](std::uint64_t done, std::uint64_t total) {
        last = done;
        all = total;
    });
    CHECK(last == all);
    CHECK(last == std::filesystem::file_size(folder / "model"));
}

TEST_CASE("the source is never the destination") {
    const TemporaryFolder folder;
    const std::string content = read_bytes(testdata / "zip.pth");
    write_bytes(folder / "model.pth", content);
    const auto into_itself = [&] { import_model(folder / "model.pth", folder.path() / "." / "model.pth"); };
    CHECK(error_of(ErrorKind::usage, into_itself) == Containing("model.pth"));
    CHECK(read_bytes(folder / "model.pth") == content);
}

TEST_CASE("an output that cannot be written is a separate kind of error") {
    const TemporaryFolder folder;
    const auto into_nowhere = [&] { import_model(testdata / "zip.pth", folder / "none/model"); };
    CHECK(error_of(ErrorKind::failed, into_nowhere) == Containing("none/model"));
}

/// What read_values returns for a file with elements of `dtype`.
template <class T>
std::vector<T> values_of_file(const std::string& content, DType dtype, const std::vector<std::size_t>& shape,
                              const std::vector<std::size_t>& strides) {
    const TemporaryFolder folder;
    write_bytes(folder / "values", content);
    const vgg19::model::MappedFile file(folder / "values");
    const StoredTensor tensor{
        .name = "values", .dtype = dtype, .shape = shape, .strides = strides, .bytes = file.bytes()};
    std::vector<T> values(tensor.elements());
    vgg19::converter::read_values<T>(tensor, file, values);
    return values;
}

/// IEEE 754's definition of binary16.
double half_value(std::uint32_t bits) {
    const int exponent = static_cast<int>(bits >> 10U & 31U);
    const double fraction = static_cast<double>(bits & 1023U) / 1024;
    const double sign = (bits & 0x8000U) != 0 ? -1 : 1;
    if (exponent == 31) {
        return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                             : std::numeric_limits<double>::quiet_NaN();
    }
    return sign * (exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15));
}

TEST_CASE("every float16 and bfloat16 is converted exactly") {
    std::string all;
    for (unsigned bits = 0; bits < 65536; ++bits) {
        all += static_cast<char>(bits & 0xffU);
        all += static_cast<char>(bits >> 8U);
    }
    const std::vector<float> halves = values_of_file<float>(all, DType::f16, {65536}, {1});
    const std::vector<float> bfloats = values_of_file<float>(all, DType::bf16, {65536}, {1});
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
        const auto expected = static_cast<float>(half_value(bits));
        const bool same = std::isnan(expected) ? std::isnan(halves[bits])
                                               : std::bit_cast<std::uint32_t>(halves[bits]) ==
                                                     std::bit_cast<std::uint32_t>(expected);
        if (!same) FAIL_CHECK("float16 " << bits << ": expected " << expected << ", found " << halves[bits]);
        if (std::bit_cast<std::uint32_t>(bfloats[bits]) != bits << 16U) FAIL_CHECK("bfloat16 " << bits);
    }
}

TEST_CASE("values are read across the boundary of two pieces, and with any strides") {
    constexpr std::size_t count = (std::size_t{1} << 20U) + 3;
    std::string content(count * sizeof(double), '\0');
    for (std::size_t i = 0; i < count; ++i) {
        const auto element = static_cast<double>(i);
        std::memcpy(content.data() + i * sizeof(double), &element, sizeof element);
    }
    const std::vector<float> all = values_of_file<float>(content, DType::f64, {count}, {1});
    for (std::size_t i = 0; i < count; ++i) {
        if (all[i] != static_cast<float>(i)) FAIL_CHECK("element " << i << " is " << all[i]);
    }
    const std::vector<double> some = values_of_file<double>(content, DType::f64, {2, 3, 2}, {1, 10, 100});
    CHECK(some == std::vector<double>{0, 100, 10, 110, 20, 120, 1, 101, 11, 111, 21, 121});
    CHECK(values_of_file<double>(content, DType::f64, {}, {}) == std::vector<double>{0});
    CHECK(values_of_file<double>(content, DType::f64, {2, 0}, {1, 1}).empty());
}

TEST_CASE("matrices of any size and strides are read transposed") {
    for (const std::size_t rows : {1U, 15U, 16U, 17U, 70U}) {
        constexpr std::size_t columns = 19;
        std::string content;
        for (std::size_t i = 0; i < rows * columns; ++i) {
            const auto element = static_cast<double>(i);
            content.append(reinterpret_cast<const char*>(&element), sizeof element);
        }
        const TemporaryFolder folder;
        write_bytes(folder / "values", content);
        const vgg19::model::MappedFile file(folder / "values");
        for (const std::vector<std::size_t>& strides : {std::vector<std::size_t>{columns, 1}, {1, rows}}) {
            const StoredTensor tensor{.name = "values",
                                      .dtype = DType::f64,
                                      .shape = {rows, columns},
                                      .strides = strides,
                                      .bytes = file.bytes()};
            std::vector<float> values(rows * columns);
            vgg19::converter::read_transposed(tensor, file, values);
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < values.size(); ++i) {
                const std::size_t position = i % rows * strides[0] + i / rows * strides[1];
                if (values[i] != static_cast<float>(position)) ++wrong;
            }
            CHECK(wrong == 0);
        }
    }
}

}  // namespace
