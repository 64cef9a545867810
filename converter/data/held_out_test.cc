#include "converter/data/held_out.h"

#include <doctest/doctest.h>

namespace vgg19::converter {

TEST_CASE("every k-th item of a data set is held out, wherever it stands in a list") {
    const std::vector<std::size_t> items = {9, 0, 1, 4, 10, 19};
    CHECK(held_out_items(items, 10) == std::vector<std::size_t>{9, 19});
    CHECK(items_in_use(items, 10) == std::vector<std::size_t>{0, 1, 4, 10});
    CHECK(held_out_items(items, 5) == std::vector<std::size_t>{9, 4, 19});
    CHECK(items_in_use(items, 1).empty());
    CHECK(held_out_items(items, 0).empty());
    CHECK(items_in_use(items, 0) == items);
}

}  // namespace vgg19::converter
