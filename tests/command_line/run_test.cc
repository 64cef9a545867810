// vgg19 run: reads tensors, writes logits.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "engine/model/safetensors.h"
#include "tests/command_line/tool.h"
#include "vgg19/session.h"

using namespace vgg19;
using namespace vgg19::testing;

namespace {

constexpr std::size_t images = 3;
constexpr std::size_t size = 33;
constexpr std::size_t image_floats = 3 * size * size;
constexpr std::size_t classes = 10;

std::vector<float> random_inputs() {
    kernels::testing::Random random;
    std::vector<float> values(images * image_floats);
    random.fill(values, -2.0F, 2.0F);
    return values;
}

std::vector<float> expected_logits(const std::filesystem::path& model, const std::vector<float>& inputs) {
    Session session(Model::open(model), {.input_height = size, .input_width = size});
    std::vector<float> logits(images * classes);
    for (std::size_t i = 0; i < images; ++i) {
        session.run(std::span(inputs).subspan(i * image_floats, image_floats),
                    std::span(logits).subspan(i * classes, classes));
    }
    return logits;
}

/// Compares the tool with the library. The order of sums, and so the last bits, may depend on the batch.
void check_run(const TemporaryFolder& folder, const std::vector<float>& expected, const Arguments& more) {
    Arguments arguments = {
        "run", "-m", folder / "model", "--input", folder / "inputs", "--output", folder / "logits"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_tool(arguments);
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome.output, "(3, 10)"));

    const auto file = model::SafetensorsFile::open(folder / "logits");
    REQUIRE(file.tensors().size() == 1);
    const model::Tensor& logits = file.tensors().front();
    CHECK(logits.name == "logits");
    CHECK(logits.shape == std::vector<std::size_t>{images, classes});
    REQUIRE(logits.dtype == model::DType::f32);
    double difference = 0;
    double norm = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        difference += std::pow(logits.as<float>()[i] - expected[i], 2);
        norm += std::pow(expected[i], 2);
    }
    CHECK(norm > 0);
    CHECK(std::sqrt(difference / norm) < 1e-5);
}

void check_bad_input(const TemporaryFolder& folder, const std::string& message) {
    const Outcome outcome = run_tool(
        {"run", "-m", folder / "model", "--input", folder / "inputs", "--output", folder / "logits"});
    INFO(outcome.errors);
    CHECK(outcome.code == 5);
    CHECK(contains(outcome.errors, message));
    CHECK(contains(outcome.errors, folder / "inputs"));
    CHECK_FALSE(std::filesystem::exists(folder / "logits"));
}

}  // namespace

TEST_CASE("run gives the library's logits for every image and batch") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    const std::vector<float> inputs = random_inputs();
    write_tensor(folder / "inputs", "input", {images, 3, size, size}, inputs);
    const std::vector<float> expected = expected_logits(folder / "model", inputs);
    check_run(folder, expected, {});
    check_run(folder, expected, {"--batch", "2", "--threads", "2", "--size", "33"});
    check_run(folder, expected, {"--batch", "64", "--threads", "1"});
}

TEST_CASE("run names what is wrong with its inputs") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    const std::vector<float> values(2 * 3 * 32 * 32);

    SUBCASE("no tensor of the name") {
        write_tensor(folder / "inputs", "x", {2, 3, 32, 32}, values);
        check_bad_input(folder, "'input', found 'x'");
    }
    SUBCASE("three dimensions") {
        write_tensor(folder / "inputs", "input", {6, 32, 32}, values);
        check_bad_input(folder, "F32 (6, 32, 32)");
    }
    SUBCASE("too narrow") {
        write_tensor(folder / "inputs", "input", {2, 3, 64, 16}, values);
        check_bad_input(folder, "F32 (2, 3, 64, 16)");
    }
    SUBCASE("one channel") {
        write_tensor(folder / "inputs", "input", {6, 1, 32, 32}, values);
        check_bad_input(folder, "F32 (6, 1, 32, 32)");
    }
    SUBCASE("too small") {
        write_tensor(folder / "inputs", "input", {8, 3, 16, 16}, values);
        check_bad_input(folder, "H and W from 32 to 8192");
    }
    SUBCASE("no images") {
        write_tensor(folder / "inputs", "input", {0, 3, 32, 32}, {});
        check_bad_input(folder, "N at least 1");
    }
    SUBCASE("another type") {
        const model::Tensor tensor{
            "input", model::DType::i32, {2, 3, 32, 32}, std::as_bytes(std::span(values))};
        model::write_safetensors(folder / "inputs", {}, {&tensor, 1});
        check_bad_input(folder, "I32");
    }
    SUBCASE("infinite") {
        std::vector<float> broken = values;
        broken.back() = std::numeric_limits<float>::infinity();
        write_tensor(folder / "inputs", "input", {2, 3, 32, 32}, broken);
        check_bad_input(folder, "finite");
    }
    SUBCASE("not a number") {
        std::vector<float> broken = values;
        broken.front() = std::numeric_limits<float>::quiet_NaN();
        write_tensor(folder / "inputs", "input", {2, 3, 32, 32}, broken);
        check_bad_input(folder, "finite");
    }
    SUBCASE("no safetensors file") {
        write_file(folder / "inputs", "hello");
        check_bad_input(folder, "inputs");
    }
}

TEST_CASE("run refuses a size that differs from the inputs'") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    write_tensor(folder / "inputs", "input", {1, 3, 32, 32}, std::vector<float>(3 * 32 * 32));
    const Outcome outcome = run_tool({"run", "-m", folder / "model", "--input", folder / "inputs", "--output",
                                      folder / "logits", "--size", "64"});
    CHECK(outcome.code == 2);
    CHECK(contains(outcome.errors, "--size: expected 32"));
    CHECK_FALSE(std::filesystem::exists(folder / "logits"));
}

TEST_CASE("run writes a tensor for each output, of the library's values") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    const std::vector<float> inputs = random_inputs();
    write_tensor(folder / "inputs", "input", {images, 3, size, size}, inputs);
    const Outcome outcome = run_tool({"run", "-m", folder / "model", "--input", folder / "inputs", "--output",
                                      folder / "y", "--outputs", "relu1_1,fc7", "--batch", "2"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome.output, "relu1_1 (3, 4, 33, 33), fc7 (3, 20)"));
    const auto file = model::SafetensorsFile::open(folder / "y");
    CHECK(file.tensors().size() == 2);
    CHECK(file.find("relu1_1")->shape == std::vector<std::size_t>{images, 4, size, size});
    CHECK(file.find("fc7")->shape == std::vector<std::size_t>{images, 20});

    Session session(Model::open(folder / "model"),
                    {.input_height = size, .input_width = size, .outputs = {"fc7"}});
    std::vector<float> expected(20);
    session.run(std::span(inputs).subspan(2 * image_floats), expected);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(file.find("fc7")->as<float>()[2 * 20 + i] ==
              doctest::Approx(expected[i]).epsilon(1e-4).scale(1));
    }
}

TEST_CASE("run takes small inputs for layers that need no more, and names an unknown layer's neighbours") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    write_tensor(folder / "inputs", "input", {1, 3, 16, 21}, std::vector<float>(3 * 16 * 21));
    const auto run = [&](const std::string& outputs) {
        return run_tool({"run", "-m", folder / "model", "--input", folder / "inputs", "--output",
                         folder / "y", "--outputs", outputs});
    };
    const Outcome outcome = run("pool3");
    INFO(outcome.errors);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.output, "pool3 (1, 8, 2, 2)"));
    const auto run_at = [&](const std::string& outputs, const std::string& side) {
        return run_tool({"run", "-m", folder / "model", "--input", folder / "inputs", "--output",
                         folder / "y", "--outputs", outputs, "--size", side});
    };
    CHECK(run_at("pool3", "16x21").code == 0);
    CHECK(contains(run_at("pool3", "15x21").errors, "--size: expected a whole number from 16 to 8192"));
    const Outcome too_small = run_at("fc7", "16x21");
    CHECK(too_small.code == 2);
    CHECK(contains(too_small.errors, "input height: expected 32 to 8192"));
    const Outcome exported = run_tool(
        {"export", folder / "model", "--onnx", folder / "y.onnx", "--size", "16", "--outputs", "relu1_1"});
    INFO(exported.errors);
    CHECK(exported.code == 0);
    const Outcome unknown = run("relu9_1");
    CHECK(unknown.code == 2);
    CHECK(contains(unknown.errors, "relu5_4"));
    CHECK(run("pool3,pool3").code == 2);
}
