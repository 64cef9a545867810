#include "kernels/schedule/work_clock.h"

#include <doctest/doctest.h>

#include <chrono>
#include <vector>

#include "kernels/common/parallel.h"

namespace vgg19::kernels {

namespace {

/// Timed work that takes at least this long.
void work_for(Work work, std::chrono::microseconds duration) {
    const WorkTimer timer(work);
    const auto end = std::chrono::steady_clock::now() + duration;
    while (std::chrono::steady_clock::now() < end) {
    }
}

}  // namespace

TEST_CASE("the work clock counts the work of all threads, lap by lap and kind by kind, only while it is on") {
    using std::chrono::microseconds;
    work_for(Work::products, microseconds(100));
    WorkClock::lap();
    WorkClock::start();
    parallel_for(2, 2, [](std::size_t /*thread*/) { work_for(Work::products, microseconds(300)); });
    work_for(Work::input_transform, microseconds(200));
    WorkClock::lap();
    work_for(Work::output_transform, microseconds(100));
    WorkClock::lap();
    WorkClock::lap();
    const std::vector<WorkSeconds> laps = WorkClock::stop();
    work_for(Work::products, microseconds(100));
    CHECK(!WorkClock::is_on());

    REQUIRE(laps.size() == 3);
    CHECK(laps[0][Work::products] >= 2 * 300e-6);
    CHECK(laps[0][Work::input_transform] >= 200e-6);
    CHECK(laps[0][Work::output_transform] == 0);
    CHECK(laps[1][Work::products] == 0);
    CHECK(laps[1][Work::input_transform] == 0);
    CHECK(laps[1][Work::output_transform] >= 100e-6);
    CHECK(laps[2][Work::output_transform] == 0);

    WorkClock::start();
    WorkClock::lap();
    const std::vector<WorkSeconds> nothing = WorkClock::stop();
    REQUIRE(nothing.size() == 1);
    CHECK(nothing[0][Work::products] == 0);
}

}  // namespace vgg19::kernels
