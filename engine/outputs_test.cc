// Tests the outputs of sessions: their names, shapes and values.
#include <doctest/doctest.h>

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

TEST_CASE("every named output is that of the reference, on every ISA, in batches and at odd sizes") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const Model model = fixture.write(testing::narrow_network());
    const std::vector<std::string> names = names_up_to(model::file_of(model).network());
    for (const std::string& isa : isa_names_of_this_cpu()) {
        for (const MapSize size : {MapSize(32), MapSize(33, 47), MapSize(97, 40)}) {
            CAPTURE(isa);
            CAPTURE(to_string(size));
            const std::vector<float> input = fixture.input(2, size);
            check_against_reference(model, options_of(isa, 2, size, names), input);
        }
        const auto names_of_maps = names_up_to(model::file_of(model).network(), "features.35");
        for (const MapSize size : {MapSize(16), MapSize(17, 31)}) {
            check_against_reference(model, options_of(isa, 1, size, names_of_maps), fixture.input(1, size));
        }
    }
}

TEST_CASE("an output does not depend on which others are asked for") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const Model model = fixture.write(testing::narrow_network());
    for (const std::string& isa : isa_names_of_this_cpu()) {
        CAPTURE(isa);
        const std::vector<float> input = fixture.input(1, MapSize(33, 70));
        check_independence(
            model, options_of(isa, 1, MapSize(33, 70), names_up_to(model::file_of(model).network())), input);
    }
}

TEST_CASE("outputs have the same bits for every number of threads and batch, at any address") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const Model model = fixture.write(testing::narrow_network());
    constexpr std::size_t batch = 3;
    const MapSize size(70, 49);
    const std::vector<float> input = fixture.input(batch, size);
    for (const std::string& isa : isa_names_of_this_cpu()) {
        CAPTURE(isa);
        SessionOptions options = options_of(isa, batch, size, names_up_to(model::file_of(model).network()));
        const Values expected = run(model, options, input);
        for (options.threads = 1; options.threads <= 5; options.threads += 2) {
            CHECK(run(model, options, input) == expected);
        }
        Session session(model, options);
        Values shifted;
        std::vector<std::span<float>> results;
        for (const std::vector<float>& values : expected) shifted.emplace_back(values.size() + 1);
        for (std::vector<float>& values : shifted) results.push_back(std::span(values).subspan(1));
        session.run(input, results);
        options.batch = 1;
        const std::vector<float> last(input.end() - static_cast<std::ptrdiff_t>(input.size() / batch),
                                      input.end());
        const Values of_last = run(model, options, last);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            CAPTURE(options.outputs[i]);
            CHECK(std::equal(results[i].begin(), results[i].end(), expected[i].begin()));
            CHECK(std::equal(of_last[i].begin(), of_last[i].end(),
                             expected[i].end() - static_cast<std::ptrdiff_t>(of_last[i].size())));
        }
    }
}

TEST_CASE("every kind of convolution gives values before its ReLU and before its pool") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const Model model = fixture.write(testing::narrow_network());
    const std::vector<float> input = fixture.input(1, 48);
    for (const std::string& isa : isa_names_of_this_cpu()) {
        for (const std::string convolution : {"winograd", "direct", "onednn"}) {
            if (convolution == "onednn" && (VGG19_HAS_ONEDNN == 0 || isa == "portable")) continue;
            SessionOptions options = options_of(isa, 1, 48, {});
            options.convolution = convolution;
            for (const Pooling pooling : {Pooling::max, Pooling::average}) {
                CAPTURE(isa);
                CAPTURE(convolution);
                options.pooling = pooling;
                options.outputs = names_up_to(model::file_of(model).network());
                check_against_reference(model, options, input);
                options.outputs = {"probabilities", "features.4", "features.9"};
                check_against_reference(model, options, input);
            }
        }
    }
}

TEST_CASE("outputs say their name as it was asked for, and their shape") {
    Fixture fixture;
    const Model model = fixture.write(testing::narrow_network());
    const Session session(model, options_of("", 3, MapSize(50, 33),
                                            {"conv1_1", "relu3_2", "pool3", "features.36", "avgpool", "fc6",
                                             "relu7", "classifier.6", "probabilities"}));
    const std::vector<std::pair<std::string, std::vector<std::size_t>>> expected = {
        {"conv1_1", {3, 4, 50, 33}}, {"relu3_2", {3, 8, 12, 8}},
        {"pool3", {3, 8, 6, 4}},     {"features.36", {3, 12, 1, 1}},
        {"avgpool", {3, 12, 7, 7}},  {"fc6", {3, 24}},
        {"relu7", {3, 20}},          {"classifier.6", {3, 10}},
        {"probabilities", {3, 10}}};
    REQUIRE(session.outputs().size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(session.outputs()[i].name == expected[i].first);
        CHECK(session.outputs()[i].shape == expected[i].second);
    }
    CHECK(session.outputs()[1].size() == std::size_t{3} * 8 * 12 * 8);
    CHECK(Session(model).outputs().front().name == "logits");
}

TEST_CASE("layers behind the last output are not in the plan") {
    Fixture fixture;
    const Model model = fixture.write(testing::narrow_network());
    const auto last_layers = [&](const std::string& output) {
        std::string text;
        const Session session(model, options_of("", 1, 64, {output}));
        for (const PlanStep& step : session.plan()) {
            if (step.weight_bytes > 0 || step.kind == StepKind::output) text = step.layer;
        }
        return text;
    };
    CHECK(last_layers("relu5_1") == "output relu5_1");
    CHECK(last_layers("pool4") == "output pool4");
    CHECK(last_layers("fc7") == "classifier.3");
    const Session session(model, options_of("", 1, 64, {"relu2_1"}));
    CHECK(session.plan().size() == 4);  // three convolutions, one with its pool, and the output
}

TEST_CASE("a network of features alone gives its maps, any prefix of the convolutions") {
    Fixture fixture;
    INFO(fixture.random.replay());
    for (const std::string text : {"5", "6 M", "4 6 M 7", "4 4 M 6 6 M 8 8 8 8 M 17 17 17 17 M 12 12 12 12 M",
                                   "4 4 M 6 6 M 8 8 8 8 M 17 17 17 17 M 12"}) {
        CAPTURE(text);
        const Model model = fixture.write(model::Network::parse(text, ""));
        const MapSize size(37, 44);
        const std::vector<float> input = fixture.input(1, size);
        check_against_reference(model, options_of("", 1, size, names_up_to(model::file_of(model).network())),
                                input);
        SessionOptions options = options_of("", 1, size, {});
        const Session session(model, options);
        REQUIRE(session.outputs().size() == 1);
        CHECK(session.outputs().front().name ==
              model::network_outputs(model::file_of(model).network()).back().names.back());
        options.outputs = {session.outputs().front().name};
        CHECK(same_bits(run(model, options_of("", 1, size, {}), input).front(),
                        run(model, options, input).front()));
    }
}

TEST_CASE("names follow from the network's table") {
    const auto names = [](const model::Network& network) {
        std::vector<std::string> all;
        for (const model::NetworkOutput& output : model::network_outputs(network)) {
            std::string text;
            for (const std::string& name : output.names) text += (text.empty() ? "" : "=") + name;
            all.push_back(text);
        }
        return all;
    };
    CHECK(names(model::Network::parse("4 M 6 6", "")) ==
          std::vector<std::string>{"features.0=conv1_1", "features.1=relu1_1", "features.2=pool1",
                                   "features.3=conv2_1", "features.4=relu2_1", "features.5=conv2_2",
                                   "features.6=relu2_2"});
    const std::vector<std::string> vgg11 = names(model::Network::vgg(11));
    CHECK(vgg11.size() == 8 * 2 + 5 + 1 + 5 + 1);
    CHECK(std::find(vgg11.begin(), vgg11.end(), "features.18=conv5_2") != vgg11.end());
    CHECK(std::find(vgg11.begin(), vgg11.end(), "features.20=pool5") != vgg11.end());
    const std::vector<std::string> all = names(model::Network::vgg(19).with_ranks({5, 0, 0}));
    const std::vector<std::string> end(all.end() - 9, all.end());
    CHECK(end == std::vector<std::string>{
                     "features.36=pool5", "avgpool", "classifier.0.0", "classifier.0.1=classifier.0=fc6",
                     "classifier.1=classifier.2=relu6", "classifier.3=fc7", "classifier.4=classifier.5=relu7",
                     "classifier.6=fc8=logits", "probabilities"});
    CHECK(names(model::Network::vgg(19))[8 * 2 + 3 + 1] == "features.20=relu4_1");
}

TEST_CASE("outputs that cannot be are errors that help") {
    Fixture fixture;
    const Model model = fixture.write(testing::narrow_network());
    const auto error = [&](const Model& of, MapSize size, std::vector<std::string> outputs) {
        return error_of(ErrorKind::usage, [&] { Session(of, options_of("", 1, size, outputs)); });
    };
    const std::string unknown = error(model, 64, {"relu1_1", "relu6_1"});
    CHECK(unknown ==
          Containing("not in this model; expected one of features.0 (conv1_1), features.1 (relu1_1), "));
    CHECK(unknown == Containing("classifier.6 (fc8, logits), probabilities"));
    CHECK(unknown == Containing("output \"relu6_1\": "));
    CHECK(error(model, 64, {""}) == Containing("output \"\": not in this model"));
    CHECK(error(model, 31, {"pool5"}) == "input height: expected 32 to 8192 for pool5, found 31");
    CHECK(error(model, {16, 15}, {"relu5_4"}) == "input width: expected 16 to 8192 for relu5_4, found 15");
    CHECK(error(model, 31, {"relu1_1", "logits"}) == "input height: expected 32 to 8192, found 31");
    const Model features = fixture.write(model::Network::parse("4 4 M 6", ""));
    CHECK(error(features, 64, {"relu1_1", "fc7"}) == Containing("output \"fc7\": "));
    CHECK(error(features, 64, {"logits"}) == Containing("this model has no classifier"));
    CHECK(error(features, 64, {"classifier.0"}) == Containing("this model has no classifier"));
    CHECK(error(features, 64, {"conv5_1"}) ==
          Containing("output \"conv5_1\": not in this model; expected one of features.0 (conv1_1)"));
}

TEST_CASE("results that do not fit the outputs are errors") {
    Fixture fixture;
    const Model model = fixture.write(testing::narrow_network());
    Session session(model, options_of("", 1, 32, {"relu1_1", "fc6"}));
    const std::vector<float> input = fixture.input(1, 32);
    std::vector<float> map(std::size_t{4} * 32 * 32);
    std::vector<float> values(24);
    std::vector<std::span<float>> results = {map};
    CHECK(error_of(ErrorKind::usage, [&] { session.run(input, results); }) ==
          "outputs: expected 2 (relu1_1, fc6), found 1");
    results = {map, std::span(values).first(23)};
    CHECK(error_of(ErrorKind::usage, [&] { session.run(input, results); }) ==
          "fc6: expected 24 values, found 23");
    CHECK(error_of(ErrorKind::usage, [&] { session.run(input, values); }) ==
          "outputs: expected 2 (relu1_1, fc6), found 1");
    const std::vector<std::uint8_t> pixels(std::size_t{50} * 40 * 3);
    CHECK(error_of(ErrorKind::usage, [&] {
              session.classify({pixels.data(), 50, 40, 150}, 3);
          }) == "classify: expected a session with the output \"logits\", found relu1_1, fc6");
    Session features(fixture.write(model::Network::parse("4 4 M 6", "")));
    CHECK(error_of(ErrorKind::usage, [&] {
              features.classify({pixels.data(), 50, 40, 150}, 3);
          }) == Containing("this model has no classifier"));
}

TEST_CASE("a session with more outputs than the logits classifies too") {
    Fixture fixture;
    const Model model = fixture.write(testing::narrow_network());
    std::vector<std::uint8_t> pixels(std::size_t{50} * 40 * 3);
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(fixture.random.integer(0, 255));
    const ImageView image = {pixels.data(), 50, 40, 150};
    Session alone(model, options_of("", 1, 32, {}));
    Session among(model, options_of("", 1, 32, {"probabilities", "classifier.6", "relu1_1"}));
    const auto expected = alone.classify(image, 3);
    const auto found = among.classify(image, 3);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(found[i].class_index == expected[i].class_index);
        CHECK(found[i].probability == expected[i].probability);
    }
}

TEST_CASE("a run ends before the step at which it is cancelled, and the session can run again") {
    Fixture fixture;
    const Model model = fixture.write(testing::narrow_network());
    Session session(model, options_of("", 1, 32, {"relu1_1", "logits"}));
    const std::vector<float> input = fixture.input(1, 32);
    const Values expected = run(session, input);
    Values values = expected;
    std::vector<std::span<float>> results = {values[0], values[1]};
    std::size_t asked = 0;
    session.run(input, results, {.is_cancelled = [&] { return ++asked == 0; }});
    CHECK(asked == session.plan().size());
    for (std::size_t stop = 1; stop <= asked; ++stop) {
        std::size_t count = 0;
        std::fill(values[1].begin(), values[1].end(), 0.0F);
        CHECK(error_of(ErrorKind::cancelled, [&] {
                  session.run(input, results, {.is_cancelled = [&] { return ++count == stop; }});
              }) == Containing("cancelled"));
        CHECK(count == stop);
    }
    CHECK(same_bits(run(session, input)[1], expected[1]));
    CHECK_THROWS_AS(session.run(input, results, {.is_cancelled = []() -> bool { throw std::string("own"); }}),
                    std::string);
    CHECK(same_bits(run(session, input)[1], expected[1]));
}

}  // namespace vgg19
