// Models from places other than a file's path.
#include "vgg19/model.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/model/mapped_file.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"
#include "engine/testing/temporary_folder.h"
#include "kernels/common/testing/random.h"
#include "vgg19/error.h"
#include "vgg19/session.h"

namespace vgg19 {

namespace {

using kernels::testing::Random;
using testing::Containing;
using testing::error_of;

struct OpenFile {
    explicit OpenFile(int number) : value(number) { REQUIRE(number >= 0); }
    ~OpenFile() { close(value); }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    int value;
};

/// A model's file, and its bytes with others before and after them.
class Fixture {
  public:
    Fixture() {
        testing::write_narrow_model(path, random_, 10, model::DenseOrder::input_major);
        const model::MappedFile mapped(path);
        bytes_.assign(mapped.bytes().begin(), mapped.bytes().end());
    }

    std::span<const std::byte> bytes() const { return bytes_; }
    /// A file with the model at an offset, and 100 bytes behind it.
    std::filesystem::path embedded(std::size_t offset) const {
        const std::filesystem::path result = folder / ("at-" + std::to_string(offset));
        std::ofstream stream(result, std::ios::binary);
        stream << std::string(offset, 'x');
        stream.write(reinterpret_cast<const char*>(bytes_.data()),
                     static_cast<std::streamsize>(bytes_.size()));
        stream << std::string(100, 'y');
        return result;
    }
    std::vector<float> logits(const Model& opened) {
        Random random(7);
        std::vector<float> input(std::size_t{3} * 32 * 32);
        random.fill(input, -1, 1);
        std::vector<float> result(opened.classes());
        Session(opened, {.threads = 1}).run(input, result);
        return result;
    }

    testing::TemporaryFolder folder;
    std::filesystem::path path = folder / "model";

  private:
    Random random_{1};
    std::vector<std::byte> bytes_;
};

/// Bytes that start at `shift` bytes after a multiple of 64.
class Shifted {
  public:
    Shifted(std::span<const std::byte> bytes, std::size_t shift) : memory_(bytes.size() + 128) {
        void* start = memory_.data();
        std::size_t room = memory_.size();
        std::align(64, bytes.size() + shift, start, room);
        auto* const first = static_cast<std::byte*>(start) + shift;
        std::ranges::copy(bytes, first);
        bytes_ = {first, bytes.size()};
    }
    std::span<const std::byte> bytes() const { return bytes_; }

  private:
    std::vector<std::byte> memory_;
    std::span<const std::byte> bytes_;
};

}  // namespace

TEST_CASE("a model from memory or a descriptor gives the logits of the one from its path") {
    Fixture fixture;
    const std::vector<float> expected = fixture.logits(Model::open(fixture.path));
    SUBCASE("memory at a multiple of eight bytes") {
        for (const std::size_t shift : {std::size_t{0}, std::size_t{8}}) {
            const Shifted moved(fixture.bytes(), shift);
            const Model model = Model::from_memory(moved.bytes());
            CHECK(model.file_bytes() == fixture.bytes().size());
            CHECK(fixture.logits(model) == expected);
            // Packing must not have discarded the caller's pages.
            CHECK(std::ranges::equal(moved.bytes(), fixture.bytes()));
        }
    }
    SUBCASE("a descriptor, closed before the run") {
        const auto open_and_close = [&] {
            const OpenFile file(open(fixture.path.c_str(), O_RDONLY));
            lseek(file.value, 5, SEEK_SET);
            return Model::from_descriptor(file.value);
        };
        CHECK(fixture.logits(open_and_close()) == expected);
    }
    SUBCASE("a part of a file") {
        for (const std::size_t offset : {8U, 4096U, 10'000U}) {
            CAPTURE(offset);
            const OpenFile file(open(fixture.embedded(offset).c_str(), O_RDONLY));
            const Model model = Model::from_descriptor(file.value, offset, fixture.bytes().size());
            CHECK(model.file_bytes() == fixture.bytes().size());
            CHECK(fixture.logits(model) == expected);
        }
    }
    SUBCASE("a file without a name") {
        const OpenFile file(memfd_create("model", MFD_CLOEXEC));
        REQUIRE(write(file.value, fixture.bytes().data(), fixture.bytes().size()) ==
                static_cast<ssize_t>(fixture.bytes().size()));
        CHECK(fixture.logits(Model::from_descriptor(file.value)) == expected);
    }
}

TEST_CASE("the owner of a model's memory is kept until the last copy and session are gone") {
    Fixture fixture;
    const auto owner = std::make_shared<const Shifted>(fixture.bytes(), 0);
    {
        std::optional<Model> model = Model::from_memory(owner->bytes(), owner);
        CHECK(owner.use_count() > 1);
        const Session session(*model, {.threads = 1});
        model.reset();
        CHECK(owner.use_count() > 1);
    }
    CHECK(owner.use_count() == 1);
}

TEST_CASE("what is wrong with a model's memory or descriptor is told") {
    Fixture fixture;
    const auto from_memory = [](std::span<const std::byte> bytes) {
        return error_of(ErrorKind::bad_input, [&] { Model::from_memory(bytes); });
    };
    CHECK(from_memory({}) == Containing("model in memory: expected a safetensors file, found an empty file"));
    CHECK(from_memory(fixture.bytes().first(fixture.bytes().size() - 1)) == Containing("model in memory: "));
    constexpr std::array<std::byte, 4> jpeg = {std::byte{0xFF}, std::byte{0xD8}, std::byte{0xFF}};
    CHECK(from_memory(jpeg) == Containing("a picture (JPEG)"));
    const Shifted moved(fixture.bytes(), 1);
    CHECK(from_memory(moved.bytes()) == Containing("expected its data at a multiple of 4 bytes, found byte"));
    CHECK(from_memory(moved.bytes()) == Containing("and the file starts at a multiple of 4 bytes + 1"));

    const auto from_descriptor = [](int descriptor, std::uint64_t offset = 0, std::uint64_t length = 0) {
        return error_of(ErrorKind::bad_input, [&] { Model::from_descriptor(descriptor, offset, length); });
    };
    CHECK(from_descriptor(-1) == Containing("descriptor -1: cannot be examined"));
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    const OpenFile reader(ends[0]);
    const OpenFile writer(ends[1]);
    CHECK(from_descriptor(reader.value) == Containing("expected a regular file"));
    const OpenFile write_only(open(fixture.path.c_str(), O_WRONLY));
    CHECK(from_descriptor(write_only.value) == Containing("expected a descriptor that is open for reading"));
    const OpenFile folder(open(fixture.folder.path().c_str(), O_RDONLY));
    CHECK(from_descriptor(folder.value) == Containing("found a directory"));
    const OpenFile file(open(fixture.path.c_str(), O_RDONLY));
    const std::uint64_t size = fixture.bytes().size();
    CHECK(from_descriptor(file.value, size + 1) == Containing("expected a file of at least"));
    CHECK(from_descriptor(file.value, 8, size) == Containing("expected a file of at least 8 + "));
    CHECK(from_descriptor(file.value, 1, ~std::uint64_t{0}) ==
          Containing("expected a file of at least 1 + "));
    CHECK(from_descriptor(file.value, size) == Containing("found an empty file"));
}

}  // namespace vgg19
