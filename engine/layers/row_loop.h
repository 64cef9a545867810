// A parallel loop over rows that cost little each.
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/common/parallel.h"

namespace vgg19::layers {

/// Calls body(begin, end) for a few ranges of rows a thread.
template <class Body>
void for_rows(std::size_t rows, int threads, const Body& body) {
    const std::size_t parts = std::min(rows, 8 * static_cast<std::size_t>(threads));
    kernels::parallel_for(threads, parts, [&](std::size_t part) {
        const kernels::Range range = kernels::part_of(rows, parts, part);
        body(range.begin, range.end);
    });
}

}  // namespace vgg19::layers
