// Tests sessions that are planned again for another shape, and the outputs of INT8 layers.
#include <doctest/doctest.h>

#include "engine/testing/int8_tensors.h"
#include "engine/testing/output_runs.h"

namespace vgg19 {

namespace {

using kernels::testing::isa_names_of_this_cpu;
using kernels::testing::relative_l2;
using testing::check_against_reference;
using testing::check_independence;
using testing::Containing;
using testing::error_of;
using testing::names_up_to;
using testing::options_of;
using testing::run;
using testing::same_bits;
using testing::tolerance;
using testing::Values;
using Fixture = testing::OutputFixture;

}  // namespace
namespace {

/// The results of a session that was made for `first` and then planned for `size`, and for the sizes between.
void check_reshaped(const Model& model, SessionOptions options, const std::vector<MapSize>& sizes,
                    std::size_t batch, Fixture& fixture, double most) {
    Session session(model, options);
    std::vector<std::string> kernels;
    for (const PlanStep& step : session.plan()) {
        if (step.weight_bytes > 0) kernels.push_back(step.kernel);
    }
    for (const MapSize size : sizes) {
        CAPTURE(to_string(size));
        session.reshape(size, batch);
        CHECK(session.input_size() == size);
        CHECK(session.batch() == batch);
        std::vector<std::string> found_kernels;
        for (const PlanStep& step : session.plan()) {
            if (step.weight_bytes > 0) found_kernels.push_back(step.kernel);
        }
        CHECK(found_kernels == kernels);
        const std::vector<float> input = fixture.input(batch, size);
        const Values found = run(session, input);
        options.set_input_size(size);
        options.batch = batch;
        Session fresh(model, options);
        CHECK(session.outputs().size() == fresh.outputs().size());
        const Values expected = run(fresh, input);
        for (std::size_t i = 0; i < found.size(); ++i) {
            CAPTURE(session.outputs()[i].name);
            CHECK(session.outputs()[i].shape == fresh.outputs()[i].shape);
            CHECK(relative_l2(found[i], expected[i]) <= most);
        }
    }
}

}  // namespace

TEST_CASE("a session planned again gives what one made for that shape gives, with the same kernels") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const Model model = fixture.write(testing::narrow_network());
    const std::vector<std::string> names = names_up_to(model::file_of(model).network());
    const std::vector<MapSize> sizes = {MapSize(32), MapSize(97, 40), MapSize(224), MapSize(33, 256),
                                        MapSize(48)};
    for (const std::string& isa : isa_names_of_this_cpu()) {
        CAPTURE(isa);
        for (const std::size_t batch : {1U, 3U}) {
            check_reshaped(model, options_of(isa, 2, 48, names), sizes, batch, fixture, 2 * tolerance);
        }
        if (VGG19_HAS_ONEDNN == 0 || isa == "portable") continue;
        SessionOptions options = options_of(isa, 2, 48, names);
        options.convolution = "onednn";
        check_reshaped(model, options, sizes, 2, fixture, 2 * tolerance);
    }
}

TEST_CASE("a session planned for another shape and back has the same bits again") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const Model model = fixture.write(testing::narrow_network());
    for (const MapSize first : {MapSize(64), MapSize(224)}) {
        Session session(model, options_of("", 1, first, {"relu3_1", "avgpool", "logits"}));
        const std::vector<float> input = fixture.input(1, first);
        const Values expected = run(session, input);
        for (const MapSize other : {MapSize(160), MapSize(300, 200), MapSize(32)}) {
            session.reshape(other, 2);
            run(session, fixture.input(2, other));
            session.reshape(first);
            const Values found = run(session, input);
            for (std::size_t i = 0; i < found.size(); ++i) CHECK(same_bits(found[i], expected[i]));
        }
    }
}

TEST_CASE("a shape that cannot be leaves the session as it was") {
    Fixture fixture;
    const Model model = fixture.write(testing::narrow_network());
    Session session(model, options_of("", 2, MapSize(40, 48), {"relu5_1", "pool5"}));
    const std::vector<float> input = fixture.input(2, MapSize(40, 48));
    const Values expected = run(session, input);
    const auto error = [&](MapSize size, std::size_t batch) {
        return error_of(ErrorKind::usage, [&] { session.reshape(size, batch); });
    };
    CHECK(error(31, 1) == "input height: expected 32 to 8192 for pool5, found 31");
    CHECK(error({64, 0}, 1) == "input width: expected 32 to 8192 for pool5, found 0");
    CHECK(error(64, 0) == "batch: expected 1 to 4096, found 0");
    CHECK(session.input_size() == MapSize(40, 48));
    CHECK(session.batch() == 2);
    const Values found = run(session, input);
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(same_bits(found[i], expected[i]));
}

namespace {

/// The same network with INT8 convolutions.
Model int8_model(Fixture& fixture, const model::Network& network) {
    const model::ModelFile fp32 = model::ModelFile::open(model::file_of(fixture.write(network)).path());
    const MapSize size(48, 64);
    const testing::Int8Tensors int8(fp32, size, fixture.input(1, size));
    const model::ModelFile file = fp32.with(int8.tensors());
    model::write_model(fixture.folder / "int8", file.description(), file.tensors());
    return Model::open(fixture.folder / "int8");
}

}  // namespace

TEST_CASE("INT8 layers give out floats, also before their ReLU and their pool") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const Model model = int8_model(fixture, testing::narrow_network());
    const MapSize size(48, 64);
    const std::vector<float> input = fixture.input(1, size);
    for (const std::string& isa : isa_names_of_this_cpu()) {
        for (const Pooling pooling : {Pooling::max, Pooling::average}) {
            CAPTURE(isa);
            SessionOptions options =
                options_of(isa, 1, size, names_up_to(model::file_of(model).network(), "features.36"));
            options.pooling = pooling;
            // A value near the middle of two steps may be rounded to the other one.
            options.convolution = "direct";
            check_against_reference(model, options, input, 5e-3);
            // Transformed inputs have coarse steps here.
            options.convolution = "winograd";
            check_against_reference(model, options, input, 0.8);
        }
    }
}

TEST_CASE("what INT8 layers give does not depend on which outputs are asked for") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const Model model = int8_model(fixture, testing::narrow_network());
    const MapSize size(33, 70);
    const std::vector<float> input = fixture.input(1, size);
    for (const std::string& isa : isa_names_of_this_cpu()) {
        for (const std::string convolution : {"direct", "winograd", "auto"}) {
            CAPTURE(isa);
            CAPTURE(convolution);
            SessionOptions options = options_of(isa, 1, size, names_up_to(model::file_of(model).network()));
            options.convolution = convolution;
            check_independence(model, options, input);
        }
    }
}

TEST_CASE("a session of INT8 layers planned again gives what one made for that shape gives") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const Model model = int8_model(fixture, testing::narrow_network());
    for (const std::string& isa : isa_names_of_this_cpu()) {
        SessionOptions options = options_of(isa, 2, MapSize(48), {"relu1_1", "conv3_2", "pool4", "relu5_1"});
        options.convolution = "direct";
        check_reshaped(model, options, {MapSize(64, 33), MapSize(32), MapSize(48)}, 2, fixture, 1e-6);
    }
}

TEST_CASE("gradients of INT8 layers cannot be asked for") {
    Fixture fixture;
    const Model model = int8_model(fixture, model::Network::parse("4 4 M 6", ""));
    SessionOptions options = options_of("", 1, 32, {"relu1_1"});
    options.gradients = true;
    CHECK(error_of(ErrorKind::usage, [&] { Session(model, options); }) ==
          Containing("gradients: expected a model of FP32 throughout, found features.2 in INT8"));
}

}  // namespace vgg19
