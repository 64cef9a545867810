// Output files: which destinations are allowed, and that no partial file remains.
#include <doctest/doctest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/command_line/tool.h"

using namespace vgg19;
using namespace vgg19::testing;

namespace {

/// Every command that writes a file, with `output` as the last argument.
std::vector<Arguments> writing_commands(const TemporaryFolder& folder, const std::string& output) {
    return {{"convert", folder / "weights", "-o", output},
            {"prune", folder / "model", "-o", output},
            {"prune", folder / "model", "--dry-run", "--write-plan", output},
            {"quantize", folder / "model", "-o", output},
            {"run", "-m", folder / "model", "--input", folder / "inputs", "--output", output}};
}

void prepare(const TemporaryFolder& folder) {
    write_state_dict(folder / "weights");
    convert_state_dict(folder / "model");
    write_tensor(folder / "inputs", "input", {2, 3, 32, 32}, std::vector<float>(2 * 3 * 32 * 32));
}

void check_refused(const Arguments& arguments, int code) {
    INFO(arguments.front());
    const Outcome outcome = run_tool(arguments);
    INFO(outcome.errors);
    CHECK(outcome.code == code);
    CHECK(contains(outcome.errors, "vgg19 " + arguments.front() + ": "));
    CHECK(contains(outcome.errors, arguments.back()));
    CHECK(outcome.output.empty());
}

}  // namespace

TEST_CASE("An output that is also an input is refused, and the input does not change") {
    const TemporaryFolder folder;
    prepare(folder);
    const std::string weights = read_file(folder / "weights");
    const std::string model = read_file(folder / "model");
    check_refused({"convert", folder / "weights", "-o", folder / "weights"}, 2);
    check_refused({"prune", folder / "model", "-o", folder / "model"}, 2);
    check_refused({"prune", folder / "model", "--write-plan", folder / "model"}, 2);
    check_refused({"finetune", folder / "model", "--data", folder.path(), "-o", folder / "model"}, 2);
    check_refused({"quantize", folder / "model", "-o", folder / "./model"}, 2);
    check_refused({"run", "-m", folder / "model", "--input", folder / "inputs", "-o", folder / "inputs"}, 2);
    check_refused({"run", "-m", folder / "model", "--input", folder / "inputs", "-o", folder / "model"}, 2);
    std::filesystem::create_hard_link(folder / "model", folder / "link");
    check_refused({"quantize", folder / "model", "-o", folder / "link"}, 2);
    CHECK(read_file(folder / "weights") == weights);
    CHECK(read_file(folder / "model") == model);
    CHECK(files_in(folder.path()) == 4);
}

TEST_CASE("prune refuses the same file for model and plan") {
    const TemporaryFolder folder;
    prepare(folder);
    check_refused({"prune", folder / "model", "-o", folder / "x", "--write-plan", folder / "x"}, 2);
    CHECK(files_in(folder.path()) == 3);
}

TEST_CASE("A destination that cannot be a file is refused before any work") {
    const TemporaryFolder folder;
    prepare(folder);
    write_file(folder / "file", "content");
    std::filesystem::create_directory(folder / "directory");
    for (const char* output : {"directory", "file/model", "missing/model"}) {
        for (const Arguments& command : writing_commands(folder, folder / output)) check_refused(command, 2);
    }
    for (const Arguments& command : writing_commands(folder, "/dev/null")) check_refused(command, 2);
    CHECK(files_in(folder.path()) == 5);
    CHECK(files_in(folder / "directory") == 0);
    CHECK(read_file(folder / "file") == "content");
}

TEST_CASE("A read-only folder is an error") {
    if (geteuid() == 0) return;  // root may write everywhere
    const TemporaryFolder folder;
    prepare(folder);
    std::filesystem::create_directory(folder / "closed");
    std::filesystem::permissions(folder / "closed",
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    for (const Arguments& command : writing_commands(folder, folder / "closed/model")) {
        check_refused(command, 1);
    }
}

TEST_CASE("A full disk leaves neither a partial file nor a changed one") {
    const TemporaryFolder folder;
    prepare(folder);
    write_file(folder / "old", "precious");
    const std::vector<Arguments> commands = {{"convert", folder / "weights", "-o", folder / "old"},
                                             {"prune", folder / "model", "-o", folder / "old"},
                                             {"quantize", folder / "model", "-o", folder / "old"}};
    for (const Arguments& command : commands) {
        const Outcome outcome = run_tool_on_small_disk(command, 4);
        INFO(outcome.errors);
        CHECK(outcome.code == 1);
        CHECK(contains(outcome.errors, "old"));
        CHECK(read_file(folder / "old") == "precious");
        CHECK(files_in(folder.path()) == 4);
    }
}

TEST_CASE("A failure does not change an existing output") {
    const TemporaryFolder folder;
    prepare(folder);
    write_file(folder / "old", "precious");
    write_file(folder / "broken", read_file(folder / "model").substr(0, 1000));
    for (const Arguments& command :
         {Arguments{"convert", folder / "broken", "-o", folder / "old"},
          Arguments{"prune", folder / "broken", "-o", folder / "old"},
          Arguments{"quantize", folder / "broken", "-o", folder / "old"},
          Arguments{"run", "-m", folder / "broken", "--input", folder / "inputs", "-o", folder / "old"}}) {
        const Outcome outcome = run_tool(command);
        INFO(outcome.errors);
        CHECK(outcome.code == 5);
        CHECK(contains(outcome.errors, "broken"));
        CHECK(read_file(folder / "old") == "precious");
        CHECK(files_in(folder.path()) == 5);
    }
}

TEST_CASE("A success replaces an existing output") {
    const TemporaryFolder folder;
    prepare(folder);
    for (const Arguments& command : writing_commands(folder, folder / "old")) {
        write_file(folder / "old", "old");
        const Outcome outcome = run_tool(command);
        INFO(outcome.errors);
        CHECK(outcome.code == 0);
        CHECK(read_file(folder / "old").size() > 3);
        CHECK(files_in(folder.path()) == 4);
    }
}

TEST_CASE("Results that cannot be written to standard output are a failure") {
    const TemporaryFolder folder;
    prepare(folder);
    const Outcome outcome = run_tool_on_small_disk({"inspect", folder / "model", "--json"}, 1);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome.errors, "standard output"));
}
