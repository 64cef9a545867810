#include "converter/import/module_types.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <set>

#include "converter/import/byte_reader.h"
#include "converter/import/modules.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t pools_of_a_vgg = 5;
constexpr std::string_view max_pool = "MaxPool2d";
/// Also how one of 2×2 pixels, of stride 2, differs from a VGG's modules.
constexpr std::string_view average_pool = "AvgPool2d";

template <std::size_t Count>
bool is_one_of(std::string_view name, const std::array<std::string_view, Count>& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether it turns the last layer's outputs into probabilities.
bool makes_probabilities(std::string_view type) {
    return is_one_of(type, std::array{"Softmax"sv, "LogSoftmax"sv, "Sigmoid"sv, "LogSigmoid"sv});
}

/// The part of torch.nn that defines a module: "activation"; TorchScript writes
/// "__torch__.torch.nn.modules.activation.___torch_mangle_3". Empty for other code.
std::string_view part_of_torch(std::string_view module) {
    constexpr std::string_view script = "__torch__.";
    constexpr std::string_view torch = "torch.nn.modules.";
    if (module.starts_with(script)) module.remove_prefix(script.size());
    if (!module.starts_with(torch)) return {};
    module.remove_prefix(torch.size());
    return module.substr(0, module.find('.'));
}

/// More numbers than a setting has.
constexpr std::size_t most_numbers = 8;

/// Whether a setting, a single number or a pair, equals `expected`. Also true if the setting is missing, as
/// in TorchScript, or is a text, such as padding="same".
bool is_number(const Pickle& pickle, const PickleValue* setting, std::int64_t expected) {
    if (setting == nullptr) return true;
    const auto fits = [expected](const PickleValue& value) {
        return value.kind != PickleKind::integer || value.integer == expected;
    };
    const auto items = pickle.items(*setting);
    return fits(*setting) && items.size() <= most_numbers &&
           std::all_of(items.begin(), items.end(),
                       [&](PickleReference item) { return fits(pickle.at(item)); });
}

struct Setting {
    std::string_view name;
    std::int64_t expected;
};

/// The first setting with an unexpected value, as Python writes it: "MaxPool2d with stride 3".
std::string other_setting(const Pickle& pickle, std::string_view type, const PickleValue& attributes,
                          std::initializer_list<Setting> settings) {
    for (const Setting& setting : settings) {
        const PickleValue* const found = module_attribute(pickle, attributes, setting.name);
        if (is_number(pickle, found, setting.expected)) continue;
        const auto items = pickle.items(*found);
        std::string text = std::string(type) + " with " + std::string(setting.name) + ' ';
        if (items.empty()) return text + std::to_string(found->integer);
        text += '(';
        for (const PickleReference item : items.first(std::min(items.size(), most_numbers))) {
            text += (text.back() == '(' ? "" : ", ") + std::to_string(pickle.at(item).integer);
        }
        return text + ')';
    }
    return "";
}

/// How a torch.nn module differs from a VGG's; empty if it does not.
std::string unlike_vgg(const Pickle& pickle, std::string_view part, std::string_view type,
                       const PickleValue& attributes) {
    if (type == max_pool) {
        return other_setting(pickle, type, attributes,
                             {{"kernel_size", 2}, {"stride", 2}, {"padding", 0}, {"dilation", 1}});
    }
    if (type == average_pool) {  // some networks have one over a single pixel
        if (module_attribute(pickle, attributes, "kernel_size") == nullptr) {
            return std::string(type) + " of unknown size";
        }
        if (other_setting(pickle, type, attributes, {{"kernel_size", 1}}).empty()) return "";
        const std::string other =
            other_setting(pickle, type, attributes, {{"kernel_size", 2}, {"stride", 2}, {"padding", 0}});
        return other.empty() ? std::string(type) : other;
    }
    if (type == "Conv2d") {
        const PickleValue* const kernel = module_attribute(pickle, attributes, "kernel_size");
        if (kernel == nullptr || !is_number(pickle, kernel, 3)) return "";
        const PickleValue* const mode = module_attribute(pickle, attributes, "padding_mode");
        if (mode != nullptr && mode->kind == PickleKind::text && mode->text() != "zeros") {
            return "Conv2d with padding_mode " + printable(mode->text());
        }
        return other_setting(pickle, type, attributes, {{"padding", 1}, {"stride", 1}, {"dilation", 1}});
    }
    const bool usual =
        (part == "activation" && type == "ReLU") || (part == "pooling" && type == "AdaptiveAvgPool2d");
    const bool computes = is_one_of(part, std::array{"activation"sv, "pooling"sv, "normalization"sv, "rnn"sv,
                                                     "transformer"sv, "upsampling"sv, "pixelshuffle"sv});
    return computes && !usual ? std::string(type) : "";
}

/// The last key of a path as a number.
std::optional<std::size_t> place_in_parent(std::string_view path) {
    const std::string_view parent = parent_path(path);
    const std::string_view key = path.substr(parent.empty() ? 0 : parent.size() + 1);
    std::size_t place = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), place);
    if (error != std::errc() || end != key.data() + key.size()) return {};
    return place;
}

/// Whether both are in one torch.nn.Sequential, `path` before `other`.
bool is_before(std::string_view path, std::string_view other) {
    const auto place = place_in_parent(path);
    const auto other_place = place_in_parent(other);
    return parent_path(path) == parent_path(other) && place && other_place && *place < *other_place;
}

/// Whether `other` is behind `path` in a torch.nn.Sequential that holds `path` at any level.
bool is_behind_at_any_level(std::string_view other, std::string_view path) {
    for (; !path.empty(); path = parent_path(path)) {
        if (is_before(path, other)) return true;
    }
    return false;
}

class TypeCheck {
  public:
    TypeCheck(const VggTensors& vgg, const std::vector<CheckpointFacts::ModuleType>& modules) : vgg_(vgg) {
        for (const auto& module : modules) {
            if (is_within(module.path, vgg.prefix)) check(module);
        }
        found_.averages_pools = max_pools_.empty() && !average_pools_.empty();
        if (!found_.averages_pools) refuse_average_pools();
        const std::vector<CheckpointFacts::ModuleType>& pools =
            found_.averages_pools ? average_pools_ : max_pools_;
        const auto rounds_up = [](const CheckpointFacts::ModuleType& pool) { return pool.rounds_up; };
        if (std::any_of(pools.begin(), pools.end(), rounds_up)) found_.notes.emplace_back(rounds_up_text);
        if (vgg.network.has_classifier()) {
            count_objects(pools);
        } else {
            find_last_pool(pools);
        }
    }
    const std::vector<std::string>& problems() const { return problems_; }
    ModuleCheck found() const { return found_; }

  private:
    void check(const CheckpointFacts::ModuleType& module) {
        const bool is_among = is_among_convolutions(module.path);
        if (module.type == max_pool && is_among) max_pools_.push_back(module);
        if (module.unlike == average_pool && is_among) return average_pools_.push_back(module);
        if (module.type == "Sequential" && module.path == parent_path(vgg_.convolution_paths.front())) {
            is_sequential_ = true;
        }
        const auto& dense = vgg_.dense_paths;
        const std::string& last = dense.empty() ? vgg_.convolution_paths.back() : dense.back();
        if (module.type == "ReLU" && !dense.empty() && is_behind_at_any_level(module.path, last)) {
            found_.notes.push_back(left_out_text(printable(module.path), module.type));
        }
        if (module.unlike.empty()) return;
        if (std::find(dense.begin(), dense.end(), module.path) != dense.end()) return;
        if (module.type == average_pool && is_behind_convolutions(module.path)) return;
        const bool is_behind = is_behind_at_any_level(module.path, last) ||
                               (makes_probabilities(module.type) && is_behind_convolutions(module.path) &&
                                parent_path(module.path) != parent_path(last));
        if (is_behind) {
            found_.notes.push_back(left_out_text(printable(module.path), module.unlike));
            return;
        }
        problems_.push_back(printable(module.path) + ": " + module.unlike);
    }
    /// Beside max-pools an average pool may only be behind all convolutions.
    void refuse_average_pools() {
        for (const CheckpointFacts::ModuleType& pool : average_pools_) {
            if (!is_behind_convolutions(pool.path)) {
                problems_.push_back(printable(pool.path) + ": " + pool.unlike);
            }
        }
    }
    void count_objects(const std::vector<CheckpointFacts::ModuleType>& pools) {
        std::set<std::uint64_t> objects;  // a single module may be used five times
        for (const CheckpointFacts::ModuleType& pool : pools) objects.insert(pool.object);
        if (objects.size() <= 1 || objects.size() == pools_of_a_vgg) return;
        problems_.push_back("expected five modules " + pools.front().type + ", found " +
                            std::to_string(objects.size()));
    }
    /// Features alone may end before or after a pool.
    void find_last_pool(const std::vector<CheckpointFacts::ModuleType>& pools) {
        const model::Network& network = vgg_.network;
        const std::size_t between = network.pool_count() - (network.ends_with_pool() ? 1 : 0);
        if (pools.empty() && (between > 0 || !is_sequential_)) return;  // they may be function calls
        if (pools.size() == between || pools.size() == between + 1) {
            found_.ends_with_pool = pools.size() > between;
        } else {
            problems_.push_back("expected " + std::to_string(between) + " or " + std::to_string(between + 1) +
                                " modules " + pools.front().type + ", found " + std::to_string(pools.size()));
        }
    }
    /// Whether it is in the torch.nn.Sequential that holds all convolutions.
    bool is_among_convolutions(const std::string& path) const {
        const auto& convolutions = vgg_.convolution_paths;
        return std::all_of(convolutions.begin(), convolutions.end(),
                           [&](const std::string& other) { return parent_path(path) == parent_path(other); });
    }
    bool is_behind_convolutions(const std::string& path) const {
        const auto& convolutions = vgg_.convolution_paths;
        return std::none_of(convolutions.begin(), convolutions.end(),
                            [&](const std::string& other) { return is_before(path, other); });
    }

    const VggTensors& vgg_;
    std::vector<CheckpointFacts::ModuleType> max_pools_;
    std::vector<CheckpointFacts::ModuleType> average_pools_;
    bool is_sequential_ = false;
    std::vector<std::string> problems_;
    ModuleCheck found_;
};

}  // namespace

const PickleValue* module_attribute(const Pickle& pickle, const PickleValue& attributes,
                                    std::string_view key) {
    constexpr std::size_t most_attributes = 200;
    if (attributes.kind != PickleKind::dict) return nullptr;
    std::span<const PickleReference> pairs = pickle.items(attributes);
    pairs = pairs.first(std::min(pairs.size(), 2 * most_attributes));
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
        if (pickle.at(pairs[i]).text() == key) return &pickle.at(pairs[i + 1]);
    }
    return nullptr;
}

CheckpointFacts::ModuleType module_type(const Pickle& pickle, const PickleGlobal& type,
                                        const PickleValue& attributes) {
    const std::string_view part = part_of_torch(type.module);
    if (part.empty()) return {};
    const std::string name = printable(type.name);
    const PickleValue* const ceil_mode = module_attribute(pickle, attributes, "ceil_mode");
    const bool rounds_up =
        ceil_mode != nullptr && ceil_mode->kind == PickleKind::boolean && ceil_mode->integer != 0;
    return {.path = {},
            .type = name,
            .rounds_up = rounds_up,
            .unlike = unlike_vgg(pickle, part, name, attributes)};
}

ModuleCheck check_module_types(const VggTensors& vgg, const std::vector<CheckpointFacts::ModuleType>& modules,
                               const std::string& file) {
    const TypeCheck check(vgg, modules);
    if (check.problems().empty()) return check.found();
    std::string message = file +
                          ": expected modules of a VGG (3×3 convolutions with padding 1, ReLUs, five "
                          "2×2 max-pools or average pools), found others, which are not supported:";
    message += model::listed(check.problems());
    message += "\nif the network works without them, save its state_dict() and convert that";
    throw Error(ErrorKind::bad_input, message);
}

}  // namespace vgg19::converter
