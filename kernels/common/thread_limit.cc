#include "kernels/common/thread_limit.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace vgg19::kernels {

namespace {

thread_local int limit = std::numeric_limits<int>::max();

}  // namespace

ThreadLimit::ThreadLimit(int threads) : previous_(std::exchange(limit, threads)) {}

ThreadLimit::~ThreadLimit() {
    limit = previous_;
}

int ThreadLimit::apply(int threads) {
    return std::min(threads, limit);
}

}  // namespace vgg19::kernels
