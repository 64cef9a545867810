#include "converter/finetune/training_network.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "converter/finetune/dropout.h"
#include "converter/finetune/objective.h"
#include "converter/finetune/optimizer.h"
#include "converter/quantize/quantize.h"
#include "engine/testing/narrow_model.h"
#include "kernels/common/testing/random.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

constexpr MapSize size = {32, 48};

/// A narrow model, and random images with labels and keys.
struct Fixture {
    explicit Fixture(std::size_t images_count, std::uint32_t draw = 0,
                     const model::Network& network = testing::narrow_network())
        : random(draw), count(images_count), images(count * 3 * size.pixels()) {
        testing::write_random_model(folder / "model", network, random);
        random.fill(images, -2, 2);
        for (std::size_t image = 0; image < count; ++image) {
            labels.push_back(image % 10);
            keys.push_back(image * 1234567891234567 + 1);
        }
    }

    TrainingNetwork network(TrainingNetworkOptions options) const {
        options.input_size = size;
        if (options.batch == 1) options.batch = count;
        options.threads = 2;
        return {model::ModelFile::open(folder / "model"), options};
    }
    BatchResult accumulate(TrainingNetwork& learner, std::size_t begin, std::size_t end) const {
        const std::size_t pixels = 3 * size.pixels();
        return learner.accumulate(
            std::span(images).subspan(begin * pixels, (end - begin) * pixels),
            {.labels = std::span(labels).subspan(begin, end - begin), .teacher_logits = {}},
            std::span(keys).subspan(begin, end - begin), 1.0 / static_cast<double>(count));
    }
    BatchResult accumulate(TrainingNetwork& learner) const { return accumulate(learner, 0, count); }

    /// The mean cross-entropy, computed from the logits.
    double loss(TrainingNetwork& learner) const {
        std::vector<float> logits(count * learner.classes());
        learner.logits(images, logits);
        return apply_objective({}, logits, learner.classes(), {.labels = labels, .teacher_logits = {}}, 1)
                   .loss /
               static_cast<double>(count);
    }

    testing::TemporaryFolder folder;
    kernels::testing::Random random;
    std::size_t count;
    std::vector<float> images;
    std::vector<std::size_t> labels;
    std::vector<std::uint64_t> keys;
};

std::vector<std::vector<float>> gradients_of(const TrainingNetwork& learner) {
    std::vector<std::vector<float>> all;
    for (const Parameter& parameter : learner.parameters()) {
        all.emplace_back(parameter.gradient.begin(), parameter.gradient.end());
    }
    return all;
}

double norm(std::span<const float> values) {
    double sum = 0;
    for (const float value : values) sum += double{value} * double{value};
    return std::sqrt(sum);
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
    std::vector<float> difference(a.size());
    std::transform(a.begin(), a.end(), b.begin(), difference.begin(), std::minus<>());
    return norm(difference);
}

template <class Function>
ErrorKind kind_of(const Function& function) {
    try {
        function();
    } catch (const Error& error) {
        return error.kind();
    }
    FAIL("nothing was thrown");
    return ErrorKind::failed;
}

/// The relative error of each parameter's gradient, compared with the loss's slope in the gradient's
/// direction.
template <class Loss>
std::vector<double> slope_errors(const TrainingNetwork& learner, const Loss& loss) {
    const std::vector<std::vector<float>> gradients = gradients_of(learner);
    std::vector<double> errors;
    for (const Parameter& parameter : learner.parameters()) {
        const std::vector<float>& gradient = gradients[errors.size()];
        const double slope = norm(gradient);
        const std::vector<float> before(parameter.values.begin(), parameter.values.end());
        const auto loss_at = [&](double shift) {
            for (std::size_t i = 0; i < before.size(); ++i) {
                parameter.values[i] = before[i] + static_cast<float>(shift / slope * double{gradient[i]});
            }
            const double found = loss();
            std::copy(before.begin(), before.end(), parameter.values.begin());
            return found;
        };
        // Try several step lengths: a long step may cross a kink of a ReLU or pool, a short one suffers from
        // rounding. At least one must agree.
        double least_error = 1;
        for (const double loss_change : {2e-3, 5e-4, 1e-4}) {
            const double step = loss_change / slope;
            const double difference = (loss_at(step) - loss_at(-step)) / (2 * step);
            least_error = std::min(least_error, std::abs(difference / slope - 1));
        }
        errors.push_back(
            slope < 1e-4 ? 1 : least_error);  // with so small a slope, the difference is only rounding
    }
    return errors;
}

std::vector<double> slope_errors(const Fixture& fixture) {
    auto learner = fixture.network({.dropout = 0});
    fixture.accumulate(learner);
    return slope_errors(learner, [&] { return fixture.loss(learner); });
}

/// A teacher's answers and pools, which have two channels more than the network's, all at random; and maps
/// between them.
struct RandomLesson {
    RandomLesson(Fixture& fixture, TrainingNetwork& learner)
        : logits(fixture.count * learner.classes()), match(shapes_of(learner)) {
        fixture.random.fill(logits, -2, 2);
        std::vector<float> ignored(logits.size());
        learner.logits(fixture.images, ignored);
        for (std::size_t pool = 0; pool < match.pools().size(); ++pool) {
            const PoolShape& shape = match.pools()[pool];
            std::vector<float>& values =
                pools.emplace_back(fixture.count * shape.teacher_channels * shape.pixels);
            fixture.random.fill(values, 0, 1);
            std::vector<float> outputs(fixture.count * shape.channels * shape.pixels);
            learner.copy_pool(pool, fixture.count, outputs);
            match.add_sample(pool, fixture.count, outputs, values);
            views.emplace_back(values);
        }
        match.fit();
        learner.match_features(match);
    }

    static std::vector<PoolShape> shapes_of(const TrainingNetwork& learner) {
        std::vector<PoolShape> shapes;
        for (const TrainingNetwork::Pool& pool : learner.pools()) {
            shapes.push_back({pool.channels, pool.channels + 2, pool.size.pixels()});
        }
        return shapes;
    }

    Targets targets() const { return {.labels = {}, .teacher_logits = logits, .teacher_pools = views}; }

    std::vector<float> logits;
    FeatureMatch match;
    std::vector<std::vector<float>> pools;
    std::vector<std::span<const float>> views;
};

}  // namespace

TEST_CASE("gradients are the slopes of the loss, parameter by parameter, with any head") {
    constexpr const char* features = "5 M 9 M 8 M 17 M 12 13 M";
    const model::Network networks[] = {testing::narrow_network(), model::Network::parse(features, "10", 1),
                                       model::Network::parse(features, "20 10", 2)};
    INFO(kernels::testing::Random::replay());
    for (const model::Network& network : networks) {
        CAPTURE(network.classifier_text());
        // Kinks depend on the random network; a wrong gradient is wrong in every network.
        std::vector<double> least;
        for (std::uint32_t draw = 0; draw < 4; ++draw) {
            const std::vector<double> errors = slope_errors(Fixture(4, draw, network));
            if (least.empty()) least = errors;
            std::transform(errors.begin(), errors.end(), least.begin(), least.begin(),
                           [](double a, double b) { return std::min(a, b); });
        }
        for (std::size_t i = 0; i < least.size(); ++i) {
            CAPTURE(i);
            CHECK(least[i] <= 0.05);
        }
    }
}

TEST_CASE("two halves of a batch add up to the whole, with dropout too") {
    const Fixture fixture(6);
    INFO(fixture.random.replay());
    auto learner = fixture.network({});
    const BatchResult whole = fixture.accumulate(learner);
    const auto expected = gradients_of(learner);
    learner.zero_gradients();
    const BatchResult first = fixture.accumulate(learner, 0, 2);
    const BatchResult second = fixture.accumulate(learner, 2, 6);
    CHECK(first.loss + second.loss == doctest::Approx(whole.loss).epsilon(1e-5));
    CHECK(first.top1 + second.top1 == whole.top1);
    const auto found = gradients_of(learner);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(learner.parameters()[i].name);
        CHECK(distance(found[i], expected[i]) <= 1e-4 * norm(expected[i]));
    }
}

TEST_CASE("the same steps give the same bits") {
    const Fixture fixture(3);
    INFO(fixture.random.replay());
    std::vector<std::vector<float>> runs;
    for (int run = 0; run < 2; ++run) {
        auto learner = fixture.network({});
        Optimizer optimizer(learner.parameters(), {.threads = 2});
        for (int step = 0; step < 3; ++step) {
            learner.zero_gradients();
            fixture.accumulate(learner);
            optimizer.step(1e-3);
        }
        auto& values = runs.emplace_back();
        for (const Parameter& parameter : learner.parameters()) {
            values.insert(values.end(), parameter.values.begin(), parameter.values.end());
        }
    }
    CHECK(std::memcmp(runs[0].data(), runs[1].data(), runs[0].size() * sizeof(float)) == 0);
}

TEST_CASE("an optimiser with another one's state and steps continues like it") {
    const Fixture fixture(2);
    INFO(fixture.random.replay());
    auto learner = fixture.network({});
    fixture.accumulate(learner);
    Optimizer first(learner.parameters(), {.threads = 1});
    first.step(1e-3);
    Optimizer second(learner.parameters(), {.threads = 1});
    second.set_steps(first.steps());
    REQUIRE(second.state().size() == first.state().size());
    for (std::size_t i = 0; i < first.state().size(); ++i) {
        const OptimizerState& from = first.state()[i];
        CHECK(second.state()[i].parameter == from.parameter);
        std::copy(from.values.begin(), from.values.end(), second.state()[i].values.begin());
    }
    const auto values = learner.parameters()[0].values;
    const std::vector<float> before(values.begin(), values.end());
    first.step(1e-3);
    const std::vector<float> expected(values.begin(), values.end());
    std::copy(before.begin(), before.end(), values.begin());
    second.step(1e-3);
    CHECK(std::equal(values.begin(), values.end(), expected.begin()));
    CHECK(before != expected);
}

TEST_CASE("frozen layers have no gradients and keep their bits, the others have those of the whole network") {
    const Fixture fixture(3);
    INFO(fixture.random.replay());
    auto whole = fixture.network({});
    fixture.accumulate(whole);
    const auto expected = gradients_of(whole);
    for (const auto trained : {TrainedLayers::dense, TrainedLayers::convolutions}) {
        auto learner = fixture.network({.trained = trained});
        fixture.accumulate(learner);
        Optimizer optimizer(learner.parameters(), {.weight_decay = 0.1, .threads = 2});
        std::vector<std::vector<float>> before;
        for (const Parameter& parameter : learner.parameters()) {
            before.emplace_back(parameter.values.begin(), parameter.values.end());
        }
        optimizer.step(1e-3);
        for (std::size_t i = 0; i < before.size(); ++i) {
            const Parameter& parameter = learner.parameters()[i];
            CAPTURE(parameter.name);
            const bool is_dense = parameter.name.starts_with("classifier");
            const bool learns = is_dense == (trained == TrainedLayers::dense);
            CHECK(parameter.gradient.empty() != learns);
            CHECK(std::equal(before[i].begin(), before[i].end(), parameter.values.begin()) != learns);
            if (learns) CHECK(std::equal(expected[i].begin(), expected[i].end(), parameter.gradient.begin()));
        }
    }
}

TEST_CASE("dropout zeroes its share, keeps the mean, and differs between keys and layers") {
    constexpr std::size_t count = 100000;
    for (const double probability : {0.1, 0.5, 0.8}) {
        CAPTURE(probability);
        std::vector<float> values(count, 1.0F);
        drop_out(42, 1, probability, values);
        const auto zeroes = static_cast<double>(std::count(values.begin(), values.end(), 0.0F));
        // Five standard deviations of the share.
        const double tolerance = 5 * std::sqrt(probability * (1 - probability) / count);
        CHECK(std::abs(zeroes / count - probability) <= tolerance);
        const float kept = *std::max_element(values.begin(), values.end());
        CHECK(double{kept} == doctest::Approx(1 / (1 - probability)));

        for (const auto& [key, layer] : {std::pair(43, 1), std::pair(42, 2)}) {
            std::vector<float> others(count, 1.0F);
            drop_out(static_cast<std::uint64_t>(key), static_cast<std::uint32_t>(layer), probability, others);
            double both = 0;
            for (std::size_t i = 0; i < count; ++i) both += values[i] == 0 && others[i] == 0 ? 1 : 0;
            CHECK(std::abs(both / count - probability * probability) <= 5 * std::sqrt(0.25 / count));
        }
    }
}

TEST_CASE("gradients are the slope of the distance from a teacher's answers and features") {
    // As for the cross-entropy, several networks are tried, because kinks spoil single slopes.
    std::vector<double> least;
    for (const std::uint32_t draw : {1U, 2U, 3U}) {
        Fixture fixture(2, draw);
        auto learner = fixture.network(
            {.dropout = 0, .objective = {.teacher_weight = 1, .temperature = 2, .feature_weight = 3}});
        const RandomLesson lesson(fixture, learner);
        const auto loss = [&] {
            return learner.accumulate(fixture.images, lesson.targets(), fixture.keys, 1).loss;
        };
        learner.zero_gradients();
        loss();
        const std::vector<double> errors = slope_errors(learner, loss);
        if (least.empty()) least.assign(errors.size(), 1);
        for (std::size_t i = 0; i < errors.size(); ++i) least[i] = std::min(least[i], errors[i]);
    }
    for (std::size_t i = 0; i < least.size(); ++i) {
        CAPTURE(i);
        CHECK(least[i] < 0.02);
    }
}

TEST_CASE("unsupported training networks are errors") {
    const Fixture fixture(2);
    auto learner = fixture.network({});
    const auto with = [&](const TrainingNetworkOptions& options) {
        return kind_of([&] { fixture.network(options); });
    };
    CHECK(with({.dropout = 1}) == ErrorKind::usage);
    CHECK(with({.dropout = std::nan("")}) == ErrorKind::usage);
    CHECK(kind_of([&] { fixture.accumulate(learner, 0, 0); }) == ErrorKind::usage);
    const std::vector<std::size_t> labels = {0, 10};
    CHECK(kind_of([&] {
              learner.accumulate(fixture.images, {.labels = labels, .teacher_logits = {}}, fixture.keys, 1);
          }) == ErrorKind::usage);
    CHECK(kind_of([&] {
              learner.accumulate(fixture.images, {.labels = fixture.labels, .teacher_logits = {}}, {}, 1);
          }) == ErrorKind::usage);
    std::vector<float> too_many(3 * learner.classes());
    CHECK(kind_of([&] { learner.logits(fixture.images, too_many); }) == ErrorKind::usage);

    const auto file = model::ModelFile::open(fixture.folder / "model");
    quantize_dense(file, fixture.folder / "int8");
    const auto int8 = model::ModelFile::open(fixture.folder / "int8");
    CHECK(kind_of([&] { TrainingNetwork(int8, {.input_size = size}); }) == ErrorKind::usage);
    model::Description average = file.description();
    average.pooling = Pooling::average;
    CHECK(kind_of([&] { TrainingNetwork(file.with(average, {}), {.input_size = size}); }) ==
          ErrorKind::usage);

    learner.parameters().back().values[0] = std::numeric_limits<float>::infinity();
    CHECK(kind_of([&] { fixture.accumulate(learner); }) == ErrorKind::failed);
}

TEST_CASE("a network's bytes grow with its batch, and are fewer where layers are frozen") {
    const Fixture fixture(1);
    const auto file = model::ModelFile::open(fixture.folder / "model");
    const auto bytes = [&](std::size_t batch, TrainedLayers trained) {
        return TrainingNetwork::bytes(file,
                                      {.input_size = size, .batch = batch, .threads = 2, .trained = trained});
    };
    const std::uint64_t values = file.network().parameters() * sizeof(float);
    CHECK(bytes(1, TrainedLayers::all) > 2 * values);
    CHECK(bytes(64, TrainedLayers::all) > 8 * bytes(1, TrainedLayers::all) - 16 * values);
    CHECK(bytes(8, TrainedLayers::dense) < bytes(8, TrainedLayers::convolutions));
}

}  // namespace vgg19::converter
