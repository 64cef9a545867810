#include "kernels/dense/schedule.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "kernels/common/testing/random.h"
#include "kernels/dense/testing_layer.h"

namespace vgg19::kernels {

namespace {

using testing::DenseLayer;
using testing::Random;

/// Values of every type; inputs are zero with probability `zeros`.
void fill(DenseLayer& layer, Random& random, float zeros) {
    random.fill(layer.input, -1.0F, 1.0F);
    random.fill(layer.fp32_weights, -1.0F, 1.0F);
    random.fill(layer.bias, -1.0F, 1.0F);
    for (auto& value : layer.int8_input) value = static_cast<std::uint8_t>(random.integer(1, 255));
    for (auto& value : layer.int8_weights) value = testing::random_int8_weight(random);
    for (auto& byte : layer.int4_weights) byte = static_cast<std::uint8_t>(random.integer(0, 255));
    for (auto& half : layer.int4_scale) half = static_cast<std::uint16_t>(random.integer(0, 0x3C00));
    const auto clear = [&](auto& values) {
        for (auto& value : values) {
            if (random.uniform(0.0F, 1.0F) < zeros) value = 0;
        }
    };
    clear(layer.input);
    clear(layer.int8_input);
    layer.list_rows();
}

/// The outputs of a whole layer by a schedule, in scratch memory that ends at a guard page.
std::vector<float> outputs_by(const testing::DenseKernel& kernel, const DenseLayer& layer,
                              const DenseSchedule& schedule) {
    Dense problem = layer.problem;
    std::vector<float> output(problem.batch * problem.outputs, -7.0F);
    problem.output = output.data();
    const std::size_t bytes = dense_scratch_bytes(kernel.weights, problem, schedule);
    testing::GuardedBuffer<float> scratch(bytes / sizeof(float));
    std::fill(scratch.begin(), scratch.end(), 1e9F);
    run_dense(*kernel.steps, kernel.weights, problem, schedule, reinterpret_cast<std::byte*>(scratch.data()));
    return output;
}

constexpr DenseSchedule schedules[] = {{1, 1, 1},  {2, 1, 2}, {3, 2, 2},  {4, 3, 3},
                                       {1, 5, 64}, {7, 2, 3}, {4, 4, 64}, {300, 1, 2}};

struct Shape {
    std::size_t inputs;
    std::size_t outputs;
};
constexpr Shape vgg19_dense_shapes[] = {{25088, 4096}, {4096, 4096}, {4096, 1000}};

}  // namespace

TEST_CASE("a dense layer has the same bits for every schedule and number of threads") {
    Random random;
    INFO(random.replay());
    for (const DenseWeights weights : all_dense_weights) {
        for (const Shape shape : {Shape{1, 1}, Shape{255, 65}, Shape{256, 64}, Shape{1025, 300}}) {
            for (const std::size_t batch : {1U, 3U}) {
                for (const float zeros : {0.0F, 0.5F, 1.0F}) {
                    CAPTURE(shape.inputs);
                    CAPTURE(shape.outputs);
                    CAPTURE(batch);
                    CAPTURE(zeros);
                    DenseLayer layer(weights, shape.inputs, shape.outputs, batch);
                    fill(layer, random, zeros);
                    testing::for_each_kernel_of(layer, [&](const testing::DenseKernel& kernel) {
                        kernel.run(layer.problem, 0, shape.outputs);
                        for (const DenseSchedule& schedule : schedules) {
                            CAPTURE(schedule.input_ranges);
                            CAPTURE(schedule.strips);
                            CAPTURE(schedule.threads);
                            const std::vector<float> found = outputs_by(kernel, layer, schedule);
                            CHECK(std::equal(found.begin(), found.end(), layer.output.begin()));
                        }
                    });
                }
            }
        }
    }
}

TEST_CASE("the parts of a dense layer have every row that is read, once and in order") {
    std::vector<std::uint32_t> rows = {0, 5, 255, 256, 300, 800, 1023};
    for (const DenseWeights weights : all_dense_weights) {
        if (!is_input_major(weights)) continue;
        Dense problem = {.inputs = 1025, .input_rows = rows.data(), .input_row_count = rows.size()};
        problem.parts = dense_parts(weights, problem.inputs, 4);
        CHECK(problem.parts == (is_int8(weights) ? 4 : 5));
        std::size_t next = 0;
        for (std::size_t part = 0; part < problem.parts; ++part) {
            const Range range = dense_part_rows(weights, problem, part);
            CHECK(range.begin == next);
            next = range.end;
            for (std::size_t i = range.begin; i < range.end && !is_int8(weights); ++i) {
                CHECK(rows[i] / dense_part_inputs == part);
            }
        }
        CHECK(next == rows.size());
    }
}

TEST_CASE("dense schedules keep 2 to 64 threads at work, but for what memory cannot give") {
    for (const char* const name : {"zen4", "zen5", "golden_cove"}) {
        Machine machine = *machine_named(name, Isa::avx512vnni);
        for (Bandwidth& bandwidth : machine.bandwidth) bandwidth = {bandwidth.core, 0, 0};
        machine.barrier_seconds = 0;
        for (const DenseWeights weights : all_dense_weights) {
            for (const Shape shape : vgg19_dense_shapes) {
                for (const int threads : {2, 3, 16, 48, 64}) {
                    CAPTURE(name);
                    CAPTURE(static_cast<int>(weights));
                    CAPTURE(shape.inputs);
                    CAPTURE(shape.outputs);
                    CAPTURE(threads);
                    const Dense problem = {.inputs = shape.inputs, .outputs = shape.outputs};
                    const auto seconds = [&](int count) {
                        const DenseSchedule schedule =
                            dense_schedule(weights, problem, machine, Isa::avx512vnni, count);
                        const Phase phase = dense_phase(weights, problem, schedule, machine, Isa::avx512vnni);
                        return expected_seconds(machine, {&phase, 1}, count);
                    };
                    CHECK(parallel_efficiency(seconds(1), seconds(threads), threads) >= 0.8);
                }
            }
        }
    }
}

}  // namespace vgg19::kernels
