// Which items of a data set are held out: never trained on, and used to judge.
#pragma once

#include <cstddef>
#include <vector>

namespace vgg19::converter {

/// Whether `item` of a data set is held out, where every `every`-th is: item mod every = every − 1. None is
/// if `every` is 0. The item counts, not its place in a list, so that all commands mean the same images.
bool is_held_out(std::size_t item, std::size_t every);

/// The held-out ones of `items`, in order.
std::vector<std::size_t> held_out_items(const std::vector<std::size_t>& items, std::size_t every);
/// The others, in order.
std::vector<std::size_t> items_in_use(const std::vector<std::size_t>& items, std::size_t every);

}  // namespace vgg19::converter
