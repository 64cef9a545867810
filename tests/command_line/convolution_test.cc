// --conv: chooses the kernels of the convolutions.
#include <doctest/doctest.h>

#include <string>

#include "tests/command_line/tool.h"

using namespace vgg19::testing;

TEST_CASE("run and classify accept --conv, and refuse unknown values") {
    struct Choice {
        std::string name;
        int code;
    };
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    write_image(folder / "image.bmp", 40, 48);
    write_tensor(folder / "inputs", "input", {1, 3, 32, 32}, std::vector<float>(3 * 32 * 32, 0.5F));
    const Arguments classify = {"classify", "-m", folder / "model", "--size", "32", folder / "image.bmp"};
    const Arguments run = {
        "run", "-m", folder / "model", "--input", folder / "inputs", "--output", folder / "logits"};
    for (const Choice& choice :
         {Choice{"auto", 0}, Choice{"winograd", 0}, Choice{"onednn", VGG19_HAS_ONEDNN ? 0 : 2},
          Choice{"fft", 2}, Choice{"Auto", 2}}) {
        for (Arguments arguments : {classify, run}) {
            INFO(arguments.front() << " --conv " << choice.name);
            arguments.insert(arguments.end(), {"--conv", choice.name});
            const Outcome outcome = run_tool(arguments);
            INFO(outcome.errors);
            CHECK(outcome.code == choice.code);
            CHECK(contains(outcome.errors, choice.name) == (choice.code != 0));
        }
    }
}
