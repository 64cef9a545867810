// For tests: calibration images.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>

#include "converter/data/data_set.h"
#include "converter/quantize/calibration.h"
#include "kernels/common/testing/random.h"

namespace vgg19::converter::testing {

/// Random pictures in CIFAR-10's format.
class Pictures {
  public:
    Pictures(const std::filesystem::path& path, kernels::testing::Random& random, int count = 10) {
        constexpr int record_bytes = 3073;
        std::ofstream file(path, std::ios::binary);
        for (int i = 0; i < count * record_bytes; ++i) {
            file.put(static_cast<char>(i % record_bytes == 0 ? 1 : random.integer(0, 255)));
        }
        file.close();
        data_ = open_data_set(path);
    }

    CalibrationImages images(std::size_t count, int threads = 1) const {
        return {data_.get(),
                spread_items(data_->size(), count),
                {.threads = threads,
                 .input_height = model::smallest_input,
                 .input_width = model::smallest_input}};
    }

  private:
    std::unique_ptr<DataSet> data_;
};

}  // namespace vgg19::converter::testing
