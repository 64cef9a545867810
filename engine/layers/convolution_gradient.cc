#include "engine/layers/convolution_gradient.h"

#include <algorithm>

#include "engine/layers/convolution_cost.h"
#include "engine/layers/winograd.h"

namespace vgg19::layers {

namespace {

/// The tile with the least expected time. It depends on neither threads nor the batch, as results must not.
kernels::WinogradTile fastest_tile(const ConvolutionShape& shape, const Execution& execution) {
    std::vector<ConvolutionEstimate> estimates =
        convolution_estimates(shape, execution, ConvolutionChoice::winograd);
    // Filters are transformed in the run itself where maps are large: written to memory and read again.
    constexpr double seconds_a_byte = 1e-10;
    for (ConvolutionEstimate& estimate : estimates) estimate.seconds_a_byte = seconds_a_byte;
    const auto best = std::min_element(estimates.begin(), estimates.end(),
                                       [](const auto& a, const auto& b) { return a.cost() < b.cost(); });
    return *winograd_tile(best->algorithm);
}

/// Transforming a filter costs about as much as its products with this many tiles, so that with ten times as
/// many a run takes at most a tenth longer.
constexpr std::size_t tiles_worth_a_transform = 12;
constexpr std::size_t most_tiles_for_packed_filters = 10 * tiles_worth_a_transform;

}  // namespace

ConvolutionGradient::ConvolutionGradient(const ConvolutionShape& shape, const float* weights,
                                         const Execution& execution)
    : threads_(execution.threads), kernel_(kernels::select(kernels::winograd_kernels(), execution.isa)) {
    const ConvolutionShape reversed = {
        .input_channels = shape.output_channels, .output_channels = shape.input_channels, .size = shape.size};
    problem_ = winograd_problem(reversed, fastest_tile(reversed, execution), execution);
    problem_.relu = false;
    problem_.transposed = true;
    zero_bias_ = kernels::AlignedBuffer(problem_.output_blocks() * problem_.block * sizeof(float));
    problem_.bias = zero_bias_.as<float>();
    schedule_ = kernels::winograd_schedule(problem_, execution.cpu(), threads_);
    if (problem_.tiles() > most_tiles_for_packed_filters) return;
    packed_ = kernels::AlignedBuffer(packed_bytes());
    pack(weights, packed_.as<float>());
}

void ConvolutionGradient::reshape(MapSize size, const Execution& execution) {
    problem_.batch = execution.batch;
    problem_.height = size.height;
    problem_.width = size.width;
    schedule_ = kernels::winograd_schedule(problem_, execution.cpu(), threads_);
}

void ConvolutionGradient::pack(const float* weights, float* packed) const {
    kernels::winograd_pack(*kernel_.run, problem_, threads_, weights, packed);
}

void ConvolutionGradient::run(const float* output_gradient, float* input_gradient, const float* weights,
                              const std::uint8_t* passes, std::byte* scratch) {
    kernels::Winograd problem = problem_;
    problem.input = output_gradient;
    problem.output = input_gradient;
    problem.bits.passes = passes;
    problem.weights = packed_.as<float>();
    if (packs_in_each_run()) {
        pack(weights, as_floats(scratch));
        problem.weights = as_floats(scratch);
        scratch += packed_bytes();  // a multiple of a cache line
    }
    kernels::winograd_convolution(*kernel_.run, problem, schedule_, as_floats(scratch));
}

std::size_t ConvolutionGradient::scratch_bytes() const {
    return kernels::winograd_scratch_size(problem_, schedule_) * sizeof(float) +
           (packs_in_each_run() ? packed_bytes() : 0);
}

}  // namespace vgg19::layers
