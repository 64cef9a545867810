#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>

#include "engine/program/planning.h"
#include "engine/program/tuned_machine.h"
#include "kernels/common/parallel.h"
#include "vgg19/error.h"

namespace vgg19 {

namespace {

constexpr std::size_t largest_batch = 4096;
constexpr int most_threads = 1024;

std::string known_isas() {
    std::string names;
    for (const kernels::Isa isa : kernels::all_isas()) {
        names += (names.empty() ? "" : ", ") + std::string(kernels::isa_name(isa));
    }
    return names;
}

kernels::Isa forced_isa(const std::string& name, const std::string& origin) {
    const std::optional<kernels::Isa> isa = kernels::isa_from_name(name);
    if (!isa) {
        throw Error(ErrorKind::usage,
                    origin + ": expected one of " + known_isas() + ", found \"" + name + "\"");
    }
    if (!kernels::isa_is_built(*isa)) {
        throw Error(ErrorKind::usage, origin + ": " + name + " is not in this build");
    }
    if (!kernels::cpu_supports(*isa)) {
        throw Error(ErrorKind::usage, origin + ": this CPU does not have " + name +
                                          "; the best that it has is " +
                                          kernels::isa_name(kernels::best_isa()));
    }
    return *isa;
}

kernels::Isa choose_isa(const std::string& wanted) {
    if (!wanted.empty()) return forced_isa(wanted, "isa");
    const char* variable = std::getenv("VGG19_ISA");
    if (variable != nullptr && *variable != '\0') return forced_isa(variable, "VGG19_ISA");
    return kernels::best_isa();
}

template <class Number>
void require_range(const char* what, Number value, Number low, Number high) {
    if (value >= low && value <= high) return;
    throw Error(ErrorKind::usage, std::string(what) + ": expected " + std::to_string(low) + " to " +
                                      std::to_string(high) + ", found " + std::to_string(value));
}

/// Names the output that sets the limit, unless it is that of the classifier.
void require_side(const char* what, std::size_t side, std::size_t smallest,
                  const model::NetworkOutput& output) {
    if (side >= smallest && side <= model::largest_input) return;
    const bool names_it = side < smallest && model::is_map(output.kind);
    throw Error(ErrorKind::usage, std::string(what) + ": expected " + std::to_string(smallest) + " to " +
                                      std::to_string(model::largest_input) +
                                      (names_it ? " for " + output.names.back() : "") + ", found " +
                                      std::to_string(side));
}

}  // namespace

layers::ConvolutionChoice convolution_choice(const SessionOptions& options) {
    const std::string& wanted = options.convolution;
    if (wanted.empty() || wanted == "auto") return layers::ConvolutionChoice::automatic;
    if (wanted == "winograd") return layers::ConvolutionChoice::winograd;
    if (wanted == "onednn") return layers::ConvolutionChoice::onednn;
    if (wanted == "direct") return layers::ConvolutionChoice::direct;
    throw Error(ErrorKind::usage,
                "convolution: expected one of auto, winograd, direct, onednn, found \"" + wanted + "\"");
}

Target this_target(const SessionOptions& options) {
    Target target = {.isa = choose_isa(options.isa), .machine = nullptr};
    if (!options.plan_file.empty()) {
        target.machine = tuned_for_this_cpu(options.plan_file, target.isa, options.log);
    }
    return target;
}

int planned_threads(const SessionOptions& options) {
    require_range("threads", options.threads, 0, most_threads);
    return options.threads == 0 ? kernels::available_cpus() : options.threads;
}

void require_shape(const model::Network& network, const model::NetworkOutput& last, MapSize input_size,
                   std::size_t batch) {
    const std::size_t smallest = model::smallest_input_of(network, last);
    require_side("input height", input_size.height, smallest, last);
    require_side("input width", input_size.width, smallest, last);
    require_range("batch", batch, std::size_t{1}, largest_batch);
}

}  // namespace vgg19
