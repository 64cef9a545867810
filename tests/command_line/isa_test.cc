// A requested instruction set is either used or an error.
#include "kernels/isa/isa.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "kernels/common/testing/isas.h"
#include "tests/command_line/tool.h"
#include "vgg19/session.h"

using namespace vgg19;
using namespace vgg19::testing;
using kernels::Isa;

namespace {

/// Every step runs on `isa` or a subset of it, and at least one on `isa` itself.
void check_plan(const Session& session, Isa isa) {
    bool ran = false;
    for (const PlanStep& step : session.plan()) {
        INFO(step.layer << ": " << step.kernel);
        const auto kernel_isa = kernels::testing::isa_of_kernel(step.kernel);
        REQUIRE(kernel_isa.has_value());
        CHECK(kernels::runs(isa, *kernel_isa));
        ran = ran || *kernel_isa == isa;
    }
    CHECK(ran);
}

/// Sets an environment variable and restores its old value.
class Variable {
  public:
    Variable(const char* name, const char* value) : name_(name) {
        const char* old = std::getenv(name);
        if (old != nullptr) old_ = old;
        setenv(name, value, 1);
    }
    ~Variable() {
        if (old_) {
            setenv(name_, old_->c_str(), 1);
        } else {
            unsetenv(name_);
        }
    }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

  private:
    const char* name_;
    std::optional<std::string> old_;
};

}  // namespace

TEST_CASE("A forced instruction set is the one in the plan") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "baseline");
    REQUIRE(run_tool({"quantize", folder / "baseline", "-o", folder / "model"}).code == 0);
    write_image(folder / "image.bmp", 40, 48);
    const Model model = Model::open(folder / "model");
    for (const Isa isa : kernels::all_isas()) {
        if (!kernels::cpu_supports(isa)) continue;
        const std::string name = kernels::isa_name(isa);
        INFO(name);
        check_plan(Session(model, {.input_height = 32, .input_width = 32, .isa = name}), isa);
        {
            const Variable forced("VGG19_ISA", name.c_str());
            check_plan(Session(model, {.input_height = 32, .input_width = 32}), isa);
            // What is said in the program goes before what the environment says.
            check_plan(Session(model, {.input_height = 32, .input_width = 32, .isa = "portable"}),
                       Isa::portable);
        }
        const Outcome outcome = run_tool(
            {"classify", "-m", folder / "model", "--size", "32", "--isa", name, folder / "image.bmp"});
        INFO(outcome.errors);
        CHECK(outcome.code == 0);
    }
}

TEST_CASE("An unavailable instruction set is an error, never a fallback") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    write_image(folder / "image.bmp", 40, 48);
    const Arguments command = {"classify", "-m", folder / "model", "--size", "32", folder / "image.bmp"};
    std::vector<std::string> names = {"avx9000", "AVX2"};
    for (const Isa isa : kernels::all_isas()) {
        if (!kernels::cpu_supports(isa)) names.emplace_back(kernels::isa_name(isa));
    }
    for (const std::string& name : names) {
        INFO(name);
        Arguments with_option = command;
        with_option.insert(with_option.end(), {"--isa", name});
        for (const Outcome& outcome : {run_tool(with_option), run_tool(command, {"VGG19_ISA=" + name}),
                                       run_tool({"sysinfo", "--isa", name})}) {
            INFO(outcome.errors);
            CHECK(outcome.code == 2);
            CHECK(contains(outcome.errors, name));
            CHECK(outcome.output.empty());
        }
    }
}
