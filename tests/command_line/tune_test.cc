// vgg19 tune, and the plans that follow from its file or from another CPU's constants.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/model/json.h"
#include "engine/program/tuned_machine.h"
#include "kernels/schedule/machine.h"
#include "tests/command_line/tool.h"

using namespace vgg19;
using namespace vgg19::testing;
using model::Json;

namespace {

Json parsed(const Outcome& outcome) {
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    return Json::parse(outcome.output, "the output");
}

const Arguments short_tune = {"tune", "--min-time", "0.001", "--threads", "2"};

Arguments with(Arguments arguments, const Arguments& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

}  // namespace

TEST_CASE("tune writes this CPU's constants, which other commands take by themselves or by name") {
    const TemporaryFolder folder;
    const std::vector<std::string> cache = {"XDG_CACHE_HOME=" + (folder / "cache").string()};
    const Outcome tuned = run_tool(with(short_tune, {"--json"}), cache);
    const Json file = parsed(tuned);
    CHECK(file.find("cpu")->string() == kernels::cpu_description());
    CHECK(file.find("threads")->size() == 2);
    CHECK(file.find("machine")->find("hertz")->number() > 1e8);
    CHECK(file.find("machine")->find("memory")->find("core")->number() > 1e8);
    CHECK(contains(tuned.errors, (folder / "cache" / "vgg19" / "tuned").string()));

    convert_state_dict(folder / "model");
    const Json used = parsed(run_tool({"inspect", folder / "model", "--plan", "--json"}, cache));
    CHECK(contains(used.find("plan")->find("machine")->find("origin")->string(), "measured"));
    const Json unused = parsed(run_tool({"inspect", folder / "model", "--plan=none", "--json"}, cache));
    CHECK(!contains(unused.find("plan")->find("machine")->find("origin")->string(), "measured"));
    CHECK(contains(run_tool({"sysinfo", "--threads", "1"}, cache).output, "measured constants"));

    // For more threads than were measured, the table is used.
    const Outcome many = run_tool({"inspect", folder / "model", "--plan", "--threads", "64"}, cache);
    CHECK(many.code == 0);
    CHECK(contains(many.errors, "2 threads"));
}

TEST_CASE("a file that is not used is named with the reason, and is an error with --plan") {
    const TemporaryFolder folder;
    const std::string cache_folder = (folder / "cache").string();
    const std::vector<std::string> cache = {"XDG_CACHE_HOME=" + cache_folder};
    convert_state_dict(folder / "model");
    write_image(folder / "image.bmp", 40, 48);
    const Outcome tuned = run_tool(with(short_tune, {"-o", folder / "tuned.json"}), cache);
    REQUIRE(tuned.code == 0);
    CHECK(!std::filesystem::exists(cache_folder));
    const Arguments classify = {"classify",           "-m",    folder / "model", "--size", "32",
                                folder / "image.bmp", "--plan"};
    CHECK(run_tool(with(classify, {folder / "tuned.json"}), cache).code == 0);
    CHECK(run_tool(with(classify, {"none"}), cache).code == 0);

    if (kernels::best_isa() != kernels::Isa::portable) {
        const Outcome other = run_tool(with(short_tune, {"--isa", "portable"}), cache);
        CHECK(other.code == 2);
        CHECK(contains(other.errors, "-o FILE"));
    }

    TunedMachine machine = read_tuned_machine(folder / "tuned.json");
    const std::filesystem::path usual =
        std::filesystem::path(cache_folder) / "vgg19" / "tuned" / usual_tuned_machine().filename();
    std::filesystem::create_directories(usual.parent_path());
    machine.cpu = "another CPU";
    write_tuned_machine(usual, machine);
    const Outcome inspected = run_tool({"inspect", folder / "model", "--plan"}, cache);
    CHECK(inspected.code == 0);
    CHECK(contains(inspected.errors, "another CPU"));
    CHECK(contains(run_tool({"sysinfo", "--threads", "1"}, cache).output, "another CPU"));
    const Outcome refused = run_tool(with(classify, {usual.string()}), cache);
    CHECK(refused.code == 5);
    CHECK(contains(refused.errors, "another CPU"));

    write_file(folder / "broken.json", "{\"format\": \"vgg19 tuned machine\", \"version\": 1}");
    const Outcome broken = run_tool(with(classify, {folder / "broken.json"}), cache);
    CHECK(broken.code == 5);
    CHECK(contains(broken.errors, "broken.json"));
    CHECK(contains(broken.errors, "\"isa\""));
}

TEST_CASE("inspect --plan shows the plan for any CPU of the table and any number of threads") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    for (const std::string_view name : kernels::machine_names()) {
        CAPTURE(std::string(name));
        for (const std::string threads : {"1", "64"}) {
            const Json json = parsed(run_tool({"inspect", folder / "model", "--plan", "--json", "--threads",
                                               threads, "--machine", std::string(name)}));
            const Json& plan = *json.find("plan");
            CHECK(plan.find("machine")->find("name")->string() == name);
            CHECK(plan.find("threads")->size() == std::stoul(threads));
            const Json& expected = *plan.find("expected");
            CHECK(expected.find("ms")->number() > 0);
            CHECK(expected.find("efficiency")->number() > 0);
            CHECK(expected.find("efficiency")->number() <= 1.000001);
            CHECK(!expected.find("steps")->array().empty());
        }
    }
    const Outcome text =
        run_tool({"inspect", folder / "model", "--plan", "--threads", "64", "--machine", "golden_cove"});
    CHECK(text.code == 0);
    CHECK(contains(text.output, "golden_cove (another machine)"));
    CHECK(contains(text.output, "expected on 64 threads"));

    const Outcome unknown = run_tool({"inspect", folder / "model", "--plan", "--machine", "zen9"});
    CHECK(unknown.code == 2);
    CHECK(contains(unknown.errors, "zen9"));
    CHECK(contains(unknown.errors, "golden_cove"));
    const Outcome without = run_tool({"inspect", folder / "model", "--machine", "zen4"});
    CHECK(without.code == 2);
    CHECK(contains(without.errors, "--plan"));
    const Outcome lacking =
        run_tool({"inspect", folder / "model", "--plan", "--machine", "zen4", "--isa", "neon"});
    CHECK(lacking.code == 2);
    CHECK(contains(lacking.errors, "neon"));
}
