#include "converter/import/caffe/caffe.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "converter/import/byte_reader.h"
#include "converter/import/caffe/caffe_file.h"
#include "converter/import/formats/layer_chain.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

using namespace std::string_view_literals;

template <std::size_t Count>
bool is_one_of(const std::string& word, const std::array<std::string_view, Count>& words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

class Layers {
  public:
    Layers(const CaffeNetwork& network, const model::MappedFile& file, CheckpointContents& contents)
        : network_(network), file_(file), contents_(contents) {}

    std::vector<ChainLayer> read() {
        current_.insert(network_.inputs.begin(), network_.inputs.end());
        for (const CaffeLayer& layer : network_.layers) add(layer);
        return std::move(layers_);
    }

  private:
    [[noreturn]] void fail(const CaffeLayer& layer, const std::string& problem) const {
        throw Error(ErrorKind::bad_input, file_.path().string() + ": " + printable(layer.info.name()) + " (" +
                                              printable(layer.info.type()) + "): " + problem);
    }
    void add(const CaffeLayer& layer);
    void add_convolution(const CaffeLayer& layer);
    void add_product(const CaffeLayer& layer);
    void add_pool(const CaffeLayer& layer);
    void add_norm(const CaffeLayer& layer);
    void add_scale(const CaffeLayer& layer);
    ChainLayer& append(LayerKind kind, const CaffeLayer& layer) {
        return layers_.emplace_back(
            ChainLayer{.kind = kind, .name = layer.info.name(), .type = layer.info.type()});
    }
    const StoredTensor& blob(const CaffeLayer& layer, std::size_t place) const {
        if (place < layer.blobs.size()) return layer.blobs[place];
        fail(layer, "expected " + std::to_string(place + 1) + " blobs of weights, found " +
                        std::to_string(layer.blobs.size()));
    }
    StoredTensor vector(const CaffeLayer& layer, std::size_t place) const;
    /// The same times `factor`; in memory.
    StoredTensor scaled(const StoredTensor& tensor, double factor);
    /// A setting that is given for both dimensions, or for each; checks that it is `expected`.
    template <class List>
    void require(const CaffeLayer& layer, const char* name, const List& values, bool has_each,
                 std::uint32_t vertical, std::uint32_t horizontal, std::uint32_t otherwise,
                 std::uint32_t expected) const;

    const CaffeNetwork& network_;
    const model::MappedFile& file_;
    CheckpointContents& contents_;
    std::set<std::string> current_;  ///< names of what the layers so far compute
    std::vector<ChainLayer> layers_;
};

template <class List>
void Layers::require(const CaffeLayer& layer, const char* name, const List& values, bool has_each,
                     std::uint32_t vertical, std::uint32_t horizontal, std::uint32_t otherwise,
                     std::uint32_t expected) const {
    std::vector<std::uint32_t> found(values.begin(), values.end());
    if (has_each) found = {vertical, horizontal};
    if (found.empty()) found = {otherwise};
    for (const std::uint32_t value : found) {
        if (value == expected) continue;
        fail(layer, std::string(name) + ": expected " + std::to_string(expected) + ", found " +
                        std::to_string(value));
    }
}

StoredTensor Layers::vector(const CaffeLayer& layer, std::size_t place) const {
    StoredTensor tensor = blob(layer, place);
    const std::size_t elements = tensor.elements();
    if (std::count(tensor.shape.begin(), tensor.shape.end(), std::size_t{1}) + 1 <
        static_cast<std::ptrdiff_t>(tensor.shape.size())) {
        fail(layer, "expected one number for each output, found the shape " + shape_text(tensor.shape));
    }
    tensor.shape = {elements};
    tensor.strides = {1};
    return tensor;
}

StoredTensor Layers::scaled(const StoredTensor& tensor, double factor) {
    std::vector<double> values(tensor.elements());
    read_values<double>(tensor, file_, values);
    for (double& value : values) value *= factor;
    auto& owned = contents_.owned.emplace_back(values.size() * sizeof(double));
    std::copy_n(reinterpret_cast<const std::byte*>(values.data()), owned.size(), owned.begin());
    StoredTensor result = tensor;
    result.dtype = model::DType::f64;
    result.bytes = owned;
    return result;
}

void Layers::add_convolution(const CaffeLayer& layer) {
    const caffe::ConvolutionParameter& settings = layer.info.convolution_param();
    const StoredTensor& weight = blob(layer, 0);
    if (weight.shape.size() != 4) {
        fail(layer, "expected weights of four dimensions, found " + shape_text(weight.shape));
    }
    require(layer, "stride", settings.stride(), settings.has_stride_h(), settings.stride_h(),
            settings.stride_w(), 1, 1);
    require(layer, "dilation", settings.dilation(), false, 0, 0, 1, 1);
    if (settings.group() != 1) fail(layer, "group: expected 1, found " + std::to_string(settings.group()));
    const bool is_3x3 = weight.shape[2] == 3 && weight.shape[3] == 3;
    const bool is_unpadded =
        settings.pad_h() == 0 && settings.pad_w() == 0 &&
        std::all_of(settings.pad().begin(), settings.pad().end(), [](std::uint32_t pad) { return pad == 0; });
    const bool is_dense = is_unpadded && !layers_.empty();
    if (!is_dense) {
        if (!is_3x3) fail(layer, "expected 3×3 filters, found " + shape_text(weight.shape));
        require(layer, "pad", settings.pad(), settings.has_pad_h(), settings.pad_h(), settings.pad_w(), 0, 1);
    }
    ChainLayer& added = append(is_dense ? LayerKind::dense : LayerKind::convolution, layer);
    added.parameters.emplace("weight", weight);
    if (settings.bias_term()) added.parameters.emplace("bias", vector(layer, 1));
}

void Layers::add_product(const CaffeLayer& layer) {
    const caffe::InnerProductParameter& settings = layer.info.inner_product_param();
    StoredTensor weight = blob(layer, 0);
    while (weight.shape.size() > 2 && weight.shape.front() == 1) {  // (1, 1, outputs, inputs) in old files
        weight.shape.erase(weight.shape.begin());
        weight.strides.erase(weight.strides.begin());
    }
    if (weight.shape.size() != 2) {
        fail(layer, "expected a matrix of weights, found " + shape_text(weight.shape));
    }
    if (settings.transpose()) {
        std::swap(weight.shape[0], weight.shape[1]);
        std::swap(weight.strides[0], weight.strides[1]);
    }
    ChainLayer& added = append(LayerKind::dense, layer);
    added.parameters.emplace("weight", std::move(weight));
    if (settings.bias_term()) added.parameters.emplace("bias", vector(layer, 1));
}

void Layers::add_pool(const CaffeLayer& layer) {
    const caffe::PoolingParameter& settings = layer.info.pooling_param();
    if (settings.pool() == caffe::PoolingParameter::STOCHASTIC) {
        fail(layer, "pool: expected MAX or AVE, found STOCHASTIC");
    }
    const bool is_average = settings.pool() == caffe::PoolingParameter::AVE;
    if (settings.global_pooling()) {
        if (!is_average) fail(layer, "expected a pool of 2×2 pixels, found the maximum over the whole map");
        append(LayerKind::average_pool, layer);
        return;
    }
    const std::array<std::uint32_t, 1> kernel = {settings.kernel_size()};
    const std::array<std::uint32_t, 1> stride = {settings.stride()};
    const std::array<std::uint32_t, 1> pad = {settings.pad()};
    const std::uint32_t side = is_average && settings.has_kernel_size() ? settings.kernel_size() : 2;
    require(layer, "kernel_size", kernel, settings.has_kernel_h(), settings.kernel_h(), settings.kernel_w(),
            0, side);
    require(layer, "stride", stride, settings.has_stride_h(), settings.stride_h(), settings.stride_w(), 1,
            side);
    require(layer, "pad", pad, settings.has_pad_h(), settings.pad_h(), settings.pad_w(), 0, 0);
    ChainLayer& added = append(is_average ? LayerKind::average_pool : LayerKind::max_pool, layer);
    added.side = side;
    added.rounds_up = settings.round_mode() == caffe::PoolingParameter::CEIL;
}

void Layers::add_norm(const CaffeLayer& layer) {
    const StoredTensor sums = vector(layer, 2);  // how often the mean and the variance were added up
    double count = 0;
    if (sums.elements() == 1) read_values<double>(sums, file_, std::span(&count, 1));
    const double factor = count == 0 ? 0 : 1 / count;
    ChainLayer& added = append(LayerKind::batch_norm, layer);
    added.epsilon = static_cast<double>(layer.info.batch_norm_param().eps());
    added.parameters.emplace("running_mean", scaled(vector(layer, 0), factor));
    added.parameters.emplace("running_var", scaled(vector(layer, 1), factor));
}

void Layers::add_scale(const CaffeLayer& layer) {
    const bool follows_norm = !layers_.empty() && layers_.back().kind == LayerKind::batch_norm &&
                              !layers_.back().parameters.contains("weight");
    if (!follows_norm) fail(layer, "expected a BatchNorm directly before it, found another layer");
    const StoredTensor weight = vector(layer, 0);
    ChainLayer& norm = layers_.back();
    norm.parameters.emplace("weight", weight);
    norm.parameters.emplace("bias",
                            layer.info.scale_param().bias_term() ? vector(layer, 1) : scaled(weight, 0));
}

void Layers::add(const CaffeLayer& layer) {
    constexpr std::array of_data = {"Data"sv,       "ImageData"sv, "HDF5Data"sv, "WindowData"sv,
                                    "MemoryData"sv, "DummyData"sv, "Input"sv,    "AnnotatedData"sv};
    constexpr std::array without_effect = {"Dropout"sv, "Split"sv, "Silence"sv};
    constexpr std::array at_end = {"Softmax"sv, "SoftmaxWithLoss"sv, "Sigmoid"sv, "Accuracy"sv};
    const std::string& type = layer.info.type();
    const auto& tops = layer.info.top();
    if (is_one_of(type, of_data)) {
        current_.insert(tops.begin(), tops.end());
        return;
    }
    if (layer.info.bottom().empty() || tops.empty()) {
        fail(layer, "expected what it reads and gives out, found none");
    }
    const std::string& bottom = layer.info.bottom(0);
    const bool is_end = is_one_of(type, at_end);
    if (!current_.contains(bottom) && !(layers_.empty() && current_.empty())) {
        if (is_end || type == "Split") return;  // of labels, losses and accuracies
        fail(layer, "expected to read the output of the layer before it, found " + printable(bottom));
    }
    if (is_end) {
        if (type != "Accuracy") append(LayerKind::other_at_end, layer);
        return;
    }
    if (type == "Convolution") {
        add_convolution(layer);
    } else if (type == "InnerProduct") {
        add_product(layer);
    } else if (type == "Pooling") {
        add_pool(layer);
    } else if (type == "ReLU") {
        if (layer.info.relu_param().negative_slope() != 0) {
            fail(layer, "negative_slope: expected 0, found another");
        }
        append(LayerKind::relu, layer);
    } else if (type == "BatchNorm") {
        add_norm(layer);
    } else if (type == "Scale") {
        add_scale(layer);
    } else if (type == "Flatten" || type == "Reshape") {
        append(LayerKind::flatten, layer);
    } else if (!is_one_of(type, without_effect)) {
        fail(layer,
             "expected the layers of a VGG (Convolution, ReLU, Pooling, InnerProduct, …), found another");
    }
    if (type != "Split") current_.clear();
    current_.insert(tops.begin(), tops.end());
}

CheckpointContents read_caffe(const model::MappedFile& file) {
    CheckpointContents contents;
    const CaffeNetwork network = read_caffe_network(file, contents);
    const std::vector<ChainLayer> layers = Layers(network, file, contents).read();
    contents.facts.preprocessing = "caffe";
    contents.facts.input_size = network.input_size;
    name_as_vgg(layers, file.path().string(), contents);
    return contents;
}

}  // namespace

const ForeignFormat caffe_format = {is_caffe_file, read_caffe, "Caffe"};

}  // namespace vgg19::converter
