#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <span>
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

namespace {

/// A session by each interface, with the same options.
struct BothSessions {
    kernels::testing::Random random;
    testing::TemporaryFolder folder;
    Model model = make();
    std::vector<const char*> names = {"conv1_1", "relu3_1", "pool5", "fc6", "probabilities"};
    Session cpp;
    vgg19_session* c = nullptr;
    std::vector<float> input;

    explicit BothSessions(bool gradients = false)
        : cpp(model, {.threads = 2,
                      .input_height = 48,
                      .input_width = 40,
                      .batch = 2,
                      .outputs = {names.begin(), names.end()},
                      .gradients = gradients}) {
        vgg19_model* c_model = nullptr;
        REQUIRE(vgg19_model_open((folder / "narrow").c_str(), &c_model) == VGG19_OK);
        vgg19_session_options options = {.struct_size = sizeof options,
                                         .threads = 2,
                                         .input_height = 48,
                                         .input_width = 40,
                                         .batch = 2,
                                         .outputs = names.data(),
                                         .output_count = names.size(),
                                         .gradients = gradients ? 1 : 0};
        REQUIRE(vgg19_session_create(c_model, &options, &c) == VGG19_OK);
        vgg19_model_close(c_model);
        make_input();
    }
    ~BothSessions() { vgg19_session_destroy(c); }
    BothSessions(const BothSessions&) = delete;
    BothSessions& operator=(const BothSessions&) = delete;

    Model make() {
        testing::write_narrow_model(folder / "narrow", random);
        return Model::open(folder / "narrow");
    }
    void make_input() {
        input.resize(cpp.batch() * 3 * cpp.input_size().pixels());
        random.fill(input, -2.0F, 2.0F);
    }

    std::vector<std::vector<float>> run_cpp() {
        std::vector<std::vector<float>> results;
        std::vector<std::span<float>> spans;
        for (const Output& output : cpp.outputs()) spans.emplace_back(results.emplace_back(output.size()));
        cpp.run(input, spans);
        return results;
    }
    vgg19_status run_c(std::vector<std::vector<float>>& results, const vgg19_run_options* options = nullptr) {
        std::vector<vgg19_floats> lists;
        results.clear();
        results.reserve(names.size());
        for (std::size_t i = 0; i < vgg19_session_output_count(c); ++i) {
            std::size_t shape[4];
            std::size_t size = 1;
            const std::size_t dimensions = vgg19_session_output_shape(c, i, shape);
            for (std::size_t d = 0; d < dimensions; ++d) size *= shape[d];
            lists.push_back({results.emplace_back(size).data(), size});
        }
        return vgg19_session_run_outputs(c, input.data(), input.size(), lists.data(), lists.size(), options);
    }
};

/// A caller that cancels before a step.
struct Patience {
    int steps = 0;
    static int is_over(void* patience) { return static_cast<Patience*>(patience)->steps-- == 0 ? 1 : 0; }
};

}  // namespace

TEST_CASE("the C interface gives outputs by name, with their shapes") {
    BothSessions both;
    INFO(both.random.replay());
    REQUIRE(vgg19_session_output_count(both.c) == both.names.size());
    for (std::size_t i = 0; i < both.names.size(); ++i) {
        CHECK(std::string(vgg19_session_output_name(both.c, i)) == both.names[i]);
        std::size_t shape[4] = {};
        const std::size_t dimensions = vgg19_session_output_shape(both.c, i, shape);
        CHECK(std::vector<std::size_t>(shape, shape + dimensions) == both.cpp.outputs()[i].shape);
    }
    CHECK(vgg19_session_output_name(both.c, both.names.size()) == nullptr);
    CHECK(vgg19_session_output_shape(both.c, both.names.size(), nullptr) == 0);
    CHECK(vgg19_session_output_count(nullptr) == 0);

    std::vector<std::vector<float>> found;
    std::vector<double> seconds(vgg19_session_step_count(both.c), -1);
    const vgg19_run_options options = {
        .struct_size = sizeof options, .seconds = seconds.data(), .seconds_count = seconds.size()};
    REQUIRE(both.run_c(found, &options) == VGG19_OK);
    CHECK(found == both.run_cpp());
    for (std::size_t i = 0; i < seconds.size(); ++i) {
        CHECK(seconds[i] >= 0);
        CHECK(std::string(vgg19_session_step_layer(both.c, i)) == both.cpp.plan()[i].layer);
        CHECK(std::string(vgg19_session_step_kernel(both.c, i)) == both.cpp.plan()[i].kernel);
    }
    CHECK(vgg19_session_step_layer(both.c, seconds.size()) == nullptr);
    CHECK(vgg19_session_batch(both.c) == 2);
    CHECK(vgg19_session_threads(both.c) == 2);
}

TEST_CASE("a run through the C interface can be cancelled, and then run again") {
    BothSessions both;
    INFO(both.random.replay());
    std::vector<std::vector<float>> found;
    Patience patience;
    const vgg19_run_options options = {
        .struct_size = sizeof options, .is_cancelled = Patience::is_over, .is_cancelled_context = &patience};
    for (const int steps : {0, 5}) {
        patience.steps = steps;
        CHECK(both.run_c(found, &options) == VGG19_CANCELLED);
        CHECK(patience.steps == -1);
    }
    patience.steps = 1000;
    REQUIRE(both.run_c(found, &options) == VGG19_OK);
    CHECK(found == both.run_cpp());
}

TEST_CASE("gradients through the C interface are those of the C++ one") {
    BothSessions both(true);
    INFO(both.random.replay());
    std::vector<std::vector<float>> found = both.run_cpp();
    std::vector<std::vector<float>> gradients = found;  // of half of the sum of squares
    std::vector<std::span<const float>> spans(gradients.begin(), gradients.end());
    std::vector<vgg19_const_floats> lists;
    spans[2] = {};
    for (const std::span<const float>& span : spans) lists.push_back({span.data(), span.size()});
    std::vector<float> expected(both.input.size());
    both.cpp.backward(spans, expected);

    std::vector<float> gradient(both.input.size());
    const auto backward = [&](const vgg19_run_options* options) {
        return vgg19_session_backward(both.c, lists.data(), lists.size(), gradient.data(), gradient.size(),
                                      options);
    };
    CHECK(backward(nullptr) == VGG19_USAGE);  // before a run
    REQUIRE(both.run_c(found) == VGG19_OK);
    Patience patience;
    const vgg19_run_options options = {
        .struct_size = sizeof options, .is_cancelled = Patience::is_over, .is_cancelled_context = &patience};
    CHECK(backward(&options) == VGG19_CANCELLED);
    REQUIRE(both.run_c(found) == VGG19_OK);
    REQUIRE(backward(nullptr) == VGG19_OK);
    CHECK(gradient == expected);
    CHECK(vgg19_session_backward(both.c, lists.data(), 1, gradient.data(), gradient.size(), nullptr) ==
          VGG19_USAGE);
}

TEST_CASE("records of runs pass through the C interface") {
    BothSessions both(true);
    INFO(both.random.replay());
    std::vector<char> record(vgg19_session_record_bytes(both.c));
    REQUIRE(record.size() == both.cpp.record_bytes());
    const auto copied = [&] { return vgg19_session_copy_record(both.c, record.data(), record.size()); };
    CHECK(copied() == VGG19_USAGE);  // before a run
    std::vector<std::vector<float>> found;
    REQUIRE(both.run_c(found) == VGG19_OK);
    REQUIRE(copied() == VGG19_OK);
    const std::vector<char> first = record;
    both.make_input();
    REQUIRE(both.run_c(found) == VGG19_OK);
    REQUIRE(copied() == VGG19_OK);
    CHECK(record != first);
    REQUIRE(vgg19_session_set_record(both.c, first.data(), first.size()) == VGG19_OK);
    REQUIRE(copied() == VGG19_OK);
    CHECK(record == first);
    CHECK(vgg19_session_set_record(both.c, first.data(), first.size() - 1) == VGG19_USAGE);
    CHECK(vgg19_session_set_record(both.c, std::vector<char>(first.size()).data(), first.size()) ==
          VGG19_BAD_INPUT);
    CHECK(vgg19_session_record_bytes(nullptr) == 0);
    CHECK(vgg19_session_record_bytes(BothSessions().c) == 0);
}

TEST_CASE("a session is planned for another shape through the C interface") {
    BothSessions both;
    INFO(both.random.replay());
    CHECK(vgg19_session_reshape(both.c, 4, 4, 1) == VGG19_USAGE);
    CHECK(vgg19_session_input_height(both.c) == 48);
    REQUIRE(vgg19_session_reshape(both.c, 40, 72, 1) == VGG19_OK);
    both.cpp.reshape({40, 72});
    CHECK(vgg19_session_input_width(both.c) == 72);
    CHECK(vgg19_session_batch(both.c) == 1);
    both.make_input();
    std::vector<std::vector<float>> found;
    REQUIRE(both.run_c(found) == VGG19_OK);
    CHECK(found == both.run_cpp());
    CHECK(vgg19_session_reshape(nullptr, 40, 40, 1) == VGG19_USAGE);
}

TEST_CASE("lists of floats that do not fit a session's outputs are refused in C") {
    BothSessions both;
    std::vector<float> values(10);
    const auto run = [&](const std::vector<vgg19_floats>& lists) {
        return vgg19_session_run_outputs(both.c, both.input.data(), both.input.size(), lists.data(),
                                         lists.size(), nullptr);
    };
    CHECK(run({}) == VGG19_USAGE);
    CHECK(run({{values.data(), values.size()}}) == VGG19_USAGE);
    CHECK(run(std::vector<vgg19_floats>(5, {values.data(), values.size()})) == VGG19_USAGE);
    CHECK(run(std::vector<vgg19_floats>(5, {nullptr, 10})) == VGG19_USAGE);
    CHECK(std::string(vgg19_last_error()) == "outputs[0].values: expected a pointer, found null");
    vgg19_run_options options = {};
    CHECK(vgg19_session_run_outputs(both.c, both.input.data(), both.input.size(), nullptr, 0, &options) ==
          VGG19_USAGE);
}

TEST_CASE("preprocessing and predictions in C are those in C++") {
    BothSessions both;
    INFO(both.random.replay());
    std::vector<std::uint8_t> pixels(64 * 48 * 3);
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(both.random.integer(0, 255));
    std::vector<float> expected(3 * both.cpp.input_size().pixels());
    std::vector<float> found(expected.size());
    both.cpp.preprocess({pixels.data(), 64, 48, std::size_t{64} * 3}, expected);
    REQUIRE(vgg19_session_preprocess(both.c, pixels.data(), 64, 48, std::size_t{64} * 3, found.data(),
                                     found.size()) == VGG19_OK);
    CHECK(found == expected);

    const std::string header = "P6 64 48 255\n";
    std::vector<std::uint8_t> file(header.begin(), header.end());
    file.insert(file.end(), pixels.begin(), pixels.end());
    std::fill(found.begin(), found.end(), 0.0F);
    REQUIRE(vgg19_session_preprocess_file(both.c, file.data(), file.size(), found.data(), found.size()) ==
            VGG19_OK);
    CHECK(found == expected);
    CHECK(vgg19_session_preprocess_file(both.c, file.data(), 20, found.data(), found.size()) ==
          VGG19_BAD_INPUT);

    std::vector<float> logits(both.model.classes());
    both.random.fill(logits, -1.0F, 1.0F);
    vgg19_prediction predictions[2];
    REQUIRE(vgg19_session_predictions(both.c, logits.data(), logits.size(), 2, predictions) == VGG19_OK);
    const std::vector<Prediction> expected_predictions = both.cpp.predictions(logits, 2);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(predictions[i].class_index == expected_predictions[i].class_index);
        CHECK(predictions[i].probability == expected_predictions[i].probability);
    }
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
