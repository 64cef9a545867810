#include "converter/finetune/feature_match.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/model/safetensors.h"

namespace vgg19::converter {

TEST_CASE("features are compared as by NumPy's least squares and PyTorch's gradient") {
    constexpr std::size_t sample = 4;
    const auto file = model::SafetensorsFile::open(std::filesystem::path(VGG19_FINETUNE_TESTDATA) /
                                                   "features.golden.safetensors");
    const auto tensor = [&](std::size_t pool, const std::string& name) -> const model::Tensor& {
        return *file.find(std::to_string(pool) + "." + name);
    };
    std::vector<PoolShape> shapes;
    for (const std::size_t pool : {0U, 1U}) {
        const std::vector<std::size_t>& outputs = tensor(pool, "outputs").shape;
        shapes.push_back({outputs[1], tensor(pool, "teacher").shape[1], outputs[2]});
    }
    FeatureMatch match(shapes);
    for (std::size_t pool = 0; pool < shapes.size(); ++pool) {
        // In two parts.
        const PoolShape& shape = shapes[pool];
        const auto outputs = tensor(pool, "outputs").as<float>();
        const auto teacher = tensor(pool, "teacher").as<float>();
        match.add_sample(pool, 1, outputs, teacher);
        match.add_sample(pool, sample - 1, outputs.subspan(shape.channels * shape.pixels),
                         teacher.subspan(shape.teacher_channels * shape.pixels));
    }
    match.fit();
    for (std::size_t pool = 0; pool < shapes.size(); ++pool) {
        CAPTURE(pool);
        const PoolShape& shape = shapes[pool];
        const auto outputs =
            tensor(pool, "outputs").as<float>().subspan(sample * shape.channels * shape.pixels);
        const auto teacher =
            tensor(pool, "teacher").as<float>().subspan(sample * shape.teacher_channels * shape.pixels);
        const auto expected = tensor(pool, "gradient").as<float>();
        std::vector<float> gradient(expected.size(), 1.0F);  // is added to
        const double loss = match.add_gradient(pool, 2, outputs, teacher, 3, 2, gradient);
        CHECK(loss == doctest::Approx(tensor(pool, "loss").as<float>()[0]).epsilon(1e-5));
        for (std::size_t i = 0; i < gradient.size(); ++i) {
            CHECK(std::abs(gradient[i] - 1 - 3 * expected[i]) <= 1e-5F);
        }
    }
}

}  // namespace vgg19::converter
