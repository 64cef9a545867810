#include <doctest/doctest.h>

#include <string>

#include "kernels/winograd/schedule.h"

namespace vgg19::kernels {

namespace {

Winograd layer(std::size_t channels, std::size_t side, std::size_t batch) {
    return {.tile = {4, 4},
            .batch = batch,
            .input_channels = channels,
            .output_channels = channels,
            .height = side,
            .width = side,
            .block = 16};
}

}  // namespace

TEST_CASE(
    "a Winograd schedule has no empty block, bounded memory, and gains from threads, on every machine") {
    struct Shape {
        std::size_t channels;
        std::size_t side;
    };
    constexpr Shape shapes[] = {{64, 224}, {128, 112}, {256, 56}, {512, 28}, {512, 14}, {16, 1}};
    for (const std::string_view name : machine_names()) {
        const std::optional<Machine> machine = machine_named(name, Isa::avx512);
        if (!machine) continue;
        for (const Shape& shape : shapes) {
            CAPTURE(std::string(name));
            CAPTURE(shape.side);
            for (const std::size_t batch : {1U, 64U}) {
                const Winograd problem = layer(shape.channels, shape.side, batch);
                for (const int threads : {1, 2, 64}) {
                    CAPTURE(threads);
                    const WinogradSchedule schedule = winograd_schedule(problem, *machine, threads);
                    CHECK(schedule.threads == threads);
                    CHECK(schedule.blocks >= 1);
                    CHECK(schedule.blocks <= problem.tiles());
                    constexpr std::size_t most_floats = 40'000'000 / sizeof(float);
                    CHECK(winograd_scratch_size(problem, schedule) <= most_floats);
                }
            }
            if (shape.side < 14) continue;
            const Winograd problem = layer(shape.channels, shape.side, 1);
            const auto seconds = [&](int threads) {
                const auto schedule = winograd_schedule(problem, *machine, threads);
                return expected_seconds(*machine, winograd_phases(problem, schedule, *machine), threads);
            };
            CHECK(seconds(2) < seconds(1));
            CHECK(seconds(64) < seconds(2));
        }
    }
}

}  // namespace vgg19::kernels
