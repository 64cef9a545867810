#include "tools/pipeline/steps.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "engine/testing/error_of.h"
#include "engine/testing/temporary_folder.h"

using namespace vgg19;
using namespace vgg19::tools;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

namespace {

void write_file(const std::filesystem::path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
}

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Two steps; the second reads the first one's output. Each step writes its command.
struct Chain {
    vgg19::testing::TemporaryFolder folder;
    std::filesystem::path log_file = folder / "log.json";
    Step first{"first", {"one", "--x", "1"}, {folder / "input"}, folder / "a"};
    Step second{"second", {"two"}, {folder / "a"}, folder / "b"};
    std::vector<std::string> ran;

    Chain() { write_file(folder / "input", "in"); }

    /// Runs the steps with a new log, like a run of the program. Returns the steps that ran.
    std::vector<std::string> run() {
        ran.clear();
        StepLog log(log_file);
        for (const Step& step : {first, second}) {
            log.run(step, [this](const Step& each) {
                ran.push_back(each.id);
                write_file(each.output, command_text(each.words));
                return 0;
            });
        }
        return ran;
    }
};

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("A finished step is not repeated") {
    Chain chain;
    CHECK(chain.run() == Ids{"first", "second"});
    CHECK(read_file(chain.folder / "a") == "vgg19 one --x 1");
    CHECK(chain.run() == Ids{});
}

TEST_CASE("A changed command is run again, and so are steps that depend on its output") {
    Chain chain;
    chain.run();
    chain.first.words.back() = "22";
    CHECK(chain.run() == Ids{"first", "second"});
    chain.second.words.emplace_back("--y");
    CHECK(chain.run() == Ids{"second"});
    CHECK(chain.run() == Ids{});
}

TEST_CASE("Changed inputs and outputs are detected") {
    Chain chain;
    chain.run();
    write_file(chain.folder / "input", "IN");
    CHECK(chain.run() == Ids{"first"});  // it writes the same output again, so the second step is not needed
    std::filesystem::remove(chain.folder / "b");
    CHECK(chain.run() == Ids{"second"});
    write_file(chain.folder / "a", "damaged");
    CHECK(chain.run() == Ids{"first"});
    CHECK(chain.run() == Ids{});
}

TEST_CASE("A folder counts as changed if a file in it changes") {
    Chain chain;
    const std::filesystem::path data = chain.folder / "data";
    std::filesystem::create_directories(data / "class");
    write_file(data / "class" / "image", "1");
    chain.first.inputs = {data};
    chain.run();
    CHECK(chain.run() == Ids{});
    write_file(data / "class" / "more", "2");
    CHECK(chain.run() == Ids{"first"});
}

TEST_CASE("A folder counts as changed if a link in it leads to other files") {
    Chain chain;
    const std::filesystem::path data = chain.folder / "data";
    for (const char* place : {"data", "cats", "dogs"})
        std::filesystem::create_directory(chain.folder / place);
    write_file(chain.folder / "cats/1.png", "cat");
    write_file(chain.folder / "dogs/2.png", "dog");
    std::filesystem::create_symlink("nowhere.png", data / "nowhere.png");
    std::filesystem::create_symlink("self.png", data / "self.png");
    std::filesystem::create_directory_symlink("self", data / "self");
    std::filesystem::create_directory_symlink(data, chain.folder / "cats/loop");
    std::filesystem::create_directory_symlink(chain.folder / "cats", data / "pets");
    chain.first.inputs = {data};
    CHECK(chain.run() == Ids{"first", "second"});
    CHECK(chain.run() == Ids{});
    write_file(chain.folder / "cats/1.png", "another cat");
    CHECK(chain.run() == Ids{"first"});
    std::filesystem::remove(data / "pets");
    std::filesystem::create_directory_symlink(chain.folder / "dogs", data / "pets");
    CHECK(chain.run() == Ids{"first"});
    CHECK(chain.run() == Ids{});
}

TEST_CASE("The error of a failing step shows its command, and earlier steps stay finished") {
    Chain chain;
    const auto failing = [&chain](int code) {
        StepLog log(chain.log_file);
        for (const Step& step : {chain.first, chain.second}) {
            log.run(step, [&](const Step& each) {
                chain.ran.push_back(each.id);
                if (each.id == "second") return code;
                write_file(each.output, "a");
                return 0;
            });
        }
    };
    CHECK(error_of(ErrorKind::bad_input, [&] { failing(5); }) ==
          "step second ended with exit code 5; the steps before it stay done. It was: vgg19 two");
    CHECK(error_of(ErrorKind::usage, [&] { failing(2); }) == Containing("exit code 2"));
    CHECK(error_of(ErrorKind::failed, [&] { failing(137); }) == Containing("exit code 137"));
    CHECK(chain.ran == Ids{"first", "second", "second", "second"});
    CHECK(chain.run() == Ids{"second"});
}

TEST_CASE("An interrupted step keeps its checkpoint, unless the step has changed") {
    Chain chain;
    chain.first.checkpoint = chain.folder / "checkpoint";
    const auto interrupt = [&chain] {
        StepLog log(chain.log_file);
        CHECK_THROWS(log.run(chain.first, [](const Step& step) {
            write_file(step.checkpoint, std::filesystem::exists(step.checkpoint) ? "older" : "new");
            return 1;
        }));
        return read_file(chain.folder / "checkpoint");
    };
    CHECK(interrupt() == "new");
    CHECK(interrupt() == "older");
    chain.first.words.back() = "22";
    CHECK(interrupt() == "new");
}

TEST_CASE("An output that is a link is replaced, not its target") {
    Chain chain;
    write_file(chain.folder / "theirs", "theirs");
    std::filesystem::create_symlink(chain.folder / "theirs", chain.folder / "a");
    chain.run();
    CHECK(read_file(chain.folder / "theirs") == "theirs");
    CHECK(read_file(chain.folder / "a") == "vgg19 one --x 1");
}

TEST_CASE("Seconds are remembered") {
    Chain chain;
    chain.run();
    CHECK(StepLog(chain.log_file).seconds("first") >= 0);
}

TEST_CASE("An invalid log is an error") {
    vgg19::testing::TemporaryFolder folder;
    const std::string name = folder / "log.json";
    const auto problem = [&name](const std::string& content) {
        write_file(name, content);
        return error_of(ErrorKind::bad_input, [&name] { StepLog log(name); });
    };
    CHECK(problem("{") == Containing(name));
    CHECK(problem("{}") == Containing("expected a member \"schema_version\""));
    CHECK(problem(R"({"schema_version": 9, "steps": []})") ==
          Containing("expected schema version 1, found 9"));
    CHECK(problem(R"({"schema_version": 1, "steps": [{}]})") == Containing("\"command\""));
}

TEST_CASE("Commands are quoted for a shell") {
    CHECK(command_text({"prune", "a.b", "--ratio", "0.1"}) == "vgg19 prune a.b --ratio 0.1");
    CHECK(command_text({"eval", "a b", "it's", "", "$x"}) == "vgg19 eval 'a b' 'it'\\''s' '' '$x'");
}
