#include "python/library/limits.h"

#include "engine/model/map_size.h"
#include "engine/model/network.h"
#include "engine/model/number_text.h"
#include "engine/program/planning.h"
#include "vgg19/error.h"
#include "vgg19/session.h"

namespace vgg19::python {

void require_between(const std::string& name, double number, double least, double most) {
    if (number >= least && number <= most) return;
    throw Error(ErrorKind::usage, name + ": expected a number from " + shortest_text(least) + " to " +
                                      shortest_text(most) + ", found " + shortest_text(number));
}

void require_cpu(int threads, const std::string& isa) {
    SessionOptions options;
    options.threads = threads;
    options.isa = isa;
    planned_threads(options);
    this_target(options);
}

void require_input_size(MapSize size) {
    constexpr std::size_t smallest_of_features = 16;
    if (model::is_input_size(size, smallest_of_features)) return;
    throw Error(ErrorKind::usage, "size: expected " + model::expected_input_size(smallest_of_features) +
                                      ", found " + to_string(size));
}

}  // namespace vgg19::python
