// Compares what sessions give of each of a narrow VGG-19's layers with PyTorch. make.py wrote the data and
// describes it.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "converter/import/import.h"
#include "engine/model/map_size.h"
#include "engine/model/safetensors.h"
#include "engine/testing/temporary_folder.h"
#include "kernels/common/testing/distance.h"
#include "kernels/common/testing/isas.h"
#include "tests/golden/input_image.h"
#include "vgg19/session.h"

namespace vgg19 {

namespace {

using kernels::testing::relative_l2;
using Values = std::vector<float>;

std::filesystem::path data(const std::string& name) {
    return std::filesystem::path(VGG19_GOLDEN_FOLDER) / name;
}

/// Of one picture.
struct Expectation {
    MapSize size;
    Values input;
    std::vector<std::string> names;
    std::vector<Values> samples;  ///< of each name's values
};

/// The tensors "outputs.SIZE.SEED.NAME".
std::vector<Expectation> expectations() {
    const auto file = model::SafetensorsFile::open(data("outputs.golden.safetensors"));
    const std::string start = "outputs.";
    std::map<std::string, Expectation> found;
    for (const auto& tensor : file.tensors()) {
        const std::size_t seed_at = tensor.name.find('.', start.size()) + 1;
        const std::size_t name_at = tensor.name.find('.', seed_at) + 1;
        Expectation& expected = found[tensor.name.substr(start.size(), name_at - start.size())];
        if (expected.names.empty()) {
            const std::string size = tensor.name.substr(start.size(), seed_at - 1 - start.size());
            expected.size = model::parse_map_size(size).value();
            expected.input = testing::input_image(
                expected.size, static_cast<std::uint32_t>(std::stoul(tensor.name.substr(seed_at))));
        }
        expected.names.push_back(tensor.name.substr(name_at));
        const auto values = tensor.as<float>();
        expected.samples.emplace_back(values.begin(), values.end());
    }
    std::vector<Expectation> all;
    for (auto& [key, expected] : found) all.push_back(std::move(expected));
    return all;
}

/// As many of the values as make.py keeps.
Values sampled(std::span<const float> values) {
    constexpr std::size_t samples = 199;
    const std::size_t stride = std::max<std::size_t>(1, values.size() / samples);
    Values kept;
    for (std::size_t i = 0; i < values.size(); i += stride) kept.push_back(values[i]);
    return kept;
}

void check(const Model& model, const Expectation& expected, const std::string& isa) {
    CAPTURE(isa);
    CAPTURE(to_string(expected.size));
    SessionOptions options = {.threads = 2, .isa = isa};
    options.set_input_size(expected.size);
    options.outputs = expected.names;
    Session session(model, options);
    std::vector<Values> values;
    std::vector<std::span<float>> results;
    for (const Output& output : session.outputs()) values.emplace_back(output.size());
    results.assign(values.begin(), values.end());
    session.run(expected.input, results);
    for (std::size_t i = 0; i < values.size(); ++i) {
        CAPTURE(expected.names[i]);
        CHECK(relative_l2(sampled(values[i]), expected.samples[i]) <= 1e-5);
    }
}

}  // namespace

TEST_CASE("every layer of a narrow VGG-19 gives PyTorch's values, at sizes of any shape") {
    const testing::TemporaryFolder folder;
    converter::import_model(data("baseline.model.safetensors"), folder / "model",
                            {.dense_order = model::DenseOrder::input_major});
    const Model model = Model::open(folder / "model");
    const std::vector<Expectation> all = expectations();
    CHECK(all.size() == 4);
    for (const std::string& isa : kernels::testing::isa_names_of_this_cpu()) {
        for (const Expectation& expected : all) check(model, expected, isa);
    }
}

}  // namespace vgg19
