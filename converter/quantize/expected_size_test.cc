#include "converter/quantize/expected_size.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "converter/quantize/calibration.h"
#include "converter/quantize/quantize.h"
#include "converter/quantize/testing/pictures.h"
#include "converter/testing/random_model.h"

namespace vgg19::converter {

TEST_CASE("the expected size of an INT8 file is the real one, to within some kilobytes") {
    kernels::testing::Random random;
    INFO(random.replay());
    const vgg19::testing::TemporaryFolder folder;
    const testing::Pictures pictures{folder / "pictures.bin", random, 4};
    for (const char* features : {"6 9 M 40 M 64 70 M 48 M 80 M", "16 24 M 40 M 104 70 M 48 M 30 M"}) {
        for (const char* classifier : {"60 40 10", "12:90 40 10"}) {
            const auto network = model::Network::parse(features, classifier);
            const auto model = testing::RandomModel(network, random).write(folder / "model");
            const auto statistics = calibrate(model, pictures.images(4));
            write_full(model, quantize_all(model, statistics, {}), "quantize", folder / "int8");
            const auto bytes = static_cast<double>(std::filesystem::file_size(folder / "int8"));
            CHECK(std::abs(expected_int8_bytes(network) - bytes) < 4096);
        }
    }
}

}  // namespace vgg19::converter
