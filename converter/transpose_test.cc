#include "converter/transpose.h"

#include <doctest/doctest.h>

#include <vector>

#include "engine/model/safetensors.h"
#include "engine/testing/temporary_folder.h"
#include "kernels/common/testing/guarded_buffer.h"

namespace vgg19::converter {

namespace {

using kernels::testing::GuardedBuffer;

/// Sets each element to its index.
void fill(GuardedBuffer<float>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
}

}  // namespace

TEST_CASE("matrices of any size and stride are transposed") {
    for (const std::size_t rows : {1U, 2U, 15U, 16U, 17U, 33U}) {
        for (const std::size_t columns : {1U, 3U, 16U, 31U, 40U}) {
            for (const std::size_t gap : {0U, 5U}) {
                GuardedBuffer<float> source((rows - 1) * (columns + gap) + columns);
                GuardedBuffer<float> target((columns - 1) * (rows + gap) + rows);
                fill(source);
                transpose<float>({source.data(), columns + gap}, rows, columns, {target.data(), rows + gap});
                for (std::size_t i = 0; i < target.size(); ++i) {
                    const std::size_t row = i % (rows + gap);
                    const std::size_t column = i / (rows + gap);
                    const std::size_t expected = row < rows ? row * (columns + gap) + column : 0;
                    REQUIRE(target[i] == static_cast<float>(expected));
                }
            }
        }
    }
}

TEST_CASE("a matrix in a file is transposed completely") {
    constexpr std::size_t rows = 131;
    constexpr std::size_t columns = 1203;
    GuardedBuffer<float> values(rows * columns);
    fill(values);
    const vgg19::testing::TemporaryFolder folder;
    const auto bytes = std::as_bytes(std::span(values.data(), values.size()));
    model::write_safetensors(
        folder / "file", {},
        std::vector<model::Tensor>{{"matrix", model::DType::f32, {rows, columns}, bytes}});
    const auto file = model::SafetensorsFile::open(folder / "file");
    const kernels::AlignedBuffer target =
        transposed(file.find("matrix")->as<float>(), rows, columns, file.mapping());
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t column = 0; column < columns; ++column) {
            REQUIRE(target.as<float>()[column * rows + row] == static_cast<float>(row * columns + column));
        }
    }
}

}  // namespace vgg19::converter
