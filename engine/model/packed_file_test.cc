#include "engine/model/packed_file.h"

#include <doctest/doctest.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "engine/model/model_file.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"
#include "kernels/common/testing/random.h"

namespace vgg19::model {

namespace {

using kernels::testing::Random;
using vgg19::testing::Containing;
using vgg19::testing::error_of;
using vgg19::testing::TemporaryFolder;

using Bytes = std::vector<std::byte>;

Bytes bytes_of(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

void write(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    std::ofstream(path, std::ios::binary) << as_text(bytes);
}

/// As `zstd -d` does it, which knows nothing of our frames.
Bytes unpacked_by_stream(std::span<const std::byte> packed) {
    const std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream(ZSTD_createDStream(),
                                                                            &ZSTD_freeDStream);
    Bytes plain;
    Bytes piece(ZSTD_DStreamOutSize());
    ZSTD_inBuffer in{packed.data(), packed.size(), 0};
    std::size_t left = 0;
    while (in.pos < in.size) {
        ZSTD_outBuffer out{piece.data(), piece.size(), 0};
        left = ZSTD_decompressStream(stream.get(), &out, &in);
        REQUIRE_FALSE(ZSTD_isError(left));
        plain.insert(plain.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(out.pos));
    }
    REQUIRE(left == 0);
    return plain;
}

Bytes packed_by_packer(std::span<const std::byte> plain, std::size_t piece) {
    Bytes packed;
    Packer packer(
        [&](std::span<const std::byte> bytes) { packed.insert(packed.end(), bytes.begin(), bytes.end()); });
    for (std::size_t at = 0; at < plain.size(); at += piece) {
        packer.write(plain.subspan(at, std::min(piece, plain.size() - at)));
    }
    packer.finish();
    return packed;
}

/// As other programs may pack: frames of any length.
Bytes packed_in_frames(std::span<const std::byte> plain, std::size_t frame) {
    Bytes packed;
    for (std::size_t at = 0; at < plain.size(); at += frame) {
        const auto part = plain.subspan(at, std::min(frame, plain.size() - at));
        Bytes piece(ZSTD_compressBound(part.size()));
        piece.resize(ZSTD_compress(piece.data(), piece.size(), part.data(), part.size(), 1));
        packed.insert(packed.end(), piece.begin(), piece.end());
    }
    return packed;
}

/// Bytes that compress a little, as weights do.
Bytes some_bytes(std::size_t size) {
    Bytes bytes(size);
    Random random(3);
    std::vector<float> values(size);
    random.fill(values, -20, 20);
    std::transform(values.begin(), values.end(), bytes.begin(),
                   [](float value) { return static_cast<std::byte>(static_cast<signed char>(value)); });
    return bytes;
}

MappedFile in_memory(const Bytes& bytes) {
    return MappedFile::of_memory(bytes, nullptr);
}

Bytes content_of(const Bytes& packed) {
    MappedFile file = MappedFile::unpacked(in_memory(packed));
    file.use_all();
    return {file.bytes().begin(), file.bytes().end()};
}

std::string refusal(const Bytes& packed) {
    return error_of(ErrorKind::bad_input, [&] { content_of(packed); });
}

/// What unpacking gives, or its error.
struct Outcome {
    Bytes content;
    std::string error;
};
Outcome outcome_of(const Bytes& packed) {
    try {
        return {content_of(packed), ""};
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::bad_input);
        return {{}, error.what()};
    }
}

/// A frame whose header says that it has so many bytes, and that ends after an empty block.
Bytes frame_that_says(std::uint64_t content) {
    Bytes frame = {std::byte{0x28}, std::byte{0xB5}, std::byte{0x2F}, std::byte{0xFD}, std::byte{0xE0}};
    for (unsigned shift = 0; shift < 64; shift += 8)
        frame.push_back(static_cast<std::byte>(content >> shift));
    frame.insert(frame.end(), {std::byte{1}, std::byte{0}, std::byte{0}});
    return frame;
}

/// A model of several frames, plain and packed.
struct Fixture {
    Fixture() {
        Random random(5);
        const Network network({8, 0, 8, 0, 8, 8, 0, 8, 8, 0, 16, 16, 0}, {1600, 10});
        vgg19::testing::write_random_model(plain, network, random, DenseOrder::input_major);
        write_bytes({packed, true}, bytes_of(plain));
        REQUIRE(std::filesystem::file_size(plain) > 2 * Packer::frame_bytes);
    }

    TemporaryFolder folder;
    std::filesystem::path plain = folder / "plain";
    std::filesystem::path packed = folder / "packed";
};

void check_same_model(const ModelFile& found, const ModelFile& expected) {
    CHECK(found.description().variant == expected.description().variant);
    REQUIRE(found.tensors().size() == expected.tensors().size());
    for (const Tensor& tensor : expected.tensors()) {
        const Tensor& other = found.tensor(tensor.name);
        const MappedFile::Use use = found.use(other);
        CHECK(std::equal(tensor.bytes.begin(), tensor.bytes.end(), other.bytes.begin(), other.bytes.end()));
    }
}

}  // namespace

TEST_CASE("what is packed is a stream of Zstandard, whatever the pieces in which it was written") {
    const Bytes plain = some_bytes(2 * Packer::frame_bytes + 777);
    const Bytes packed = packed_by_packer(plain, plain.size());
    CHECK(packed.size() < plain.size() * 3 / 4);
    CHECK(is_packed(packed));
    CHECK_FALSE(is_packed(plain));
    CHECK(packed_by_packer(plain, 1000) == packed);
    CHECK(unpacked_by_stream(packed) == plain);
    CHECK(content_of(packed) == plain);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, Packer::frame_bytes}) {
        const std::span part = std::span(plain).first(size);
        CHECK(unpacked_by_stream(packed_by_packer(part, 4096)) == Bytes(part.begin(), part.end()));
    }
}

TEST_CASE("weights of few bits take as many bytes as their entropy says") {
    // Values of a normal distribution, rounded to so many bits; entropies by its density.
    struct Case {
        float deviation;
        double entropy;  ///< of a value, in bits: log2(deviation · √(2πe)) where it is not small
    };
    Random random(9);
    for (const Case& each : {Case{32, 7.047}, Case{8, 5.047}, Case{2, 3.047}}) {
        std::vector<float> uniform(std::size_t{12} << 18U);
        random.fill(uniform, -1, 1);
        Bytes bytes(uniform.size() / 12);
        for (std::size_t i = 0; i < bytes.size(); ++i) {  // the sum of 12 has a deviation of 2
            float sum = 0;
            for (std::size_t j = 0; j < 12; ++j) sum += uniform[12 * i + j];
            bytes[i] = static_cast<std::byte>(static_cast<signed char>(
                std::clamp(std::nearbyint(sum / 2 * each.deviation), -127.0F, 127.0F)));
        }
        const double bits = 8 * static_cast<double>(packed_by_packer(bytes, bytes.size()).size()) /
                            static_cast<double>(bytes.size());
        CHECK(bits < 1.03 * each.entropy);
        CHECK(bits > 0.98 * each.entropy);
    }
}

TEST_CASE("frames of other programs are read, whatever their lengths") {
    const Bytes plain = some_bytes(300'000);
    for (const std::size_t frame :
         {std::size_t{300'000}, std::size_t{65536}, std::size_t{70'001}, std::size_t{100}}) {
        Bytes packed = packed_in_frames(plain, frame);
        CHECK(content_of(packed) == plain);
        // A frame that is to be skipped, as pzstd and the seekable format have them.
        packed.insert(packed.end(),
                      {std::byte{0x50}, std::byte{0x2A}, std::byte{0x4D}, std::byte{0x18}, std::byte{2},
                       std::byte{0}, std::byte{0}, std::byte{0}, std::byte{9}, std::byte{9}});
        CHECK(content_of(packed) == plain);
    }
}

TEST_CASE("parts are unpacked when they are used, by themselves") {
    const Bytes plain = some_bytes(5 * Packer::frame_bytes / 2);
    Bytes packed = packed_by_packer(plain, plain.size());
    packed[packed.size() - 100] ^= std::byte{1};
    const MappedFile file = MappedFile::unpacked(in_memory(packed));
    const auto part = file.bytes().subspan(Packer::frame_bytes - 10, 20);
    const MappedFile::Use use = file.use(part);
    CHECK(std::equal(part.begin(), part.end(), plain.begin() + Packer::frame_bytes - 10));
    const std::string message =
        error_of(ErrorKind::bad_input, [&] { static_cast<void>(file.use(file.bytes().last(1))); });
    CHECK(message == Containing("model in memory: byte "));
    CHECK(message == Containing("expected 1048576 bytes of content, found a damaged frame ("));
    CHECK(std::equal(part.begin(), part.end(), plain.begin() + Packer::frame_bytes - 10));
}

TEST_CASE("a packed file that is cut off or changed is refused, or holds what it held") {
    const Bytes plain = some_bytes(2000);
    Bytes packed = packed_in_frames(plain, 700);
    for (std::size_t size = 4; size < packed.size(); ++size) {
        const Bytes cut(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size));
        const Outcome outcome = outcome_of(cut);
        if (outcome.error.empty()) {
            CHECK(outcome.content.size() % 700 == 0);  // whole frames
        } else {
            CHECK(outcome.error == Containing("model in memory: byte "));
        }
    }
    packed = packed_by_packer(plain, plain.size());
    for (std::size_t bit = 32; bit < 8 * packed.size(); ++bit) {
        const auto mask = static_cast<std::byte>(1U << bit % 8);
        packed[bit / 8] ^= mask;
        const Outcome outcome = outcome_of(packed);
        // Some bits of a frame's header mean nothing.
        const bool good = outcome.error.empty() ? outcome.content == plain
                                                : outcome.error == Containing("model in memory: byte ");
        CHECK_MESSAGE(good, bit);
        packed[bit / 8] ^= mask;
    }
}

TEST_CASE("frames are refused that say more than a file of their length can hold, or nothing") {
    CHECK(refusal(frame_that_says(std::uint64_t{1} << 50U)) ==
          Containing("model in memory: byte 0: Zstandard frame: expected at most 67109888 bytes of content "
                     "in a file of "
                     "16, found 1125899906842624 after 0"));
    Bytes two = frame_that_says(60'000'000);
    const Bytes second = frame_that_says(60'000'000);
    two.insert(two.end(), second.begin(), second.end());
    CHECK(refusal(two) == Containing("byte 16: Zstandard frame: expected at most"));
    CHECK(refusal(frame_that_says(60'000'000)) == Containing("expected 60000000 bytes of content, found"));

    Bytes frame = {std::byte{0x28}, std::byte{0xB5}, std::byte{0x2F}, std::byte{0xFD}, std::byte{0},
                   std::byte{0},    std::byte{1},    std::byte{0},    std::byte{0}};
    CHECK(refusal(frame) ==
          Containing("byte 0: Zstandard frame: expected one that tells its content's size"));
}

TEST_CASE("content that readers would refuse is not packed") {
    const Bytes zeros(Packer::frame_bytes);
    Packer packer([](std::span<const std::byte> /*bytes*/) {});
    for (int i = 0; i < 80; ++i) packer.write(zeros);
    CHECK(error_of(ErrorKind::failed, [&] { packer.finish(); }) == Containing("write it without --pack"));
}

TEST_CASE("a packed model is the same model, however it is opened") {
    const Fixture fixture;
    const Bytes packed = bytes_of(fixture.packed);
    CHECK(unpacked_by_stream(packed) == bytes_of(fixture.plain));
    const ModelFile expected = ModelFile::open(fixture.plain);
    check_same_model(ModelFile::open(fixture.packed), expected);
    check_same_model(ModelFile::open(MappedFile::map_when_used(fixture.packed)), expected);
    check_same_model(ModelFile::open(MappedFile::read_when_used(fixture.packed)), expected);
    check_same_model(ModelFile::open(in_memory(packed)), expected);
    ModelFile::open(in_memory(packed)).verify_checksums();
    CHECK(ModelFile::open(fixture.packed).file_bytes() == packed.size());
    // One that may be read without use().
    const ModelFile free = ModelFile::open(fixture.packed);
    const std::span<const float> values = free.tensors().back().as<float>();
    CHECK(std::all_of(values.begin(), values.end(), [](float value) { return std::abs(value) < 100; }));
}

TEST_CASE("what is in a packed file must be a safetensors file, whose header is no multiple of it") {
    const std::string zip = "PK\x03\x04 and more";
    const Bytes packed = packed_by_packer(std::as_bytes(std::span(zip)), 100);
    CHECK(error_of(ErrorKind::bad_input, [&] { ModelFile::open(in_memory(packed)); }) ==
          Containing("model in memory: a Zstandard file: expected a safetensors file in it, found a zip"));

    std::string header(std::size_t{4} << 20U, ' ');
    const std::uint64_t length = header.size() - 8;
    std::memcpy(header.data(), &length, sizeof length);
    header[8] = '{';
    const Bytes spaces = packed_by_packer(std::as_bytes(std::span(header)), 1 << 20);
    CHECK(error_of(ErrorKind::bad_input, [&] { ModelFile::open(in_memory(spaces)); }) ==
          Containing("expected a header length of at most 1"));
}

TEST_CASE("a packed file that has changed is an error where it is read again") {
    const Fixture fixture;
    const ModelFile model = ModelFile::open(MappedFile::read_when_used(fixture.packed));
    Bytes other = bytes_of(fixture.packed);
    std::reverse(other.begin() + 100, other.end());
    write(fixture.packed, other);
    CHECK(error_of(ErrorKind::bad_input, [&] { static_cast<void>(model.use(model.tensors().front())); }) ==
          Containing("expected the file as it was when it was opened"));
}

}  // namespace vgg19::model
