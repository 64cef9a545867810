#include "engine/model/network.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "engine/model/foreign_text.h"
#include "vgg19/error.h"

namespace vgg19::model {

namespace {

constexpr std::size_t kernel_taps = 9;
constexpr std::size_t features_per_convolution = 2;    // in torchvision each ReLU is a module too,
constexpr std::size_t classifier_per_dense_layer = 3;  // and in the classifier each dropout as well

// With these limits no product of a network's sizes overflows 64 bits.
constexpr std::size_t largest_width = 65536;
constexpr std::size_t most_features = 1024;
constexpr std::size_t most_dense_layers = 64;
constexpr std::size_t largest_pooled_side = 256;

[[noreturn]] void fail(const std::string& problem) {
    throw Error(ErrorKind::bad_input, "network description: " + problem);
}

std::string entry_name(const char* list, std::size_t index) {
    return std::string(list) + " entry " + std::to_string(index + 1);
}

void check_features(const std::vector<std::size_t>& features, bool has_classifier) {
    if (features.empty()) fail("features: expected at least one convolution, found none");
    if (features.size() > most_features) {
        fail("expected at most " + std::to_string(most_features) + " features, found " +
             std::to_string(features.size()));
    }
    for (std::size_t i = 0; i < features.size(); ++i) {
        if (features[i] > largest_width) {
            fail(entry_name("features", i) + ": expected a width of at most " +
                 std::to_string(largest_width) + ", found " + std::to_string(features[i]));
        }
        if (features[i] == 0 && (i == 0 || features[i - 1] == 0)) {
            fail(entry_name("features", i) + ": expected a convolution before each pool, found none");
        }
    }
    const auto found = static_cast<std::size_t>(std::count(features.begin(), features.end(), 0U));
    if (!has_classifier) {
        if (found <= pools) return;
        fail("features: expected at most " + std::to_string(pools) + " pools, found " +
             std::to_string(found));
    }
    if (found != pools) {
        fail("features: expected " + std::to_string(pools) + " pools before a classifier, found " +
             std::to_string(found));
    }
    if (features.back() != 0) {
        fail("features: expected a pool at the end before a classifier, found a convolution");
    }
}

void check_classifier(const std::vector<std::size_t>& classifier) {
    if (classifier.size() > most_dense_layers) {
        fail("classifier: expected at most " + std::to_string(most_dense_layers) + " widths, found " +
             std::to_string(classifier.size()));
    }
    for (std::size_t i = 0; i < classifier.size(); ++i) {
        if (classifier[i] == 0 || classifier[i] > largest_width) {
            fail(entry_name("classifier", i) + ": expected a width from 1 to " +
                 std::to_string(largest_width) + ", found " + std::to_string(classifier[i]));
        }
    }
}

void check_pooled_side(std::size_t side) {
    if (side >= 1 && side <= largest_pooled_side) return;
    fail("pooled side: expected a number from 1 to " + std::to_string(largest_pooled_side) + ", found " +
         std::to_string(side));
}

constexpr std::string_view pool_letter = "M";
constexpr char rank_separator = ':';

std::size_t parse_width(std::string_view word, const std::string& entry) {
    std::size_t width = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), width);
    if (error != std::errc() || end != word.data() + word.size() || width == 0) {
        fail(entry + ": expected a positive whole number, found " + in_quotes(word, 40));
    }
    return width;
}

/// Words separated by single spaces.
std::vector<std::string_view> split_words(std::string_view text) {
    std::vector<std::string_view> words;
    std::size_t start = 0;
    while (start <= text.size() && words.size() <= most_features) {
        const std::size_t end = std::min(text.find(' ', start), text.size());
        words.push_back(text.substr(start, end - start));
        start = end + 1;
    }
    return words;
}

/// "M" becomes 0.
std::vector<std::size_t> parse_features(std::string_view text) {
    std::vector<std::size_t> widths;
    for (const std::string_view word : split_words(text)) {
        const std::string entry = entry_name("features", widths.size());
        widths.push_back(word == pool_letter ? 0 : parse_width(word, entry));
    }
    return widths;
}

struct Classifier {
    std::vector<std::size_t> widths;
    std::vector<std::size_t> ranks;
};

Classifier parse_classifier(std::string_view text) {
    Classifier classifier;
    if (text.empty()) return classifier;
    for (const std::string_view word : split_words(text)) {
        const std::string entry = entry_name("classifier", classifier.widths.size());
        const std::size_t separator = word.find(rank_separator);
        const bool factored = separator != std::string_view::npos;
        classifier.ranks.push_back(factored ? parse_width(word.substr(0, separator), entry) : 0);
        classifier.widths.push_back(parse_width(factored ? word.substr(separator + 1) : word, entry));
    }
    return classifier;
}

void append_word(std::string& text, std::string_view word) {
    if (!text.empty()) text += ' ';
    text += word;
}

std::size_t int4_groups(const DenseLayer& layer) {
    return (layer.outputs + int4_group - 1) / int4_group;
}

}  // namespace

std::string weight_name(std::string_view layer) {
    return std::string(layer) + ".weight";
}
std::string bias_name(std::string_view layer) {
    return std::string(layer) + ".bias";
}
std::string weight_scale_name(std::string_view layer) {
    return weight_name(layer) + "_scale";
}
std::string input_scale_name(std::string_view layer) {
    return std::string(layer) + ".input_scale";
}
std::string winograd_input_scale_name(std::string_view layer) {
    return std::string(layer) + ".winograd_input_scale";
}
std::string winograd_f4x4_input_scale_name(std::string_view layer) {
    return std::string(layer) + ".winograd_f4x4_input_scale";
}
std::string output_factor_name(std::string_view layer) {
    return std::string(layer) + ".output_factor";
}

TensorShape dense_weight(const DenseLayer& layer, DenseOrder order) {
    const std::string name = weight_name(layer.name);
    if (order == DenseOrder::output_major) return {name, {layer.outputs, layer.inputs}};
    return {name + "_transposed", {layer.inputs, layer.outputs}};
}

std::string int4_weight_name(std::string_view layer) {
    return weight_name(layer) + "_int4";
}

TensorShape int4_dense_weight(const DenseLayer& layer) {
    return {int4_weight_name(layer.name), {layer.inputs, int4_groups(layer) * int4_group / 2}};
}

TensorShape int4_dense_scale(const DenseLayer& layer) {
    return {int4_weight_name(layer.name) + "_scale", {layer.inputs, int4_groups(layer)}};
}

Network::Network(const std::vector<std::size_t>& features, const std::vector<std::size_t>& classifier,
                 std::size_t pooled_side)
    : pooled_side_(pooled_side), ranks_(classifier.size(), 0) {
    check_features(features, !classifier.empty());
    check_classifier(classifier);
    check_pooled_side(pooled_side);
    std::size_t channels = image_channels;
    std::size_t index = 0;
    for (const std::size_t width : features) {
        if (width == 0) {
            convolutions_.back().pool_follows = true;
            ++index;
            continue;
        }
        convolutions_.push_back({"features." + std::to_string(index), index, channels, width, false});
        channels = width;
        index += features_per_convolution;
    }
    add_dense_layers(classifier);
}

void Network::add_dense_layers(const std::vector<std::size_t>& classifier) {
    dense_layers_.clear();
    std::size_t inputs = convolutions_.back().output_channels * pooled_side_ * pooled_side_;
    for (std::size_t i = 0; i < classifier.size(); ++i) {
        const std::string name = "classifier." + std::to_string(i * classifier_per_dense_layer);
        const bool relu_follows = i + 1 < classifier.size();
        if (ranks_[i] == 0) {
            dense_layers_.push_back({name, inputs, classifier[i], relu_follows, false});
        } else {
            dense_layers_.push_back({name + ".0", inputs, ranks_[i], false, false});
            dense_layers_.push_back({name + ".1", ranks_[i], classifier[i], relu_follows, true});
        }
        inputs = classifier[i];
    }
}

Network Network::parse(std::string_view features, std::string_view classifier, std::size_t pooled_side) {
    const Classifier dense = parse_classifier(classifier);
    const Network whole(parse_features(features), dense.widths, pooled_side);
    try {
        return whole.with_ranks(dense.ranks);
    } catch (const Error& error) {
        fail(error.what());
    }
}

Network Network::vgg(int depth) {
    constexpr std::string_view classifier = "4096 4096 1000";
    switch (depth) {
        case 11:
            return parse("64 M 128 M 256 256 M 512 512 M 512 512 M", classifier);
        case 13:
            return parse("64 64 M 128 128 M 256 256 M 512 512 M 512 512 M", classifier);
        case 16:
            return parse("64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M", classifier);
        case 19:
            return parse("64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M",
                         classifier);
        default:
            throw Error(ErrorKind::usage,
                        "VGG depth: expected 11, 13, 16 or 19, found " + std::to_string(depth));
    }
}

std::string Network::features_text() const {
    std::string text;
    for (const ConvolutionLayer& layer : convolutions_) {
        append_word(text, std::to_string(layer.output_channels));
        if (layer.pool_follows) append_word(text, pool_letter);
    }
    return text;
}

std::string Network::classifier_text() const {
    const std::vector<std::size_t> widths = classifier_widths();
    std::string text;
    for (std::size_t i = 0; i < widths.size(); ++i) {
        const std::string rank = ranks_[i] == 0 ? "" : std::to_string(ranks_[i]) + rank_separator;
        append_word(text, rank + std::to_string(widths[i]));
    }
    return text;
}

std::vector<TensorShape> Network::tensors() const {
    std::vector<TensorShape> result;
    for (const ConvolutionLayer& layer : convolutions_) {
        result.push_back({weight_name(layer.name), {layer.output_channels, layer.input_channels, 3, 3}});
        result.push_back({bias_name(layer.name), {layer.output_channels}});
    }
    for (const DenseLayer& layer : dense_layers_) {
        result.push_back(dense_weight(layer, DenseOrder::output_major));
        result.push_back({bias_name(layer.name), {layer.outputs}});
    }
    return result;
}

std::uint64_t Network::parameters() const {
    std::uint64_t sum = 0;
    for (const ConvolutionLayer& layer : convolutions_) {
        sum += std::uint64_t{layer.output_channels} * (layer.input_channels * kernel_taps + 1);
    }
    for (const DenseLayer& layer : dense_layers_) sum += std::uint64_t{layer.outputs} * (layer.inputs + 1);
    return sum;
}

std::uint64_t Network::macs(const ConvolutionLayer& layer, MapSize input_size) const {
    return std::uint64_t{map_size(layer, input_size).pixels()} * layer.output_channels *
           layer.input_channels * kernel_taps;
}

std::uint64_t Network::macs(const DenseLayer& layer) {
    return std::uint64_t{layer.outputs} * layer.inputs;
}

std::uint64_t Network::macs(MapSize input_size) const {
    std::uint64_t sum = 0;
    for (const ConvolutionLayer& layer : convolutions_) sum += macs(layer, input_size);
    for (const DenseLayer& layer : dense_layers_) sum += macs(layer);
    return sum;
}

MapSize Network::map_size(const ConvolutionLayer& layer, MapSize input_size) const {
    MapSize size = input_size;
    for (const ConvolutionLayer& before : convolutions_) {
        if (before.features_index >= layer.features_index) break;
        if (before.pool_follows) size = size.halved();
    }
    return size;
}

std::size_t Network::pool_count() const {
    return static_cast<std::size_t>(
        std::count_if(convolutions_.begin(), convolutions_.end(),
                      [](const ConvolutionLayer& layer) { return layer.pool_follows; }));
}

std::size_t Network::smallest_input_side() const {
    return std::max(smallest_features_input, std::size_t{1} << pool_count());
}

Network Network::with_widths(const std::vector<std::size_t>& widths) const {
    if (widths.size() != convolutions_.size()) {
        throw Error(ErrorKind::usage, "convolution widths: expected " + std::to_string(convolutions_.size()) +
                                          ", found " + std::to_string(widths.size()));
    }
    std::vector<std::size_t> features;
    for (std::size_t i = 0; i < widths.size(); ++i) {
        if (widths[i] == 0 || widths[i] > largest_width) {
            throw Error(ErrorKind::usage, convolutions_[i].name + ": expected a width from 1 to " +
                                              std::to_string(largest_width) + ", found " +
                                              std::to_string(widths[i]));
        }
        features.push_back(widths[i]);
        if (convolutions_[i].pool_follows) features.push_back(0);
    }
    return Network(features, classifier_widths(), pooled_side_).with_ranks(ranks_);
}

Network Network::with_classifier_widths(const std::vector<std::size_t>& widths) const {
    const std::vector<std::size_t> now = classifier_widths();
    if (widths.size() != now.size()) {
        throw Error(ErrorKind::usage, "classifier widths: expected " + std::to_string(now.size()) +
                                          ", found " + std::to_string(widths.size()));
    }
    for (std::size_t i = 0; i < widths.size(); ++i) {
        const bool is_last = i + 1 == widths.size();
        if (is_last ? widths[i] == now[i] : widths[i] > 0 && widths[i] <= largest_width) continue;
        throw Error(ErrorKind::usage, entry_name("classifier", i) + ": expected " +
                                          (is_last ? "the number of classes, " + std::to_string(now[i])
                                                   : "a width from 1 to " + std::to_string(largest_width)) +
                                          ", found " + std::to_string(widths[i]));
    }
    return Network(features(), widths, pooled_side_).with_ranks(ranks_);
}

Network Network::with_classes(std::size_t classes) const {
    if (classes == 0 || classes > largest_width) {
        throw Error(ErrorKind::usage, "classes: expected a number from 1 to " +
                                          std::to_string(largest_width) + ", found " +
                                          std::to_string(classes));
    }
    std::vector<std::size_t> classifier = classifier_widths();
    if (classifier.empty()) {
        throw Error(ErrorKind::usage, "classes: expected a network with a classifier, found features alone");
    }
    classifier.back() = classes;
    std::vector<std::size_t> ranks = ranks_;
    ranks.back() = 0;
    return Network(features(), classifier, pooled_side_).with_ranks(ranks);
}

Network Network::with_ranks(const std::vector<std::size_t>& ranks) const {
    if (ranks.size() != ranks_.size()) {
        throw Error(ErrorKind::usage, "ranks of dense layers: expected " + std::to_string(ranks_.size()) +
                                          ", found " + std::to_string(ranks.size()));
    }
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        if (ranks[i] <= largest_width) continue;
        throw Error(ErrorKind::usage, entry_name("classifier", i) + ": expected a rank of at most " +
                                          std::to_string(largest_width) + ", found " +
                                          std::to_string(ranks[i]));
    }
    Network network = *this;
    network.ranks_ = ranks;
    network.add_dense_layers(classifier_widths());
    return network;
}

std::vector<std::size_t> Network::features() const {
    std::vector<std::size_t> widths;
    for (const ConvolutionLayer& layer : convolutions_) {
        widths.push_back(layer.output_channels);
        if (layer.pool_follows) widths.push_back(0);
    }
    return widths;
}

std::vector<std::size_t> Network::classifier_widths() const {
    std::vector<std::size_t> widths;
    std::size_t index = 0;
    for (const std::size_t rank : ranks_) {
        if (rank > 0) ++index;  // the first factor
        widths.push_back(dense_layers_[index++].outputs);
    }
    return widths;
}

}  // namespace vgg19::model
