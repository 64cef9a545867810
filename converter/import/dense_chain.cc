#include "converter/import/dense_chain.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "converter/import/byte_reader.h"
#include "engine/model/network.h"

namespace vgg19::converter {
namespace {

/// With more layers only two orders are tried: by name, and as in the file.
constexpr std::size_t most_ordered = 10;
constexpr std::size_t most_orders = 1000;
constexpr std::size_t largest_side = 256;

using Order = std::vector<const Module*>;

bool is_digit(char character) {
    return character >= '0' && character <= '9';
}

/// timm's names sort in a different order.
std::string_view usual_name(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> timm = {
        {{"pre_logits.fc1", "classifier.0"},
         {"pre_logits.fc2", "classifier.3"},
         {"head.fc", "classifier.6"}}};
    for (const auto& [theirs, ours] : timm) {
        if (name == theirs) return ours;
    }
    return name;
}

/// A name's letters and numbers alternating, so that "fc10" sorts after "fc9".
std::vector<std::pair<std::string, std::uint64_t>> name_pieces(std::string_view name) {
    std::vector<std::pair<std::string, std::uint64_t>> pieces;
    while (!name.empty()) {
        const auto digit = std::find_if(name.begin(), name.end(), is_digit);
        const std::string letters(name.begin(), digit);
        name.remove_prefix(letters.size());
        std::uint64_t number = 0;
        const auto end = std::from_chars(name.data(), name.data() + name.size(), number).ptr;
        const auto digits = static_cast<std::size_t>(end - name.data());
        pieces.emplace_back(letters, digits == 0 ? 0 : number + 1);
        name.remove_prefix(digits);
    }
    return pieces;
}

std::string letters_of(std::string_view name) {
    std::string letters(name);
    std::erase_if(letters, is_digit);
    return letters;
}

class Chains {
  public:
    Chains(std::string_view prefix, std::size_t channels) : prefix_(prefix), channels_(channels) {}

    std::string name(const Module* module) const {
        std::string_view name = without_wrappers(module->path);
        if (!prefix_.empty()) name.remove_prefix(std::min(prefix_.size() + 1, name.size()));
        std::string plain;  // inner wrappers carry no meaning either
        for (const std::string_view key : split_path(name)) {
            if (!is_wrapper(key)) plain = join_path(plain, key);
        }
        return std::string(usual_name(plain));
    }
    Order by_name(Order modules) const {
        std::stable_sort(modules.begin(), modules.end(), [this](const Module* a, const Module* b) {
            return name_pieces(name(a)) < name_pieces(name(b));
        });
        return modules;
    }

    /// The side of the map that a first layer reads; none if it cannot be the first layer.
    std::optional<std::size_t> side(const Module* module) const {
        const Parameter* const weight = module->find("weight");
        if (weight == nullptr || channels_ == 0) return {};
        const std::size_t inputs = dense_inputs(weight->shape());
        const std::size_t area = inputs / channels_;
        const auto side = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(area))));
        if (side == 0 || side > largest_side || side * side * channels_ != inputs) return {};
        const auto& shape = weight->shape();
        if (shape.size() == 4 && (shape[2] != side || shape[3] != side)) return {};
        return side;
    }
    static bool follows(const Module* module, const Module* before) {
        const Parameter* const weight = module->find("weight");
        const Parameter* const other = before->find("weight");
        if (weight == nullptr || other == nullptr) return false;
        const auto& shape = weight->shape();
        if (shape.size() == 4 && (shape[2] != 1 || shape[3] != 1)) return false;
        return dense_inputs(shape) == dense_outputs(other->shape());
    }
    bool is_chain(const Order& order) const {
        if (!side(order.front())) return false;
        for (std::size_t i = 1; i < order.size(); ++i) {
            if (!follows(order[i], order[i - 1])) return false;
        }
        return true;
    }

    /// At most two of the orders that form a chain, since two already show the ambiguity.
    std::vector<Order> orders(const Order& modules) const {
        std::vector<Order> found;
        Order order;
        std::vector<bool> used(modules.size());
        std::size_t steps = most_orders;
        extend(modules, order, used, steps, found);
        return found;
    }

  private:
    void extend(const Order& modules, Order& order, std::vector<bool>& used, std::size_t& steps,
                std::vector<Order>& found) const {
        if (order.size() == modules.size()) return found.push_back(order);
        for (std::size_t i = 0; i < modules.size() && found.size() < 2 && steps > 0; ++i) {
            if (used[i]) continue;
            if (order.empty() ? !side(modules[i]) : !follows(modules[i], order.back())) continue;
            --steps;
            used[i] = true;
            order.push_back(modules[i]);
            extend(modules, order, used, steps, found);
            order.pop_back();
            used[i] = false;
        }
    }

    std::string_view prefix_;
    std::size_t channels_;
};

std::string order_text(const Order& order) {
    std::string text;
    for (const Module* const module : order) text += (text.empty() ? "" : ", ") + printable(module->path);
    return text;
}

/// The modules that form a chain by the rules of dense_chain(); none if there is no chain.
std::optional<Order> chained(const Chains& chains, const Order& modules, std::vector<std::string>& problems) {
    const Order by_name = chains.by_name(modules);
    const bool names_chain = chains.is_chain(by_name);
    const bool file_chains = chains.is_chain(modules);
    bool numbers_decide = true;
    for (const Module* const module : modules) {
        numbers_decide =
            numbers_decide && letters_of(chains.name(module)) == letters_of(chains.name(modules.front()));
    }
    if (names_chain && (numbers_decide || !file_chains || by_name == modules)) return by_name;
    if (names_chain) {
        problems.push_back(
            "the order of the dense layers: expected one, found two that fit: " + order_text(by_name) +
            " (by name), and " + order_text(modules) + " (as in the file); give them numbers in their names");
        return by_name;
    }
    if (file_chains) return modules;
    if (modules.size() > most_ordered) return {};
    const std::vector<Order> orders = chains.orders(modules);
    if (orders.empty()) return {};
    if (orders.size() > 1) {
        problems.push_back(
            "the order of the dense layers: expected one, found several that fit: " + order_text(orders[0]) +
            ", and " + order_text(orders[1]) + "; give them numbers in their names");
    }
    return orders.front();
}

/// "classifier.0" → "classifier", "fc6" → "fc": the common part of the names in a group.
std::string group_of(const std::string& name) {
    const std::vector<std::string_view> keys = split_path(name);
    return keys.empty() ? "" : letters_of(keys.front());
}

/// The group with the most weights, sorted by name; groups that form a chain take precedence.
Order largest_group(const Chains& chains, const Order& modules) {
    std::map<std::string, Order> groups;
    for (const Module* const module : modules) groups[group_of(chains.name(module))].push_back(module);
    const auto rank = [&](const Order& group) {
        std::uint64_t elements = 0;
        for (const Module* const module : group) {
            const Parameter* const weight = module->find("weight");
            elements += weight == nullptr ? 0 : weight->values().elements();
        }
        return std::pair(chains.is_chain(chains.by_name(group)), elements);
    };
    const auto largest = std::max_element(groups.begin(), groups.end(), [&](const auto& a, const auto& b) {
        return rank(a.second) < rank(b.second);
    });
    return chains.by_name(largest->second);
}

/// A name's trailing number, and the text before it.
std::optional<std::pair<std::string, std::uint64_t>> numbered(const std::string& name) {
    const std::size_t digits = name.find_last_not_of("0123456789") + 1;  // npos + 1 is 0
    std::uint64_t number = 0;
    const char* const end = name.data() + name.size();
    if (std::from_chars(name.data() + digits, end, number).ec != std::errc()) return {};
    return std::pair(name.substr(0, digits), number);
}

/// Finds gaps in the numbers that are wider than the modules between two dense layers.
void find_gaps(const Chains& chains, const Order& order, std::vector<std::string>& problems) {
    constexpr std::uint64_t widest_gap = 4;  // Linear, BatchNorm1d, ReLU, Dropout
    for (std::size_t i = 1; i < order.size(); ++i) {
        const auto before = numbered(chains.name(order[i - 1]));
        const auto here = numbered(chains.name(order[i]));
        if (!before || !here || before->first != here->first) continue;
        const bool in_sequential = before->first.empty() || before->first.ends_with('.');
        const std::uint64_t widest = in_sequential ? widest_gap : 1;
        if (here->second <= before->second + widest) continue;
        problems.push_back(
            printable(order[i]->path) + ": expected the dense layer after " + printable(order[i - 1]->path) +
            " at most " + std::to_string(widest) + (widest == 1 ? " number" : " numbers") + " on, found it " +
            std::to_string(here->second - before->second) + " on: one is missing between them");
    }
}

/// Whether two layers are "LAYER.0" and "LAYER.1" of a numbered layer in a container.
bool are_factors(const std::string& first, const std::string& second) {
    const std::string_view layer = parent_path(first);
    const std::string_view container = parent_path(layer);
    return !container.empty() && layer == parent_path(second) && first == std::string(layer) + ".0" &&
           second == std::string(layer) + ".1" && is_digit(layer[container.size() + 1]) &&
           numbered(std::string(layer));
}

std::vector<bool> first_factors(const Chains& chains, const Order& order) {
    std::vector<bool> result(order.size());
    for (std::size_t i = 1; i < order.size(); ++i) {
        result[i - 1] = are_factors(chains.name(order[i - 1]), chains.name(order[i]));
    }
    return result;
}

/// Of modules that mean the same layer (timm's and torchvision's names), keeps the first.
Order named_once(const Chains& chains, const Order& modules, std::vector<std::string>& problems) {
    Order once;
    std::map<std::string, const Module*> known;
    for (const Module* const module : modules) {
        const std::string name = chains.name(module);
        if (known.emplace(name, module).second) {
            once.push_back(module);
            continue;
        }
        for (const auto& [parameter, tensors] : module->parameters) {
            problems.push_back(printable(join_path(module->path, parameter)) +
                               ": expected once, found again (as " + printable(join_path(name, parameter)) +
                               ")");
        }
    }
    return once;
}

}  // namespace

std::size_t dense_outputs(const std::vector<std::size_t>& shape) {
    return shape.empty() ? 0 : shape[0];
}

std::size_t dense_inputs(const std::vector<std::size_t>& shape) {
    std::size_t inputs = 1;
    for (std::size_t d = 1; d < shape.size(); ++d) inputs *= shape[d];
    return inputs;
}

DenseChain dense_chain(const std::vector<const Module*>& modules, std::string_view prefix,
                       std::size_t channels) {
    DenseChain result{{}, {}, model::default_pooled_side, {}};
    if (modules.empty()) return result;
    const Chains chains(prefix, channels);
    const Order once = named_once(chains, modules, result.problems);
    const std::optional<Order> order = chained(chains, once, result.problems);
    if (order) {
        result.layers = *order;
    } else {
        result.layers = largest_group(chains, once);
        const Order group = result.layers;
        if (const auto part = chained(chains, group, result.problems)) result.layers = *part;
    }
    result.is_first_factor = first_factors(chains, result.layers);
    result.pooled_side = chains.side(result.layers.front()).value_or(model::default_pooled_side);
    find_gaps(chains, result.layers, result.problems);
    return result;
}

}  // namespace vgg19::converter
