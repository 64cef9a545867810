// What a layer's step does when it runs, for the cost model: phases of kernels/schedule/machine.h.
#pragma once

#include <string>
#include <vector>

#include "engine/layers/convolution.h"
#include "engine/layers/execution.h"
#include "kernels/dense/dense.h"
#include "kernels/schedule/machine.h"

namespace vgg19::layers {

/// Of a whole batch, with the schedule for the execution's threads and machine.
struct Work {
    std::vector<kernels::Phase> phases;
    std::string schedule;     ///< such as "tiles, 64 blocks of 25 tiles"
    double weight_bytes = 0;  ///< packed

    kernels::ExpectedTime time(const Execution& execution) const {
        return kernels::expected_time(execution.cpu(), phases, execution.threads);
    }
};

/// Without the pool and the quantization that may follow in steps of their own.
Work convolution_work(ConvolutionAlgorithm algorithm, const ConvolutionShape& shape,
                      const Execution& execution);

/// With the pool and the quantization that follow in steps of their own.
Work layer_work(ConvolutionAlgorithm algorithm, const ConvolutionShape& shape, const Execution& execution);

/// Steps that only move values: max-pool, quantization and average pool of `tasks` maps or blocks of maps,
/// which read and write these bytes.
Work moving_work(std::size_t tasks, double read_bytes, double written_bytes, const Execution& execution);

/// A dense layer. Of its input-major weights, as many are read as after a ReLU (kernels/dense/schedule.h).
Work dense_work(kernels::DenseWeights weights, std::size_t inputs, std::size_t outputs,
                const Execution& execution);

}  // namespace vgg19::layers
