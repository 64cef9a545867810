#include "tools/compress/claims.h"

#include <doctest/doctest.h>

#include <vector>

using namespace vgg19;
using namespace vgg19::tools;

namespace {

Trial trial(std::size_t number, double lost, double ms, double mb) {
    Trial result;
    result.number = number;
    result.held_out = {lost, 0, 1000};
    result.cost = {ms, mb};
    return result;
}

using Indices = std::vector<std::size_t>;

}  // namespace

TEST_CASE("The front holds the models that no other beats in everything") {
    const std::vector<Trial> trials = {
        trial(1, 0, 10, 100), trial(2, 5, 6, 50), trial(3, 6, 7, 60),  // beaten by the second
        trial(4, 8, 7, 20),                                            // smaller, though slower
        trial(5, 5, 6, 50),                                            // the same as the second
        trial(6, 50, 3, 10),                                           // loses far too much
    };
    CHECK(front_of(trials, 0.01) == Indices{0, 3, 1});
    CHECK(front_of(trials, 0.05) == Indices{0, 3, 1, 5});
    CHECK(front_of({trial(1, 500, 1, 1)}, 0.01) == Indices{0});
}

TEST_CASE("Claims are tried from the most certain to the least, within the limits alone") {
    const std::vector<Trial> models = {trial(1, 4, 10, 100), trial(2, 0, 8, 50), trial(3, 2, 6, 50)};
    CHECK(claim_order(models, {10, 8, 6}, {}) == Indices{1, 2, 0});
    CHECK(claim_order(models, {10, 8, 6}, {.max_ms = 7}) == Indices{2});
    CHECK(claim_order(models, {10, 8, 6.5}, {.max_ms = 6.2}).empty());  // it is what was measured that counts
    CHECK(claim_order(models, {10, 8, 6}, {.max_mb = 50}) == Indices{1, 2});
}

TEST_CASE("After the first model that does not keep the promise, nothing is claimed") {
    const std::vector<converter::PairedCounts> test = {{60, 20, 2000}, {2, 1, 2000}, {3, 3, 2000}};
    CHECK(claims_of({1, 2, 0}, test, 0.01) == std::vector<Claim>{Claim::not_kept, Claim::kept, Claim::kept});
    CHECK(claims_of({1, 0, 2}, test, 0.01) ==
          std::vector<Claim>{Claim::not_kept, Claim::kept, Claim::not_tried});
    CHECK(claims_of({}, test, 0.01) == std::vector<Claim>(3, Claim::not_tried));
    // The drop is within the promise, its upper bound is not.
    CHECK(claims_of({0}, {{60, 45, 2000}}, 0.01) == std::vector<Claim>{Claim::not_kept});
}
