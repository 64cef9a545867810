#include "engine/image/file_bytes.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <istream>
#include <new>
#include <string>
#include <system_error>

#include "engine/image/failure.h"
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

std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path, std::size_t most) {
    using std::filesystem::file_type;
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (status.type() == file_type::not_found) fail_image("no such file");
    if (error) fail_reading(problem, error.value());
    if (status.type() == file_type::directory) fail_image("expected an image, found a directory");
    if (status.type() == file_type::block) fail_image("expected an image, found a block device");

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
