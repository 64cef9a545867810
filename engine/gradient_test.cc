// Tests the gradients of sessions against a reference, and the reference against numerical ones.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"
#include "engine/testing/reference_gradient.h"
#include "kernels/common/testing/isas.h"
#include "kernels/common/testing/random.h"
#include "vgg19/vgg19.hpp"

namespace vgg19 {

namespace {

using kernels::testing::isa_names_of_this_cpu;
using testing::Containing;
using testing::error_of;
using testing::ReferenceGradient;
using Gradients = std::map<std::string, std::vector<float>>;

/// Rounding errors of up to sixteen Winograd layers forwards and as many backwards add up to about half of
/// this. Where a rounding decides a ReLU or a max-pool otherwise than exact numbers do, a whole value
/// changes; among this few values that is improbable, and with the fixed seed it does not happen.
constexpr double tolerance = 4e-5;

struct Fixture {
    kernels::testing::Random random;
    testing::TemporaryFolder folder;

    std::vector<float> values(std::size_t count) {
        std::vector<float> result(count);
        random.fill(result, -1.0F, 1.0F);
        return result;
    }
};

/// A VGG-19 with few channels, and all that is needed to ask for a gradient of it.
struct NarrowModel : Fixture {
    explicit NarrowModel(model::DenseOrder order = model::DenseOrder::input_major) {
        testing::write_narrow_model(folder / "model", random, 10, order);
    }
    model::ModelFile file() const { return model::ModelFile::open(folder / "model"); }
    Model model() const { return Model::open(folder / "model"); }
};

SessionOptions options_of(const std::string& isa, std::size_t batch, MapSize size,
                          const std::vector<std::string>& outputs) {
    SessionOptions options = {.threads = 2, .batch = batch, .isa = isa, .gradients = true};
    options.set_input_size(size);
    options.outputs = outputs;
    return options;
}

/// Runs forwards and backwards; `gradients` may lack some outputs.
std::vector<float> input_gradient(Session& session, const std::vector<float>& input,
                                  const Gradients& gradients) {
    std::vector<std::vector<float>> values;
    std::vector<std::span<float>> results;
    std::vector<std::span<const float>> given;
    values.reserve(session.outputs().size());
    for (const Output& output : session.outputs()) {
        results.emplace_back(values.emplace_back(output.size()));
        const auto found = gradients.find(output.name);
        given.push_back(found == gradients.end() ? std::span<const float>()
                                                 : std::span<const float>(found->second));
    }
    session.run(input, results);
    std::vector<float> gradient(input.size(), std::nanf(""));
    session.backward(given, gradient);
    return gradient;
}

double distance(const std::vector<float>& found, const ReferenceGradient::Values& expected) {
    double squares = 0;
    double difference = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        squares += expected[i] * expected[i];
        difference += std::pow(double{found[i]} - expected[i], 2);
    }
    return std::sqrt(difference / squares);
}

/// Random gradients of these outputs, whose last one is the last to be computed.
Gradients random_gradients(Fixture& fixture, const ReferenceGradient& reference,
                           const std::vector<std::string>& names) {
    Gradients gradients;
    for (const std::string& name : names) gradients[name] = fixture.values(reference[name].size());
    return gradients;
}

void check_gradient(NarrowModel& narrow, std::size_t batch, MapSize size,
                    const std::vector<std::string>& names, Pooling pooling = Pooling::max) {
    CAPTURE(names.back());
    CAPTURE(size.height);
    CAPTURE(size.width);
    const model::ModelFile file = narrow.file();
    const std::vector<float> input = narrow.values(batch * 3 * size.pixels());
    const ReferenceGradient reference(file, batch, size, {input.begin(), input.end()}, names.back(), pooling);
    const Gradients gradients = random_gradients(narrow, reference, names);
    const ReferenceGradient::Values expected = reference.backward(gradients);
    for (const std::string& isa : isa_names_of_this_cpu()) {
        CAPTURE(isa);
        SessionOptions options = options_of(isa, batch, size, names);
        options.pooling = pooling;
        Session session(narrow.model(), options);
        CHECK(distance(input_gradient(session, input, gradients), expected) < tolerance);
    }
}

}  // namespace

TEST_CASE("the reference's gradient is the numerical one") {
    NarrowModel narrow;
    const model::ModelFile file = narrow.file();
    const MapSize size(33, 40);
    const auto as_doubles = [](const std::vector<float>& values) {
        return ReferenceGradient::Values(values.begin(), values.end());
    };
    const std::vector<std::string> names = {"features.2", "features.9",   "features.20",
                                            "avgpool",    "classifier.3", "probabilities"};
    for (const Pooling pooling : {Pooling::max, Pooling::average}) {
        const ReferenceGradient::Values input = as_doubles(narrow.values(3 * size.pixels()));
        const ReferenceGradient::Values direction = as_doubles(narrow.values(input.size()));
        const ReferenceGradient reference(file, 1, size, input, names.back(), pooling);
        const Gradients gradients = random_gradients(narrow, reference, names);
        const auto scalar_at = [&](double step) {
            ReferenceGradient::Values moved = input;
            for (std::size_t i = 0; i < moved.size(); ++i) moved[i] += step * direction[i];
            const ReferenceGradient there(file, 1, size, moved, names.back(), pooling);
            double sum = 0;
            for (const auto& [name, gradient] : gradients) {
                for (std::size_t i = 0; i < gradient.size(); ++i) sum += double{gradient[i]} * there[name][i];
            }
            return sum;
        };
        constexpr double step = 1e-7;
        const double numerical = (scalar_at(step) - scalar_at(-step)) / (2 * step);
        const ReferenceGradient::Values gradient = reference.backward(gradients);
        double along = 0;
        for (std::size_t i = 0; i < gradient.size(); ++i) along += gradient[i] * direction[i];
        CHECK(along == doctest::Approx(numerical).epsilon(1e-4));
    }
}

TEST_CASE("gradients of every output equal the reference, on every ISA") {
    NarrowModel narrow;
    for (const model::NetworkOutput& output : model::network_outputs(narrow.file().network())) {
        check_gradient(narrow, 1, MapSize(32, 32), {output.names.front()});
    }
}

TEST_CASE("gradients of several outputs add up, for odd sizes, batches and both kinds of pooling") {
    NarrowModel narrow;
    // Each kind before and after its ReLU, and behind one another.
    const std::vector<std::string> maps = {"features.0",  "features.1",  "features.3",  "features.4",
                                           "features.5",  "features.9",  "features.10", "features.17",
                                           "features.20", "features.28", "features.29"};
    for (const Pooling pooling : {Pooling::max, Pooling::average}) {
        for (const MapSize size : {MapSize(16, 16), MapSize(33, 47), MapSize(40, 18)}) {
            check_gradient(narrow, 2, size, maps, pooling);
        }
    }
    std::vector<std::string> all = maps;
    for (const char* name :
         {"avgpool", "classifier.0", "classifier.1", "classifier.3", "classifier.6", "probabilities"}) {
        all.emplace_back(name);
    }
    check_gradient(narrow, 2, MapSize(39, 64), all);
    check_gradient(narrow, 3, MapSize(64, 224), {"features.29", "classifier.6"});
    NarrowModel output_major(model::DenseOrder::output_major);
    check_gradient(output_major, 2, MapSize(33, 47), all);
}

TEST_CASE("gradients have the same bits for every number of threads, and a session repeats them") {
    NarrowModel narrow;
    const std::vector<std::string> names = {"relu1_1", "pool2", "conv4_2", "logits"};
    const MapSize size(48, 70);
    const std::vector<float> input = narrow.values(2 * 3 * size.pixels());
    std::vector<float> expected;
    for (const int threads : {1, 2, 3, 8}) {
        SessionOptions options = options_of("", 2, size, names);
        options.threads = threads;
        Session session(narrow.model(), options);
        Gradients gradients;
        std::size_t draw = 0;
        for (const Output& output : session.outputs()) {
            kernels::testing::Random random(static_cast<std::uint32_t>(++draw));
            random.fill(gradients[output.name] = std::vector<float>(output.size()), -1, 1);
        }
        for (int repetition = 0; repetition < 2; ++repetition) {
            const std::vector<float> found = input_gradient(session, input, gradients);
            if (expected.empty()) expected = found;
            CHECK(std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)) == 0);
        }
    }
}

TEST_CASE("a session that was planned again has the gradients of a new one") {
    NarrowModel narrow;
    const std::vector<std::string> names = {"conv2_1", "relu3_2", "pool4", "fc7"};
    Session session(narrow.model(), options_of("", 1, MapSize(224, 64), names));
    for (const auto& [size, batch] : {std::pair(MapSize(33, 70), 3), std::pair(MapSize(32, 32), 1)}) {
        const auto images = static_cast<std::size_t>(batch);
        session.reshape(size, images);
        Session fresh(narrow.model(), options_of("", images, size, names));
        const std::vector<float> input = narrow.values(images * 3 * size.pixels());
        Gradients gradients;
        for (const Output& output : fresh.outputs()) gradients[output.name] = narrow.values(output.size());
        const std::vector<std::span<const float>> none(names.size());
        std::vector<float> gradient(input.size());
        CHECK(error_of(ErrorKind::usage, [&] { session.backward(none, gradient); }) == Containing("has run"));
        const std::vector<float> expected = input_gradient(fresh, input, gradients);
        const std::vector<float> found = input_gradient(session, input, gradients);
        // The tiles may be others, which were chosen for the first shape.
        CHECK(distance(found, {expected.begin(), expected.end()}) < tolerance);
    }
}

TEST_CASE("gradients of sessions with other convolutions equal the reference") {
    NarrowModel narrow;
    const MapSize size(33, 47);
    const std::vector<std::string> names = {"features.2", "features.20", "features.29"};
    const std::vector<float> input = narrow.values(3 * size.pixels());
    const model::ModelFile file = narrow.file();
    const ReferenceGradient reference(file, 1, size, {input.begin(), input.end()}, names.back());
    const Gradients gradients = random_gradients(narrow, reference, names);
    for (const char* convolution : {"direct", "winograd", "onednn"}) {
        CAPTURE(convolution);
        SessionOptions options = options_of("", 1, size, names);
        options.convolution = convolution;
        std::optional<Session> session;
        try {
            session.emplace(narrow.model(), options);
        } catch (const Error&) {  // a build or an ISA without oneDNN, or none for such narrow layers
            CHECK(std::string(convolution) == "onednn");
            continue;
        }
        CHECK(distance(input_gradient(*session, input, gradients), reference.backward(gradients)) <
              tolerance);
    }
}

TEST_CASE("outputs without a gradient count as zero") {
    NarrowModel narrow;
    const std::vector<float> input = narrow.values(3 * 32 * 32);
    Session both(narrow.model(), options_of("", 1, 32, {"relu2_1", "relu3_1"}));
    Session one(narrow.model(), options_of("", 1, 32, {"relu2_1"}));
    const Gradients gradients = {{"relu2_1", narrow.values(both.outputs()[0].size())}};
    CHECK(input_gradient(both, input, gradients) == input_gradient(one, input, gradients));
    const std::vector<float> zero = input_gradient(both, input, {});
    CHECK(std::all_of(zero.begin(), zero.end(), [](float value) { return value == 0; }));
}

TEST_CASE("a session that keeps gradients gives the same outputs as one that does not") {
    NarrowModel narrow;
    const std::vector<float> input = narrow.values(3 * 224 * 224);
    std::vector<std::vector<float>> logits;
    for (const bool gradients : {false, true}) {
        SessionOptions options = options_of("", 1, 224, {});
        options.gradients = gradients;
        Session session(narrow.model(), options);
        session.run(input, logits.emplace_back(10));
    }
    CHECK(logits[0] == logits[1]);
}

TEST_CASE("backward says what it lacks, and can be cancelled") {
    NarrowModel narrow;
    const std::vector<float> input = narrow.values(3 * 32 * 32);
    std::vector<float> gradient(input.size());
    std::vector<float> map(4 * 32 * 32);
    const std::vector<std::span<const float>> given = {map};
    SessionOptions options = options_of("", 1, 32, {"relu1_1"});
    Session session(narrow.model(), options);
    const auto backward = [&](Session& of, std::span<const std::span<const float>> gradients,
                              std::span<float> to) {
        return error_of(ErrorKind::usage, [&] { of.backward(gradients, to); });
    };
    CHECK(backward(session, given, gradient) == Containing("has run"));
    session.run(input, map);
    CHECK(backward(session, {}, gradient) == Containing("expected 1 (relu1_1), found 0"));
    const std::vector<std::span<const float>> too_short = {std::span(map).first(7)};
    CHECK(backward(session, too_short, gradient) == Containing("gradient of relu1_1"));
    CHECK(backward(session, given, std::span(gradient).first(5)) == Containing("input gradient"));
    const auto cancelled = [&] { session.backward(given, gradient, {.is_cancelled = [] { return true; }}); };
    CHECK(error_of(ErrorKind::cancelled, cancelled) == Containing("features.0"));
    std::vector<double> seconds(session.plan().size());
    session.backward(given, gradient, {.seconds = seconds});
    CHECK(seconds.front() > 0);
    for (const float value : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
        map[1000] = value;
        CHECK(error_of(ErrorKind::bad_input, [&] { session.backward(given, gradient); }) ==
              Containing("gradient of relu1_1: expected finite values, found "));
        CHECK(error_of(ErrorKind::bad_input, [&] { session.backward(given, gradient); }) ==
              Containing("at index 1000"));
    }

    options.gradients = false;
    Session without(narrow.model(), options);
    without.run(input, map);
    CHECK(backward(without, given, gradient) == Containing("SessionOptions::gradients"));
}

}  // namespace vgg19
