#include "engine/layers/output.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "engine/layers/layout.h"
#include "kernels/common/parallel.h"
#include "kernels/layout/layout.h"
#include "kernels/relu/relu.h"
#include "kernels/softmax/softmax.h"

namespace vgg19::layers {

namespace {

class PlainOutput final : public Operation {
  public:
    PlainOutput(std::size_t channels, MapSize size, float scale, std::span<const float> factors,
                Execution execution)
        : channels_(channels),
          size_(size),
          scale_(scale),
          factors_(factors.begin(), factors.end()),
          execution_(std::move(execution)) {}
    void run(const std::byte* input, std::byte* output, std::byte* /*scratch*/) override {
        to_plain(channels_, size_, scale_, as_floats(input), as_floats(output), execution_);
        if (factors_.empty()) return;
        const std::size_t pixels = size_.pixels();
        kernels::parallel_for(execution_.threads, execution_.batch * channels_, [&](std::size_t plane) {
            const float factor = factors_[plane % channels_];
            float* values = as_floats(output) + plane * pixels;
            std::transform(values, values + pixels, values, [factor](float value) { return factor * value; });
        });
    }
    std::string kernel() const override {
        return kernels::select(kernels::layout_kernels(), execution_.isa).name;
    }

  private:
    std::size_t channels_;
    MapSize size_;
    float scale_;
    std::vector<float> factors_;
    Execution execution_;
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
    Relu(std::size_t values, const Execution& execution)
        : values_(values),
          threads_(execution.threads),
          kernel_(kernels::select(kernels::relu_kernels(), execution.isa)) {}
    void run(const std::byte* /*input*/, std::byte* output, std::byte* /*scratch*/) override {
        constexpr std::size_t part_values = std::size_t{1} << 14U;
        kernels::parallel_for(threads_, kernels::blocks_of(values_, part_values), [&](std::size_t part) {
            const std::size_t begin = part * part_values;
            kernel_.run->rectify(as_floats(output), begin, std::min(values_, begin + part_values));
        });
    }
    std::string kernel() const override { return kernel_.name; }

  private:
    std::size_t values_;
    int threads_;
    kernels::Kernel<const kernels::ReluKernels> kernel_;
};

/// Of a dense layer: so few values that no kernel is needed.
class VectorRelu final : public Operation {
  public:
    explicit VectorRelu(std::size_t values) : values_(values) {}
    void run(const std::byte* input, std::byte* output, std::byte* /*scratch*/) override {
        std::transform(as_floats(input), as_floats(input) + values_, as_floats(output),
                       [](float value) { return value > 0 ? value : 0.0F; });
    }
    std::string kernel() const override { return "relu"; }

  private:
    std::size_t values_;
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
                                             std::span<const float> factors, const Execution& execution) {
    return std::make_unique<PlainOutput>(channels, size, scale, factors, execution);
}

std::unique_ptr<Operation> make_copy(std::size_t values) {
    return std::make_unique<Copy>(values);
}

std::unique_ptr<Operation> make_relu(std::size_t values, const Execution& execution) {
    return std::make_unique<Relu>(values, execution);
}

std::unique_ptr<Operation> make_vector_relu(std::size_t values) {
    return std::make_unique<VectorRelu>(values);
}

std::unique_ptr<Operation> make_softmax(std::size_t classes, const Execution& execution) {
    return std::make_unique<Softmax>(classes, execution);
}

}  // namespace vgg19::layers
