#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "engine/testing/narrow_model.h"
#include "vgg19/vgg19.h"

namespace vgg19 {

namespace {

struct NarrowFile {
    kernels::testing::Random random;
    testing::TemporaryFolder folder;
    std::string path = folder / "narrow";

    NarrowFile() { testing::write_narrow_model(path, random); }
    std::vector<char> bytes() const {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
};

void count_release(void* releases) {
    ++*static_cast<int*>(releases);
}

/// Of zeros; closes the model.
std::vector<float> logits(vgg19_model* model) {
    const vgg19_session_options options = {
        .struct_size = sizeof options, .input_height = 32, .input_width = 32};
    vgg19_session* session = nullptr;
    REQUIRE(vgg19_session_create(model, &options, &session) == VGG19_OK);
    vgg19_model_close(model);
    const std::vector<float> input(std::size_t{3} * 32 * 32);
    std::vector<float> output(10);
    CHECK(vgg19_session_run(session, input.data(), input.size(), output.data(), output.size()) == VGG19_OK);
    vgg19_session_destroy(session);
    return output;
}

}  // namespace

TEST_CASE("a model opens in C from a path, a descriptor and memory") {
    const NarrowFile file;
    vgg19_model* model = nullptr;
    REQUIRE(vgg19_model_open(file.path.c_str(), &model) == VGG19_OK);
    const std::vector<float> expected = logits(model);

    const int descriptor = open(file.path.c_str(), O_RDONLY | O_CLOEXEC);
    REQUIRE(vgg19_model_open_descriptor(descriptor, 0, 0, &model) == VGG19_OK);
    close(descriptor);
    CHECK(logits(model) == expected);

    const std::vector<char> bytes = file.bytes();
    int releases = 0;
    REQUIRE(vgg19_model_open_memory(bytes.data(), bytes.size(), count_release, &releases, &model) ==
            VGG19_OK);
    CHECK(releases == 0);
    CHECK(logits(model) == expected);
    CHECK(releases == 1);
    REQUIRE(vgg19_model_open_memory(bytes.data(), bytes.size(), nullptr, nullptr, &model) == VGG19_OK);
    CHECK(logits(model) == expected);
}

TEST_CASE("what is not a model keeps its owner in C, and is named") {
    const NarrowFile file;
    const std::vector<char> bytes = file.bytes();
    vgg19_model* model = nullptr;
    int releases = 0;
    CHECK(vgg19_model_open_memory(bytes.data(), bytes.size() / 2, count_release, &releases, &model) ==
          VGG19_BAD_INPUT);
    CHECK(std::string(vgg19_last_error()).find("model in memory") != std::string::npos);
    CHECK(vgg19_model_open_memory(nullptr, 0, count_release, &releases, &model) == VGG19_USAGE);
    CHECK(vgg19_model_open_memory(bytes.data(), bytes.size(), count_release, &releases, nullptr) ==
          VGG19_USAGE);
    CHECK(releases == 0);
    CHECK(vgg19_model_open_descriptor(-1, 0, 0, &model) != VGG19_OK);
    CHECK(model == nullptr);
}

}  // namespace vgg19
