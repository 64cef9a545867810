#include "tools/command.h"

#include <doctest/doctest.h>

#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "vgg19/error.h"

using vgg19::exit_done;
using namespace vgg19::tools;
using vgg19::Error;
using vgg19::ErrorKind;

namespace {

/// A command line with one option of each kind.
CommandLine parsed(std::vector<std::string> arguments) {
    CommandLine line("test", "A test.", "");
    line.option("r,ratio", "R", "a number", "0.5").option("list", "LIST", "numbers").flag("json", "a flag");
    arguments.insert(arguments.begin(), "test");
    std::vector<char*> pointers;
    pointers.reserve(arguments.size());
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    line.parse(static_cast<int>(pointers.size()), pointers.data());
    return line;
}

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

TEST_CASE("Options have their value, else their default, else an empty value") {
    const CommandLine absent = parsed({});
    CHECK(absent.number("ratio", 0, 1) == 0.5);
    CHECK(absent.text("list").empty());
    CHECK(absent.whole_numbers("list", 0, 9).empty());
    CHECK_FALSE(absent.given("json"));
    CHECK_FALSE(absent.given("ratio"));

    const CommandLine present = parsed({"-r0.25", "a,b", "--json", "--list=1,2", "--", "--c"});
    CHECK(present.number("ratio", 0, 1) == 0.25);
    CHECK(present.whole_numbers("list", 0, 9) == std::vector<std::size_t>{1, 2});
    CHECK(present.given("json"));
    CHECK(present.arguments("FILE") == std::vector<std::string>{"a,b", "--c"});
    CHECK_THROWS_WITH_AS(present.argument("FILE"),
                         "expected one FILE, found '--c' after 'a,b'; see: vgg19 test --help", Error);
}

TEST_CASE("Errors name the flag, what was expected and what was found") {
    CHECK_THROWS_WITH_AS(parsed({"--ratio", "2"}).number("ratio", 0, 1),
                         "--ratio: expected a number from 0 to 1, found '2'", Error);
    CHECK_THROWS_WITH_AS(parsed({"--list", "1,12"}).whole_numbers("list", 0, 9),
                         "--list: expected whole numbers with commas between, each from 0 to 9, found '12'",
                         Error);
    CHECK_THROWS_WITH_AS(parsed({"--json=7"}), "--json: expected no value, found '7'", Error);
    CHECK_THROWS_WITH_AS(parsed({"--list", "--json"}), "--list: expected a value, found '--json'", Error);
}
