// Help texts, and errors in command lines.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/model/json.h"
#include "tests/command_line/tool.h"

using namespace vgg19;
using namespace vgg19::testing;

namespace {

const std::vector<std::string>& subcommands() {
    static const std::vector<std::string> names = {
        "convert",  "export", "inspect", "prune", "factorize", "finetune", "quantize", "pipeline",
        "classify", "run",    "eval",    "bench", "serve",     "tune",     "sysinfo"};
    return names;
}

/// Expects exit code 2, `message` on standard error, and nothing on standard output.
void check_usage(const Arguments& arguments, const std::string& message) {
    const Outcome outcome = run_tool(arguments, {"XDG_CACHE_HOME=/nonexistent"});  // no weights are there
    std::string command = "vgg19";
    for (const std::string& argument : arguments) command += " " + argument;
    INFO(command);
    INFO(outcome.errors);
    CHECK(outcome.code == 2);
    CHECK(contains(outcome.errors, message));
    CHECK(outcome.output.empty());
}

}  // namespace

TEST_CASE("vgg19 --help lists every subcommand and the exit codes") {
    const Outcome outcome = run_tool({"--help"});
    CHECK(outcome.code == 0);
    CHECK(outcome.errors.empty());
    for (const std::string& name : subcommands()) CHECK(contains(outcome.output, "\n  " + name));
    CHECK(contains(outcome.output, "Exit codes"));

    const Outcome version = run_tool({"--version"});
    CHECK(version.code == 0);
    CHECK(version.output.starts_with("vgg19 "));
}

TEST_CASE("vgg19 without a subcommand shows the help and is wrong usage") {
    check_usage({}, "Usage:");
}

TEST_CASE("The error for an unknown subcommand suggests the nearest name") {
    check_usage({"prun"}, "did you mean 'prune'?");
    check_usage({"quantise"}, "did you mean 'quantize'?");
    check_usage({"Classify"}, "did you mean 'classify'?");
    check_usage({"--verison"}, "no subcommand '--verison'");
    check_usage({""}, "no subcommand ''");
    CHECK_FALSE(contains(run_tool({"xyzzy"}).errors, "did you mean"));
}

TEST_CASE("Every subcommand has a help text with its options and an example") {
    for (const std::string& name : subcommands()) {
        INFO(name);
        const Outcome outcome = run_tool({name, "--help"});
        INFO(outcome.errors);
        CHECK(outcome.code == 0);
        CHECK(contains(outcome.output, "--help"));
        if (name == "bench") continue;  // a program of its own
        CHECK(contains(outcome.output, "vgg19 " + name));
        CHECK(contains(outcome.output, "Example:"));
    }
}

TEST_CASE("Unknown flags are named") {
    for (const std::string& name : subcommands()) check_usage({name, "x", "--no-such-flag"}, "no-such-flag");
    check_usage({"inspect", "m", "-z"}, "z");
    check_usage({"inspect", "m", "-"}, "'-'");
}

TEST_CASE("Missing and stray arguments are named") {
    check_usage({"convert", "-o", "m"}, "expected WEIGHTS");
    check_usage({"convert", "w"}, "--output is required");
    check_usage({"convert", "w", "stray", "-o", "m"}, "'stray'");
    check_usage({"inspect"}, "expected MODEL");
    check_usage({"inspect", "m", "stray"}, "'stray'");
    check_usage({"prune", "-o", "p"}, "expected MODEL");
    check_usage({"prune", "m"}, "--output is required");
    check_usage({"prune", "m", "stray", "--dry-run"}, "'stray'");
    check_usage({"quantize", "m"}, "--output is required");
    check_usage({"classify", "-m", "m"}, "expected IMAGE");
    check_usage({"classify", "image"}, "--model is required");
    check_usage({"run", "--input", "x", "--output", "y"}, "--model is required");
    check_usage({"run", "-m", "m", "--output", "y"}, "--input is required");
    check_usage({"run", "-m", "m", "--input", "x"}, "--output is required");
    check_usage({"run", "-m", "m", "--input", "x", "--output", "y", "stray"}, "'stray'");
    check_usage({"eval", "--data", "d"}, "--model is required");
    check_usage({"eval", "-m", "m"}, "--data is required");
    check_usage({"eval", "-m", "m", "--data", "d", "stray"}, "'stray'");
    check_usage({"sysinfo", "stray"}, "'stray'");
    check_usage({"factorize", "-o", "f", "--rank", "2"}, "expected MODEL");
    check_usage({"factorize", "m", "--rank", "2"}, "--output is required");
    check_usage({"factorize", "m", "-o", "f"}, "either --rank or --energy");
    check_usage({"factorize", "m", "-o", "f", "--rank", "2", "--energy", "0.5"}, "either --rank or --energy");
    check_usage({"export", "--torch", "f"}, "expected MODEL");
    check_usage({"export", "m"}, "either --onnx or --torch");
    check_usage({"export", "m", "--onnx", "f", "--torch", "f"}, "either --onnx or --torch");
    check_usage({"export", "m", "--torch", "f", "--outputs", "fc7"}, "--outputs: expected with --onnx");
    check_usage({"export", "m", "--onnx", "f", "--batch", "0"}, "--batch: expected");
    check_usage({"export", "m", "--onnx", "/"}, "expected a file to write, found a directory");
    check_usage({"pipeline", "--data", "d", "--test", "t", "-o", "out"}, "expected WEIGHTS");
    check_usage({"pipeline", "w", "-o", "out", "--test", "t"}, "--data is required");
}

TEST_CASE("Options without a value, with an empty one, or given twice are named") {
    check_usage({"convert", "w", "-o"}, "o");
    check_usage({"convert", "w", "-o", "--help-me"}, "--output: expected a value");
    check_usage({"convert", "w", "--output="}, "--output");
    check_usage({"convert", "w", "-o", ""}, "--output");
    check_usage({"convert", "w", "-o", "a", "--output", "b"}, "--output is given more than once");
    check_usage({"inspect", "m", "--json=maybe"}, "--json: expected no value");
    check_usage({"inspect", "m", "--json=true"}, "--json: expected no value");
}

TEST_CASE("Errors for invalid numbers give the range") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    write_image(folder / "image.bmp", 40, 40);
    const std::string model = folder / "model";
    const std::string image = folder / "image.bmp";
    for (const char* top : {"0", "-1", "x", "1.5", "3x", "99999999999999999999999"}) {
        check_usage({"classify", "-m", model, image, "--top", top}, "--top: expected");
    }
    for (const char* size : {"0", "31", "9000", "224x", "224x31", "x224", "224X224"}) {
        check_usage({"classify", "-m", model, image, "--size", size}, "--size: expected");
        check_usage({"inspect", model, "--size", size}, "--size: expected");
    }
    for (const char* threads : {"0", "-2", "two", "100000"}) {
        check_usage({"classify", "-m", model, image, "--threads", threads}, "--threads: expected");
    }
    for (const char* ratio : {"-0.1", "1.1", "nan", "inf", "10%", "0,1"}) {
        check_usage({"prune", model, "--dry-run", "--ratio", ratio}, "--ratio: expected");
    }
    for (const char* layers : {"16,", ",16", "16,,19", "features.16", "16;19"}) {
        check_usage({"prune", model, "--dry-run", "--layers", layers}, "--layers: expected");
    }
    check_usage({"prune", model, "--dry-run", "--layers", "17"}, "17");
    check_usage({"prune", model, "--dry-run", "--round-to", "0"}, "--round-to: expected");
    check_usage({"quantize", model, "-o", folder / "q", "--scope", "some"}, "--scope: expected dense or all");
    check_usage({"run", "-m", model, "--input", "x", "--output", folder / "y", "--batch", "0"},
                "--batch: expected");
    CHECK(files_in(folder.path()) == 2);
}

TEST_CASE("Files that are not models are bad input") {
    const TemporaryFolder folder;
    write_state_dict(folder / "state-dict");
    write_image(folder / "image.bmp", 40, 40);
    write_file(folder / "empty", "");
    for (const std::string model :
         {folder / "missing", folder / "empty", folder / "image.bmp", folder / "state-dict", folder.path()}) {
        INFO(model);
        for (const Arguments& arguments :
             {Arguments{"inspect", model}, Arguments{"prune", model, "-o", folder / "out"},
              Arguments{"quantize", model, "-o", folder / "out"},
              Arguments{"classify", "-m", model, folder / "image.bmp"},
              Arguments{"eval", "-m", model, "--data", folder.path()}}) {
            const Outcome outcome = run_tool(arguments);
            INFO(outcome.errors);
            CHECK(outcome.code == 5);
            CHECK(contains(outcome.errors, model));
            CHECK(outcome.output.empty());
        }
    }
    CHECK(contains(run_tool({"inspect", folder / "state-dict"}).errors, "vgg19 convert"));
    CHECK(run_tool({"convert", folder / "empty", "-o", folder / "out"}).code == 5);
    CHECK(run_tool({"convert", folder / "missing", "-o", folder / "out"}).code == 5);
    CHECK(files_in(folder.path()) == 3);
}

TEST_CASE("sysinfo --json holds the machine, the build and the peaks") {
    const Outcome outcome = run_tool({"sysinfo", "--json", "--threads", "1"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    const model::Json json = model::Json::parse(outcome.output, "the output of sysinfo");
    for (const char* part : {"machine", "build", "peaks"}) CHECK(json.find(part) != nullptr);
    CHECK(json.find("peaks")->find("threads")->size() == 1);
}
