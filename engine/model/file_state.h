// An open file, and what tells that another program has written to it.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <utility>

namespace vgg19::model {

/// Closes what it holds.
class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor();

    int number() const { return number_; }
    bool is_open() const { return number_ >= 0; }

  private:
    int number_ = -1;
};

/// A file's length and the time of the last write to it: both stay if the file is renamed, linked, replaced
/// by a new one or deleted. Not seen: what another program stores through a mapping of its own (file systems
/// set the time when such pages are first written after they were saved), and a second write within the same
/// tick of the system's clock (4 ms).
struct FileState {
    std::uint64_t bytes = 0;
    timespec written{};

    explicit FileState(const struct stat& status)
        : bytes(static_cast<std::uint64_t>(status.st_size)), written(status.st_mtim) {}
};

/// Throws Error (bad_input) unless the file behind `descriptor` is as it was; `path` is for the message.
void require_unchanged(int descriptor, const FileState& before, const std::filesystem::path& path);

}  // namespace vgg19::model
