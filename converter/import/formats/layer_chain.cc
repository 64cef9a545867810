#include "converter/import/formats/layer_chain.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "converter/import/byte_reader.h"
#include "converter/import/dense_chain.h"
#include "engine/model/network.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

constexpr std::size_t modules_of_a_dense_layer = 3;  // with its ReLU and dropout

/// How many convolutions the VGGs have before each pool.
using Blocks = std::vector<std::size_t>;
constexpr std::array<std::array<std::size_t, model::pools>, 4> vggs = {
    {{2, 2, 4, 4, 4}, {2, 2, 3, 3, 3}, {2, 2, 2, 2, 2}, {1, 1, 2, 2, 2}}};  // VGG-19, 16, 13 and 11

std::string blocks_text(std::span<const std::size_t> blocks) {
    std::string text;
    for (const std::size_t block : blocks) text += (text.empty() ? "" : ", ") + std::to_string(block);
    return text;
}

class Namer {
  public:
    Namer(const std::string& file, CheckpointContents& contents) : file_(file), contents_(contents) {}

    void add(const ChainLayer& layer);
    void finish();

  private:
    [[noreturn]] void fail(const std::string& message) const {
        throw Error(ErrorKind::bad_input, file_ + ": expected the layers of a VGG, found " + message);
    }
    /// Only a ReLU, or a batch norm before it, may follow a convolution.
    void require_activated(const ChainLayer& layer) const;
    void add_convolution(const ChainLayer& layer);
    void add_batch_norm(const ChainLayer& layer);
    void add_relu(const ChainLayer& layer);
    void add_pool(const ChainLayer& layer);
    void add_average_before_dense(const ChainLayer& layer);
    void add_dense(const ChainLayer& layer);
    void add_second_factor(const ChainLayer& layer);
    void check_average(std::size_t inputs);
    void take(const ChainLayer& layer, const std::string& path);
    std::string path_here() const {
        return (dense_.empty() ? "features." : "classifier.") + std::to_string(index_);
    }
    void check_blocks() const;
    void note_names() const;
    void note_relu_at_end() const;
    void note_left_out(const ChainLayer& layer) const;

    const std::string& file_;
    CheckpointContents& contents_;
    std::vector<ChainLayer> convolutions_;
    std::vector<ChainLayer> dense_;
    Blocks blocks_ = {0};
    std::vector<ChainLayer> pools_;
    std::optional<ChainLayer> average_;  ///< the one before the dense layers
    std::optional<ChainLayer> open_;     ///< a convolution or dense layer whose ReLU has not come yet
    bool has_norm_ = false;              ///< the open one
    bool has_factors_ = false;           ///< the open one
    bool is_flat_ = false;
    std::optional<ChainLayer> last_;
    std::size_t index_ = 0;
};

void Namer::take(const ChainLayer& layer, const std::string& path) {
    for (const auto& [name, tensor] : layer.parameters) {
        contents_.tensors.push_back(tensor);
        contents_.tensors.back().name = std::string(path).append(".").append(name);
    }
}

void Namer::require_activated(const ChainLayer& layer) const {
    if (!open_) return;
    fail(layer_text(layer) + " behind " + layer_text(*open_) + ", where its ReLU should be");
}

void Namer::add_convolution(const ChainLayer& layer) {
    require_activated(layer);
    if (!dense_.empty() || is_flat_) fail(layer_text(layer) + " behind the first dense layer");
    if (average_) fail(layer_text(layer) + " behind " + layer_text(*average_));
    convolutions_.push_back(layer);
    ++blocks_.back();
    take(layer, path_here());
    open_ = layer;
    has_norm_ = false;
    ++index_;
}

void Namer::add_batch_norm(const ChainLayer& layer) {
    if (!open_ || has_norm_) {
        fail(layer_text(layer) + ", which does not follow a convolution or dense layer directly");
    }
    const std::string path = dense_.empty() ? path_here() : "classifier." + std::to_string(index_ - 2);
    take(layer, path);
    contents_.facts.batch_norm_epsilons.push_back({path + ".eps", layer.epsilon});
    has_norm_ = true;
    if (dense_.empty()) ++index_;
}

void Namer::add_relu(const ChainLayer& layer) {
    if (!open_) fail(layer_text(layer) + ", which does not follow a convolution or dense layer");
    open_.reset();
    if (dense_.empty()) ++index_;
}

void Namer::note_left_out(const ChainLayer& layer) const {
    contents_.facts.notes.push_back(left_out_text(printable(layer.name), printable(layer.type)));
}

void Namer::add_pool(const ChainLayer& layer) {
    require_activated(layer);
    const bool is_average = layer.kind == LayerKind::average_pool;
    const bool follows_pool = blocks_.back() == 0 && blocks_.size() > 1;
    if (is_average && (follows_pool || layer.side != 2)) return add_average_before_dense(layer);
    if (!dense_.empty() || is_flat_ || average_ || blocks_.back() == 0) {
        fail(layer_text(layer) + ", which does not follow a convolution");
    }
    if (!pools_.empty() && pools_.front().kind != layer.kind) {
        fail(layer_text(layer) + " besides " + layer_text(pools_.front()) +
             "; all pools must be of one kind");
    }
    pools_.push_back(layer);
    contents_.facts.modules.push_back({.path = path_here(),
                                       .object = pools_.size(),
                                       .type = is_average ? "AvgPool2d" : "MaxPool2d",
                                       .unlike = is_average ? "AvgPool2d" : ""});
    blocks_.push_back(0);
    ++index_;
}

void Namer::add_average_before_dense(const ChainLayer& layer) {
    if (!dense_.empty()) {  // dense layers stored as convolutions leave a map, of one pixel at the size
                            // expected
        contents_.facts.notes.push_back(printable(layer.name) +
                                        ", after the last layer, is left out: it averages a single place");
        return;
    }
    if (average_ || is_flat_) fail(layer_text(layer) + ", a second average before the dense layers");
    average_ = layer;
}

void Namer::check_average(std::size_t inputs) {
    if (!average_) return;
    const std::size_t channels = convolutions_.back().parameters.at("weight").shape[0];
    const std::size_t area = channels == 0 ? 0 : inputs / channels;
    const auto side = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(area))));
    if (average_->side == 0) {
        if (area != 1) fail(layer_text(*average_) + " over the whole map before dense layers of more pixels");
        return;
    }
    const MapSize map = contents_.facts.input_size;
    const std::size_t whole = side * average_->side * model::smallest_input;
    if (map.height == whole && map.width == whole) return;
    fail(layer_text(*average_) + " of " + std::to_string(average_->side) + "×" +
         std::to_string(average_->side) + " pixels before dense layers that see " + std::to_string(side) +
         "×" + std::to_string(side) + (map.empty() ? ", and no size of the input" : "") +
         "; this is only known to average the whole map if the input has " + std::to_string(whole) + "×" +
         std::to_string(whole) + " pixels");
}

void Namer::add_dense(const ChainLayer& layer) {
    if (convolutions_.empty()) fail(layer_text(layer) + " before the first convolution");
    const std::vector<std::size_t>& shape = layer.parameters.at("weight").shape;
    if (dense_.empty()) {
        require_activated(layer);
        const std::size_t channels = convolutions_.back().parameters.at("weight").shape[0];
        if (dense_inputs(shape) % std::max<std::size_t>(channels, 1) != 0) {
            fail(layer_text(layer) + " of " + std::to_string(dense_inputs(shape)) +
                 " inputs behind a map of " + std::to_string(channels) + " channels");
        }
        check_average(dense_inputs(shape));
        index_ = 0;
    } else if (open_) {
        add_second_factor(layer);
        return;
    }
    dense_.push_back(layer);
    take(layer, path_here());
    open_ = layer;
    has_norm_ = false;
    has_factors_ = false;
    index_ += modules_of_a_dense_layer;
}

/// Two dense layers without a ReLU between are one whose weights are the product of two matrices.
void Namer::add_second_factor(const ChainLayer& layer) {
    if (has_norm_ || has_factors_) {
        fail(layer_text(layer) + " behind " + layer_text(*open_) + " without a ReLU between");
    }
    const std::string path = "classifier." + std::to_string(index_ - modules_of_a_dense_layer);
    for (StoredTensor& tensor : contents_.tensors) {
        if (tensor.name == path + ".weight") tensor.name = path + ".0.weight";
        if (tensor.name == path + ".bias") tensor.name = path + ".0.bias";
    }
    take(layer, path + ".1");
    open_ = layer;
    has_factors_ = true;
}

void Namer::add(const ChainLayer& layer) {
    if (last_ && last_->kind == LayerKind::other_at_end && layer.kind != LayerKind::flatten) {
        fail(layer_text(*last_) + " before other layers");
    }
    switch (layer.kind) {
        case LayerKind::convolution:
            add_convolution(layer);
            break;
        case LayerKind::batch_norm:
            add_batch_norm(layer);
            break;
        case LayerKind::relu:
            add_relu(layer);
            break;
        case LayerKind::max_pool:
        case LayerKind::average_pool:
            add_pool(layer);
            break;
        case LayerKind::flatten:
            if (dense_.empty()) require_activated(layer);
            is_flat_ = true;
            break;
        case LayerKind::dense:
            add_dense(layer);
            break;
        case LayerKind::other_at_end:
            note_relu_at_end();
            note_left_out(layer);
            break;
    }
    last_ = layer;
}

/// Our last dense layer has no ReLU.
void Namer::note_relu_at_end() const {
    if (!dense_.empty() && last_ && last_->kind == LayerKind::relu) note_left_out(*last_);
}

void Namer::check_blocks() const {
    Blocks found = blocks_;
    const bool ends_with_pool = found.back() == 0;
    if (ends_with_pool) found.pop_back();
    const bool is_part = std::any_of(vggs.begin(), vggs.end(), [&](const auto& vgg) {
        if (!dense_.empty()) return ends_with_pool && std::ranges::equal(found, vgg);
        if (found.empty() || found.size() > vgg.size()) return false;
        const auto last = static_cast<std::ptrdiff_t>(found.size()) - 1;
        const bool is_last_whole = found.back() == vgg[found.size() - 1];
        return std::equal(found.begin(), found.begin() + last, vgg.begin()) &&
               (is_last_whole || (!ends_with_pool && found.back() < vgg[found.size() - 1]));
    });
    if (is_part) return;
    fail("pools after " + blocks_text(blocks_) + " convolutions; a VGG-19 has them after " +
         blocks_text(vggs[0]) + ", a VGG-16 after " + blocks_text(vggs[1]) + ", a VGG-13 after " +
         blocks_text(vggs[2]) + ", a VGG-11 after " + blocks_text(vggs[3]));
}

void Namer::note_names() const {
    const auto from_to = [](const std::vector<ChainLayer>& layers) {
        const std::string first = printable(layers.front().name);
        return layers.size() == 1 ? first : first + " to " + printable(layers.back().name);
    };
    std::string text =
        "layers in the order in which the file runs them: convolutions " + from_to(convolutions_);
    if (!dense_.empty()) text += ", dense layers " + from_to(dense_);
    contents_.facts.notes.push_back(text);
}

void Namer::finish() {
    if (convolutions_.empty()) fail("none");
    if (open_ && (dense_.empty() || has_norm_)) {
        fail("no ReLU behind " + layer_text(*open_) + ", the last layer");
    }
    check_blocks();
    note_relu_at_end();
    if (std::ranges::any_of(pools_, &ChainLayer::rounds_up)) {
        contents_.facts.notes.emplace_back(rounds_up_text);
    }
    contents_.facts.modules.push_back({.path = "features", .type = "Sequential", .unlike = ""});
    if (dense_.empty() && average_) {
        contents_.facts.notes.push_back(layer_text(*average_) + ", after the last layer, is left out");
    }
    note_names();
}

}  // namespace

std::string layer_text(const ChainLayer& layer) {
    return printable(layer.name) + " (" + printable(layer.type) + ')';
}

void name_as_vgg(const std::vector<ChainLayer>& layers, const std::string& file,
                 CheckpointContents& contents) {
    Namer namer(file, contents);
    for (const ChainLayer& layer : layers) namer.add(layer);
    namer.finish();
}

}  // namespace vgg19::converter
