#include "converter/evaluate/evaluate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "converter/cosine.h"
#include "converter/quantize/quantize.h"
#include "converter/testing/random_model.h"
#include "engine/testing/error_of.h"

namespace vgg19::converter {

namespace {

using kernels::testing::Random;
using vgg19::testing::Containing;
using vgg19::testing::error_of;
using vgg19::testing::TemporaryFolder;
using vgg19::testing::write_narrow_model;

constexpr std::size_t record_bytes = 3073;
constexpr std::size_t images = 23;
constexpr std::size_t classes = 10;

std::vector<float> logits_of(Session& session, const DataSet& data, std::size_t item) {
    std::vector<float> input(3 * session.input_size().pixels());
    data.read(item, session.model().preprocessing(), session.input_size(), input);
    std::vector<float> logits(session.model().classes());
    session.run(input, logits);
    return logits;
}

/// Two random models and random pictures. Labels are chosen so that every kind of answer occurs: in turn, the
/// model's prediction, the reference's, and the model's fourth guess.
struct Workplace {
    Random random;
    TemporaryFolder folder;
    std::vector<std::vector<float>> logits;
    std::vector<std::vector<float>> reference_logits;
    std::vector<std::size_t> labels;
    std::unique_ptr<DataSet> data;

    explicit Workplace(std::size_t reference_size = 32) {
        write_narrow_model(folder / "model", random, classes);
        write_narrow_model(folder / "reference", random, classes, model::DenseOrder::input_major);
        std::string bytes;
        for (std::size_t i = 0; i < images * record_bytes; ++i) {
            bytes += static_cast<char>(i % record_bytes == 0 ? 0 : random.integer(0, 255));
        }
        Session model = open("model");
        Session reference =
            open("reference", {.input_height = reference_size, .input_width = reference_size});
        write(bytes);
        for (std::size_t item = 0; item < images; ++item) {
            logits.push_back(logits_of(model, *data, item));
            reference_logits.push_back(logits_of(reference, *data, item));
            const std::vector<Prediction> guesses = model.predictions(logits.back(), 4);
            const std::size_t theirs = reference.predictions(reference_logits.back(), 1).front().class_index;
            const std::vector<std::size_t> turns = {guesses[0].class_index, theirs, guesses[3].class_index};
            labels.push_back(turns[item % 3]);
            bytes[item * record_bytes] = static_cast<char>(labels.back());
        }
        write(bytes);
    }

    void write(const std::string& bytes) {
        std::ofstream(folder / "batch.bin", std::ios::binary) << bytes;
        data = open_data_set(folder / "batch.bin");
    }

    Session open(const std::string& name, const SessionOptions& options = {}) const {
        return Session(Model::open(folder / name), options);
    }

    EvaluationImages all() const {
        return {data.get(), spread_items(images, images), map_classes(*data, "data", classes).map};
    }
};

std::size_t top(const std::vector<float>& logits) {
    return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

/// Sorts, to be independent of rank_of().
bool among(std::vector<float> logits, std::size_t label, std::size_t count) {
    const float value = logits[label];
    std::sort(logits.rbegin(), logits.rend());
    return value >= logits[count - 1];
}

Accuracy expected_accuracy(const std::vector<std::vector<float>>& logits,
                           const std::vector<std::size_t>& labels) {
    Accuracy expected;
    for (std::size_t i = 0; i < logits.size(); ++i) {
        ++expected.images;
        expected.top1 += static_cast<std::uint64_t>(among(logits[i], labels[i], 1));
        expected.top3 += static_cast<std::uint64_t>(among(logits[i], labels[i], 3));
        expected.top5 += static_cast<std::uint64_t>(among(logits[i], labels[i], 5));
    }
    return expected;
}

void check_equal(const Accuracy& found, const Accuracy& expected) {
    CHECK(found.images == expected.images);
    CHECK(found.top1 == expected.top1);
    CHECK(found.top3 == expected.top3);
    CHECK(found.top5 == expected.top5);
}

void check_agreement(const Workplace& place, const Agreement& found) {
    check_equal(found.reference, expected_accuracy(place.reference_logits, place.labels));
    Agreement expected;
    double cosines = 0;
    expected.smallest_cosine = 2;
    for (std::size_t i = 0; i < images; ++i) {
        const bool right = top(place.logits[i]) == place.labels[i];
        const bool theirs_right = top(place.reference_logits[i]) == place.labels[i];
        expected.same_top1 +=
            static_cast<std::uint64_t>(top(place.logits[i]) == top(place.reference_logits[i]));
        expected.only_model_right += static_cast<std::uint64_t>(right && !theirs_right);
        expected.only_reference_right += static_cast<std::uint64_t>(!right && theirs_right);
        const double cosine = cosine_of(place.logits[i], place.reference_logits[i]);
        cosines += cosine;
        if (cosine < expected.smallest_cosine) {
            expected.smallest_cosine = cosine;
            expected.smallest_cosine_item = i;
        }
    }
    CHECK(found.same_top1 == expected.same_top1);
    CHECK(found.only_model_right == expected.only_model_right);
    CHECK(found.only_reference_right == expected.only_reference_right);
    CHECK(found.mean_cosine == cosines / images);
    CHECK(found.smallest_cosine == expected.smallest_cosine);
    CHECK(found.smallest_cosine_item == expected.smallest_cosine_item);
}

}  // namespace

TEST_CASE("evaluate counts correctly for every batch size and number of threads") {
    const Workplace place;
    INFO(place.random.replay());
    const Accuracy expected = expected_accuracy(place.logits, place.labels);
    CHECK(expected.top1 >= 8);  // a third, because of how labels are chosen
    CHECK(expected.top3 < expected.top5);
    for (const auto& setup :
         {std::pair{1, std::size_t{1}}, {3, std::size_t{1}}, {1, std::size_t{7}}, {3, images}}) {
        const int threads = setup.first;
        const std::size_t batch = setup.second;
        CAPTURE(threads);
        CAPTURE(batch);
        Session model = place.open("model", {.threads = threads, .batch = batch});
        Session reference = place.open("reference", {.threads = threads, .batch = batch});
        std::vector<std::uint64_t> done;
        const Evaluation found = evaluate(model, place.all(), &reference, [&](auto now, auto total) {
            done.push_back(now);
            CHECK(total == images);
        });
        check_equal(found.total, expected);
        REQUIRE(found.agreement.has_value());
        check_agreement(place, *found.agreement);
        CHECK(done.size() == (images + batch - 1) / batch);
        CHECK(done.back() == images);
    }
}

TEST_CASE("an evaluation's classes and predictions add up to it") {
    const Workplace place;
    INFO(place.random.replay());
    Session model = place.open("model", {.batch = 4});
    const Evaluation found = evaluate(model, place.all());
    CHECK_FALSE(found.agreement.has_value());
    REQUIRE(found.classes.size() == classes);
    for (std::size_t label = 0; label < classes; ++label) {
        std::vector<std::vector<float>> logits;
        for (std::size_t i = 0; i < images; ++i) {
            if (place.labels[i] == label) logits.push_back(place.logits[i]);
        }
        check_equal(found.classes[label],
                    expected_accuracy(logits, std::vector<std::size_t>(logits.size(), label)));
    }
    std::uint64_t counted = 0;
    for (const PredictionCount& count : found.predictions) {
        std::uint64_t expected = 0;
        for (std::size_t i = 0; i < images; ++i) {
            if (place.labels[i] == count.data_class && top(place.logits[i]) == count.predicted) ++expected;
        }
        CHECK(expected > 0);
        CHECK(count.images == expected);
        counted += count.images;
    }
    CHECK(counted == images);
}

TEST_CASE("evaluate uses the given items and label map") {
    const Workplace place;
    INFO(place.random.replay());
    Session model = place.open("model", {.batch = 2});
    EvaluationImages some = place.all();
    some.items = {20, 3, 4};
    some.labels.assign(classes, top(place.logits[3]));
    const Evaluation found = evaluate(model, some);
    CHECK(found.total.images == 3);
    const std::size_t same = top(place.logits[3]);
    CHECK(found.total.top1 == 1U + static_cast<unsigned>(top(place.logits[20]) == same) +
                                  static_cast<unsigned>(top(place.logits[4]) == same));
}

TEST_CASE("a reference may have another input size") {
    const Workplace place(48);
    INFO(place.random.replay());
    Session model = place.open("model", {.batch = 5});
    Session reference = place.open("reference", {.input_height = 48, .input_width = 48, .batch = 5});
    const Evaluation found = evaluate(model, place.all(), &reference);
    check_equal(found.total, expected_accuracy(place.logits, place.labels));
    REQUIRE(found.agreement.has_value());
    check_agreement(place, *found.agreement);
}

TEST_CASE("a model agrees with itself") {
    const Workplace place;
    INFO(place.random.replay());
    Session model = place.open("model", {.batch = 3});
    Session same = place.open("model", {.batch = 3});
    const Evaluation found = evaluate(model, place.all(), &same);
    REQUIRE(found.agreement.has_value());
    CHECK(found.agreement->same_top1 == images);
    CHECK(found.agreement->only_model_right + found.agreement->only_reference_right == 0);
    CHECK(found.agreement->smallest_cosine == doctest::Approx(1).epsilon(1e-12));
}

TEST_CASE("INT8 models also give the same result for every batch size and number of threads") {
    const Workplace place;
    INFO(place.random.replay());
    quantize_dense(model::ModelFile::open(place.folder / "model"), place.folder / "int8");
    std::vector<double> cosines;
    for (const auto& [threads, batch] : {std::pair{1, std::size_t{1}}, {3, std::size_t{4}}}) {
        Session model = place.open("int8", {.threads = threads, .batch = batch});
        Session reference = place.open("model", {.threads = threads, .batch = batch});
        cosines.push_back(evaluate(model, place.all(), &reference).agreement.value().mean_cosine);
    }
    CHECK(cosines[0] == cosines[1]);
    CHECK(cosines[0] < 1);
}

TEST_CASE("sessions that do not match are refused") {
    Workplace place;
    INFO(place.random.replay());
    write_narrow_model(place.folder / "wide", place.random, classes + 1);
    Session model = place.open("model", {.batch = 2});
    Session wide = place.open("wide", {.batch = 2});
    Session batch = place.open("model", {.batch = 3});
    CHECK(error_of(ErrorKind::usage, [&] { evaluate(model, place.all(), &wide); }) ==
          Containing("expected the model's 10 classes, found 11"));
    CHECK(error_of(ErrorKind::usage, [&] { evaluate(model, place.all(), &batch); }) ==
          Containing("expected the model's 2 images per run, found 3"));
}

TEST_CASE("a reference with other class names, or another order, is refused") {
    const Workplace place;
    INFO(place.random.replay());
    const auto name = [&](const std::string& file, const std::vector<std::string>& names) {
        const model::ModelFile plain = model::ModelFile::open(place.folder / "model");
        model::Description description = plain.description();
        description.class_names = names;
        model::write_model(place.folder / file, description, plain.tensors());
    };
    const std::vector<std::string> names = {"a", "b b", "c", "d", "e", "f", "g", "h", "i", "j"};
    name("named", names);
    name("alike", {"A", "b_b", "C", "d", "e", "f", "g", "h", "i", "j"});
    name("reversed", {names.rbegin(), names.rend()});
    Session model = place.open("named");
    for (const char* other : {"model", "named", "alike"}) {
        Session reference = place.open(other);
        CHECK(evaluate(model, place.all(), &reference).agreement->same_top1 == images);
    }
    Session reversed = place.open("reversed");
    CHECK(error_of(ErrorKind::usage, [&] { evaluate(model, place.all(), &reversed); }) ==
          Containing("expected the model's classes, found another: class 0 is 'j', and the model's is 'a'"));
}

TEST_CASE("logits that are not finite give an error with the image's name") {
    Workplace place;
    INFO(place.random.replay());
    testing::RandomModel broken(vgg19::testing::narrow_network(classes), place.random);
    for (const char* tensor : {"classifier.0.weight", "classifier.3.weight", "classifier.6.weight"}) {
        for (float& value : broken.values(tensor)) value *= 1e30F;
    }
    broken.write(place.folder / "broken");
    Session model = place.open("broken", {.input_height = 32, .input_width = 32});
    CHECK(error_of(ErrorKind::bad_input, [&] { evaluate(model, place.all()); }) ==
          Containing("batch.bin record 0: expected finite logits"));
}

TEST_CASE("an unreadable image is left out and reported; too many are an error") {
    const Workplace place;
    INFO(place.random.replay());
    std::filesystem::create_directory(place.folder / "photos");
    for (int label = 0; label < 10; ++label) {
        const auto folder = place.folder / "photos" / std::to_string(label);
        std::filesystem::create_directory(folder);
        std::ofstream(folder / "a.ppm", std::ios::binary) << "P6\n1 1\n255\n" << (label == 7 ? "a" : "abc");
    }
    const auto photos = open_data_set(place.folder / "photos");
    Session model = place.open("model", {.batch = 2});
    const EvaluationImages all = {photos.get(), spread_items(10, 10), map_classes(*photos, "photos", 10).map};
    const Evaluation evaluation = evaluate(model, all);
    CHECK(evaluation.total.images == 9);
    CHECK(evaluation.classes[7].images == 0);
    CHECK(evaluation.classes[8].images == 1);
    REQUIRE(evaluation.broken.size() == 1);
    CHECK(evaluation.broken[0].item == 7);
    CHECK(evaluation.broken[0].problem == Containing("7/a.ppm"));
    for (const char* label : {"1", "3"}) {
        std::ofstream(place.folder / "photos" / label / "a.ppm", std::ios::binary) << "P6";
    }
    CHECK(error_of(ErrorKind::bad_input, [&] { evaluate(model, all); }) ==
          Containing("found that 3 of 10 pictures cannot be read: "));
}

}  // namespace vgg19::converter
