// A file's bytes: mapped, read when they are used, or in memory that the caller has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "engine/model/file_state.h"

namespace vgg19::model {

class FilePages;
struct Mapping;

/// The bytes of a regular file.
class MappedFile {
  public:
    /// See use(). Movable; may outlive the MappedFile.
    class Use {
      public:
        Use() = default;
        Use(Use&& other) noexcept;
        Use& operator=(Use&& other) noexcept;
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;
        ~Use();

      private:
        friend class MappedFile;
        std::shared_ptr<FilePages> pages_;
        std::shared_ptr<const Mapping> mapping_;
        std::span<const std::byte> part_;
    };

    /// For a file that is read in one pass, by a program that has called catch_faults_of_mappings(). A file
    /// of up to `largest_read` bytes is read, and does not change; a larger one is mapped, so that writes of
    /// other programs show through: call require_unchanged(). Throws Error (bad_input) if there is no such
    /// file, or it is a directory or unreadable.
    explicit MappedFile(std::filesystem::path path);
    static constexpr std::size_t largest_read = std::size_t{16} << 20U;
    /// The same for a file of which all that is read is in use() then, also when it is unpacked.
    static MappedFile map_when_used(std::filesystem::path path);

    /// For a file of which parts are used for long: they are read into memory by use(), and do not change
    /// then. No other part of bytes() may be read, which would end the program. Throws as the constructor
    /// does.
    static MappedFile read_when_used(std::filesystem::path path);
    /// The same for `length` bytes from `offset` on of an open file; all that follow if `length` is 0. The
    /// descriptor may be closed afterwards, and its position does not matter. path() is "descriptor 7".
    /// Throws Error (bad_input) if it is none of a regular file that can be read, or the file is shorter.
    static MappedFile of_descriptor(int descriptor, std::uint64_t offset, std::uint64_t length);
    /// The caller's bytes, which must stay as they are; `owner` is kept as long as they are needed. path() is
    /// "model in memory".
    static MappedFile of_memory(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);
    /// The plain content of a packed file (packed_file.h), of which parts are unpacked by use(). No other
    /// part may be read before use_all(). Throws Error (bad_input) if it is damaged, or beyond what a file of
    /// its length may hold.
    static MappedFile unpacked(MappedFile packed);

    /// For messages: the file's path, or what bytes() are instead.
    const std::filesystem::path& path() const { return path_; }
    std::span<const std::byte> bytes() const { return bytes_; }
    /// Whether bytes() are what a packed file holds.
    bool is_unpacked() const { return packed_ != nullptr; }
    /// The length of the file as it is stored.
    std::uint64_t stored_bytes() const { return is_unpacked() ? packed_->bytes().size() : bytes_.size(); }
    /// Whether all of a file may be read without use(), as the one who opened it expects.
    bool is_read_freely() const { return read_freely_; }

    /// Says that this part of bytes() is read while the result exists, and not soon afterwards. May read it
    /// from the file. Throws Error (bad_input) if the file has changed since it was opened and the part was
    /// not in use. Nothing happens for bytes outside of bytes(). Thread-safe.
    [[nodiscard]] Use use(std::span<const std::byte> part) const;
    /// From now on all of bytes() may be read without use(). Unpacks on several threads. Throws as use()
    /// does.
    void use_all();

    /// Announces that this part of bytes() will not be read again soon: if it is mapped, its pages leave this
    /// process's memory but stay in the page cache.
    void release(std::span<const std::byte> part) const;

    /// Whether other programs' writes would show in this part.
    bool is_mapped(std::span<const std::byte> part) const;

    /// Throws Error (bad_input) if the file is mapped and has changed since it was opened, or part of it
    /// could not be read. Then what was made of it is worthless.
    void require_unchanged() const;

  private:
    MappedFile() = default;
    void prepare_pages(Descriptor opened, std::uint64_t offset, std::uint64_t length);

    std::filesystem::path path_;
    std::span<const std::byte> bytes_;
    std::shared_ptr<const Mapping> mapping_;    ///< of a file that is mapped
    std::shared_ptr<FilePages> pages_;          ///< of one that is read
    Use all_;                                   ///< of a file that was read as a whole
    std::shared_ptr<const MappedFile> packed_;  ///< what bytes_ are unpacked from
    bool read_freely_ = false;
    std::shared_ptr<const void> owner_;
};

/// Calls read(), which reads `file`. If the file has changed meanwhile, the error says that, and not what it
/// has led to.
template <class Read>
decltype(auto) reading(const MappedFile& file, const Read& read) {
    try {
        return read();
    } catch (...) {
        file.require_unchanged();
        throw;
    }
}

/// Bytes of a text, or of what may be one.
inline std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace vgg19::model
