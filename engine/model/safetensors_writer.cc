#include <algorithm>
#include <array>

#include "engine/model/json.h"
#include "engine/model/replacing_file.h"
#include "engine/model/safetensors.h"
#include "vgg19/error.h"

namespace vgg19::model {

namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t length_bytes = 8;
constexpr std::size_t piece_bytes = std::size_t{4} << 20U;

/// The format allows no gaps, so that alignment follows from the order: first the tensors whose size is a
/// multiple of 64 bytes (all large weights are), then the rest by decreasing element size.
std::vector<const Tensor*> in_file_order(std::span<const Tensor> tensors) {
    std::vector<const Tensor*> order;
    for (const Tensor& tensor : tensors) order.push_back(&tensor);
    const auto rank = [](const Tensor* tensor) {
        return tensor->bytes.size() % alignment == 0 ? 0 : 100 / dtype_bytes(tensor->dtype);
    };
    std::stable_sort(order.begin(), order.end(),
                     [rank](const Tensor* a, const Tensor* b) { return rank(a) < rank(b); });
    return order;
}

Json header_json(const Metadata& metadata, const std::vector<const Tensor*>& tensors) {
    Json header = Json::Object();
    if (!metadata.empty()) {
        Json entry = Json::Object();
        for (const auto& [key, value] : metadata) entry.set(key, value);
        header.set("__metadata__", std::move(entry));
    }
    std::uint64_t offset = 0;
    for (const Tensor* tensor : tensors) {
        Json shape = Json::Array();
        for (const std::size_t size : tensor->shape) shape.push(std::uint64_t{size});
        const std::uint64_t end = offset + tensor->bytes.size();
        const Json offsets = Json::Array{offset, end};
        offset = end;
        Json entry;
        entry.set("dtype", dtype_name(tensor->dtype)).set("shape", shape).set("data_offsets", offsets);
        header.set(tensor->name, std::move(entry));
    }
    return header;
}

/// The header's length and its JSON, padded with spaces up to the first tensor.
std::string header_bytes(const Metadata& metadata, const std::vector<const Tensor*>& tensors) {
    const std::string json = header_json(metadata, tensors).dump();
    const std::size_t padded = (length_bytes + json.size() + alignment - 1) / alignment * alignment;
    const std::uint64_t length = padded - length_bytes;
    std::string bytes;
    for (unsigned shift = 0; shift < 64; shift += 8) bytes += static_cast<char>((length >> shift) & 0xFFU);
    bytes += json;
    bytes.resize(padded, ' ');
    return bytes;
}

void check_sizes(const std::filesystem::path& path, std::span<const Tensor> tensors) {
    for (const Tensor& tensor : tensors) {
        const std::size_t expected = tensor.elements() * dtype_bytes(tensor.dtype);
        if (tensor.bytes.size() != expected) {
            throw Error(ErrorKind::failed, path.string() + ": tensor " + tensor.name + ": expected " +
                                               std::to_string(expected) + " bytes, found " +
                                               std::to_string(tensor.bytes.size()));
        }
    }
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const Metadata& metadata,
                       std::span<const Tensor> tensors, const Progress& progress) {
    check_sizes(path, tensors);
    const std::vector<const Tensor*> order = in_file_order(tensors);
    const std::string header = header_bytes(metadata, order);
    std::uint64_t total = header.size();
    for (const Tensor* tensor : order) total += tensor->bytes.size();

    ReplacingFile file(path);
    std::uint64_t done = 0;
    const auto write = [&](std::span<const std::byte> piece) {
        file.write(piece);
        done += piece.size();
        if (progress) progress(done, total);
    };
    write(std::as_bytes(std::span(header)));
    for (const Tensor* tensor : order) {
        for (std::span<const std::byte> rest = tensor->bytes; !rest.empty();) {
            write(rest.first(std::min(rest.size(), piece_bytes)));
            rest = rest.subspan(std::min(rest.size(), piece_bytes));
        }
    }
    file.commit();
}

void write_text_file(const std::filesystem::path& path, std::string_view text) {
    ReplacingFile file(path);
    file.write(std::as_bytes(std::span(text)));
    file.commit();
}

}  // namespace vgg19::model
