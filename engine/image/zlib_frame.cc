#include "engine/image/zlib_frame.h"

#include "engine/image/checksums.h"
#include "engine/image/failure.h"

namespace vgg19 {

void check_zlib_header(const std::array<std::uint8_t, zlib_header_bytes>& header) {
    constexpr unsigned deflate_with_32_kib = 7U << 4U | 8U;
    constexpr unsigned has_dictionary = 0x20;
    const unsigned method = header[0];
    const unsigned flags = header[1];
    if (method % 16 != 8 || method > deflate_with_32_kib || (method * 256 + flags) % 31 != 0) {
        fail_image("its data are damaged: they do not begin with zlib's header");
    }
    if ((flags & has_dictionary) != 0) fail_image("its data ask for a dictionary, which PNG does not have");
}

void check_adler32(Bytes stored, std::uint32_t computed) {
    if (!checksums_count || big_endian(stored, 0, zlib_checksum_bytes) == computed) return;
    fail_image("the data's checksum (Adler-32) is wrong: they are damaged");
}

void fail_stream_cut_short() {
    fail_image("its data end before the picture is complete: they are cut short");
}

void fail_stream_goes_on() {
    fail_image("it unpacks to more data than the size in its header asks for");
}

void fail_without_checksum() {
    fail_image("the data end before their checksum: they are cut short");
}

}  // namespace vgg19
