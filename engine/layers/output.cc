#include "engine/layers/output.h"

#include <algorithm>
#include <cstring>

#include "engine/layers/pool.h"
#include "kernels/common/parallel.h"
#include "kernels/softmax/softmax.h"

namespace vgg19::layers {

namespace {

class PlainOutput final : public Operation {
  public:
    PlainOutput(std::size_t channels, MapSize size, float scale, const Execution& execution)
        : pool_(channels, size, size, execution),
          values_(execution.batch * channels * size.pixels()),
          scale_(scale) {}
    void run(const std::byte* input, std::byte* output, std::byte* scratch) override {
        pool_.run(input, output, scratch);
        if (scale_ == 1) return;
        float* values = as_floats(output);
        std::transform(values, values + values_, values, [&](float value) { return value * scale_; });
    }
    std::string kernel() const override { return pool_.kernel(); }

  private:
    AveragePool pool_;
    std::size_t values_;
    float scale_;
};

class Copy final : public Operation {
  public:
    explicit Copy(std::size_t values) : bytes_(values * sizeof(float)) {}
    void run(const std::byte* input, std::byte* output, std::byte* /*scratch*/) override {
        std::memcpy(output, input, bytes_);
    }
    std::string kernel() const override { return "copy"; }

  private:
    std::size_t bytes_;
};

class Relu final : public Operation {
  public:
    Relu(std::size_t values, const Execution& execution) : values_(values), threads_(execution.threads) {}
    void run(const std::byte* input, std::byte* output, std::byte* /*scratch*/) override {
        constexpr std::size_t part_values = std::size_t{1} << 14U;
        const std::size_t parts = (values_ + part_values - 1) / part_values;
        kernels::parallel_for(threads_, parts, [&](std::size_t part) {
            const std::size_t begin = part * part_values;
            const std::size_t end = std::min(values_, begin + part_values);
            std::transform(as_floats(input) + begin, as_floats(input) + end, as_floats(output) + begin,
                           [](float value) { return value > 0 ? value : 0.0F; });
        });
    }
    std::string kernel() const override { return "relu"; }

  private:
    std::size_t values_;
    int threads_;
};

class Softmax final : public Operation {
  public:
    Softmax(std::size_t classes, const Execution& execution)
        : classes_(classes),
          batch_(execution.batch),
          kernel_(kernels::select(kernels::softmax_kernels(), execution.isa)) {}
    void run(const std::byte* input, std::byte* output, std::byte* /*scratch*/) override {
        for (std::size_t image = 0; image < batch_; ++image) {
            kernel_.run(as_floats(input) + image * classes_, classes_, as_floats(output) + image * classes_);
        }
    }
    std::string kernel() const override { return kernel_.name; }

  private:
    std::size_t classes_;
    std::size_t batch_;
    kernels::Kernel<kernels::SoftmaxFunction> kernel_;
};

}  // namespace

std::unique_ptr<Operation> make_plain_output(std::size_t channels, MapSize size, float scale,
                                             const Execution& execution) {
    return std::make_unique<PlainOutput>(channels, size, scale, execution);
}

std::unique_ptr<Operation> make_copy(std::size_t values) {
    return std::make_unique<Copy>(values);
}

std::unique_ptr<Operation> make_relu(std::size_t values, const Execution& execution) {
    return std::make_unique<Relu>(values, execution);
}

std::unique_ptr<Operation> make_softmax(std::size_t classes, const Execution& execution) {
    return std::make_unique<Softmax>(classes, execution);
}

}  // namespace vgg19::layers
