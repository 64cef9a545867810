#include "engine/image/file_bytes.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <istream>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <system_error>

#include "engine/image/failure.h"
#include "engine/model/file_state.h"
#include "engine/shortage.h"

namespace vgg19 {
namespace {

constexpr const char* problem = "cannot be read";

/// Appends the rest of the stream, chunk by chunk, and stops when there are too many bytes.
void append_rest(std::istream& stream, std::size_t most, std::vector<std::uint8_t>& bytes) {
    constexpr std::size_t least_piece = std::size_t{64} << 10U;
    while (true) {
        // One byte more than `most` shows that the limit is exceeded.
        const std::size_t room = most - bytes.size() + 1;
        const std::size_t piece = std::min(std::max(bytes.size(), least_piece), room);
        const std::size_t start = bytes.size();
        bytes.resize(start + piece);
        errno = 0;
        stream.read(reinterpret_cast<char*>(&bytes[start]), static_cast<std::streamsize>(piece));
        bytes.resize(start + static_cast<std::size_t>(stream.gcount()));
        if (bytes.size() > most) {
            fail_image("expected at most " + std::to_string(most) + " bytes, found more");
        }
        if (stream.bad()) fail_reading(problem, errno);
        if (stream.eof()) return;
    }
}

/// A pipe's bytes until no writer is left.
class Pipe {
  public:
    explicit Pipe(const std::filesystem::path& path)
        : descriptor_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
        if (!descriptor_.is_open()) fail_reading(problem, errno);
    }

    /// Waits a moment for a writer, and for what it writes. 0: all have gone; none: nothing has happened.
    std::optional<std::size_t> read(std::span<std::uint8_t> to) const {
        constexpr int milliseconds = 20;
        pollfd waiting = {.fd = descriptor_.number(), .events = POLLIN, .revents = 0};
        errno = 0;
        if (::poll(&waiting, 1, milliseconds) <= 0) return {};
        const ssize_t count = ::read(descriptor_.number(), to.data(), to.size());
        if (count >= 0) return static_cast<std::size_t>(count);
        if (errno != EINTR && errno != EAGAIN) fail_reading(problem, errno);
        return {};
    }

  private:
    model::Descriptor descriptor_;
};

std::vector<std::uint8_t> read_pipe(const std::filesystem::path& path, std::size_t most,
                                    const std::function<bool()>& is_cancelled) {
    const Pipe pipe(path);
    std::vector<std::uint8_t> piece(std::size_t{64} << 10U);
    std::vector<std::uint8_t> bytes;
    while (true) {
        if (is_cancelled && is_cancelled()) throw Error(ErrorKind::cancelled, "reading was cancelled");
        const std::optional<std::size_t> count = pipe.read(piece);
        // Who asks nothing could not end the wait for a writer otherwise.
        if (!count && errno == EINTR && bytes.empty() && !is_cancelled) fail_reading(problem, EINTR);
        if (!count) continue;
        if (*count == 0) return bytes;
        if (*count > most - bytes.size()) {
            fail_image("expected at most " + std::to_string(most) + " bytes, found more");
        }
        bytes.insert(bytes.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(*count));
    }
}

}  // namespace

void check_file_bytes(std::uintmax_t bytes, std::size_t most) {
    if (bytes <= most) return;
    fail_image("expected at most " + std::to_string(most) + " bytes, found " + std::to_string(bytes));
}

std::vector<std::uint8_t> read_bytes(std::istream& stream, std::size_t most) {
    std::vector<std::uint8_t> bytes;
    append_rest(stream, most, bytes);
    return bytes;
}

std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path, std::size_t most,
                                     const std::function<bool()>& is_cancelled) {
    using std::filesystem::file_type;
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (status.type() == file_type::not_found) fail_image("no such file");
    if (error) fail_reading(problem, error.value());
    if (status.type() == file_type::directory) fail_image("expected an image, found a directory");
    if (status.type() == file_type::block) fail_image("expected an image, found a block device");
    if (status.type() == file_type::fifo) return read_pipe(path, most, is_cancelled);

    errno = 0;
    std::ifstream stream(path, std::ios::binary);
    if (!stream) fail_reading(problem, errno);
    std::vector<std::uint8_t> bytes;
    if (status.type() == file_type::regular) {
        const std::uintmax_t size = std::filesystem::file_size(path, error);
        if (error) fail_reading(problem, error.value());
        check_file_bytes(size, most);
        bytes.reserve(size);
    }
    append_rest(stream, most, bytes);
    return bytes;
}

}  // namespace vgg19
