#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "engine/model/safetensors.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"

namespace vgg19::model {

namespace {

using vgg19::testing::Containing;
using vgg19::testing::error_of;
using vgg19::testing::TemporaryFolder;

std::string content_of(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::size_t entries_in(const TemporaryFolder& folder) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder.path()),
                                                  std::filesystem::directory_iterator()));
}

std::string write_error(const std::filesystem::path& path, std::string_view text = "new") {
    return error_of(ErrorKind::failed, [&] { write_text_file(path, text); });
}

Tensor tensor_of(const std::string& name, DType dtype, std::size_t elements,
                 std::span<const std::byte> memory) {
    return {name, dtype, {elements}, memory.first(elements * dtype_bytes(dtype))};
}

/// Limits the size of files that this process writes, as a stand-in for a full disk.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

  private:
    void (*handler_)(int);
    rlimit before_{};
};

/// Root may write everywhere, so this switches to an unprivileged user.
class Unprivileged {
  public:
    Unprivileged() {
        constexpr uid_t nobody = 65534;
        if (geteuid() == 0) changed_ = seteuid(nobody) == 0;
    }
    ~Unprivileged() {
        if (changed_ && seteuid(0) != 0) std::abort();
    }
    Unprivileged(const Unprivileged&) = delete;
    Unprivileged& operator=(const Unprivileged&) = delete;

  private:
    bool changed_ = false;
};

}  // namespace

TEST_CASE("written files can be read back: metadata, types, shapes and bytes") {
    const TemporaryFolder folder;
    std::vector<std::byte> memory(4096);
    for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<std::byte>(i * 7);
    const std::vector<Tensor> tensors = {tensor_of("bytes", DType::i8, 13, memory),
                                         tensor_of("floats", DType::f32, 51, memory),
                                         tensor_of("doubles", DType::f64, 3, memory),
                                         tensor_of("halves", DType::f16, 5, memory),
                                         tensor_of("aligned bytes", DType::i8, 128, memory),
                                         tensor_of("aligned floats", DType::f32, 32, memory),
                                         tensor_of("empty", DType::f32, 0, memory)};
    write_safetensors(folder / "m", {{"key", "v\"al\nue"}}, tensors);

    const SafetensorsFile file = SafetensorsFile::open(folder / "m");
    CHECK(file.metadata() == Metadata{{"key", "v\"al\nue"}});
    REQUIRE(file.tensors().size() == tensors.size());
    for (const Tensor& tensor : tensors) {
        CAPTURE(tensor.name);
        const Tensor* found = file.find(tensor.name);
        REQUIRE(found != nullptr);
        CHECK(found->dtype == tensor.dtype);
        CHECK(found->shape == tensor.shape);
        CHECK(std::equal(found->bytes.begin(), found->bytes.end(), tensor.bytes.begin(), tensor.bytes.end()));
    }
    CHECK(entries_in(folder) == 1);
}

TEST_CASE("tensors with a size that is a multiple of 64 bytes start at one, whatever is between them") {
    const TemporaryFolder folder;
    const std::vector<std::byte> memory(4096);
    write_safetensors(
        folder / "m", {{"some", "text"}},
        std::vector{tensor_of("odd bytes", DType::i8, 3, memory), tensor_of("a", DType::i8, 640, memory),
                    tensor_of("odd floats", DType::f32, 7, memory), tensor_of("b", DType::f32, 16, memory),
                    tensor_of("c", DType::f32, 160, memory)});
    const SafetensorsFile file = SafetensorsFile::open(folder / "m");
    CHECK((file.tensors()[0].bytes.data() - file.mapping().bytes().data()) % 64 == 0);
    for (const char* name : {"a", "b", "c"}) {
        CHECK((file.find(name)->bytes.data() - file.mapping().bytes().data()) % 64 == 0);
    }
}

TEST_CASE("progress ends at the file's size") {
    const TemporaryFolder folder;
    const std::vector<std::byte> memory(std::size_t{9} << 20U);
    std::vector<std::uint64_t> steps;
    std::uint64_t last_total = 0;
    write_safetensors(folder / "m", {}, std::vector{tensor_of("t", DType::u8, memory.size(), memory)},
                      [&](std::uint64_t done, std::uint64_t total) {
                          steps.push_back(done);
                          last_total = total;
                      });
    CHECK(std::is_sorted(steps.begin(), steps.end()));
    CHECK(steps.size() == 4);  // the header, 4 MiB, 4 MiB, 1 MiB
    CHECK(steps.back() == std::filesystem::file_size(folder / "m"));
    CHECK(last_total == steps.back());
}

TEST_CASE("a tensor whose bytes do not fit its shape is not written") {
    const TemporaryFolder folder;
    const std::vector<std::byte> memory(16);
    const Tensor tensor{"t", DType::f32, {3}, memory};
    CHECK(error_of(ErrorKind::failed, [&] { write_safetensors(folder / "m", {}, std::vector{tensor}); }) ==
          Containing("m: tensor t: expected 12 bytes, found 16"));
    CHECK(entries_in(folder) == 0);
}

TEST_CASE("an old file is replaced completely") {
    const TemporaryFolder folder;
    write_text_file(folder / "f", "a long old text");
    write_text_file(folder / "f", "new");
    CHECK(content_of(folder / "f") == "new");
    CHECK(entries_in(folder) == 1);
}

TEST_CASE("a symbolic link stays a link, and its target is replaced") {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder / "elsewhere");
    write_text_file(folder / "elsewhere/f", "old");
    std::filesystem::create_symlink("elsewhere/f", folder / "link");
    write_text_file(folder / "link", "new");
    CHECK(std::filesystem::is_symlink(folder / "link"));
    CHECK(content_of(folder / "elsewhere/f") == "new");
}

TEST_CASE("a full disk leaves the old file and nothing else") {
    const TemporaryFolder folder;
    write_text_file(folder / "f", "old");
    const std::vector<std::byte> memory(100'000);
    {
        const FileSizeLimit limit(20'000);
        CHECK(error_of(ErrorKind::failed, [&] {
                  write_safetensors(folder / "f", {},
                                    std::vector{tensor_of("t", DType::u8, memory.size(), memory)});
              }) == Containing("f: cannot be written after byte 20000: File too large"));
    }
    CHECK(content_of(folder / "f") == "old");
    CHECK(entries_in(folder) == 1);
}

TEST_CASE("an exception from progress leaves the old file and nothing else") {
    const TemporaryFolder folder;
    write_text_file(folder / "f", "old");
    const std::vector<std::byte> memory(100);
    CHECK_THROWS_AS(write_safetensors(folder / "f", {}, std::vector{tensor_of("t", DType::u8, 100, memory)},
                                      [](std::uint64_t, std::uint64_t) { throw 1; }),
                    int);
    CHECK(content_of(folder / "f") == "old");
    CHECK(entries_in(folder) == 1);
}

TEST_CASE("a destination that cannot be written is an error with the system's reason") {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder / "folder");
    write_text_file(folder / "file", "old");
    CHECK(write_error(folder / "folder") ==
          Containing("cannot be written: expected a file, found a directory"));
    CHECK(write_error(folder / "none/f") == Containing("no file can be made in its folder: No such file"));
    CHECK(write_error(folder / "file/f") == Containing("no file can be made in its folder: Not a directory"));
    CHECK(write_error("/dev/full") ==
          "/dev/full: cannot be written: expected a regular file, found a device, pipe or socket");
    CHECK(content_of(folder / "file") == "old");
    CHECK(entries_in(folder) == 2);
}

TEST_CASE("a folder that may not be written is an error with the system's reason") {
    const TemporaryFolder folder;
    write_text_file(folder / "f", "old");
    REQUIRE(chmod(folder.path().c_str(), 0555) == 0);
    {
        const Unprivileged unprivileged;
        if (geteuid() != 0) {
            CHECK(write_error(folder / "f") == Containing("f: cannot be written: no file can be made in its "
                                                          "folder: Permission denied"));
        }
    }
    REQUIRE(chmod(folder.path().c_str(), 0755) == 0);
    CHECK(content_of(folder / "f") == "old");
}

TEST_CASE("the longest names are written too") {
    const TemporaryFolder folder;
    const std::string name(255, 'n');
    write_text_file(folder / name, "new");
    CHECK(content_of(folder / name) == "new");
    CHECK(write_error(folder / (name + 'n')) == Containing("File name too long"));
    CHECK(entries_in(folder) == 1);
}

TEST_CASE(
    "a tensor that is made while it is written is the same file, and must have as many bytes as its shape") {
    const TemporaryFolder folder;
    const std::vector<std::byte> memory(24, std::byte{7});
    write_safetensors(folder / "whole", {}, std::vector{tensor_of("t", DType::f32, 6, memory)});
    const auto streamed = [&](std::size_t bytes) {
        const TensorStream stream = {"t", DType::f32, {6}, [&memory, bytes](const Sink& sink) {
                                         sink(std::span(memory).first(8));
                                         sink(std::span(memory).subspan(8, bytes - 8));
                                     }};
        write_safetensors(folder / "streamed", {}, std::vector{stream});
    };
    streamed(24);
    CHECK(content_of(folder / "streamed") == content_of(folder / "whole"));
    CHECK(error_of(ErrorKind::failed, [&] { streamed(20); }) ==
          Containing("tensor t: expected 24 bytes, found 20"));
    CHECK(entries_in(folder) == 2);
}

}  // namespace vgg19::model
