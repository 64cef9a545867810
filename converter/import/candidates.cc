#include "converter/import/candidates.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "converter/import/ordered_names.h"

namespace vgg19::converter {
namespace {

/// Further candidates are ignored: real checkpoints hold a few networks.
constexpr std::size_t most_candidates = 16;
/// Nor do they hold more places that may be one; a file of 100 MB has room for a million, each of which takes
/// time.
constexpr std::size_t most_containers = 1000;

bool is_number(std::string_view key) {
    constexpr std::size_t longest = 4;
    return !key.empty() && key.size() <= longest &&
           std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view last_key(std::string_view path) {
    const std::string_view parent = parent_path(path);
    return path.substr(parent.empty() ? 0 : parent.size() + 1);
}

class ContainerFinder {
  public:
    explicit ContainerFinder(const std::vector<Module>& modules) {
        for (const Module& module : modules) add(module);
    }
    std::vector<Container>& containers() { return containers_; }

  private:
    void add(const Module& module) {
        const std::string_view path = without_wrappers(module.path);
        const std::string_view last = last_key(path);
        const std::string_view parent = without_wrappers(parent_path(path));
        if (const auto numbered = numbered_name(last_key(parent), last)) {
            return add(numbered->keys == 1 ? parent : without_wrappers(parent_path(parent)), Naming::numbered,
                       numbered->name, module);
        }
        if (is_number(last)) add(parent, Naming::sequential, std::string(last), module);
    }
    void add(std::string_view path, Naming naming, const std::string& name, const Module& module) {
        if (containers_.size() == most_containers && !by_path_.contains(std::pair(path, naming))) return;
        const auto [found, is_new] = by_path_.emplace(std::pair(path, naming), containers_.size());
        if (is_new) containers_.push_back({std::string(path), naming, {}, {}});
        Container& container = containers_[found->second];
        if (!container.modules.emplace(name, &module).second) container.repeated.push_back(&module);
    }

    std::map<std::pair<std::string_view, Naming>, std::size_t> by_path_;
    std::vector<Container> containers_;
};

std::size_t found_parameters(const Module* module, std::initializer_list<const char*> names) {
    if (module == nullptr) return 0;
    return static_cast<std::size_t>(
        std::count_if(names.begin(), names.end(), [&](const char* name) { return module->find(name); }));
}

/// How many convolutions there are up to the last that exists.
std::size_t last_convolution(const Container& container, const Layout& layout) {
    std::size_t count = layout.network.convolutions().size();
    while (count > 0 && container.find(layout.convolution(count - 1)) == nullptr) --count;
    return count;
}

/// The layout with the fewest missing or extra parameters; none if the names do not resemble a VGG's.
std::optional<Layout> best_layout(const Container& container) {
    std::optional<Layout> best;
    std::size_t most_found = 0;
    std::size_t fewest_missing = 0;
    for (Layout& layout : layouts_named(container.naming)) {
        if (container.depth != 0 && layout.depth != container.depth) continue;
        std::size_t expected = 0;
        std::size_t found = 0;
        for (std::size_t k = 0; k < layout.network.convolutions().size(); ++k) {
            expected += 2;
            found += found_parameters(container.find(layout.convolution(k)), {"weight", "bias"});
            if (!layout.batch_norm) continue;
            expected += 4;
            found += found_parameters(container.find(layout.norm(k)),
                                      {"weight", "bias", "running_mean", "running_var"});
        }
        const bool better = found > most_found || (found == most_found && expected - found < fewest_missing);
        if (found == 0 || !better) continue;
        most_found = found;
        fewest_missing = expected - found;
        best = std::move(layout);
    }
    return best;
}

/// The layout's convolutions that exist, with 3×3 filters.
std::set<const Module*> filters_of(const Container& container, const Layout& layout) {
    std::set<const Module*> filters;
    for (std::size_t k = 0; k < layout.network.convolutions().size(); ++k) {
        const Module* const module = container.find(layout.convolution(k));
        if (module != nullptr && is_filter_3x3(*module)) filters.insert(module);
    }
    return filters;
}

/// "features" is torchvision's name. Under other names, all convolutions must exist.
bool is_usual_name(const Container& container) {
    const std::string_view last = last_key(container.path);
    return container.naming == Naming::numbered || last == "features" || last == "feature";
}

/// The paths of all modules with a weight, sorted: a file can have a million of them, and many containers.
class WeightPaths {
  public:
    explicit WeightPaths(const std::vector<Module>& modules) {
        for (const Module& module : modules) {
            if (module.find("weight") != nullptr) paths_.push_back(module.path);
        }
        std::sort(paths_.begin(), paths_.end());
    }

    /// How many are `path` or below it.
    std::size_t within(std::string_view path) const {
        if (path.empty()) return paths_.size();
        const auto from = [this](const std::string& bound) {
            return std::lower_bound(paths_.begin(), paths_.end(), std::string_view(bound));
        };
        const std::string prefix(path);
        constexpr char behind_dot = '.' + 1;
        const auto below = from(prefix + behind_dot) - from(prefix + '.');
        const bool itself = std::binary_search(paths_.begin(), paths_.end(), path);
        return static_cast<std::size_t>(below) + (itself ? 1U : 0U);
    }

  private:
    std::vector<std::string_view> paths_;
};

/// Whether other modules than the layout's are below the path.
bool holds_others(const WeightPaths& weights, std::string_view path, const Container& container,
                  const Layout& layout) {
    std::set<const Module*> own;
    for (std::size_t k = 0; k < layout.network.convolutions().size(); ++k) {
        own.insert(container.find(layout.convolution(k)));
        if (layout.batch_norm) own.insert(container.find(layout.norm(k)));
    }
    const auto own_within = std::count_if(own.begin(), own.end(), [path](const Module* module) {
        return module != nullptr && is_within(module->path, path) && module->find("weight") != nullptr;
    });
    return weights.within(path) > static_cast<std::size_t>(own_within);
}

std::optional<Candidate> candidate_of(const WeightPaths& weights, bool has_key, Container container) {
    std::optional<Layout> layout = best_layout(container);
    if (!layout) return {};
    const std::size_t convolutions = layout->network.convolutions().size();
    const std::size_t filters = filters_of(container, *layout).size();
    std::size_t first = last_convolution(container, *layout);
    const bool may_have_neighbours = is_usual_name(container) || container.is_sliced || has_key;
    const std::string_view alone_below = may_have_neighbours ? std::string_view(container.path) : "";
    const bool stands_alone = !holds_others(weights, alone_below, container, *layout);
    if (first == convolutions || 2 * filters < first || !stands_alone) first = 0;
    // Most of a VGG and nothing else is one with holes, which will be named.
    const bool has_holes = stands_alone && 2 * filters >= convolutions;
    if (!is_usual_name(container) && filters < convolutions && first == 0 && !has_holes) return {};
    std::string prefix = container.path;
    return Candidate{.container = std::move(container),
                     .layout = *std::move(layout),
                     .prefix = std::move(prefix),
                     .likely = 2 * filters >= convolutions || first > 0,
                     .cut_off_after = first};
}

/// Whether a module may be a dense layer. A convolution's weights may also be one, if the kernel covers the
/// whole map.
bool is_dense(const Module& module) {
    const Parameter* const weight = module.find("weight");
    if (weight == nullptr) return module.find("bias") != nullptr && module.find("running_mean") == nullptr;
    return weight->shape().size() == 2 || weight->shape().size() == 4;
}

/// The modules of the candidate's convolutions and batch norms.
std::set<const Module*> features_of(const Candidate& candidate) {
    std::set<const Module*> features;
    for (std::size_t k = 0; k < candidate.layout.network.convolutions().size(); ++k) {
        features.insert(candidate.container.find(candidate.layout.convolution(k)));
        if (candidate.layout.batch_norm) features.insert(candidate.container.find(candidate.layout.norm(k)));
    }
    return features;
}

/// The container's parent, below which a whole VGG of torchvision has its dense layers; the container itself
/// where the convolutions' names are all that tells it.
std::string_view usual_prefix(const Candidate& candidate) {
    const Container& container = candidate.container;
    const bool holds_all = container.naming != Naming::sequential || container.is_sliced;
    return holds_all ? std::string_view(container.path) : parent_path(container.path);
}

/// Looks for dense layers near the convolutions first, then further and further out.
class DenseFinder {
  public:
    DenseFinder(const std::vector<Module>& modules, const std::vector<Candidate>& candidates)
        : modules_(modules), candidates_(candidates) {}

    void find(Candidate& candidate) const {
        std::string_view prefix = usual_prefix(candidate);
        const std::set<const Module*> features = features_of(candidate);
        bool is_root = false;
        while (candidate.dense.empty() && !is_root) {
            candidate.prefix = prefix;
            candidate.dense = dense_within(prefix, candidate, features);
            is_root = prefix.empty();
            prefix = parent_path(prefix);
        }
        const bool has_weight = std::any_of(candidate.dense.begin(), candidate.dense.end(),
                                            [](const Module* module) { return module->find("weight"); });
        if (has_weight) return;
        candidate.dense.clear();
        candidate.prefix = usual_prefix(candidate);
    }

  private:
    std::vector<const Module*> dense_within(std::string_view prefix, const Candidate& candidate,
                                            const std::set<const Module*>& features) const {
        std::vector<const Module*> dense;
        for (const Module& module : modules_) {
            if (!is_within(module.path, prefix) || !is_dense(module)) continue;
            if (features.contains(&module)) continue;
            if (is_of_another(module, prefix, candidate)) continue;
            // A module among the convolutions is surplus, unless it cannot be a convolution.
            const bool among = is_within(module.path, candidate.container.path) &&
                               candidate.container.naming == Naming::sequential;
            const Parameter* const weight = module.find("weight");
            if (among && (weight == nullptr || weight->shape().size() != 2 || is_named_features(candidate))) {
                continue;
            }
            dense.push_back(&module);
        }
        return dense;
    }
    static bool is_named_features(const Candidate& candidate) { return is_usual_name(candidate.container); }
    bool is_of_another(const Module& module, std::string_view prefix, const Candidate& candidate) const {
        return std::any_of(candidates_.begin(), candidates_.end(), [&](const Candidate& other) {
            if (&other == &candidate || !other.likely) return false;
            const std::string_view container = other.container.path;
            const bool holds_all = other.container.naming != Naming::sequential;
            const std::string_view all = usual_prefix(other);
            const bool is_deeper = all.size() > prefix.size() && is_within(all, prefix);
            if (!is_deeper && (holds_all || container.empty())) return false;
            return is_within(module.path, is_deeper ? all : container);
        });
    }

    const std::vector<Module>& modules_;
    const std::vector<Candidate>& candidates_;
};

/// Adds candidates found under unusual names. If two candidates share their convolutions, the one with usual
/// names stays if it is complete, or if the other one would only hide that some are missing.
void add_ordered(const std::vector<Module>& modules, const WeightPaths& weights, bool has_key,
                 std::vector<Candidate>& candidates) {
    std::vector<Container> containers = sliced_containers(modules);
    std::ranges::move(ordered_containers(modules), std::back_inserter(containers));
    if (containers.size() > most_containers) {
        containers.erase(containers.begin() + most_containers, containers.end());
    }
    for (Container& container : containers) {
        auto ordered = candidate_of(weights, has_key, std::move(container));
        if (!ordered) continue;
        const std::set<const Module*> own = filters_of(ordered->container, ordered->layout);
        const auto shared = [&own](const Candidate& candidate) {
            const auto filters = filters_of(candidate.container, candidate.layout);
            return std::count_if(filters.begin(), filters.end(),
                                 [&own](const Module* module) { return own.contains(module); });
        };
        const bool is_known =
            std::any_of(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
                const auto filters = filters_of(candidate.container, candidate.layout).size();
                const auto count = static_cast<std::size_t>(shared(candidate));
                if (count == 0) return false;
                if (filters == candidate.layout.network.convolutions().size()) return true;
                const bool tells_what_is_missing = candidate.cut_off_after == 0 ||
                                                   candidate.cut_off_after == filters ||
                                                   is_usual_name(candidate.container);
                return tells_what_is_missing && count == own.size();
            });
        if (is_known) continue;
        std::erase_if(candidates, [&](const Candidate& candidate) { return shared(candidate) > 0; });
        candidates.push_back(*std::move(ordered));
    }
}

/// Makes a network that was cut off one of its first convolutions alone, unless its dense layers are there.
/// Dense layers further out are those of another network. Returns whether it stays a candidate.
bool cut_off(Candidate& candidate) {
    if (candidate.cut_off_after == 0) return true;
    const std::string_view prefix = usual_prefix(candidate);
    if (!candidate.dense.empty() && candidate.prefix == prefix) return is_usual_name(candidate.container);
    candidate.dense.clear();
    candidate.prefix = prefix;
    candidate.layout = first_convolutions(candidate.layout, candidate.cut_off_after);
    return true;
}

std::uint64_t parameters_of(const Module* module) {
    std::uint64_t sum = 0;
    for (const char* name : {"weight", "bias"}) {
        const Parameter* const parameter = module == nullptr ? nullptr : module->find(name);
        if (parameter != nullptr) sum += parameter->values().elements();
    }
    return sum;
}

void count_parameters(Candidate& candidate) {
    for (std::size_t k = 0; k < candidate.layout.network.convolutions().size(); ++k) {
        candidate.parameters += parameters_of(candidate.container.find(candidate.layout.convolution(k)));
    }
    for (const Module* const module : candidate.dense) candidate.parameters += parameters_of(module);
}

/// The usual places of the trained network in checkpoints.
std::size_t place_rank(const Candidate& candidate) {
    constexpr std::array<std::string_view, 3> usual = {"", "state_dict", "model"};
    const auto found = std::find(usual.begin(), usual.end(), without_wrappers(candidate.prefix));
    return static_cast<std::size_t>(found - usual.begin());
}

}  // namespace

const Module* Container::find(const std::string& name) const {
    const auto found = modules.find(name);
    return found == modules.end() ? nullptr : found->second;
}

std::string Container::path_of(const std::string& name) const {
    const Module* const module = find(name);
    return module == nullptr ? join_path(path, name) : module->path;
}

std::vector<Candidate> find_candidates(const std::vector<Module>& modules, bool features_only, bool has_key) {
    std::vector<Candidate> candidates;
    ContainerFinder finder(modules);
    const WeightPaths weights(modules);
    for (Container& container : finder.containers()) {
        if (auto candidate = candidate_of(weights, has_key, std::move(container))) {
            candidates.push_back(*std::move(candidate));
        }
    }
    add_ordered(modules, weights, has_key, candidates);
    const bool any_likely = std::any_of(candidates.begin(), candidates.end(),
                                        [](const Candidate& candidate) { return candidate.likely; });
    if (any_likely) std::erase_if(candidates, [](const Candidate& candidate) { return !candidate.likely; });
    if (candidates.size() > most_candidates) {
        candidates.erase(candidates.begin() + most_candidates, candidates.end());
    }
    const DenseFinder dense(modules, candidates);
    for (Candidate& candidate : candidates) {
        candidate.prefix = usual_prefix(candidate);
        if (!features_only) dense.find(candidate);
    }
    std::erase_if(candidates, [](Candidate& candidate) { return !cut_off(candidate); });
    for (Candidate& candidate : candidates) count_parameters(candidate);
    std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
        return std::tuple(a.dense.empty(), a.layout.is_prefix, b.parameters, place_rank(a)) <
               std::tuple(b.dense.empty(), b.layout.is_prefix, a.parameters, place_rank(b));
    });
    return candidates;
}

}  // namespace vgg19::converter
