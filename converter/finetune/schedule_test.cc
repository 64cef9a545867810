#include "converter/finetune/schedule.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>

namespace vgg19::converter {

TEST_CASE("a constant rate stays, after a warm-up in equal parts") {
    const Schedule schedule = {.kind = ScheduleKind::constant, .learning_rate = 0.8, .warmup = 4};
    CHECK(learning_rate_at(schedule, 0, 10) == doctest::Approx(0.2));
    CHECK(learning_rate_at(schedule, 2, 10) == doctest::Approx(0.6));
    for (const std::uint64_t step : {3U, 4U, 9U}) CHECK(learning_rate_at(schedule, step, 10) == 0.8);
}

TEST_CASE("a cosine falls from the rate to almost nothing") {
    const Schedule schedule = {.kind = ScheduleKind::cosine, .learning_rate = 2, .warmup = 2};
    CHECK(learning_rate_at(schedule, 0, 10) == doctest::Approx(1));
    CHECK(learning_rate_at(schedule, 2, 10) == doctest::Approx(2));
    CHECK(learning_rate_at(schedule, 6, 10) == doctest::Approx(1));
    CHECK(learning_rate_at(schedule, 9, 10) == doctest::Approx(1 + std::cos(3.14159265358979 * 7 / 8)));
}

TEST_CASE("steps fall at half and at three quarters") {
    const Schedule schedule = {.kind = ScheduleKind::step, .learning_rate = 1, .warmup = 0};
    CHECK(learning_rate_at(schedule, 49, 100) == 1);
    CHECK(learning_rate_at(schedule, 50, 100) == doctest::Approx(0.1));
    CHECK(learning_rate_at(schedule, 74, 100) == doctest::Approx(0.1));
    CHECK(learning_rate_at(schedule, 75, 100) == doctest::Approx(0.01));
}

TEST_CASE("a warm-up is a twentieth of all steps by default") {
    const Schedule schedule = {.kind = ScheduleKind::constant, .learning_rate = 1};
    CHECK(learning_rate_at(schedule, 0, 100) == doctest::Approx(0.2));
    CHECK(learning_rate_at(schedule, 4, 100) == 1);
    CHECK(learning_rate_at(schedule, 0, 19) == 1);
}

TEST_CASE("a warm-up may be longer than all steps") {
    const Schedule schedule = {.kind = ScheduleKind::cosine, .learning_rate = 1, .warmup = 100};
    CHECK(learning_rate_at(schedule, 9, 10) == doctest::Approx(0.1));
}

}  // namespace vgg19::converter
