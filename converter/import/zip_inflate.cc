#include "converter/import/zip_inflate.h"

#include <string>

#include "vgg19/error.h"

#if VGG19_HAS_ZLIB
#include <zlib.h>

#include <algorithm>
#include <limits>
#endif

namespace vgg19::converter {
namespace {

[[noreturn]] void fail(const std::string& message) {
    throw Error(ErrorKind::bad_input, message);
}

#if VGG19_HAS_ZLIB

class Inflater {
  public:
    Inflater() {
        if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) {  // negative means: no zlib header
            throw Error(ErrorKind::failed, "zlib cannot be started");
        }
    }
    ~Inflater() { inflateEnd(&stream_); }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    /// Returns the number of unpacked bytes. Works in pieces because zlib counts in 32 bits.
    std::size_t unpack(std::span<const std::byte> packed, std::span<std::byte> result) {
        constexpr std::size_t most = std::numeric_limits<uInt>::max();
        std::size_t read = 0;
        std::size_t written = 0;
        int status = Z_OK;
        while (status == Z_OK) {
            stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data() + read));
            stream_.avail_in = static_cast<uInt>(std::min(most, packed.size() - read));
            stream_.next_out = reinterpret_cast<Bytef*>(result.data() + written);
            stream_.avail_out = static_cast<uInt>(std::min(most, result.size() - written));
            const uInt input = stream_.avail_in;
            const uInt room = stream_.avail_out;
            status = inflate(&stream_, Z_NO_FLUSH);
            read += input - stream_.avail_in;
            written += room - stream_.avail_out;
        }
        if (status != Z_STREAM_END) fail("expected DEFLATE data that fit, found other or more");
        return written;
    }

  private:
    z_stream stream_{};
};

#endif

}  // namespace

std::vector<std::byte> inflated(std::span<const std::byte> packed, std::uint64_t size) {
#if VGG19_HAS_ZLIB
    constexpr std::uint64_t most_from_a_byte = 1032;  // 258 bytes from 2 bits
    if (size / most_from_a_byte > packed.size()) {
        fail("expected at most " + std::to_string(most_from_a_byte) +
             " bytes from each that is stored, found " + std::to_string(size) + " from " +
             std::to_string(packed.size()));
    }
    std::vector<std::byte> result(size);
    const std::size_t found = Inflater().unpack(packed, result);
    if (found != size) fail("expected " + std::to_string(size) + " bytes, found " + std::to_string(found));
    return result;
#else
    static_cast<void>(packed);
    static_cast<void>(size);
    fail(
        "expected it stored uncompressed, found it compressed, which this build (without zlib) does not "
        "read; "
        "pack the file again without compression (zip -0 -r)");
#endif
}

}  // namespace vgg19::converter
