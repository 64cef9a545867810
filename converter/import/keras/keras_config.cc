#include "converter/import/keras/keras_config.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include "converter/import/byte_reader.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

using model::Json;
using namespace std::string_view_literals;

constexpr int most_levels = 8;

/// "Conv2D" → "conv2d", "MaxPooling2D" → "max_pooling2d": as Keras 3 names a layer's group.
std::string snake_case(const std::string& name) {
    std::string result;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const auto is_upper = [&name](std::size_t at) {
            return at < name.size() && std::isupper(static_cast<unsigned char>(name[at])) != 0;
        };
        const auto is_lower = [&name](std::size_t at) {
            return at < name.size() && std::islower(static_cast<unsigned char>(name[at])) != 0;
        };
        const bool begins_word = is_upper(i) && i > 0 && (is_lower(i - 1) || is_lower(i + 1));
        if (begins_word) result += '_';
        result += static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
    }
    return result;
}

/// The names of the layers whose outputs a layer reads: every [name, number, number …], at any depth.
void find_inputs(const Json& json, std::vector<std::string>& names, int level = 0) {
    if (level > most_levels) return;
    if (json.is_object()) {
        for (const auto& [key, value] : json.object()) find_inputs(value, names, level + 1);
    } else if (json.is_array()) {
        const Json::Array& items = json.array();
        if (items.size() >= 3 && items[0].is_string() && items[1].is_number() && items[2].is_number()) {
            names.push_back(items[0].string());
            return;
        }
        for (const Json& item : items) find_inputs(item, names, level + 1);
    }
}

class Reader {
  public:
    Reader(std::vector<KerasLayer> weights, const std::string& file)
        : weights_(std::move(weights)), file_(file) {}

    KerasNetwork read(const Json& config) {
        read_network(config, 0);
        return std::move(network_);
    }

  private:
    /// One layer of the configuration.
    struct Entry {
        std::string name;
        std::string type;
        const Json* config = nullptr;
    };

    [[noreturn]] void fail(const Entry& entry, const std::string& problem) const {
        throw Error(ErrorKind::bad_input,
                    file_ + ": " + printable(entry.name) + " (" + printable(entry.type) + "): " + problem);
    }
    void read_network(const Json& network, int level);
    void read_layer(const Entry& entry, const Json& layer, int level);
    void check_place(const Entry& entry, const Json& layer);
    void add_input(const Entry& entry);
    void add_convolution(const Entry& entry);
    void add_norm(const Entry& entry);
    void add_pool(const Entry& entry, LayerKind kind);
    void add_dense(const Entry& entry);
    void add_activation(const Entry& entry);
    ChainLayer& append(LayerKind kind, const Entry& entry) {
        return network_.layers.emplace_back(ChainLayer{.kind = kind, .name = entry.name, .type = entry.type});
    }
    KerasLayer& weights_of(const Entry& entry);
    /// "relu"; empty for none.
    static std::string word(const Entry& entry, const char* key, const char* otherwise);
    static bool flag(const Entry& entry, const char* key);
    /// A setting that is a number or a list of equal ones; checks that it is `expected`.
    void require(const Entry& entry, const char* key, std::int64_t expected) const;
    void require_channels_last(const Entry& entry) {
        is_channels_first_ = word(entry, "data_format", "channels_last") == "channels_first";
    }

    std::vector<KerasLayer> weights_;
    const std::string& file_;
    KerasNetwork network_;
    std::string before_;                        ///< the layer whose output comes next
    std::map<std::string, std::size_t> count_;  ///< of the layers of a class
    std::size_t channels_ = 0;
    bool is_channels_first_ = false;
    bool reads_map_ = true;
};

std::string Reader::word(const Entry& entry, const char* key, const char* otherwise) {
    const Json* const found = entry.config->find(key);
    if (found == nullptr || found->is_null()) return otherwise;
    if (found->is_string()) return found->string();
    const Json* const name = found->find("class_name");  // a serialised object or function
    const Json* const function = found->find("config");
    if (function != nullptr && function->is_string()) return function->string();
    return name != nullptr && name->is_string() ? name->string() : "another";
}

bool Reader::flag(const Entry& entry, const char* key) {
    const Json* const found = entry.config->find(key);
    return found == nullptr || !found->is_bool() || found->boolean();
}

void Reader::require(const Entry& entry, const char* key, std::int64_t expected) const {
    const Json* const found = entry.config->find(key);
    if (found == nullptr || found->is_null()) return;
    const auto fits = [expected](const Json& value) {
        return value.is_number() && value.number() == static_cast<double>(expected);
    };
    const bool is_list = found->is_array() && std::all_of(found->array().begin(), found->array().end(), fits);
    if (is_list || fits(*found)) return;
    fail(entry,
         std::string(key) + ": expected " + std::to_string(expected) + ", found " + printable(found->dump()));
}

KerasLayer& Reader::weights_of(const Entry& entry) {
    const std::string class_name = snake_case(entry.type);
    const std::size_t count = count_[class_name] - 1;  // of this layer
    const std::string numbered = count == 0 ? class_name : class_name + '_' + std::to_string(count);
    const auto found = std::find_if(weights_.begin(), weights_.end(), [&](const KerasLayer& layer) {
        return layer.name == (layer.is_numbered_by_class ? numbered : entry.name);
    });
    if (found == weights_.end()) fail(entry, "expected its weights in the file, found none");
    return *found;
}

void Reader::add_input(const Entry& entry) {
    for (const char* const key : {"batch_shape", "batch_input_shape"}) {
        const Json* const shape = entry.config->find(key);
        if (shape == nullptr || !shape->is_array() || shape->array().size() != 4) continue;
        const bool is_first = shape->array()[1].is_number() && shape->array()[1].number() == 3;
        const Json& height = shape->array()[is_first ? 2 : 1];
        const Json& width = shape->array()[is_first ? 3 : 2];
        if (height.is_number() && width.is_number()) network_.input_size = {height.size(), width.size()};
    }
}

void Reader::add_convolution(const Entry& entry) {
    require(entry, "strides", 1);
    require(entry, "dilation_rate", 1);
    require(entry, "groups", 1);
    require_channels_last(entry);
    KerasLayer& weights = weights_of(entry);
    const auto weight = weights.parameters.find("weight");
    if (weight == weights.parameters.end() || weight->second.shape.size() != 4) {
        fail(entry, "expected a kernel of four dimensions, found none");
    }
    const std::vector<std::size_t>& shape = weight->second.shape;
    const std::string padding = word(entry, "padding", word(entry, "border_mode", "valid").c_str());
    const bool is_vgg = shape[2] == 3 && shape[3] == 3 && padding == "same";
    if (!is_vgg && (padding != "valid" || network_.layers.empty())) {
        fail(entry, "expected 3×3 filters with padding same, found " + shape_text(shape) + " with padding " +
                        printable(padding));
    }
    if (is_vgg) channels_ = shape[0];
    append(is_vgg ? LayerKind::convolution : LayerKind::dense, entry).parameters = weights.parameters;
    add_activation(entry);
}

void Reader::add_norm(const Entry& entry) {
    constexpr double usual_epsilon = 1e-3;
    KerasLayer& weights = weights_of(entry);
    name_norm(weights, flag(entry, "scale"), flag(entry, "center"));
    const auto mean = weights.parameters.find("running_mean");
    if (mean == weights.parameters.end()) fail(entry, "expected a moving mean and variance, found none");
    if (weights.parameters.contains("weight") != weights.parameters.contains("bias")) {
        fail(entry, "expected both scale and center, or none of them, found one");
    }
    ChainLayer& layer = append(LayerKind::batch_norm, entry);
    layer.parameters = weights.parameters;
    const Json* const epsilon = entry.config->find("epsilon");
    layer.epsilon = epsilon != nullptr && epsilon->is_number() ? epsilon->number() : usual_epsilon;
}

void Reader::add_pool(const Entry& entry, LayerKind kind) {
    require(entry, "pool_size", 2);
    require(entry, "strides", 2);
    require_channels_last(entry);
    const std::string padding = word(entry, "padding", "valid");
    if (padding != "valid" && padding != "same") {
        fail(entry, "padding: expected valid, found " + printable(padding));
    }
    ChainLayer& layer = append(kind, entry);
    layer.side = 2;
    layer.rounds_up = padding == "same";
}

void Reader::add_dense(const Entry& entry) {
    KerasLayer& weights = weights_of(entry);
    const auto weight = weights.parameters.find("weight");
    if (weight == weights.parameters.end() || weight->second.shape.size() != 2) {
        fail(entry, "expected a kernel of two dimensions, found none");
    }
    ChainLayer& layer = append(LayerKind::dense, entry);
    layer.parameters = weights.parameters;
    if (reads_map_ && !is_channels_first_) order_channels_first(layer.parameters.at("weight"), channels_);
    reads_map_ = false;
    add_activation(entry);
}

void Reader::add_activation(const Entry& entry) {
    const std::string activation = word(entry, "activation", "linear");
    if (activation == "linear") return;
    if (activation == "relu") {
        append(LayerKind::relu, entry).type = activation;
    } else if (activation == "softmax" || activation == "sigmoid") {
        append(LayerKind::other_at_end, entry).type = activation;
    } else {
        fail(entry, "activation: expected relu, found " + printable(activation));
    }
}

/// Layers form a chain if each reads what the one before it in the list gives out.
void Reader::check_place(const Entry& entry, const Json& layer) {
    const Json* const nodes = layer.find("inbound_nodes");
    if (nodes == nullptr) return;  // of a Sequential
    std::vector<std::string> inputs;
    if (nodes->is_array() && !nodes->array().empty()) find_inputs(nodes->array().back(), inputs);
    if (inputs.empty() && (before_.empty() || entry.type == "InputLayer")) return;
    if (inputs.size() == 1 && inputs.front() == before_) return;
    fail(entry, "expected to read the output of " + printable(before_) + ", the layer before it, found " +
                    (inputs.empty() ? "no input" : printable(inputs.front())) +
                    (inputs.size() > 1 ? " and others" : ""));
}

void Reader::read_layer(const Entry& entry, const Json& layer, int level) {
    constexpr std::array without_effect = {"Dropout"sv, "SpatialDropout2D"sv, "GaussianNoise"sv,
                                           "GaussianDropout"sv, "ActivityRegularization"sv};
    const std::string& type = entry.type;
    ++count_[snake_case(type)];
    if (type == "InputLayer") {
        add_input(entry);
    } else if (type == "Functional" || type == "Model" || type == "Sequential") {
        before_.clear();
        read_network(layer, level + 1);
    } else if (type == "Conv2D" || type == "Convolution2D") {
        add_convolution(entry);
    } else if (type == "BatchNormalization") {
        add_norm(entry);
    } else if (type == "MaxPooling2D") {
        add_pool(entry, LayerKind::max_pool);
    } else if (type == "AveragePooling2D") {
        add_pool(entry, LayerKind::average_pool);
    } else if (type == "GlobalAveragePooling2D") {
        append(LayerKind::average_pool, entry);
        reads_map_ = false;
    } else if (type == "Flatten") {
        append(LayerKind::flatten, entry);
    } else if (type == "Dense") {
        add_dense(entry);
    } else if (type == "Activation") {
        add_activation(entry);
    } else if (type == "ReLU") {
        require(entry, "negative_slope", 0);
        require(entry, "threshold", 0);
        if (const Json* most = entry.config->find("max_value"); most != nullptr && !most->is_null()) {
            fail(entry, "max_value: expected none, found " + printable(most->dump()));
        }
        append(LayerKind::relu, entry);
    } else if (type == "Softmax") {
        append(LayerKind::other_at_end, entry);
    } else if (type == "Rescaling" || type == "Normalization" || type == "Lambda") {
        fail(entry,
             "expected a network that begins with its first convolution, found a layer that prepares "
             "pictures; "
             "save the network without it, and say what it does with --range, --mean and --std");
    } else if (std::find(without_effect.begin(), without_effect.end(), type) == without_effect.end()) {
        fail(entry,
             "expected the layers of a VGG (Conv2D, BatchNormalization, MaxPooling2D, Flatten, Dense, …), "
             "found another");
    }
    before_ = entry.name;
}

void Reader::read_network(const Json& network, int level) {
    const Json* const config = network.find("config");
    const Json* const layers = config != nullptr && config->is_array() ? config
                               : config != nullptr                     ? config->find("layers")
                                                                       : nullptr;
    if (layers == nullptr || !layers->is_array() || level > most_levels) {
        throw Error(ErrorKind::bad_input,
                    file_ + ": expected a network's layers in its configuration, found none");
    }
    const std::map<std::string, std::size_t> outer =
        std::exchange(count_, {});  // Keras counts in each network
    for (const Json& layer : layers->array()) {
        Entry entry{.name = {}, .type = {}, .config = layer.find("config")};
        const Json* const type = layer.find("class_name");
        if (type == nullptr || !type->is_string() || entry.config == nullptr) {
            throw Error(ErrorKind::bad_input,
                        file_ + ": expected layers with a class and a configuration, found another");
        }
        entry.type = type->string();
        entry.name = word(entry, "name", entry.type.c_str());
        check_place(entry, layer);
        read_layer(entry, layer, level);
    }
    count_ = outer;
}

}  // namespace

KerasNetwork keras_network(const Json& config, std::vector<KerasLayer> weights, const std::string& file) {
    return Reader(std::move(weights), file).read(config);
}

}  // namespace vgg19::converter
