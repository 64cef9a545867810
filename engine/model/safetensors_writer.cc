#include <algorithm>
#include <array>
#include <optional>

#include "engine/model/json.h"
#include "engine/model/packed_file.h"
#include "engine/model/replacing_file.h"
#include "engine/model/safetensors.h"
#include "vgg19/error.h"

namespace vgg19::model {

namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t length_bytes = 8;
constexpr std::size_t piece_bytes = std::size_t{4} << 20U;

/// The format allows no gaps, so that alignment follows from the order: first the tensors whose size is a
/// multiple of 64 bytes (all large weights are), then the rest by decreasing element size. Vectors, which are
/// read whenever a model is opened, lie together, so that few pages or packed frames have to be read for
/// them.
std::vector<const TensorStream*> in_file_order(std::span<const TensorStream> tensors) {
    std::vector<const TensorStream*> order;
    for (const TensorStream& tensor : tensors) order.push_back(&tensor);
    const auto rank = [](const TensorStream* tensor) {
        if (tensor->bytes() % alignment != 0) return 100 / dtype_bytes(tensor->dtype) + 1;
        return tensor->shape.size() > 1 ? std::size_t{0} : std::size_t{1};
    };
    std::stable_sort(order.begin(), order.end(),
                     [rank](const TensorStream* a, const TensorStream* b) { return rank(a) < rank(b); });
    return order;
}

Json header_json(const Metadata& metadata, const std::vector<const TensorStream*>& tensors) {
    Json header = Json::Object();
    if (!metadata.empty()) {
        Json entry = Json::Object();
        for (const auto& [key, value] : metadata) entry.set(key, value);
        header.set("__metadata__", std::move(entry));
    }
    std::uint64_t offset = 0;
    for (const TensorStream* tensor : tensors) {
        Json shape = Json::Array();
        for (const std::size_t size : tensor->shape) shape.push(std::uint64_t{size});
        const std::uint64_t end = offset + tensor->bytes();
        const Json offsets = Json::Array{offset, end};
        offset = end;
        Json entry;
        entry.set("dtype", dtype_name(tensor->dtype)).set("shape", shape).set("data_offsets", offsets);
        header.set(tensor->name, std::move(entry));
    }
    return header;
}

/// The header's length and its JSON, padded with spaces up to the first tensor.
std::string header_bytes(const Metadata& metadata, const std::vector<const TensorStream*>& tensors) {
    const std::string json = header_json(metadata, tensors).dump();
    const std::size_t padded = (length_bytes + json.size() + alignment - 1) / alignment * alignment;
    const std::uint64_t length = padded - length_bytes;
    std::string bytes;
    for (unsigned shift = 0; shift < 64; shift += 8) bytes += static_cast<char>((length >> shift) & 0xFFU);
    bytes += json;
    bytes.resize(padded, ' ');
    return bytes;
}

[[noreturn]] void fail_size(const std::filesystem::path& path, const std::string& tensor,
                            std::uint64_t expected, std::uint64_t found) {
    throw Error(ErrorKind::failed, path.string() + ": tensor " + tensor + ": expected " +
                                       std::to_string(expected) + " bytes, found " + std::to_string(found));
}

void check_sizes(const std::filesystem::path& path, std::span<const Tensor> tensors) {
    for (const Tensor& tensor : tensors) {
        const std::size_t expected = tensor.elements() * dtype_bytes(tensor.dtype);
        if (tensor.bytes.size() != expected) fail_size(path, tensor.name, expected, tensor.bytes.size());
    }
}

/// A new file, plain or packed.
class Output {
  public:
    Output(const Destination& to, std::uint64_t total, const Progress& progress)
        : file_(to.path), total_(total), progress_(progress) {
        if (to.packed) packer_.emplace([this](std::span<const std::byte> piece) { file_.write(piece); });
    }

    void write(std::span<const std::byte> piece) {
        if (packer_) {
            packer_->write(piece);
        } else {
            file_.write(piece);
        }
        done_ += piece.size();
        if (progress_) progress_(done_, total_);
    }
    std::uint64_t done() const { return done_; }

    void commit(const std::function<void()>& before_commit) {
        if (packer_) packer_->finish();
        if (before_commit) before_commit();
        file_.commit();
    }

  private:
    ReplacingFile file_;
    std::optional<Packer> packer_;
    std::uint64_t done_ = 0;
    const std::uint64_t total_;
    const Progress& progress_;
};

}  // namespace

TensorStream stream_of(const Tensor& tensor) {
    const auto write = [bytes = tensor.bytes](const Sink& sink) {
        for (std::span<const std::byte> rest = bytes; !rest.empty();) {
            sink(rest.first(std::min(rest.size(), piece_bytes)));
            rest = rest.subspan(std::min(rest.size(), piece_bytes));
        }
    };
    return {tensor.name, tensor.dtype, tensor.shape, write};
}

std::uint64_t TensorStream::bytes() const {
    std::uint64_t bytes = dtype_bytes(dtype);
    for (const std::size_t size : shape) bytes *= size;
    return bytes;
}

void write_safetensors(const std::filesystem::path& path, const Metadata& metadata,
                       std::span<const Tensor> tensors, const Progress& progress) {
    check_sizes(path, tensors);
    std::vector<TensorStream> streams;
    for (const Tensor& tensor : tensors) streams.push_back(stream_of(tensor));
    write_safetensors(path, metadata, streams, progress);
}

void write_safetensors(const Destination& to, const Metadata& metadata, std::span<const TensorStream> tensors,
                       const Progress& progress, const std::function<void()>& before_commit) {
    const std::vector<const TensorStream*> order = in_file_order(tensors);
    const std::string header = header_bytes(metadata, order);
    std::uint64_t total = header.size();
    for (const TensorStream* tensor : order) total += tensor->bytes();

    Output output(to, total, progress);
    output.write(std::as_bytes(std::span(header)));
    for (const TensorStream* tensor : order) {
        const std::uint64_t before = output.done();
        tensor->write([&](std::span<const std::byte> piece) { output.write(piece); });
        const std::uint64_t found = output.done() - before;
        if (found != tensor->bytes()) fail_size(to.path, tensor->name, tensor->bytes(), found);
    }
    output.commit(before_commit);
}

void write_bytes(const Destination& to, std::span<const std::byte> bytes, const Progress& progress,
                 const std::function<void()>& before_commit) {
    Output output(to, bytes.size(), progress);
    for (std::span<const std::byte> rest = bytes; !rest.empty();) {
        const auto piece = rest.first(std::min(rest.size(), piece_bytes));
        output.write(piece);
        rest = rest.subspan(piece.size());
    }
    output.commit(before_commit);
}

void write_text_file(const std::filesystem::path& path, std::string_view text) {
    ReplacingFile file(path);
    file.write(std::as_bytes(std::span(text)));
    file.commit();
}

}  // namespace vgg19::model
