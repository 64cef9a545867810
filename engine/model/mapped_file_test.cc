#include "engine/model/mapped_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/model/mapping_faults.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"

namespace vgg19::model {

namespace {

using vgg19::testing::Containing;
using vgg19::testing::error_of;
using vgg19::testing::TemporaryFolder;

constexpr std::size_t page = 4096;

std::string some_bytes(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + i / page);
    return bytes;
}

std::filesystem::path written(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
}

/// Overwrites the file in place, as `cp` does.
void overwrite(const std::filesystem::path& path, const std::string& bytes) {
    std::fstream(path, std::ios::binary | std::ios::in | std::ios::out) << bytes;
}

std::string change_found(const std::function<void()>& action) {
    return error_of(ErrorKind::bad_input, action);
}

const Containing as_it_was("expected the file as it was when it was opened");

}  // namespace

TEST_CASE("parts that are in use stay, whatever becomes of the file; others are an error") {
    const std::string bytes = some_bytes(100 * page + 17);
    const auto becomes = [&](const std::function<void(const std::filesystem::path&)>& something) {
        const TemporaryFolder folder;
        const std::filesystem::path path = written(folder / "f", bytes);
        const MappedFile file = MappedFile::read_when_used(path);
        REQUIRE(file.bytes().size() == bytes.size());
        const auto part = file.bytes().subspan(3 * page + 5, 50 * page);
        const MappedFile::Use use = file.use(part);
        something(path);
        CHECK(as_text(part) == bytes.substr(3 * page + 5, 50 * page));
        CHECK_NOTHROW(file.require_unchanged());
        { const MappedFile::Use again = file.use(part.first(page)); }
        CHECK(as_text(part) == bytes.substr(3 * page + 5, 50 * page));
        return change_found([&] { const MappedFile::Use more = file.use(file.bytes().last(1)); });
    };
    CHECK(becomes([](const auto& path) { std::filesystem::resize_file(path, 10); }) == as_it_was);
    CHECK(becomes([](const auto& path) { overwrite(path, "other"); }) == as_it_was);
    CHECK(becomes([&](const auto& path) { written(path, bytes + "more"); }) ==
          Containing("it had 409617 bytes, and has 409621"));
}

TEST_CASE("a file that is renamed, replaced by another or deleted can still be read") {
    const std::string bytes = some_bytes(10 * page);
    const TemporaryFolder folder;
    const std::filesystem::path path = written(folder / "f", bytes);
    const MappedFile file = MappedFile::read_when_used(path);
    std::filesystem::rename(written(folder / "new", "new"), path);
    const MappedFile::Use use = file.use(file.bytes());
    CHECK(as_text(file.bytes()) == bytes);
}

TEST_CASE("several threads use and leave parts of a file") {
    const std::string bytes = some_bytes(64 * page + 100);
    const TemporaryFolder folder;
    const MappedFile file = MappedFile::read_when_used(written(folder / "f", bytes));
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (unsigned seed = 0; seed < 4; ++seed) {
        threads.emplace_back([&, seed] {
            std::mt19937 random(seed);
            for (int round = 0; round < 500; ++round) {
                const std::size_t begin = random() % bytes.size();
                const std::size_t size = random() % std::min(bytes.size() - begin, 20 * page);
                const auto part = file.bytes().subspan(begin, size);
                const MappedFile::Use use = file.use(part);
                if (as_text(part) != std::string_view(bytes).substr(begin, size)) ++wrong;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
}

TEST_CASE("a use may outlive the file, and uses of nothing or of other bytes do nothing") {
    const std::string bytes = some_bytes(2 * page);
    const TemporaryFolder folder;
    std::optional<MappedFile> file = MappedFile::read_when_used(written(folder / "f", bytes));
    const auto part = file->bytes();
    MappedFile::Use use = file->use(part);
    const MappedFile::Use none = file->use(part.first(0));
    const MappedFile::Use other = file->use(std::as_bytes(std::span(bytes)));
    file.reset();
    CHECK(as_text(part) == bytes);
    MappedFile::Use moved = std::move(use);
    use = std::move(moved);
    CHECK(as_text(part) == bytes);
    const MappedFile empty = MappedFile::read_when_used(written(folder / "e", ""));
    CHECK(empty.bytes().empty());
    const MappedFile::Use of_empty = empty.use(empty.bytes());
}

TEST_CASE("a small file is read when it is opened") {
    const TemporaryFolder folder;
    const std::filesystem::path path = written(folder / "f", some_bytes(page));
    const MappedFile file(path);
    std::filesystem::resize_file(path, 0);
    CHECK(as_text(file.bytes()) == some_bytes(page));
    CHECK_NOTHROW(file.require_unchanged());
}

TEST_CASE("a mapped file that is cut short is zeros from there on, and found to have changed") {
    catch_faults_of_mappings();
    const TemporaryFolder folder;
    const std::string bytes = some_bytes(MappedFile::largest_read + 10 * page);
    const std::filesystem::path path = written(folder / "f", bytes);
    const MappedFile file(path);
    CHECK(as_text(file.bytes()) == bytes);
    CHECK_NOTHROW(file.require_unchanged());
    std::filesystem::resize_file(path, 5 * page);
    CHECK(as_text(file.bytes().first(5 * page)) == bytes.substr(0, 5 * page));
    const auto rest = file.bytes().subspan(5 * page);
    CHECK(std::all_of(rest.begin(), rest.end(), [](std::byte byte) { return byte == std::byte{0}; }));
    file.release(rest);
    CHECK(change_found([&] { file.require_unchanged(); }) == as_it_was);
    CHECK(change_found([&] {
              reading(file, [] { throw Error(ErrorKind::bad_input, "what it has led to"); });
          }) == as_it_was);
    // The length comes back, but not what was there.
    std::filesystem::resize_file(path, bytes.size());
    CHECK(change_found([&] { file.require_unchanged(); }) == as_it_was);

    written(path, bytes);
    const MappedFile again(path);
    CHECK_NOTHROW(again.require_unchanged());
    CHECK_THROWS_WITH(reading(again, [] { throw Error(ErrorKind::bad_input, "its own"); }), "its own");
    overwrite(path, "other");
    CHECK(change_found([&] { again.require_unchanged(); }) == as_it_was);
}

TEST_CASE("a lack of descriptors is not the file's fault") {
    const TemporaryFolder folder;
    const std::filesystem::path path = written(folder / "f", some_bytes(page));
    const Descriptor opened(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    // All numbers below are in use, because the system gives the lowest one.
    const rlimit least{static_cast<rlim_t>(opened.number()) + 1, before.rlim_max};
    const auto failure = [&](const std::function<void()>& action) {
        REQUIRE(setrlimit(RLIMIT_NOFILE, &least) == 0);
        const std::string message = error_of(ErrorKind::failed, action);
        setrlimit(RLIMIT_NOFILE, &before);
        return message;
    };
    const Containing problem("Too many open files");
    CHECK(failure([&] { MappedFile{path}; }) == problem);
    CHECK(failure([&] { MappedFile::read_when_used(path); }) == problem);
    CHECK(failure([&] { MappedFile::of_descriptor(opened.number(), 0, 0); }) == problem);
    CHECK(error_of(ErrorKind::bad_input, [&] { MappedFile{folder / "none"}; }) == Containing("No such file"));
}

TEST_CASE("faults of other mappings still end the program") {
    catch_faults_of_mappings();
    const TemporaryFolder folder;
    const std::filesystem::path path = written(folder / "f", some_bytes(page));
    const int descriptor = open(path.c_str(), O_RDONLY);
    REQUIRE(descriptor >= 0);
    void* const mapped = mmap(nullptr, page, PROT_READ, MAP_SHARED, descriptor, 0);
    close(descriptor);
    REQUIRE(mapped != MAP_FAILED);
    std::filesystem::resize_file(path, 0);
    const pid_t child = fork();
    if (child == 0) {
        close(STDERR_FILENO);  // what a sanitizer says of it
        _exit(*static_cast<const volatile char*>(mapped));
    }
    REQUIRE(child > 0);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status != 0);
    munmap(mapped, page);
}

}  // namespace vgg19::model
