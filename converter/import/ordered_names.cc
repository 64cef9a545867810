#include "converter/import/ordered_names.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/model/network.h"

namespace vgg19::converter {
namespace {

using Numbers = std::vector<std::uint64_t>;
/// Sorted by the numbers in their names.
using Family = std::map<Numbers, const Module*>;
/// Keyed by the names with the numbers removed.
using Families = std::map<std::string, Family>;

bool is_digit(char character) {
    return character >= '0' && character <= '9';
}

/// "block1.conv10" → "block#.conv#" and 1, 10; none if a number is too long to be an index.
std::optional<std::pair<std::string, Numbers>> split_numbers(std::string_view path) {
    constexpr std::size_t longest = 6;
    std::pair<std::string, Numbers> result;
    while (!path.empty()) {
        const auto digit = std::find_if(path.begin(), path.end(), is_digit);
        result.first.append(path.begin(), digit);
        path.remove_prefix(static_cast<std::size_t>(digit - path.begin()));
        if (path.empty()) break;
        const auto end = std::find_if_not(path.begin(), path.end(), is_digit);
        const auto digits = static_cast<std::size_t>(end - path.begin());
        if (digits > longest) return {};
        result.first += '#';
        std::from_chars(path.data(), path.data() + digits, result.second.emplace_back());
        path.remove_prefix(digits);
    }
    // The names themselves may have a '#', but no digit is left, so that equal texts have equally many
    // numbers.
    result.first += std::to_string(result.second.size());
    return result;
}

template <class Wanted>
Families families_of(const std::vector<Module>& modules, const Wanted& is_wanted) {
    Families families;
    for (const Module& module : modules) {
        if (!is_wanted(module)) continue;
        const auto name = split_numbers(module.path);
        if (name) families[name->first].emplace(name->second, &module);
    }
    return families;
}

const std::vector<std::size_t>& weight_shape(const Module& module) {
    return module.find("weight")->shape();
}

/// Whether each layer has as many inputs as the previous one has outputs; the first reads 3 channels.
bool is_chain(const Family& convolutions) {
    std::size_t channels = 3;
    for (const auto& [numbers, module] : convolutions) {
        if (weight_shape(*module)[1] != channels) return false;
        channels = weight_shape(*module)[0];
    }
    return true;
}

/// The depth of the VGG with these convolutions, or whose first ones these are; none if there is none. Names
/// in order do not tell where pools are. A whole network is known by the number of its convolutions; the
/// first convolutions of one, by torchvision's widths, which differ wherever pools do.
std::optional<int> depth_of(const Family& convolutions) {
    constexpr std::size_t fewest = 2;  // one alone may be of any network
    std::optional<int> whole;
    for (const int depth : {19, 16, 13, 11}) {
        const std::vector<model::ConvolutionLayer> layers = model::Network::vgg(depth).convolutions();
        if (layers.size() == convolutions.size()) whole = depth;
        if (layers.size() < convolutions.size() || convolutions.size() < fewest) continue;
        const bool has_widths =
            std::equal(convolutions.begin(), convolutions.end(), layers.begin(),
                       [](const auto& convolution, const model::ConvolutionLayer& layer) {
                           return weight_shape(*convolution.second)[0] == layer.output_channels;
                       });
        if (has_widths) return depth;
    }
    return whole;
}

/// After which convolutions a VGG has pools.
std::vector<bool> pools_of(int depth) {
    const model::Network network = model::Network::vgg(depth);
    std::vector<bool> pools;
    for (const auto& layer : network.convolutions()) pools.push_back(layer.pool_follows);
    return pools;
}

/// The positions at which the numbers differ.
std::vector<std::size_t> varying(const Family& family) {
    std::vector<std::size_t> places;
    const Numbers& first = family.begin()->first;
    for (std::size_t i = 0; i < first.size(); ++i) {
        const bool varies = std::any_of(family.begin(), family.end(),
                                        [&](const auto& entry) { return entry.first[i] != first[i]; });
        if (varies) places.push_back(i);
    }
    return places;
}

/// For names with one number: equal steps say nothing about pools; a longer step must be at a pool.
bool steps_fit(const Family& family, std::size_t place, const std::vector<bool>& pools) {
    Numbers steps;
    for (auto entry = family.begin(), next = std::next(entry); next != family.end(); ++entry, ++next) {
        steps.push_back(next->first[place] - entry->first[place]);
    }
    const auto [least, most] = std::minmax_element(steps.begin(), steps.end());
    if (*least == *most) return true;
    for (std::size_t k = 0; k < steps.size(); ++k) {
        if ((steps[k] > *least) != pools[k]) return false;
    }
    return true;
}

/// For names with two numbers: the first is the block's, and each block must end at a pool.
bool blocks_fit(const Family& family, std::size_t place, const std::vector<bool>& pools) {
    std::size_t k = 0;
    for (auto entry = family.begin(), next = std::next(entry); next != family.end(); ++entry, ++next, ++k) {
        if ((next->first[place] != entry->first[place]) != pools[k]) return false;
    }
    return true;
}

bool numbers_fit(const Family& family, const std::vector<bool>& pools) {
    const std::vector<std::size_t> places = varying(family);
    if (places.size() == 1) return steps_fit(family, places[0], pools);
    return places.size() == 2 && blocks_fit(family, places[0], pools);
}

/// For names with two numbers, the slice's and the module's: whether the modules are numbered through.
bool is_sliced(const Family& family) {
    const std::vector<std::size_t> places = varying(family);
    if (places.size() != 2 || places[1] + 1 != family.begin()->first.size()) return false;
    const auto goes_back = [](const auto& a, const auto& b) { return a.first.back() >= b.first.back(); };
    return std::adjacent_find(family.begin(), family.end(), goes_back) == family.end();
}

/// Whether the batch norm's name places it directly after the convolution: the same numbers or, within one
/// torch.nn.Sequential, the next number.
bool follows(const Numbers& convolution, const Numbers& norm, bool same_name) {
    if (!same_name) return convolution == norm;
    Numbers next = convolution;
    ++next.back();
    return norm == next;
}

bool are_norms_of(const Family& convolutions, const Family& norms, bool same_name) {
    if (norms.size() != convolutions.size()) return false;
    return std::equal(convolutions.begin(), convolutions.end(), norms.begin(),
                      [same_name](const auto& convolution, const auto& norm) {
                          return follows(convolution.first, norm.first, same_name) &&
                                 norm.second->find("running_var")->shape() ==
                                     std::vector<std::size_t>{weight_shape(*convolution.second)[0]};
                      });
}

std::string common_path(const Family& family) {
    std::string_view path = parent_path(family.begin()->second->path);
    const auto holds = [&](const auto& entry) { return is_within(entry.second->path, path); };
    while (!std::all_of(family.begin(), family.end(), holds)) path = parent_path(path);
    return std::string(without_wrappers(path));
}

}  // namespace

std::vector<Container> ordered_containers(const std::vector<Module>& modules) {
    const Families norms =
        families_of(modules, [](const Module& module) { return module.find("running_var") != nullptr; });
    std::vector<Container> containers;
    for (const auto& [name, convolutions] : families_of(modules, is_filter_3x3)) {
        const std::optional<int> depth = depth_of(convolutions);
        if (!depth || !is_chain(convolutions) || !numbers_fit(convolutions, pools_of(*depth))) continue;
        Container container{common_path(convolutions), Naming::in_order, {}, {}, *depth};
        const auto add = [&container](const Family& family, const char* kind) {
            std::size_t k = 0;
            for (const auto& entry : family) {
                container.modules.emplace(kind + std::to_string(k++), entry.second);
            }
        };
        add(convolutions, "conv");
        const auto own = std::find_if(
            norms.begin(), norms.end(), [&, &name = name, &convolutions = convolutions](const auto& entry) {
                return are_norms_of(convolutions, entry.second, entry.first == name);
            });
        if (own != norms.end()) add(own->second, "bn");
        containers.push_back(std::move(container));
    }
    return containers;
}

std::vector<Container> sliced_containers(const std::vector<Module>& modules) {
    const Families norms =
        families_of(modules, [](const Module& module) { return module.find("running_var") != nullptr; });
    std::vector<Container> containers;
    for (const auto& [name, convolutions] : families_of(modules, is_filter_3x3)) {
        if (!is_sliced(convolutions) || !is_chain(convolutions)) continue;
        Container container{common_path(convolutions), Naming::sequential, {}, {}};
        container.is_sliced = true;
        const auto add = [&container](const Family& family) {
            for (const auto& [numbers, module] : family) {
                const bool is_new = container.modules.emplace(std::to_string(numbers.back()), module).second;
                if (!is_new) container.repeated.push_back(module);
            }
        };
        add(convolutions);
        const auto own = norms.find(name);
        if (own != norms.end()) add(own->second);
        containers.push_back(std::move(container));
    }
    return containers;
}

}  // namespace vgg19::converter
