#include <algorithm>
#include <climits>
#include <cstdlib>
#include <new>
#include <string>

#include "engine/image/checksums.h"
#include "engine/image/failure.h"
#include "engine/image/inflate.h"
#include "engine/image/stb_allocation.h"
#include "engine/image/zlib_frame.h"

// Only zlib here; stb.cc has JPEG.
#define STBI_NO_JPEG
#define STBI_NO_PNG
#define STBI_NO_BMP
#define STBI_NO_GIF
#define STBI_NO_PSD
#define STBI_NO_TGA
#define STBI_NO_HDR
#define STBI_NO_PIC
#define STBI_NO_PNM
#define STBI_SUPPORT_ZLIB
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>

namespace vgg19 {

std::size_t inflater_bytes(std::size_t packed_bytes, std::size_t unpacked_bytes) {
    return packed_bytes + unpacked_bytes + most_excess_bytes;
}

/// stb_image unpacks a stream in one piece as a whole, and ignores the checksum.
struct Inflater::State {
    std::vector<std::uint8_t> stream;
    std::unique_ptr<char, decltype(&std::free)> data{nullptr, std::free};
    std::size_t size = 0;    ///< of `data`
    std::size_t offset = 0;  ///< in `data`
    std::size_t end = 0;     ///< of the deflated data in `stream`

    State(const std::vector<Bytes>& pieces, std::size_t expected_bytes) {
        for (const Bytes piece : pieces) stream.insert(stream.end(), piece.begin(), piece.end());
        if (stream.size() < zlib_header_bytes) fail_stream_cut_short();
        check_zlib_header({stream[0], stream[1]});
        const std::size_t room = expected_bytes + most_excess_bytes;
        if (std::max(room, stream.size()) > INT_MAX) {
            fail_image("it unpacks to " + std::to_string(expected_bytes) +
                       " bytes, more than this build reads, because it was built without zlib");
        }
        data.reset(static_cast<char*>(std::calloc(room, 1)));
        if (data == nullptr) throw std::bad_alloc();
        unpack(room);
    }

    void unpack(std::size_t room) {
        stbi__zbuf zlib{};
        zlib.zbuffer = stream.data() + zlib_header_bytes;
        zlib.zbuffer_end = stream.data() + stream.size();
        const int whole = stbi__do_zlib(&zlib, data.get(), static_cast<int>(room), 0, 0);
        size = static_cast<std::size_t>(zlib.zout - zlib.zout_start);
        end = bytes_used(zlib);
        const std::string reason = whole == 0 ? stbi_failure_reason() : "";
        if (reason == "output buffer limit") fail_stream_goes_on();
        if (whole == 0) fail_image("its data are damaged, or cut short: " + reason);
    }

    /// The decoder reads ahead of the bits that it needs. It appends zeros after the end of the stream only
    /// where the four bytes of the checksum are missing, so that the result is right wherever there is a
    /// checksum.
    std::size_t bytes_used(const stbi__zbuf& zlib) const {
        const auto read = static_cast<std::size_t>(zlib.zbuffer - stream.data());
        const auto ahead = static_cast<std::size_t>(zlib.num_bits) / 8;
        return ahead > read ? 0 : read - ahead;
    }
};

// NOLINTNEXTLINE(performance-unnecessary-value-param): inflate_zlib.cc keeps them
Inflater::Inflater(std::vector<Bytes> pieces, std::size_t expected_bytes)
    : state_(std::make_unique<State>(pieces, expected_bytes)) {}

Inflater::~Inflater() = default;

void Inflater::read(std::span<std::uint8_t> out) {
    if (out.size() > state_->size - state_->offset) fail_stream_cut_short();
    std::copy_n(state_->data.get() + state_->offset, out.size(), out.begin());
    state_->offset += out.size();
}

void Inflater::finish() {
    const Bytes stream = state_->stream;
    if (stream.size() - state_->end < zlib_checksum_bytes) fail_without_checksum();
    const Bytes data(reinterpret_cast<const std::uint8_t*>(state_->data.get()), state_->size);
    check_adler32(stream.subspan(state_->end), adler32(data));
}

}  // namespace vgg19
