// The instruction set that is asked for is the one that runs, or it is an error.
#include "kernels/common/isa.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "tests/command_line/tool.h"
#include "vgg19/session.h"

using namespace vgg19;
using namespace vgg19::testing;
using kernels::Isa;

namespace {

/// Kernels are named after the instruction set that they need: "max_pool_avx2".
std::optional<Isa> isa_of(const PlanStep& step) {
    return kernels::isa_from_name(step.kernel.substr(step.kernel.rfind('_') + 1));
}

/// Every step runs on `isa` or on less, and one at least on `isa` itself unless no kernel needs so much.
void check_plan(const Session& session, Isa isa) {
    Isa highest = Isa::scalar;
    for (const PlanStep& step : session.plan()) {
        INFO(step.layer << ": " << step.kernel);
        REQUIRE(isa_of(step).has_value());
        CHECK(*isa_of(step) <= isa);
        highest = std::max(highest, *isa_of(step));
    }
    CHECK(highest == isa);
}

/// A variable of the environment that gets its old value back.
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

bool runs_here(Isa isa) {
    return kernels::isa_is_built(isa) && kernels::cpu_supports(isa);
}

}  // namespace

TEST_CASE("A forced instruction set is the one in the plan") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "baseline");
    REQUIRE(run_tool({"quantize", folder / "baseline", "-o", folder / "model"}).code == 0);
    write_image(folder / "image.bmp", 40, 48);
    const Model model = Model::open(folder / "model");
    for (const Isa isa : kernels::all_isas()) {
        if (!runs_here(isa)) continue;
        const std::string name = kernels::isa_name(isa);
        INFO(name);
        check_plan(Session(model, {.input_size = 32, .isa = name}), isa);
        {
            const Variable forced("VGG19_ISA", name.c_str());
            check_plan(Session(model, {.input_size = 32}), isa);
            // What is said in the program goes before what the environment says.
            check_plan(Session(model, {.input_size = 32, .isa = "scalar"}), Isa::scalar);
        }
        const Outcome outcome = run_tool(
            {"classify", "-m", folder / "model", "--size", "32", "--isa", name, folder / "image.bmp"});
        INFO(outcome.errors);
        CHECK(outcome.code == 0);
    }
}

TEST_CASE("An instruction set that is not there is an error, never a fallback") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    write_image(folder / "image.bmp", 40, 48);
    const Arguments command = {"classify", "-m", folder / "model", "--size", "32", folder / "image.bmp"};
    std::vector<std::string> names = {"avx9000", "AVX2"};
    for (const Isa isa : kernels::all_isas()) {
        if (!runs_here(isa)) names.emplace_back(kernels::isa_name(isa));
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
