// A model's file changes while the model and its sessions exist.
#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "engine/model/model_access.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"
#include "vgg19/session.h"

namespace vgg19 {

namespace {

using kernels::testing::Random;
using testing::Containing;
using testing::error_of;
using Change = std::function<void(const std::filesystem::path&)>;

void overwrite_with(const std::filesystem::path& path, char byte) {
    const std::string bytes(std::filesystem::file_size(path), byte);
    std::fstream(path, std::ios::binary | std::ios::in | std::ios::out) << bytes;
}

const std::vector<Change> changes = {
    [](const auto& path) { std::filesystem::resize_file(path, 0); },
    [](const auto& path) { std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2); },
    [](const auto& path) { overwrite_with(path, '\xff'); },  // NaN
    [](const auto& path) { overwrite_with(path, '\0'); },
    [](const auto& path) { std::ofstream(path, std::ios::binary) << "another file"; },
};

class Fixture {
  public:
    explicit Fixture(model::DenseOrder order = model::DenseOrder::input_major) {
        testing::write_narrow_model(path, random_, 10, order);
    }

    std::vector<float> logits(Session& session) {
        Random random(7);
        std::vector<float> input(std::size_t{3} * session.input_size().pixels());
        random.fill(input, -1, 1);
        std::vector<float> result(10);
        session.run(input, result);
        return result;
    }

    testing::TemporaryFolder folder;
    std::filesystem::path path = folder / "model";

  private:
    Random random_{1};
};

}  // namespace

TEST_CASE("a session's answers do not depend on what becomes of its file") {
    for (const model::DenseOrder order : {model::DenseOrder::input_major, model::DenseOrder::output_major}) {
        for (const Change& change : changes) {
            Fixture fixture(order);
            const Model model = Model::open(fixture.path);
            Session session(model, {.threads = 2});
            const std::vector<float> expected = fixture.logits(session);
            change(fixture.path);
            CHECK(fixture.logits(session) == expected);
        }
    }
}

TEST_CASE("the gradients neither") {
    Fixture fixture;
    Session session(Model::open(fixture.path), {.threads = 2, .gradients = true});
    const std::vector<float> gradient(10, 1.0F);
    const std::vector<std::span<const float>> of_outputs = {gradient};
    const auto gradient_of_input = [&] {
        fixture.logits(session);
        std::vector<float> result(std::size_t{3} * session.input_size().pixels());
        session.backward(of_outputs, result, {});
        return result;
    };
    const std::vector<float> expected = gradient_of_input();
    changes[2](fixture.path);
    CHECK(gradient_of_input() == expected);
}

TEST_CASE("a session of a model whose file has changed is an error, and those that there are go on") {
    for (const Change& change : changes) {
        Fixture fixture;
        const Model model = Model::open(fixture.path);
        Session session(model, {.threads = 2});
        const std::vector<float> expected = fixture.logits(session);
        change(fixture.path);
        CHECK(error_of(ErrorKind::bad_input, [&] { Session(model, {.threads = 2}); }) ==
              Containing("model: expected the file as it was when it was opened"));
        CHECK(model.classes() == 10);
        CHECK(fixture.logits(session) == expected);
        // Another shape may need weights in another form.
        try {
            session.reshape(96, 1);
            session.reshape(32, 1);
        } catch (const Error& error) {
            CHECK(error.what() == Containing("expected the file as it was when it was opened"));
        }
        CHECK(fixture.logits(session) == expected);
    }
}

TEST_CASE("a file that is replaced by renaming changes nothing, also for later sessions and shapes") {
    Fixture fixture;
    const Model model = Model::open(fixture.path);
    Session session(model, {.threads = 2});
    const std::vector<float> expected = fixture.logits(session);
    Fixture other(model::DenseOrder::output_major);
    std::filesystem::copy_file(other.path, fixture.folder / "new");
    std::filesystem::rename(fixture.folder / "new", fixture.path);
    Session later(model, {.threads = 1});
    CHECK(fixture.logits(later) == expected);
    session.reshape(96, 1);
    session.reshape(32, 1);
    CHECK(fixture.logits(session) == expected);
}

TEST_CASE("weights that are not finite make an error of a prediction, not a number that is none") {
    Fixture fixture;
    const model::MappedFile mapped(fixture.path);
    std::vector<std::byte> bytes(mapped.bytes().begin(), mapped.bytes().end());
    const model::ModelFile file = model::ModelFile::open(fixture.path);
    const model::Tensor& weight = file.tensor("classifier.6.weight_transposed");
    // All of them, because rows of inputs that are zero are not read.
    const std::vector<float> nan(weight.as<float>().size(), std::numeric_limits<float>::quiet_NaN());
    std::memcpy(bytes.data() + (weight.bytes.data() - file.file().mapping().bytes().data()), nan.data(),
                weight.bytes.size());
    Session session(Model::from_memory(bytes), {.threads = 1});
    const Image image{std::vector<std::uint8_t>(std::size_t{3} * 32 * 32, 77), 32, 32};
    CHECK(error_of(ErrorKind::bad_input, [&] { session.classify(image.view(), 3); }) ==
          Containing("logits: expected finite values, found"));
}

}  // namespace vgg19
