#include "engine/layers/work.h"

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/layers/convolution_cost.h"
#include "kernels/common/testing/isas.h"

namespace vgg19::layers {

namespace {

using kernels::Isa;

/// The convolutions of VGG-19 at `side`, without those that repeat; INT8 with the scales of both of
/// Winograd's tiles.
std::vector<ConvolutionShape> shapes_of(std::size_t side, ConvolutionType type) {
    const bool int8 = type == ConvolutionType::int8;
    std::vector<ConvolutionShape> shapes;
    const auto add = [&](std::size_t in, std::size_t out, std::size_t size, bool pool) {
        shapes.push_back({.input_channels = in,
                          .output_channels = out,
                          .size = size,
                          .plain_input = in == 3,
                          .pool_follows = pool,
                          .int8_follows = int8,
                          .type = in == 3 ? ConvolutionType::fp32 : type,
                          .winograd_int8 = {.f2x2 = int8, .f4x4 = int8}});
    };
    add(3, 64, side, false);
    add(64, 64, side, true);
    add(64, 128, side / 2, false);
    add(128, 128, side / 2, true);
    add(128, 256, side / 4, false);
    add(256, 256, side / 4, false);
    add(256, 512, side / 8, false);
    add(512, 512, side / 8, true);
    add(512, 512, side / 16, false);
    return shapes;
}

Execution execution_on(std::string_view machine, int threads) {
    const Isa isa = *kernels::best_isa_of(machine);
    return {.isa = isa,
            .threads = threads,
            .machine = std::make_shared<kernels::Machine>(*kernels::machine_named(machine, isa))};
}

/// Calls body(shape, execution, algorithm) for all that the planner may choose.
template <class Body>
void for_all_algorithms(std::string_view machine, int threads, const Body& body) {
    const Execution execution = execution_on(machine, threads);
    for (const ConvolutionType type : {ConvolutionType::fp32, ConvolutionType::int8}) {
        for (const std::size_t side : {224U, 160U, 32U}) {
            for (const ConvolutionShape& shape : shapes_of(side, type)) {
                for (const ConvolutionEstimate& estimate :
                     convolution_estimates(shape, execution, ConvolutionChoice::automatic)) {
                    body(shape, execution, estimate.algorithm);
                }
            }
        }
    }
}

}  // namespace

TEST_CASE("no algorithm is expected to beat the machine's peak, on any machine with any number of threads") {
    for (const std::string_view machine : kernels::machine_names()) {
        for (const int threads : {1, 2, 8, 64}) {
            for_all_algorithms(
                machine, threads,
                [&](const ConvolutionShape& shape, const Execution& execution,
                    ConvolutionAlgorithm algorithm) {
                    CAPTURE(std::string(machine));
                    CAPTURE(std::string(algorithm_name(algorithm)));
                    CAPTURE(threads);
                    CAPTURE(shape.input_channels);
                    CAPTURE(shape.size.height);
                    const Work work = convolution_work(algorithm, shape, execution);
                    REQUIRE(!work.phases.empty());
                    CHECK(!work.schedule.empty());
                    CHECK(work.weight_bytes >= 9.0 * static_cast<double>(shape.input_channels));
                    const kernels::ExpectedTime time = work.time(execution);
                    // Tiles of 6×6 save three quarters of the products, and no algorithm more.
                    const kernels::Machine& cpu = execution.cpu();
                    const bool int8 = shape.type != ConvolutionType::fp32;
                    const double lanes = static_cast<double>(execution.channel_block());
                    const double rate = int8 ? 4 * cpu.dot_products : cpu.multiply_adds;
                    const double products = static_cast<double>(shape.direct_operations()) / 2;
                    const double least = products / 5.2 / lanes / rate / cpu.hertz / threads;
                    CHECK(time.seconds > least);
                    CHECK(time.seconds < 2000 * least + 1e-3);
                });
        }
    }
}

TEST_CASE("more threads are expected to take no longer, but for what their barriers cost") {
    for (const std::string_view machine : {"zen4", "zen5", "golden_cove", "avx2", "neon"}) {
        std::vector<double> before;
        for (const int threads : {1, 2, 4, 8}) {
            std::size_t index = 0;
            for_all_algorithms(machine, threads,
                               [&](const ConvolutionShape& shape, const Execution& execution,
                                   ConvolutionAlgorithm algorithm) {
                                   CAPTURE(std::string(machine));
                                   CAPTURE(std::string(algorithm_name(algorithm)));
                                   CAPTURE(threads);
                                   CAPTURE(shape.input_channels);
                                   CAPTURE(shape.size.height);
                                   const kernels::ExpectedTime time =
                                       convolution_work(algorithm, shape, execution).time(execution);
                                   const double without = time.seconds - time.barrier_seconds;
                                   if (threads == 1) {
                                       before.push_back(without);
                                       return;
                                   }
                                   // Tasks may be dealt out less evenly, but not much.
                                   CHECK(without <= 1.3 * before[index] + time.barrier_seconds);
                                   before[index++] = without;
                               });
        }
    }
}

TEST_CASE("the choice does not depend on threads or batch") {
    for (const std::string_view machine : kernels::machine_names()) {
        const auto choices = [&](int threads, std::size_t batch) {
            std::vector<ConvolutionAlgorithm> chosen;
            Execution execution = execution_on(machine, threads);
            execution.batch = batch;
            for (const ConvolutionType type : {ConvolutionType::fp32, ConvolutionType::int8}) {
                for (const ConvolutionShape& shape : shapes_of(224, type)) {
                    chosen.push_back(convolution_estimates(shape, execution, ConvolutionChoice::automatic)
                                         .front()
                                         .algorithm);
                }
            }
            return chosen;
        };
        const std::vector<ConvolutionAlgorithm> expected = choices(1, 1);
        CHECK(choices(64, 1) == expected);
        CHECK(choices(3, 8) == expected);
    }
}

TEST_CASE("of INT8 Winograd's tiles, those with scales may run, F(4×4) with filters of at most 13 MB") {
    const Execution execution = execution_on("zen5", 2);
    const auto allowed = [&](ConvolutionShape shape, WinogradInt8Scales scales, ConvolutionChoice choice) {
        shape.winograd_int8 = scales;
        std::set<ConvolutionAlgorithm> algorithms;
        for (const auto& estimate : convolution_estimates(shape, execution, choice)) {
            algorithms.insert(estimate.algorithm);
        }
        return algorithms;
    };
    using enum ConvolutionAlgorithm;
    using Algorithms = std::set<ConvolutionAlgorithm>;
    const auto shapes = shapes_of(224, ConvolutionType::int8);
    const ConvolutionShape& small = shapes[1];
    const ConvolutionShape& widest = shapes[7];  // of VGG-19
    ConvolutionShape large = widest;
    large.output_channels += large.output_channels / 8;
    const auto automatic = ConvolutionChoice::automatic;
    CHECK(allowed(small, {}, automatic) == Algorithms{conv_int8});
    CHECK(allowed(small, {.f2x2 = true}, automatic) == Algorithms{conv_int8, winograd_int8_f2x2});
    CHECK(allowed(small, {.f2x2 = true, .f4x4 = true}, automatic) ==
          Algorithms{conv_int8, winograd_int8_f2x2, winograd_int8_f4x4});
    CHECK(allowed(widest, {.f2x2 = true, .f4x4 = true}, automatic) ==
          Algorithms{conv_int8, winograd_int8_f2x2, winograd_int8_f4x4});
    CHECK(allowed(large, {.f2x2 = true, .f4x4 = true}, automatic) ==
          Algorithms{conv_int8, winograd_int8_f2x2});
    for (const ConvolutionShape& shape : {small, large}) {
        CHECK(allowed(shape, {.f4x4 = true}, ConvolutionChoice::winograd) == Algorithms{winograd_int8_f4x4});
        CHECK(allowed(shape, {}, ConvolutionChoice::winograd) == Algorithms{conv_int8});
        CHECK(allowed(shape, {.f2x2 = true, .f4x4 = true}, ConvolutionChoice::direct) ==
              Algorithms{conv_int8});
    }
}

TEST_CASE("large tiles are chosen where they save most, on both kinds of AVX-512") {
    for (const std::string_view machine : {"zen4", "zen5", "golden_cove"}) {
        CAPTURE(std::string(machine));
        const Execution execution = execution_on(machine, 2);
        for (const ConvolutionShape& shape : shapes_of(224, ConvolutionType::int8)) {
            if (shape.plain_input) continue;
            CHECK(convolution_estimates(shape, execution, ConvolutionChoice::automatic).front().algorithm !=
                  ConvolutionAlgorithm::conv_int8);
        }
        for (const ConvolutionShape& shape : shapes_of(224, ConvolutionType::fp32)) {
            if (shape.plain_input || shape.size.height < 28) continue;
            CHECK(convolution_estimates(shape, execution, ConvolutionChoice::automatic).front().algorithm !=
                  ConvolutionAlgorithm::winograd_f2x2);
        }
    }
}

TEST_CASE("oneDNN is chosen only on request") {
    const Execution execution = execution_on("zen5", 2);
    const ConvolutionShape shape = shapes_of(32, ConvolutionType::fp32).back();
    for (const ConvolutionEstimate& estimate :
         convolution_estimates(shape, execution, ConvolutionChoice::automatic)) {
        CHECK(estimate.algorithm != ConvolutionAlgorithm::onednn);
    }
}

TEST_CASE("a following pool or quantization in a step of its own counts for the choice") {
    const Execution execution = execution_on("zen5", 2);
    ConvolutionShape shape = shapes_of(224, ConvolutionType::fp32)[1];
    for (const ConvolutionEstimate& estimate :
         convolution_estimates(shape, execution, ConvolutionChoice::automatic)) {
        const bool apart = !pools_itself(estimate.algorithm, shape);
        CHECK((estimate.time.seconds > estimate.convolution_seconds) == apart);
    }
    shape.pool_follows = false;
    shape.int8_follows = true;
    for (const ConvolutionEstimate& estimate :
         convolution_estimates(shape, execution, ConvolutionChoice::automatic)) {
        CHECK(estimate.time.seconds > estimate.convolution_seconds);
    }
}

}  // namespace vgg19::layers
