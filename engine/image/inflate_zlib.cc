#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>
#include <string>

#include "engine/image/checksums.h"
#include "engine/image/failure.h"
#include "engine/image/inflate.h"
#include "engine/image/zlib_frame.h"

namespace vgg19 {

std::size_t inflater_bytes(std::size_t /*packed_bytes*/, std::size_t /*unpacked_bytes*/) {
    return std::size_t{48} << 10U;
}

/// zlib unpacks the deflated data without their frame, because its checksum must be distinguished from damage
/// before it.
struct Inflater::State {
    std::vector<Bytes> pieces;
    std::size_t piece = 0;  ///< the one that zlib reads
    z_stream zlib{};
    bool has_ended = false;
    std::uint32_t checksum = adler32({});

    explicit State(std::vector<Bytes> of_stream) : pieces(std::move(of_stream)) {
        constexpr int without_frame = -15;  // and a window of 2^15 bytes
        check_zlib_header({next_byte(), next_byte()});
        if (inflateInit2(&zlib, without_frame) != Z_OK) throw std::bad_alloc();
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { inflateEnd(&zlib); }

    /// Gives zlib the next piece that is not empty; false at the end.
    bool has_input() {
        while (zlib.avail_in == 0 && piece < pieces.size()) {
            // zlib's counters have 32 bits.
            const std::size_t count = std::min<std::size_t>(pieces[piece].size(), std::size_t{1} << 30U);
            zlib.next_in = const_cast<Bytef*>(pieces[piece].data());
            zlib.avail_in = static_cast<uInt>(count);
            pieces[piece] = pieces[piece].subspan(count);
            if (pieces[piece].empty()) ++piece;
        }
        return zlib.avail_in > 0;
    }

    std::uint8_t next_byte() {
        if (!has_input()) fail_stream_cut_short();
        --zlib.avail_in;
        return *zlib.next_in++;
    }

    /// The number of bytes that were written to `out`: fewer than asked for only where the stream ends.
    std::size_t unpack(std::span<std::uint8_t> out) {
        zlib.next_out = out.data();
        zlib.avail_out = static_cast<uInt>(out.size());
        while (zlib.avail_out > 0 && !has_ended) {
            if (!has_input()) fail_stream_cut_short();
            const int result = inflate(&zlib, Z_NO_FLUSH);
            if (result == Z_MEM_ERROR) throw std::bad_alloc();
            if (result == Z_DATA_ERROR) fail_image(std::string("its data are damaged: ") + zlib.msg);
            has_ended = result == Z_STREAM_END;
        }
        const std::size_t count = out.size() - zlib.avail_out;
        if (checksums_count) checksum = adler32(out.first(count), checksum);
        return count;
    }
};

Inflater::Inflater(std::vector<Bytes> pieces, std::size_t /*expected_bytes*/)
    : state_(std::make_unique<State>(std::move(pieces))) {}

Inflater::~Inflater() = default;

void Inflater::read(std::span<std::uint8_t> out) {
    constexpr std::size_t at_once = std::size_t{1} << 30U;
    for (; !out.empty(); out = out.subspan(std::min(out.size(), at_once))) {
        const std::span<std::uint8_t> part = out.first(std::min(out.size(), at_once));
        if (state_->unpack(part) < part.size()) fail_stream_cut_short();
    }
}

void Inflater::finish() {
    std::array<std::uint8_t, 4096> excess{};
    for (std::size_t count = 0; !state_->has_ended;) {
        count += state_->unpack(excess);
        if (count > most_excess_bytes) fail_stream_goes_on();
    }
    std::array<std::uint8_t, 4> stored{};
    for (std::uint8_t& byte : stored) {
        if (!state_->has_input()) fail_without_checksum();
        byte = state_->next_byte();
    }
    check_adler32(stored, state_->checksum);
}

}  // namespace vgg19
