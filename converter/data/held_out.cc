#include "converter/data/held_out.h"

#include <algorithm>
#include <iterator>

namespace vgg19::converter {

namespace {

std::vector<std::size_t> chosen(const std::vector<std::size_t>& items, std::size_t every, bool held_out) {
    std::vector<std::size_t> result;
    std::copy_if(items.begin(), items.end(), std::back_inserter(result),
                 [&](std::size_t item) { return is_held_out(item, every) == held_out; });
    return result;
}

}  // namespace

bool is_held_out(std::size_t item, std::size_t every) {
    return every > 0 && item % every == every - 1;
}

std::vector<std::size_t> held_out_items(const std::vector<std::size_t>& items, std::size_t every) {
    return chosen(items, every, true);
}

std::vector<std::size_t> items_in_use(const std::vector<std::size_t>& items, std::size_t every) {
    return chosen(items, every, false);
}

}  // namespace vgg19::converter
