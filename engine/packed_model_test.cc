// Sessions of packed models.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "engine/model/model_access.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"
#include "kernels/common/testing/random.h"
#include "vgg19/session.h"

namespace vgg19 {

namespace {

using kernels::testing::Random;
using testing::Containing;
using testing::error_of;

/// The same model, plain and packed: several frames, of which the first dense layer has most.
struct Fixture {
    Fixture() {
        Random random(11);
        const model::Network network({8, 0, 8, 0, 8, 8, 0, 8, 8, 0, 16, 16, 0}, {1600, 10});
        testing::write_random_model(plain, network, random, model::DenseOrder::input_major);
        model::write_bytes({packed, true}, model::MappedFile(plain).bytes());
    }

    std::vector<float> logits(const Model& opened, MapSize size) const {
        Random random(7);
        std::vector<float> input(3 * size.pixels());
        random.fill(input, -1, 1);
        std::vector<float> result(opened.classes());
        SessionOptions options{.threads = 2};
        options.set_input_size(size);
        Session(opened, options).run(input, result);
        return result;
    }

    testing::TemporaryFolder folder;
    std::filesystem::path plain = folder / "plain";
    std::filesystem::path packed = folder / "packed";
};

std::string text_of(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST_CASE("a packed model gives the same logits, however it is opened, at every size") {
    const Fixture fixture;
    const std::string bytes = text_of(fixture.packed);
    const std::filesystem::path embedded = fixture.folder / "embedded";
    std::ofstream(embedded, std::ios::binary) << std::string(13, 'x') << bytes << "yyy";
    const int descriptor = open(embedded.c_str(), O_RDONLY | O_CLOEXEC);
    REQUIRE(descriptor >= 0);
    const Model models[] = {Model::open(fixture.packed), model::map_model(fixture.packed),
                            Model::from_descriptor(descriptor, 13, bytes.size()),
                            Model::from_memory(std::as_bytes(std::span(bytes)))};
    close(descriptor);
    for (const MapSize size : {MapSize(32), MapSize(224)}) {
        const std::vector<float> expected = fixture.logits(Model::open(fixture.plain), size);
        for (const Model& packed : models) CHECK(fixture.logits(packed, size) == expected);
    }
    CHECK(models[0].file_bytes() == bytes.size());
}

TEST_CASE("a damaged frame is found when a session needs it") {
    const Fixture fixture;
    std::string bytes = text_of(fixture.packed);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    const Model damaged = Model::from_memory(std::as_bytes(std::span(bytes)));
    CHECK(error_of(ErrorKind::bad_input, [&] { fixture.logits(damaged, 32); }) ==
          Containing("Zstandard frame: expected 2097152 bytes of content, found a damaged frame"));
}

TEST_CASE("sessions of a packed model stay when its file changes, and new ones are an error") {
    const Fixture fixture;
    const Model packed = Model::open(fixture.packed);
    Session session(packed, {.threads = 1});
    std::vector<float> input(3 * session.input_size().pixels(), 0.5F);
    std::vector<float> before(10);
    std::vector<float> after(10);
    session.run(input, before);
    std::fstream(fixture.packed, std::ios::binary | std::ios::in | std::ios::out) << "something else";
    session.run(input, after);
    CHECK(after == before);
    CHECK(error_of(ErrorKind::bad_input, [&] { Session(packed, {.threads = 1}); }) ==
          Containing("expected the file as it was when it was opened"));
}

}  // namespace vgg19
