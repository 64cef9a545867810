// The process in which the HDF5 library runs takes limited time, and does not outlive its parent.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "converter/import/hdf5/hdf5_records.h"
#include "converter/import/testing/files.h"

namespace {

using vgg19::converter::hdf5_seconds;
using vgg19::converter::read_hdf5_as_child;
using vgg19::converter::testing::read_bytes;

const std::filesystem::path file_of_arrays =
    std::filesystem::path(VGG19_IMPORT_TESTDATA) / "keras" / "compressed.h5";

std::array<int, 2> new_pipe() {
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    return ends;
}

void fill(int descriptor) {
    const std::vector<char> much(std::size_t{1} << 20U);
    fcntl(descriptor, F_SETFL, O_NONBLOCK);
    while (write(descriptor, much.data(), much.size()) > 0) {
    }
    fcntl(descriptor, F_SETFL, 0);
}

}  // namespace

TEST_CASE("the time for a file of HDF5 grows with it, up to a limit") {
    CHECK(hdf5_seconds(0) == 2);
    CHECK(hdf5_seconds(9'999'999) == 2);
    CHECK(hdf5_seconds(50'000'000) == 7);
    CHECK(hdf5_seconds(180'000'000) == 20);
    CHECK(hdf5_seconds(SIZE_MAX) == 20);
}

TEST_CASE("the process that reads HDF5 ends with its parent") {
    const std::string file = read_bytes(file_of_arrays);
    const std::span<const std::byte> bytes = std::as_bytes(std::span(file));
    const std::array<int, 2> records = new_pipe();
    const std::array<int, 2> alive = new_pipe();    // closed once both processes have ended
    const std::array<int, 2> started = new_pipe();  // written when the child is about to read
    fill(records[1]);                               // so that the child waits for ever
    const pid_t parent = fork();
    if (parent == 0) {
        const pid_t itself = getpid();
        if (fork() == 0) {
            if (write(started[1], "s", 1) != 1) _exit(1);
            read_hdf5_as_child(bytes, {}, records[1], itself);
        }
        pause();
        _exit(0);
    }
    close(alive[1]);
    char byte = 0;
    REQUIRE(read(started[0], &byte, 1) == 1);
    pollfd end = {.fd = alive[0], .events = POLLIN, .revents = 0};
    constexpr int not_yet = 300;
    constexpr int at_latest = 5000;  // its own limits of time end it later
    CHECK(poll(&end, 1, not_yet) == 0);
    kill(parent, SIGKILL);
    waitpid(parent, nullptr, 0);
    CHECK(poll(&end, 1, at_latest) == 1);
    for (const int descriptor : {records[0], records[1], alive[0], started[0], started[1]}) close(descriptor);
}
