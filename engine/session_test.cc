#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>

#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"
#include "kernels/common/testing/distance.h"
#include "kernels/common/testing/isas.h"
#include "kernels/common/testing/random.h"
#include "vgg19/vgg19.hpp"

namespace vgg19 {

namespace {

using kernels::testing::isa_of_kernel;
using kernels::testing::isas_of_this_cpu;
using kernels::testing::relative_l2;

struct NarrowModel {
    kernels::testing::Random random;
    testing::TemporaryFolder folder;
    Model model = make(model::DenseOrder::input_major);

    /// The same weights in either order.
    Model make(model::DenseOrder order) {
        kernels::testing::Random same = random;
        const auto path = folder / (order == model::DenseOrder::input_major ? "narrow" : "output_major");
        testing::write_narrow_model(path, same, 10, order);
        return Model::open(path);
    }
    std::vector<float> input(std::size_t images, std::size_t size) {
        std::vector<float> values(images * 3 * size * size);
        random.fill(values, -2.0F, 2.0F);
        return values;
    }
};

std::vector<float> logits(const Model& model, const SessionOptions& options,
                          const std::vector<float>& input) {
    Session session(model, options);
    std::vector<float> output(session.batch() * model.classes());
    session.run(input, output);
    return output;
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

void check_threads_and_batches(const Model& model, const std::vector<float>& input, std::size_t images,
                               const std::string& isa) {
    const std::size_t image_floats = input.size() / images;
    const std::vector<float> expected = logits(
        model, {.threads = 1, .input_height = 48, .input_width = 48, .batch = images, .isa = isa}, input);
    for (int threads = 2; threads <= 8; ++threads) {
        CHECK(same_bits(
            expected,
            logits(model,
                   {.threads = threads, .input_height = 48, .input_width = 48, .batch = images, .isa = isa},
                   input)));
    }
    for (std::size_t image = 0; image < images; ++image) {
        const std::vector<float> one(input.begin() + static_cast<std::ptrdiff_t>(image * image_floats),
                                     input.begin() + static_cast<std::ptrdiff_t>((image + 1) * image_floats));
        CHECK(
            same_bits(std::span(expected).subspan(image * 10, 10),
                      logits(model, {.threads = 2, .input_height = 48, .input_width = 48, .isa = isa}, one)));
    }
}

}  // namespace

TEST_CASE("a forced ISA runs, and no kernel is above it") {
    NarrowModel narrow;
    for (const kernels::Isa isa : isas_of_this_cpu()) {
        CAPTURE(kernels::isa_name(isa));
        const Session session(narrow.model,
                              {.input_height = 32, .input_width = 32, .isa = kernels::isa_name(isa)});
        // ISAs that only have INT8 kernels of their own do not appear here.
        bool ran_at_its_own_level = kernels::has_dot_product(isa);
        for (const PlanStep& step : session.plan()) {
            CAPTURE(step.kernel);
            REQUIRE(isa_of_kernel(step.kernel));
            CHECK(kernels::runs(isa, *isa_of_kernel(step.kernel)));
            ran_at_its_own_level = ran_at_its_own_level || isa_of_kernel(step.kernel) == isa;
        }
        CHECK(ran_at_its_own_level);
    }
}

TEST_CASE("VGG19_ISA forces the ISA of sessions that do not say one") {
    NarrowModel narrow;
    REQUIRE(setenv("VGG19_ISA", "portable", 1) == 0);
    const Session session(narrow.model, {.input_height = 32, .input_width = 32});
    for (const PlanStep& step : session.plan()) CHECK(isa_of_kernel(step.kernel) == kernels::Isa::portable);
    REQUIRE(setenv("VGG19_ISA", "avx9000", 1) == 0);
    CHECK(testing::error_of(ErrorKind::usage,
                            [&] { Session(narrow.model, {.input_height = 32, .input_width = 32}); }) ==
          "VGG19_ISA: expected one of portable, avx2, avx2vnni, avx512, avx512vnni, neon, neon_dotprod, "
          "found \"avx9000\"");
    unsetenv("VGG19_ISA");
}

TEST_CASE("an ISA that this CPU lacks is an error") {
    NarrowModel narrow;
    for (const kernels::Isa isa : kernels::all_isas()) {
        if (kernels::cpu_supports(isa)) continue;
        const std::string name = kernels::isa_name(isa);
        const std::string message = testing::error_of(ErrorKind::usage, [&] {
            Session(narrow.model, {.input_height = 32, .input_width = 32, .isa = name});
        });
        const bool built = kernels::isa_is_built(isa);
        CHECK(message.find(built ? "does not have " + name : name + " is not in this build") !=
              std::string::npos);
    }
}

/// Sixteen Winograd convolutions with errors of at most 1e-5, which add up like random errors: √16 times
/// that. The golden tests check a network with a fixed seed to 1e-5.
constexpr double winograd_tolerance = 4e-5;

TEST_CASE("every ISA gives nearly the same logits") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    for (const std::size_t size : {std::size_t{32}, std::size_t{33}, std::size_t{65}, std::size_t{97}}) {
        const std::vector<float> input = narrow.input(1, size);
        const std::vector<float> expected =
            logits(narrow.model, {.input_height = size, .input_width = size, .isa = "portable"}, input);
        for (const kernels::Isa isa : isas_of_this_cpu()) {
            const std::vector<float> found =
                logits(narrow.model,
                       {.input_height = size, .input_width = size, .isa = kernels::isa_name(isa)}, input);
            CHECK(relative_l2(found, expected) <= winograd_tolerance);
        }
    }
}

TEST_CASE("the convolutions that are asked for run, and give nearly the same logits") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    const std::vector<float> input = narrow.input(1, 64);
    for (const kernels::Isa isa : isas_of_this_cpu()) {
        const std::string name = kernels::isa_name(isa);
        CAPTURE(name);
        const auto expected =
            logits(narrow.model, {.input_height = 64, .input_width = 64, .isa = name}, input);
        const SessionOptions winograd = {
            .input_height = 64, .input_width = 64, .isa = name, .convolution = "winograd"};
        const std::vector<PlanStep> own = Session(narrow.model, winograd).plan();
        for (const PlanStep& step : own) {
            if (!step.layer.starts_with("features.")) continue;
            CAPTURE(step.kernel);
            CHECK(step.kernel.starts_with(step.layer == "features.0" ? "winograd_image_" : "winograd_f"));
        }
        CHECK(relative_l2(logits(narrow.model, winograd, input), expected) <= winograd_tolerance);

        const SessionOptions onednn = {
            .input_height = 64, .input_width = 64, .isa = name, .convolution = "onednn"};
        if (VGG19_HAS_ONEDNN == 0 || isa == kernels::Isa::portable) {
            const std::string message =
                testing::error_of(ErrorKind::usage, [&] { Session(narrow.model, onednn); });
            CHECK(message.find("oneDNN") != std::string::npos);
            continue;
        }
        const std::vector<PlanStep> plan = Session(narrow.model, onednn).plan();
        CHECK(plan.front().kernel.starts_with("conv_onednn_"));
        CHECK(relative_l2(logits(narrow.model, onednn, input), expected) <= winograd_tolerance);
    }
    CHECK(testing::error_of(ErrorKind::usage, [&] { Session(narrow.model, {.convolution = "fft"}); }) ==
          "convolution: expected one of auto, winograd, direct, onednn, found \"fft\"");
}

TEST_CASE("logits are bitwise the same for every thread count and batch") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    constexpr std::size_t images = 3;
    const std::vector<float> input = narrow.input(images, 48);
    for (const model::DenseOrder order : {model::DenseOrder::input_major, model::DenseOrder::output_major}) {
        CAPTURE(order);
        const Model model = narrow.make(order);
        for (const kernels::Isa isa : isas_of_this_cpu()) {
            check_threads_and_batches(model, input, images, kernels::isa_name(isa));
        }
    }
}

TEST_CASE("both orders of the dense weights give the same logits, whether the pool is folded or not") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    const Model output_major = narrow.make(model::DenseOrder::output_major);
    for (const std::size_t size : {32U, 64U, 160U, 192U, 224U, 256U}) {
        CAPTURE(size);
        const std::vector<float> input = narrow.input(1, size);
        const std::vector<float> expected =
            logits(output_major, {.input_height = size, .input_width = size}, input);
        const std::vector<float> found =
            logits(narrow.model, {.input_height = size, .input_width = size}, input);
        CHECK(relative_l2(found, expected) <= 2e-6);
    }
}

TEST_CASE("a map smaller than 7×7 goes into the dense layer as it is, where the file's order allows that") {
    NarrowModel narrow;
    // The first dense layer, and the step before it.
    const auto steps = [&](model::DenseOrder order, std::size_t size) {
        const std::vector<PlanStep> plan =
            Session(narrow.make(order), {.input_height = size, .input_width = size}).plan();
        return std::pair(plan.at(plan.size() - 4), plan.at(plan.size() - 3));
    };
    constexpr auto input_major = model::DenseOrder::input_major;
    const auto [flatten, folded] = steps(input_major, 160);
    CHECK(flatten.layer == "flatten");
    CHECK(folded.weight_bytes == std::size_t{12} * 25 * 24 * sizeof(float));
    CHECK(folded.kernel.starts_with("dense_sparse_input_"));
    const auto [pool, whole] = steps(input_major, 224);
    CHECK(pool.layer == "average pool");
    CHECK(whole.weight_bytes == std::size_t{12} * 49 * 24 * sizeof(float));
    CHECK(steps(input_major, 256).first.layer == "average pool");
    const auto [other_pool, output_major] = steps(model::DenseOrder::output_major, 160);
    CHECK(other_pool.layer == "average pool");
    CHECK(output_major.kernel.starts_with("dense_fp32_"));
}

TEST_CASE("sessions on several threads do not disturb each other") {
    NarrowModel narrow;
    const std::vector<float> input = narrow.input(1, 40);
    const std::vector<float> expected =
        logits(narrow.model, {.threads = 2, .input_height = 40, .input_width = 40}, input);
    std::vector<std::vector<float>> found(4);
    std::vector<std::thread> callers;
    callers.reserve(found.size());
    for (std::vector<float>& output : found) {
        callers.emplace_back([&] {
            Session session(narrow.model, {.threads = 2, .input_height = 40, .input_width = 40});
            output.resize(10);
            for (int repeat = 0; repeat < 5; ++repeat) session.run(input, output);
        });
    }
    for (std::thread& caller : callers) caller.join();
    for (const std::vector<float>& output : found) CHECK(same_bits(expected, output));
}

TEST_CASE("the plan tells each layer's work, and a profiled run fills in its time") {
    NarrowModel narrow;
    Session session(narrow.model, {.input_height = 64, .input_width = 64});
    const auto is_convolution = [](const PlanStep& step) { return step.layer.starts_with("features."); };
    CHECK(std::count_if(session.plan().begin(), session.plan().end(), is_convolution) == 16);
    CHECK(session.plan().front().layer == "features.0");
    CHECK(session.plan().back().layer == "classifier.6");
    std::uint64_t macs = 0;
    for (const PlanStep& step : session.plan()) {
        macs += step.macs;
        CHECK((step.kind == StepKind::convolution || step.kind == StepKind::dense) == (step.macs > 0));
        CHECK(step.arithmetic == Arithmetic::fp32);
    }
    CHECK(macs == narrow.model.macs(64));

    const std::vector<float> input = narrow.input(1, 64);
    std::vector<float> plain(10);
    std::vector<float> profiled(10);
    std::vector<double> seconds(session.plan().size(), -1.0);
    session.run(input, plain);
    session.run(input, profiled, seconds);
    CHECK(same_bits(plain, profiled));
    for (const double time : seconds) CHECK(time >= 0);
}

TEST_CASE("a model whose own size is a rectangle runs at it, and so at every size that a file may say") {
    kernels::testing::Random random;
    const testing::TemporaryFolder folder;
    const model::Network network = testing::narrow_network();
    testing::write_narrow_model(folder / "square", random);
    const model::ModelFile square = model::ModelFile::open(folder / "square");
    for (const MapSize size : {MapSize(40, 97), MapSize(32, model::largest_input)}) {
        model::Description description = square.description();
        description.preprocessing.input_size = size;
        model::write_model(folder / "rectangle", description, square.tensors());
        const Model model = Model::open(folder / "rectangle");
        CHECK(model.preprocessing().input_size == size);
        Session session(model);
        CHECK(session.input_size() == size);
        std::vector<float> input(3 * size.pixels());
        random.fill(input, -2.0F, 2.0F);
        std::vector<float> found(10);
        session.run(input, found);
        const SessionOptions forced = {.input_height = size.height, .input_width = size.width};
        CHECK(same_bits(found, logits(Model::open(folder / "square"), forced, input)));
    }
}

TEST_CASE("classify gives the most probable classes of the preprocessed image") {
    NarrowModel narrow;
    Session session(narrow.model, {.input_height = 32, .input_width = 32});
    std::vector<std::uint8_t> pixels(50 * 40 * 3);
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(narrow.random.integer(0, 255));
    const ImageView image = {pixels.data(), 50, 40, 150};
    const std::vector<Prediction> top = session.classify(image, 3);
    REQUIRE(top.size() == 3);
    CHECK(top[0].probability >= top[1].probability);
    CHECK(top[1].probability >= top[2].probability);
    CHECK(top[0].label.empty());  // ten classes are not ImageNet's

    std::vector<float> input(3 * 32 * 32);
    std::vector<float> output(10);
    session.preprocess(image, input);
    session.run(input, output);
    CHECK(static_cast<std::size_t>(std::max_element(output.begin(), output.end()) - output.begin()) ==
          top[0].class_index);
    double sum = 0;
    for (const Prediction& prediction : session.predictions(output, 10)) sum += prediction.probability;
    CHECK(sum == doctest::Approx(1));
}

TEST_CASE("options and spans that cannot be are errors that say what was expected") {
    NarrowModel narrow;
    const auto session_error = [&](const SessionOptions& options) {
        return testing::error_of(ErrorKind::usage, [&] { Session(narrow.model, options); });
    };
    CHECK(session_error({.input_height = 31, .input_width = 31}) ==
          "input height: expected 32 to 8192, found 31");
    CHECK(session_error({.input_height = 64}) == "input width: expected 32 to 8192, found 0");
    CHECK(session_error({.input_height = 64, .input_width = 8193}) ==
          "input width: expected 32 to 8192, found 8193");
    CHECK(session_error({.threads = -1}) == "threads: expected 0 to 1024, found -1");
    CHECK(session_error({.batch = 0}) == "batch: expected 1 to 4096, found 0");

    Session session(narrow.model, {.input_height = 32, .input_width = 32});
    std::vector<float> input(3 * 32 * 32);
    std::vector<float> output(10);
    CHECK(testing::error_of(ErrorKind::usage, [&] { session.run(std::span(input).first(5), output); }) ==
          "input: expected 3072 values, found 5");
    CHECK(testing::error_of(ErrorKind::usage, [&] { session.run(input, std::span(output).first(9)); }) ==
          "logits: expected 10 values, found 9");
    CHECK(testing::error_of(ErrorKind::usage, [&] { session.predictions(output, 11); }) ==
          "top: expected 1 to 10, found 11");
    input[77] = std::numeric_limits<float>::infinity();
    CHECK(testing::error_of(ErrorKind::bad_input, [&] { session.run(input, output); }) ==
          "input: expected finite values, found inf at index 77");
}

}  // namespace vgg19
