#include "converter/import/caffe/caffe_file.h"

#include <cstring>
#include <utility>

#include "converter/import/byte_reader.h"
#include "converter/import/formats/protobuf_fields.h"
#include "engine/model/file_kind.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

using caffe::BlobProto;
using caffe::LayerParameter;
using caffe::NetParameter;
using caffe::V1LayerParameter;

/// A type of the first version as the second has it.
std::string type_name(int type) {
    switch (type) {
        case V1LayerParameter::ACCURACY:
            return "Accuracy";
        case V1LayerParameter::CONVOLUTION:
            return "Convolution";
        case V1LayerParameter::DATA:
        case V1LayerParameter::HDF5_DATA:
        case V1LayerParameter::IMAGE_DATA:
        case V1LayerParameter::WINDOW_DATA:
        case V1LayerParameter::MEMORY_DATA:
        case V1LayerParameter::DUMMY_DATA:
            return "Data";
        case V1LayerParameter::DROPOUT:
            return "Dropout";
        case V1LayerParameter::FLATTEN:
            return "Flatten";
        case V1LayerParameter::INNER_PRODUCT:
            return "InnerProduct";
        case V1LayerParameter::POOLING:
            return "Pooling";
        case V1LayerParameter::RELU:
            return "ReLU";
        case V1LayerParameter::SOFTMAX:
            return "Softmax";
        case V1LayerParameter::SOFTMAX_LOSS:
            return "SoftmaxWithLoss";
        case V1LayerParameter::SPLIT:
            return "Split";
        default:
            return "type " + std::to_string(type);
    }
}

class Reader {
  public:
    Reader(const model::MappedFile& file, CheckpointContents& contents)
        : file_(file, "Caffe"), contents_(contents) {}
    CaffeNetwork read();

  private:
    CaffeLayer read_layer(std::span<const std::byte> message);
    CaffeLayer read_old_layer(std::span<const std::byte> message);
    StoredTensor read_blob(std::span<const std::byte> message, const std::string& name);
    std::vector<StoredTensor> read_blobs(const std::vector<std::span<const std::byte>>& messages,
                                         const std::string& layer);
    void set_size(const caffe::BlobShape& shape);

    ProtobufFile file_;
    CheckpointContents& contents_;
    CaffeNetwork network_;
};

StoredTensor Reader::read_blob(std::span<const std::byte> message, const std::string& name) {
    constexpr int most_dimensions = 8;
    constexpr std::uint64_t most_elements = std::uint64_t{1} << 40U;
    StoredTensor tensor{.name = name};
    BlobProto info;
    int field_of_bytes = 0;
    for (const ProtobufField& field : file_.fields(message)) {
        const bool is_data =
            field.number == BlobProto::kDataFieldNumber || field.number == BlobProto::kDoubleDataFieldNumber;
        if (field.number == BlobProto::kDiffFieldNumber) continue;  // gradients
        if (is_data && field.is_text && field_of_bytes == 0) {
            tensor.bytes = field.content;
            field_of_bytes = field.number;
        } else {
            file_.merge(field, info, is_data);
        }
    }
    const auto fail = [&](const std::string& expected, const std::string& found) {
        throw Error(ErrorKind::bad_input,
                    file_.name() + ": " + printable(name) + ": expected " + expected + ", found " + found);
    };
    if (field_of_bytes == BlobProto::kDoubleDataFieldNumber) tensor.dtype = model::DType::f64;
    std::vector<std::int64_t> sizes(info.shape().dim().begin(), info.shape().dim().end());
    if (!info.has_shape()) sizes = {info.num(), info.channels(), info.height(), info.width()};
    std::uint64_t elements = 1;
    for (const std::int64_t size : sizes) {
        const bool fits = size > 0 && static_cast<std::uint64_t>(size) <= most_elements / elements;
        if (!fits || sizes.size() > most_dimensions) fail("the shape of weights", "another");
        elements *= static_cast<std::uint64_t>(size);
        tensor.shape.push_back(static_cast<std::size_t>(size));
    }
    if (field_of_bytes == 0 && info.data_size() > 0) {  // numbers one by one
        auto& owned =
            contents_.owned.emplace_back(static_cast<std::size_t>(info.data_size()) * sizeof(float));
        std::memcpy(owned.data(), info.data().data(), owned.size());
        tensor.bytes = owned;
    }
    const std::uint64_t bytes = elements * model::dtype_bytes(tensor.dtype);
    if (tensor.bytes.size() != bytes) {
        fail(std::to_string(bytes) + " bytes for the shape " + shape_text(tensor.shape),
             std::to_string(tensor.bytes.size()));
    }
    tensor.strides = contiguous_strides(tensor.shape);
    return tensor;
}

std::vector<StoredTensor> Reader::read_blobs(const std::vector<std::span<const std::byte>>& messages,
                                             const std::string& layer) {
    std::vector<StoredTensor> blobs;
    blobs.reserve(messages.size());
    for (const std::span<const std::byte> message : messages) {
        blobs.push_back(read_blob(message, layer + " blob " + std::to_string(blobs.size())));
    }
    return blobs;
}

CaffeLayer Reader::read_layer(std::span<const std::byte> message) {
    CaffeLayer layer;
    std::vector<std::span<const std::byte>> blobs;
    for (const ProtobufField& field : file_.fields(message)) {
        if (field.number == LayerParameter::kBlobsFieldNumber && field.is_text) {
            blobs.push_back(field.content);
        } else {
            file_.merge(field, layer.info);
        }
    }
    layer.blobs = read_blobs(blobs, layer.info.name());
    return layer;
}

CaffeLayer Reader::read_old_layer(std::span<const std::byte> message) {
    V1LayerParameter old;
    std::vector<std::span<const std::byte>> blobs;
    for (const ProtobufField& field : file_.fields(message)) {
        if (field.number == V1LayerParameter::kBlobsFieldNumber && field.is_text) {
            blobs.push_back(field.content);
        } else {
            file_.merge(field, old);
        }
    }
    CaffeLayer layer;
    layer.info.set_name(old.name());
    layer.info.set_type(type_name(old.type()));
    *layer.info.mutable_bottom() = old.bottom();
    *layer.info.mutable_top() = old.top();
    if (old.has_convolution_param()) *layer.info.mutable_convolution_param() = old.convolution_param();
    if (old.has_inner_product_param()) *layer.info.mutable_inner_product_param() = old.inner_product_param();
    if (old.has_pooling_param()) *layer.info.mutable_pooling_param() = old.pooling_param();
    if (old.has_relu_param()) *layer.info.mutable_relu_param() = old.relu_param();
    layer.blobs = read_blobs(blobs, layer.info.name());
    return layer;
}

void Reader::set_size(const caffe::BlobShape& shape) {
    constexpr std::int64_t largest = 65536;
    if (shape.dim_size() != 4) return;
    const std::int64_t height = shape.dim(2);
    const std::int64_t width = shape.dim(3);
    if (height <= 0 || width <= 0 || height > largest || width > largest) return;
    network_.input_size = {static_cast<std::size_t>(height), static_cast<std::size_t>(width)};
}

CaffeNetwork Reader::read() {
    NetParameter rest;
    for (const ProtobufField& field : file_.fields(file_.bytes())) {
        if (field.number == NetParameter::kLayerFieldNumber && field.is_text) {
            network_.layers.push_back(read_layer(field.content));
        } else if (field.number == NetParameter::kLayersFieldNumber && field.is_text) {
            network_.layers.push_back(read_old_layer(field.content));
        } else {
            file_.merge(field, rest);
        }
    }
    network_.inputs.assign(rest.input().begin(), rest.input().end());
    caffe::BlobShape old;
    for (const std::int32_t size : rest.input_dim()) old.add_dim(size);
    set_size(old);
    if (rest.input_shape_size() > 0) set_size(rest.input_shape(0));
    for (const CaffeLayer& layer : network_.layers) {
        if (layer.info.input_param().shape_size() > 0) set_size(layer.info.input_param().shape(0));
    }
    return std::move(network_);
}

}  // namespace

bool is_caffe_file(const model::MappedFile& file) {
    const model::FileKind kind = model::kind_of_file(file.bytes());
    return kind == model::FileKind::caffe ||
           (kind == model::FileKind::unknown && file.path().extension() == ".caffemodel");
}

CaffeNetwork read_caffe_network(const model::MappedFile& file, CheckpointContents& contents) {
    return Reader(file, contents).read();
}

}  // namespace vgg19::converter
