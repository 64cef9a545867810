#include "tools/style/objective.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "engine/testing/narrow_model.h"
#include "tools/picture_sizes.h"

using namespace vgg19;
using namespace vgg19::tools;
using vgg19::testing::TemporaryFolder;

namespace {

const StyleLayers layers = {.content = {"relu3_2", "relu1_1"}, .style = {"relu1_1", "conv2_1", "relu4_1"}};

Image picture(std::size_t width, std::size_t height, unsigned seed) {
    Image image{std::vector<std::uint8_t>(width * height * 3), width, height};
    const std::vector<float> noise = noise_planes({height, width}, seed);
    for (std::size_t i = 0; i < image.rgb.size(); ++i) {
        image.rgb[i] = static_cast<std::uint8_t>(noise[i] * 255);
    }
    return image;
}

/// A model of few channels, and a session for it.
struct Workplace {
    TemporaryFolder folder;
    Session session = [this] {
        kernels::testing::Random random;
        vgg19::testing::write_narrow_model(folder / "model", random);
        return Session(
            Model::open(folder / "model"),
            {.input_height = 33, .input_width = 40, .outputs = layers.outputs(), .gradients = true});
    }();
    Image content = picture(40, 33, 1);
    Image style = picture(48, 36, 2);
};

}  // namespace

TEST_CASE("a layer of both losses is one output") {
    CHECK(layers.outputs() == std::vector<std::string>{"relu1_1", "conv2_1", "relu4_1", "relu3_2"});
}

TEST_CASE("the content picture has no content loss, the style picture no style loss") {
    Workplace place;
    std::vector<float> gradient(3 * 33 * 40);
    StyleObjective objective(place.session, layers, {}, place.content, place.style);
    const double loss = objective(planes_of(place.content.view()), gradient);
    CHECK(objective.loss().content == 0);
    CHECK(objective.loss().style > 0);
    CHECK(loss == objective.loss().total());

    StyleObjective same(place.session, layers, {}, place.content, place.content);
    same(planes_of(place.content.view()), gradient);
    CHECK(same.loss().style < 1e-9 * objective.loss().style);
    same(noise_planes({33, 40}, 3), gradient);
    CHECK(same.loss().content > 0);
    CHECK(same.loss().style > 0);
}

TEST_CASE("the gradient is that of the loss, by differences along directions") {
    Workplace place;
    const StyleWeights weights = {.content = 2, .style = 300, .variation = 0.5};
    StyleObjective objective(place.session, layers, weights, place.content, place.style);
    const std::vector<float> at = noise_planes({33, 40}, 5);
    std::vector<float> gradient(at.size());
    objective(at, gradient);
    CHECK(objective.loss().variation > 0);
    const float steepest = std::abs(*std::max_element(
        gradient.begin(), gradient.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }));
    for (const unsigned seed : {6U, 7U, 8U}) {
        // Near the gradient, where the change of the loss is large against its rounding, but each element by
        // another factor.
        std::vector<float> direction = noise_planes({33, 40}, seed);
        double slope = 0;
        for (std::size_t i = 0; i < at.size(); ++i) {
            direction[i] *= gradient[i] / steepest;
            slope += static_cast<double>(gradient[i]) * static_cast<double>(direction[i]);
        }
        std::vector<float> ignored(at.size());
        const auto value_at = [&](double t) {
            std::vector<float> point = at;
            for (std::size_t i = 0; i < point.size(); ++i) {
                point[i] += static_cast<float>(t * static_cast<double>(direction[i]));
            }
            return objective(point, ignored);
        };
        constexpr double step = 2e-3;
        const double measured = (value_at(step) - value_at(-step)) / (2 * step);
        CHECK(measured == doctest::Approx(slope).epsilon(0.02));
    }
}

TEST_CASE("a run that is cancelled ends with an error of this kind") {
    Workplace place;
    StyleObjective objective(place.session, layers, {}, place.content, place.style);
    objective.is_cancelled = [] { return true; };
    std::vector<float> gradient(3 * 33 * 40);
    try {
        objective(planes_of(place.content.view()), gradient);
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::cancelled);
    }
}
