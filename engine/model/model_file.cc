#include "engine/model/model_file.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "engine/model/description.h"
#include "engine/model/foreign_text.h"
#include "engine/model/header_checksum.h"
#include "engine/model/sha256.h"
#include "engine/model/tensor_scan.h"
#include "vgg19/error.h"

namespace vgg19::model {

namespace {

/// Collects everything that is wrong with a file, to report it at once.
class Problems {
  public:
    void add(const std::string& subject, const std::string& problem) {
        problems_.push_back(printable(subject) + ": " + problem);
    }

    void throw_if_any(const std::string& file_name) const {
        const std::size_t count = problems_.size();
        if (count == 0) return;
        throw Error(ErrorKind::bad_input, file_name + ": " + std::to_string(count) +
                                              (count == 1 ? " problem" : " problems") +
                                              " with its tensors:" + listed(problems_));
    }

  private:
    std::vector<std::string> problems_;
};

std::string shape_text(std::span<const std::size_t> shape) {
    std::string text = "(";
    for (const std::size_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
    return text + ")";
}

using TensorsByName = std::map<std::string_view, const Tensor*>;

struct ExpectedTensor {
    std::string name;
    DType dtype = DType::f32;
    std::vector<std::size_t> shape;
    bool positive = false;
    std::string alternative;  ///< another tensor that would also be accepted
};

std::string type_and_shape_text(DType dtype, std::span<const std::size_t> shape) {
    return std::string(dtype_name(dtype)) + ' ' + shape_text(shape);
}

/// Adds one dense layer's tensors: the weights with the order and type found in the file, and a scale for
/// INT8 weights.
void expect_dense_weights(const DenseLayer& layer, const TensorsByName& tensors,
                          std::vector<ExpectedTensor>& expected, Problems& problems) {
    const TensorShape int4 = int4_dense_weight(layer);
    if (tensors.contains(int4.name)) {
        const TensorShape scale = int4_dense_scale(layer);
        expected.push_back({int4.name, DType::u8, int4.shape, false, ""});
        expected.push_back({scale.name, DType::f16, scale.shape, false, ""});
        return;
    }
    const TensorShape plain = dense_weight(layer, DenseOrder::output_major);
    const TensorShape transposed = dense_weight(layer, DenseOrder::input_major);
    const bool has_transposed = tensors.contains(transposed.name);
    if (has_transposed && tensors.contains(plain.name)) {
        problems.add(layer.name, "expected " + plain.name + " or " + transposed.name + ", found both");
        expected.push_back({plain.name, DType::f32, plain.shape, false, ""});
    }
    const TensorShape& found = has_transposed ? transposed : plain;
    const auto tensor = tensors.find(found.name);
    const bool int8 = tensor != tensors.end() && tensor->second->dtype == DType::i8;
    const std::string alternative =
        " or " + transposed.name + ' ' + type_and_shape_text(DType::f32, transposed.shape);
    expected.push_back(
        {found.name, int8 ? DType::i8 : DType::f32, found.shape, false, has_transposed ? "" : alternative});
    if (int8) expected.push_back({weight_scale_name(layer.name), DType::f32, {layer.outputs}, true, ""});
}

/// Adds one convolution's tensors: the weights with the type found in the file, and the scales for INT8
/// weights.
void expect_convolution_weights(const ConvolutionLayer& layer, bool is_first, const TensorsByName& tensors,
                                std::vector<ExpectedTensor>& expected) {
    const std::string name = weight_name(layer.name);
    const auto expect_if_there = [&](const std::string& numbers, std::size_t count) {
        if (tensors.contains(numbers)) expected.push_back({numbers, DType::f32, {count}, true, ""});
    };
    expect_if_there(output_factor_name(layer.name), layer.output_channels);
    const std::vector<std::size_t> shape = {layer.output_channels, layer.input_channels, 3, 3};
    const auto found = tensors.find(name);
    // The first layer's input is signed, so its weights must be FP32.
    const bool int8 = !is_first && found != tensors.end() && found->second->dtype == DType::i8;
    expected.push_back({name, int8 ? DType::i8 : DType::f32, shape, false, ""});
    if (!int8) return;
    expected.push_back({weight_scale_name(layer.name), DType::f32, {layer.output_channels}, true, ""});
    expected.push_back({input_scale_name(layer.name), DType::f32, {1}, true, ""});
    expect_if_there(winograd_input_scale_name(layer.name), winograd_positions);
    expect_if_there(winograd_f4x4_input_scale_name(layer.name), winograd_f4x4_positions);
}

/// All tensors follow from the network, except the order and type of weights, which are taken from the file.
std::vector<ExpectedTensor> expected_tensors(const Network& network, const TensorsByName& tensors,
                                             Problems& problems) {
    std::vector<ExpectedTensor> expected;
    for (const ConvolutionLayer& layer : network.convolutions()) {
        const bool is_first = &layer == &network.convolutions().front();
        expect_convolution_weights(layer, is_first, tensors, expected);
        expected.push_back({bias_name(layer.name), DType::f32, {layer.output_channels}, false, ""});
    }
    for (const DenseLayer& layer : network.dense_layers()) {
        expect_dense_weights(layer, tensors, expected, problems);
        expected.push_back({bias_name(layer.name), DType::f32, {layer.outputs}, false, ""});
    }
    return expected;
}

void check_values(const ExpectedTensor& expected, const Tensor& tensor, Problems& problems) {
    const std::span<const float> values = tensor.as<float>();
    const auto wrong = std::find_if(values.begin(), values.end(), [&expected](float value) {
        return !std::isfinite(value) || (expected.positive && value <= 0);
    });
    if (wrong == values.end()) return;
    problems.add(expected.name, "element " + std::to_string(wrong - values.begin()) + ": expected a " +
                                    (expected.positive ? "positive, finite" : "finite") + " number, found " +
                                    std::to_string(*wrong));
}

/// Halves are compared by their bit patterns: infinity, NaN and all negative numbers are greater or equal.
constexpr std::uint16_t infinite_half = 0x7C00;

/// Reports the first half that is not a valid scale.
void check_scales(const Tensor& halves, Problems& problems) {
    const auto values = halves.as<std::uint16_t>();
    const auto wrong =
        std::find_if(values.begin(), values.end(), [](std::uint16_t half) { return half >= infinite_half; });
    if (wrong == values.end()) return;
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string bits = "0x";
    for (int shift = 12; shift >= 0; shift -= 4) {
        bits += digits[unsigned{*wrong} >> static_cast<unsigned>(shift) & 0xFU];
    }
    problems.add(halves.name, "element " + std::to_string(wrong - values.begin()) +
                                  ": expected a finite number that is not negative, found the half " + bits);
}

/// Checks values only of biases and per-channel scales: opening a model must not read its weights.
void check_tensor(const ExpectedTensor& expected, const Tensor& tensor, Problems& problems) {
    if (tensor.dtype != expected.dtype || tensor.shape != expected.shape) {
        problems.add(expected.name, "expected " + type_and_shape_text(expected.dtype, expected.shape) +
                                        ", found " + type_and_shape_text(tensor.dtype, tensor.shape));
    } else if (tensor.shape.size() == 1) {
        check_values(expected, tensor, problems);
    }
}

void check_tensors(const std::string& file_name, const Network& network, std::span<const Tensor> tensors) {
    TensorsByName by_name;
    for (const Tensor& tensor : tensors) by_name.emplace(tensor.name, &tensor);
    Problems problems;
    const std::vector<ExpectedTensor> expected = expected_tensors(network, by_name, problems);
    std::set<std::string_view> wanted;
    for (const ExpectedTensor& entry : expected) {
        wanted.insert(entry.name);
        const auto found = by_name.find(entry.name);
        if (found != by_name.end()) {
            check_tensor(entry, *found->second, problems);
        } else {
            problems.add(entry.name, "missing; expected " + type_and_shape_text(entry.dtype, entry.shape) +
                                         entry.alternative);
        }
    }
    for (const Tensor& tensor : tensors) {
        if (wanted.erase(tensor.name) == 0) problems.add(tensor.name, "not in the network, or there twice");
    }
    problems.throw_if_any(file_name);
}

/// "features.0.weight" → "features.0"
std::string_view layer_of(std::string_view tensor) {
    return tensor.substr(0, tensor.rfind('.'));
}

/// The metadata parser does not know the file, so its errors get the file's name here.
Description read_description(const SafetensorsFile& file) {
    try {
        return description_from_metadata(file.metadata());
    } catch (const Error& error) {
        throw Error(error.kind(), file.mapping().path().string() + ": " + error.what());
    }
}

/// Biases and scales, which are checked here and read wherever they are needed.
void hold_vectors(SafetensorsFile& file) {
    constexpr std::size_t most_elements = std::size_t{1} << 24U;  // a file may have a hole of any size
    for (const Tensor& tensor : file.tensors()) {
        if (tensor.shape.size() > 1) continue;
        if (tensor.elements() > most_elements) {
            throw Error(ErrorKind::bad_input, file.mapping().path().string() + ": tensor " + tensor.name +
                                                  ": expected a vector of at most " +
                                                  std::to_string(most_elements) + " elements, found " +
                                                  std::to_string(tensor.elements()));
        }
        file.hold(tensor);
    }
}

}  // namespace

ModelFile ModelFile::open(const std::filesystem::path& path) {
    return open(MappedFile(path));
}

ModelFile ModelFile::open(MappedFile bytes) {
    auto file = std::make_shared<SafetensorsFile>(SafetensorsFile::open_for_import(std::move(bytes)));
    check_header(file->metadata(), file->tensors(), file->mapping().path());
    Description description = read_description(*file);
    file->check_in_place();
    hold_vectors(*file);
    check_tensors(file->mapping().path().string(), description.network, file->tensors());
    std::vector<Tensor> tensors = file->tensors();
    return {std::move(file), std::move(description), std::move(tensors)};
}

ModelFile ModelFile::with(std::span<const Tensor> tensors) const {
    return with(description_, tensors);
}

ModelFile ModelFile::with(Description description, std::span<const Tensor> tensors) const {
    std::set<std::string_view> kept;
    for (const auto& layer : description.network.convolutions()) kept.insert(layer.name);
    for (const auto& layer : description.network.dense_layers()) kept.insert(layer.name);
    for (const Tensor& tensor : tensors) kept.erase(layer_of(tensor.name));
    std::vector<Tensor> all(tensors.begin(), tensors.end());
    for (const Tensor& tensor : tensors_) {
        if (kept.contains(layer_of(tensor.name))) all.push_back(tensor);
    }
    check_tensors(path().string(), description.network, all);
    return {file_, std::move(description), std::move(all)};
}

void ModelFile::require_classifier() const {
    if (network().has_classifier()) return;
    throw Error(ErrorKind::usage, path().string() + ": this model has no classifier, only `features` (" +
                                      network().convolutions().front().name + " to " +
                                      network().convolutions().back().name +
                                      "): it knows no classes; convert the whole network's weights");
}

const Tensor* ModelFile::find(std::string_view name) const {
    const auto found = std::find_if(tensors_.begin(), tensors_.end(),
                                    [&](const Tensor& tensor) { return tensor.name == name; });
    return found == tensors_.end() ? nullptr : &*found;
}

const Tensor& ModelFile::tensor(std::string_view name) const {
    const Tensor* found = find(name);
    if (found == nullptr) {
        throw Error(ErrorKind::bad_input, path().string() + ": tensor " + std::string(name) + ": missing");
    }
    return *found;
}

const Tensor& ModelFile::weight(const DenseLayer& layer) const {
    if (is_int4(layer.name)) return tensor(int4_weight_name(layer.name));
    return tensor(dense_weight(layer, order(layer)).name);
}

DenseOrder ModelFile::order(const DenseLayer& layer) const {
    const bool transposed =
        is_int4(layer.name) || find(dense_weight(layer, DenseOrder::input_major).name) != nullptr;
    return transposed ? DenseOrder::input_major : DenseOrder::output_major;
}

bool ModelFile::is_int8(std::string_view layer) const {
    return find(weight_scale_name(layer)) != nullptr;
}

bool ModelFile::is_int4(std::string_view layer) const {
    return find(int4_weight_name(layer)) != nullptr;
}

std::span<const float> ModelFile::output_factors(std::string_view layer) const {
    const Tensor* factors = find(output_factor_name(layer));
    return factors == nullptr ? std::span<const float>() : factors->as<float>();
}

bool ModelFile::lacks_output_factors() const {
    const auto& convolutions = network().convolutions();
    const auto any = [&](const auto& has) {
        return std::any_of(convolutions.begin(), convolutions.end(), has);
    };
    const bool has_factors = any([&](const auto& layer) { return !output_factors(layer.name).empty(); });
    // What was quantised and written in FP32 again has the trained network's maps.
    const bool has_int8 = any([&](const auto& layer) { return is_int8(layer.name); });
    const auto scales_channels = [](const std::string& step) {
        return step.starts_with("quantize --scope all") &&
               step.find("--no-equalization") == std::string::npos;
    };
    return has_int8 && !has_factors &&
           std::any_of(description_.lineage.begin(), description_.lineage.end(), scales_channels);
}

void ModelFile::check_int4_scales(const DenseLayer& layer) const {
    Problems problems;
    check_scales(tensor(int4_dense_scale(layer).name), problems);
    problems.throw_if_any(path().string());
}

void ModelFile::verify_checksums(const Progress& progress) const {
    const std::vector<Tensor>& tensors = file_->tensors();
    const std::vector<TensorScan> scans = scan_tensors(tensors, progress, &file_->mapping());
    Problems problems;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const std::string* expected = model::find(file_->metadata(), checksum_key(tensors[i].name));
        const std::string found = checksum_text(scans[i].sha256);
        if (expected == nullptr) {
            problems.add(tensors[i].name, "expected a checksum in the metadata, found none");
        } else if (*expected != found) {
            problems.add(tensors[i].name, "expected checksum " + printable(*expected) + ", found " + found);
        }
    }
    file_->mapping().require_unchanged();  // or the checksums would be of two files
    problems.throw_if_any(path().string());
}

namespace {

/// A tensor whose bytes another program may change between the scan and the writing: these must be the same.
TensorStream checked_stream(const Tensor& tensor, const std::string& sha256,
                            const std::filesystem::path& source) {
    const auto write = [tensor, sha256, source](const Sink& sink) {
        constexpr std::size_t piece_bytes = std::size_t{1} << 20U;
        Sha256 sum;
        for (std::span<const std::byte> rest = tensor.bytes; !rest.empty();) {
            const auto piece = rest.first(std::min(rest.size(), piece_bytes));
            sum.update(piece);
            sink(piece);
            rest = rest.subspan(piece.size());
        }
        if (sum.hex_digest() == sha256) return;
        throw Error(ErrorKind::bad_input,
                    source.string() + ": expected tensor " + printable(tensor.name) +
                        " to stay as it was, but another program is writing to the file");
    };
    return {tensor.name, tensor.dtype, tensor.shape, write};
}

/// Throws Error (bad_input) for values that are not finite.
void check_scans(const std::filesystem::path& path, std::span<const Tensor> tensors,
                 std::span<const TensorScan> scans) {
    Problems problems;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        if (tensors[i].dtype == DType::f16) check_scales(tensors[i], problems);
        if (const auto index = scans[i].first_not_finite) {
            problems.add(tensors[i].name, "element " + std::to_string(*index) +
                                              ": expected a finite number, found " +
                                              std::to_string(tensors[i].as<float>()[*index]));
        }
    }
    problems.throw_if_any(path.string());
}

/// `source` may be null.
void write_checked(const Destination& to, const Description& description, std::span<const Tensor> tensors,
                   const Progress& progress, const MappedFile* source) {
    check_tensors(to.path.string(), description.network, tensors);
    const std::vector<TensorScan> scans = scan_tensors(tensors);
    check_scans(to.path, tensors, scans);
    Metadata metadata = metadata_from_description(description);
    std::vector<TensorStream> streams;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        metadata.emplace_back(checksum_key(tensors[i].name), checksum_text(scans[i].sha256));
        const bool may_change = source != nullptr && source->is_mapped(tensors[i].bytes);
        streams.push_back(may_change ? checked_stream(tensors[i], scans[i].sha256, source->path())
                                     : stream_of(tensors[i]));
    }
    add_header_checksum(metadata, tensors);
    write_safetensors(to, metadata, streams, progress, [source] {
        if (source != nullptr) source->require_unchanged();
    });
}

}  // namespace

void write_model(const Destination& to, const Description& description, std::span<const Tensor> tensors,
                 const Progress& progress) {
    write_checked(to, description, tensors, progress, nullptr);
}

void write_model(const Destination& to, const Description& description, std::span<const Tensor> tensors,
                 const Progress& progress, const MappedFile& source) {
    reading(source, [&] { write_checked(to, description, tensors, progress, &source); });
}

void require_other_file(const std::filesystem::path& input, const std::filesystem::path& output) {
    std::error_code error;  // a missing file cannot be the same file
    if (std::filesystem::equivalent(input, output, error)) {
        throw Error(ErrorKind::usage,
                    output.string() + ": expected another file to write, found the input " + input.string());
    }
}

}  // namespace vgg19::model
