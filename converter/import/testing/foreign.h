// For tests of the readers of other programs' formats.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "converter/import/formats/formats.h"
#include "converter/import/import.h"
#include "converter/import/testing/files.h"
#include "engine/model/safetensors.h"
#include "engine/testing/error_of.h"
#include "engine/testing/temporary_folder.h"
#include "vgg19/model.h"
#include "vgg19/session.h"

namespace vgg19::converter::testing {

inline ImportOptions with_formats(ImportOptions options = {}) {
    options.formats = foreign_formats();
    return options;
}

/// What the make scripts give to the other programs: (3, size, size).
inline std::vector<float> waves(std::size_t size) {
    constexpr double of_channel = 7;
    constexpr double of_row = 0.13;
    constexpr double of_column = 0.29;
    std::vector<float> values;
    for (std::size_t c = 0; c < 3; ++c) {
        for (std::size_t h = 0; h < size; ++h) {
            for (std::size_t w = 0; w < size; ++w) {
                values.push_back(static_cast<float>(std::sin(of_channel * static_cast<double>(c) +
                                                             of_row * static_cast<double>(h) +
                                                             of_column * static_cast<double>(w))));
            }
        }
    }
    return values;
}

/// The output of a model for an input of this size.
inline std::vector<float> output_of(const std::filesystem::path& path, std::span<const float> input,
                                    std::size_t size) {
    const Model model = Model::open(path);
    Session session(model, {.threads = 1, .input_height = size, .input_width = size});
    std::vector<float> output(session.outputs().front().size());
    session.run(input, output);
    return output;
}

inline std::vector<float> softmax(std::vector<float> values) {
    float sum = 0;
    for (float& value : values) sum += value = std::exp(value);
    for (float& value : values) value /= sum;
    return values;
}

/// Compares with a tensor of a file that a make script wrote.
inline void check_output(std::span<const float> found, const std::filesystem::path& expected_in,
                         const std::string& name) {
    constexpr double tolerance = 1e-4;  // of the largest value: FP32 sums in another order
    const model::SafetensorsFile file = model::SafetensorsFile::open(expected_in);
    const auto tensors = file.tensors();
    const auto tensor = std::find_if(tensors.begin(), tensors.end(),
                                     [&](const model::Tensor& other) { return other.name == name; });
    REQUIRE(tensor != tensors.end());
    const std::span<const float> expected = tensor->as<float>();
    REQUIRE(found.size() == expected.size());
    double largest = 0;
    double difference = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
        difference = std::max(difference, std::abs(static_cast<double>(found[i] - expected[i])));
    }
    CHECK(largest > 0);
    CHECK(difference <= tolerance * largest);
}

/// The error message for a file with that content; checks that nothing is written, and that it names the
/// file.
inline std::string foreign_refusal(const std::string& content, const ImportOptions& options = {}) {
    const vgg19::testing::TemporaryFolder folder;
    write_bytes(folder / "weights", content);
    std::string message = vgg19::testing::error_of(ErrorKind::bad_input, [&] {
        import_model(folder / "weights", folder / "model", with_formats(options));
    });
    CHECK(message.starts_with((folder / "weights").string() + ": "));
    CHECK(!std::filesystem::exists(folder / "model"));
    return message;
}

}  // namespace vgg19::converter::testing
