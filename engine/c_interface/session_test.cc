#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "engine/testing/narrow_model.h"
#include "vgg19/vgg19.h"
#include "vgg19/vgg19.hpp"

namespace vgg19 {

TEST_CASE("the C interface gives what the C++ one does") {
    kernels::testing::Random random;
    INFO(random.replay());
    const testing::TemporaryFolder folder;
    const std::string path = (folder / "narrow.safetensors").string();
    testing::write_narrow_model(path, random, 1000);

    vgg19_model* model = nullptr;
    REQUIRE(vgg19_model_open(path.c_str(), &model) == VGG19_OK);
    CHECK(vgg19_model_classes(model) == 1000);
    const vgg19_session_options options = {
        .struct_size = sizeof(vgg19_session_options), .threads = 2, .input_height = 40, .input_width = 56};
    vgg19_session* session = nullptr;
    REQUIRE(vgg19_session_create(model, &options, &session) == VGG19_OK);
    vgg19_model_close(model);  // the session keeps what it needs
    CHECK(vgg19_session_input_height(session) == 40);
    CHECK(vgg19_session_input_width(session) == 56);

    std::vector<float> input(3 * 40 * 56);
    random.fill(input, -2.0F, 2.0F);
    std::vector<float> expected(1000);
    std::vector<float> found(1000);
    Session cpp_session(Model::open(path), {.threads = 2, .input_height = 40, .input_width = 56});
    cpp_session.run(input, expected);
    REQUIRE(vgg19_session_run(session, input.data(), input.size(), found.data(), found.size()) == VGG19_OK);
    CHECK(std::memcmp(expected.data(), found.data(), found.size() * sizeof(float)) == 0);

    std::vector<std::uint8_t> pixels(64 * 48 * 3);
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random.integer(0, 255));
    std::vector<vgg19_prediction> predictions(3);
    REQUIRE(vgg19_session_classify(session, pixels.data(), 64, 48, std::size_t{64} * 3, 3,
                                   predictions.data()) == VGG19_OK);
    const std::vector<Prediction> expected_predictions =
        cpp_session.classify({pixels.data(), 64, 48, std::size_t{64} * 3}, 3);
    for (std::size_t i = 0; i < predictions.size(); ++i) {
        CHECK(predictions[i].class_index == expected_predictions[i].class_index);
        CHECK(predictions[i].probability == expected_predictions[i].probability);
        CHECK(predictions[i].label == expected_predictions[i].label);
        CHECK(predictions[i].synset == expected_predictions[i].synset);
    }
    vgg19_session_destroy(session);
}

TEST_CASE("a C call that fails gives a status and keeps a message") {
    vgg19_model* model = nullptr;
    CHECK(vgg19_model_open("no-such-folder/no-such-model", &model) == VGG19_BAD_INPUT);
    CHECK(model == nullptr);
    CHECK(std::string(vgg19_last_error()).find("no-such-model") != std::string::npos);
    CHECK(vgg19_model_open(nullptr, &model) == VGG19_USAGE);
    CHECK(std::string(vgg19_last_error()) == "path: expected a pointer, found null");
    CHECK(vgg19_session_create(nullptr, nullptr, nullptr) == VGG19_USAGE);
    CHECK(vgg19_session_run(nullptr, nullptr, 0, nullptr, 0) == VGG19_USAGE);
    vgg19_model_close(nullptr);
    vgg19_session_destroy(nullptr);
}

}  // namespace vgg19
