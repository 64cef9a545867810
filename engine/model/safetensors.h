// The safetensors format: 8 bytes of header length (little endian), a JSON header, then the tensors' bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/model/mapped_file.h"

namespace vgg19::model {

enum class DType : unsigned char { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };

const char* dtype_name(DType dtype);  ///< the format's name: "F32", "I8", …
std::size_t dtype_bytes(DType dtype);

/// A non-owning view of a tensor's bytes (row-major, little endian).
struct Tensor {
    std::string name;
    DType dtype = DType::f32;
    std::vector<std::size_t> shape;
    std::span<const std::byte> bytes;

    std::size_t elements() const;
    /// The elements; the type must be T's, and the bytes must be aligned, as in files that
    /// SafetensorsFile::open accepts.
    template <class T>
    std::span<const T> as() const {
        return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
    }
};

using Metadata = std::vector<std::pair<std::string, std::string>>;

/// The value of `key`; nullptr if there is none.
const std::string* find(const Metadata& metadata, std::string_view key);

/// A mapped file, also a packed one (packed_file.h). All of the header is checked before anything else is
/// allocated: its length, its JSON, known types, shapes whose product does not overflow and agrees with the
/// offsets, and offsets inside the file, without gaps, overlaps or repeated names. Throws Error (bad_input):
/// "FILE: tensor NAME: expected …, found …"; for files of other kinds the message names the kind.
class SafetensorsFile {
  public:
    /// A tensor with a type that exists in the format but not in DType.
    struct OtherTensor {
        std::string name;
        std::string dtype;
    };

    /// All tensors must have a type in DType and be aligned to their element size.
    static SafetensorsFile open(const std::filesystem::path& path);
    /// As lenient as the format's own library: tensors need not be aligned, and those of other types are left
    /// out.
    static SafetensorsFile open_for_import(const std::filesystem::path& path);
    static SafetensorsFile open_for_import(MappedFile file);
    /// Checks what open() demands in addition to open_for_import(). Throws Error (bad_input).
    void check_in_place() const;

    /// From now on the tensor's bytes may be read without MappedFile::use().
    void hold(const Tensor& tensor);

    const MappedFile& mapping() const { return mapping_; }
    const Metadata& metadata() const { return metadata_; }
    const std::vector<Tensor>& tensors() const { return tensors_; }  ///< sorted by offset
    const std::vector<OtherTensor>& others() const { return others_; }
    const Tensor* find(std::string_view name) const;  ///< nullptr if there is none

  private:
    SafetensorsFile(MappedFile mapping, Metadata metadata, std::vector<Tensor> tensors,
                    std::vector<OtherTensor> others)
        : mapping_(std::move(mapping)),
          metadata_(std::move(metadata)),
          tensors_(std::move(tensors)),
          others_(std::move(others)) {}

    MappedFile mapping_;
    Metadata metadata_;
    std::vector<Tensor> tensors_;
    std::vector<OtherTensor> others_;
    std::vector<MappedFile::Use> held_;
};

/// Where a file is written, and how.
struct Destination {
    std::filesystem::path path;
    bool packed = false;  ///< see packed_file.h

    // NOLINTNEXTLINE(google-explicit-constructor): a path alone is a plain file
    Destination(std::filesystem::path file, bool pack = false) : path(std::move(file)), packed(pack) {}
};

/// Called after each piece that is written.
using Progress = std::function<void(std::uint64_t bytes_done, std::uint64_t bytes_total)>;

/// Writes a file without a name or with a temporary one (replacing_file.h), syncs it, and gives it its name,
/// so that `path` holds either its old content or all of the new.
/// The first tensor starts at a multiple of 64 bytes of the file. Throws Error (failed), and leaves nothing
/// then.
void write_safetensors(const std::filesystem::path& path, const Metadata& metadata,
                       std::span<const Tensor> tensors, const Progress& progress = {});

/// Takes the next bytes of a tensor.
using Sink = std::function<void(std::span<const std::byte> bytes)>;

/// A tensor whose bytes are made while it is written, since they may not fit into memory.
struct TensorStream {
    std::string name;
    DType dtype = DType::f32;
    std::vector<std::size_t> shape;
    std::function<void(const Sink& sink)> write;  ///< passes on all bytes, in order, in pieces of any length

    std::uint64_t bytes() const;  ///< as the shape says
};

/// What is in memory as a stream, in pieces between which the progress can be shown.
TensorStream stream_of(const Tensor& tensor);

/// The same for tensors whose bytes are made meanwhile. Throws Error (failed), too, where a tensor's bytes
/// are not as many as its shape says. What before_commit() throws, called when all is written, undoes it too.
void write_safetensors(const Destination& to, const Metadata& metadata, std::span<const TensorStream> tensors,
                       const Progress& progress = {}, const std::function<void()>& before_commit = {});

/// Writes a plain file's bytes, packed or not, in the same crash-safe way.
void write_bytes(const Destination& to, std::span<const std::byte> bytes, const Progress& progress = {},
                 const std::function<void()>& before_commit = {});

/// Writes a small text file in the same crash-safe way.
void write_text_file(const std::filesystem::path& path, std::string_view text);

}  // namespace vgg19::model
