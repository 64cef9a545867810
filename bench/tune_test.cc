#include "bench/tune.h"

#include <doctest/doctest.h>

namespace vgg19::bench {

TEST_CASE("tune measures every way to compute each distinct shape once") {
    const model::Network narrow({4, 4, 0, 8, 8, 0, 8, 8, 0, 8, 0, 8, 0}, {16, 16, 10});
    const Plan plan =
        make_plan(narrow, Preprocessing{}, {.threads = 2, .input_height = 32, .input_width = 32});
    const std::vector<TunedShape> shapes = tune(plan, 0, 100);
    // 3→4 and 4→4 at 32, 4→8 and 8→8 at 16, 8→8 at 8, 4 and 2.
    REQUIRE(shapes.size() == 7);
    for (const TunedShape& tuned : shapes) {
        CHECK(tuned.excess() >= 1);
        CHECK(tuned.results.front().chosen);
        for (const TuneResult& result : tuned.results) {
            CHECK(result.expected_ms > 0);
            CHECK(result.min_ms > 0);
            CHECK(result.min_ms <= result.median_ms);
        }
    }
    const std::string text = tune_text(shapes);
    CHECK(text.find("3 → 4, 32×32") != std::string::npos);
    CHECK(text.find("chosen") != std::string::npos);
    CHECK(text.find("fastest") != std::string::npos);
}

}  // namespace vgg19::bench
