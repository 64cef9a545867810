#include "tools/command.h"

#include <doctest/doctest.h>

#include <new>
#include <stdexcept>

#include "vgg19/error.h"

using vgg19::exit_done;
using namespace vgg19::tools;
using vgg19::Error;
using vgg19::ErrorKind;

namespace {

int succeeds(int /*argc*/, char** /*argv*/) {
    return exit_done;
}
int fails(int /*argc*/, char** /*argv*/) {
    throw Error(ErrorKind::failed, "(expected by the test) the disk is full");
}
int is_wrong_usage(int /*argc*/, char** /*argv*/) {
    throw Error(ErrorKind::usage, "(expected by the test) no such flag");
}
int has_bad_input(int /*argc*/, char** /*argv*/) {
    throw Error(ErrorKind::bad_input, "(expected by the test) no such model");
}
int has_no_memory(int /*argc*/, char** /*argv*/) {
    throw std::bad_alloc();
}
int has_a_surprise(int /*argc*/, char** /*argv*/) {
    throw std::runtime_error("(expected by the test) something else");
}

}  // namespace

TEST_CASE("Every kind of exception has its exit code") {
    CHECK(run_command("test", succeeds, 0, nullptr) == 0);
    CHECK(run_command("test", fails, 0, nullptr) == 1);
    CHECK(run_command("test", is_wrong_usage, 0, nullptr) == 2);
    CHECK(run_command("test", has_bad_input, 0, nullptr) == 5);
    CHECK(run_command("test", has_no_memory, 0, nullptr) == 1);
    CHECK(run_command("test", has_a_surprise, 0, nullptr) == 1);
}
