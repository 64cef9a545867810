#include "tools/command_line/command_line.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "vgg19/error.h"

using vgg19::CommandLine;
using vgg19::Error;

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

}  // namespace

TEST_CASE("Options have their value, else their default, else nothing") {
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
                         "--list: expected whole numbers separated by commas, each from 0 to 9, found '12'",
                         Error);
    CHECK_THROWS_WITH_AS(parsed({"--json=7"}), "--json: expected no value, found '7'", Error);
    CHECK_THROWS_WITH_AS(parsed({"--list", "--json"}), "--list: expected a value, found '--json'", Error);
}

TEST_CASE("The usage line and the errors name the program as the user calls it") {
    const auto message = [](CommandLine line) {
        const char* arguments[] = {"program", "stray"};
        line.parse(2, arguments);
        try {
            line.no_arguments();
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    CHECK(message(CommandLine("test", "A test.", "")) ==
          "expected only options, found 'stray'; see: vgg19 test --help");
    CHECK(message(CommandLine("", "A test.", "", "vgg19-bench")) ==
          "expected only options, found 'stray'; see: vgg19-bench --help");
}

TEST_CASE(
    "Lists may be given several times, other options once, or as often as wanted where that is allowed") {
    const auto line = [](bool lenient, std::vector<const char*> arguments) {
        CommandLine result("test", "A test.", "");
        result.option("size", "N", "a number").list_option("variants", "LIST", "names");
        if (lenient) result.lenient();
        arguments.insert(arguments.begin(), "test");
        result.parse(static_cast<int>(arguments.size()), arguments.data());
        return result;
    };
    CHECK(line(false, {}).texts("variants").empty());
    CHECK(line(false, {"--variants", "a,b", "--variants=c"}).texts("variants") ==
          std::vector<std::string>{"a", "b", "c"});
    CHECK_THROWS_WITH_AS(line(false, {"--size", "1", "--size", "2"}), "--size is given more than once",
                         Error);
    CHECK_THROWS_WITH_AS(line(false, {"--size="}), "--size: expected a value, found none", Error);
    CHECK(line(true, {"--size", "1", "--size", "2"}).text("size") == "2");
    CHECK(line(true, {"--size", ""}).text("size").empty());
}

TEST_CASE("A short option's value may follow at once, or as the next argument, whatever it is") {
    const auto ratio = [](const std::vector<std::string>& arguments) {
        return parsed(arguments).text("ratio");
    };
    CHECK(ratio({"-r0.25"}) == "0.25");
    CHECK(ratio({"-r", "0.25"}) == "0.25");
    CHECK(ratio({"-r", "-0.25"}) == "-0.25");
    CHECK(ratio({"-r=0.25"}) == "=0.25");
    CHECK(ratio({"-ra/b.c d\n"}) == "a/b.c d\n");
    CHECK(ratio({"-rr.5"}) == "r.5");
    CHECK(ratio({"--ratio", "-r.5"}) == "-r.5");
    CHECK(parsed({"--list", "-r.5", "-r.75"}).text("ratio") == ".75");
    CHECK(parsed({"--", "-r.5"}).arguments("FILE") == std::vector<std::string>{"-r.5"});
    CHECK(parsed({"--json", "a-r.5", "-"}).arguments("FILE") == std::vector<std::string>{"a-r.5", "-"});
    for (const char* const unknown : {"-z", "-z.5", "-5.3", "-zr"}) {
        CHECK_THROWS_AS(parsed({unknown}), Error);
    }
}

TEST_CASE("Arguments may be as long as the system allows") {
    const std::string text(130'000, 'a');
    CHECK(parsed({"-r" + text}).text("ratio") == text);
    CHECK(parsed({"--ratio=" + text}).text("ratio") == text);
    CHECK(parsed({"--ratio", text}).text("ratio") == text);
    CHECK(parsed({text}).argument("FILE") == text);
    CHECK_THROWS_AS(parsed({"--" + text}), Error);
    CHECK_THROWS_AS(parsed({"-" + text}), Error);
}
