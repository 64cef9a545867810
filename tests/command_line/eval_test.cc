// vgg19 eval: reads labelled images, prints accuracies.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "converter/data/data_set.h"
#include "engine/model/json.h"
#include "tests/command_line/tool.h"
#include "vgg19/session.h"

using namespace vgg19;
using namespace vgg19::testing;
using model::Json;

namespace {

constexpr std::size_t records = 12;

/// A model with `classes` classes, and images to evaluate it on.
struct Workplace {
    TemporaryFolder folder;

    explicit Workplace(std::size_t classes = 10) {
        convert_state_dict(folder / "model", classes);
        write_file(folder / "batch.bin", cifar_records(records));
    }

    void add_photos(const std::vector<std::string>& names) const {
        for (const std::string& name : names) {
            std::filesystem::create_directories(folder / "photos" / name);
            write_image(folder / "photos" / name / "a.bmp", 40 + 3 * name.size(), 40);
        }
    }

    Outcome eval(const Arguments& more, const std::string& data = "batch.bin") const {
        Arguments arguments = {"eval", "-m", folder / "model", "--data", folder / data, "--size", "32"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_tool(arguments);
    }

    Json eval_json(Arguments more, const std::string& data = "batch.bin") const {
        more.emplace_back("--json");
        const Outcome outcome = eval(more, data);
        INFO(outcome.errors);
        REQUIRE(outcome.code == 0);
        CHECK(outcome.errors.starts_with("data: "));
        CHECK(std::count(outcome.errors.begin(), outcome.errors.end(), '\n') ==
              2);  // one on the data set, one on its classes
        return Json::parse(outcome.output, "the output of eval");
    }

    void check_refused(const Arguments& more, int code, const std::string& message,
                       const std::string& data = "batch.bin") const {
        const Outcome outcome = eval(more, data);
        INFO(outcome.errors);
        CHECK(outcome.code == code);
        CHECK(contains(outcome.errors, message));
        CHECK(outcome.output.empty());
    }
};

/// The share of records with their class among the library's `top` predictions.
double expected_share(const Workplace& place, const std::vector<std::size_t>& labels, std::size_t top) {
    Session session(Model::open(place.folder / "model"), {.input_height = 32, .input_width = 32});
    const auto data = converter::open_data_set(place.folder / "batch.bin");
    std::vector<float> input(3UL * 32 * 32);
    std::vector<float> logits(session.model().classes());
    std::size_t right = 0;
    for (std::size_t item = 0; item < records; ++item) {
        data->read(item, session.model().preprocessing(), 32, input);
        session.run(input, logits);
        const auto guesses = session.predictions(logits, top);
        right +=
            static_cast<std::size_t>(std::any_of(guesses.begin(), guesses.end(), [&](const Prediction& p) {
                return p.class_index == labels[item % 10];
            }));
    }
    return static_cast<double>(right) / records;
}

}  // namespace

TEST_CASE("eval --json gives the accuracies of the library's predictions") {
    const Workplace place;
    const Json json = place.eval_json({});
    const std::vector<std::size_t> labels = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    CHECK(json.find("images")->size() == records);
    CHECK(json.find("size")->size() == 32);
    for (const std::size_t top : {1U, 3U, 5U}) {
        const std::string name = "top" + std::to_string(top);
        const double share = json.find(name)->number();
        CHECK(share == expected_share(place, labels, top));
        const Json::Array& interval = json.find(name + "_interval")->array();
        REQUIRE(interval.size() == 2);
        CHECK(interval[0].number() <= share);
        CHECK(interval[1].number() >= share);
        CHECK(interval[0].number() < interval[1].number());
    }
    for (const char* more : {"classes", "confusion", "reference"}) CHECK(json.find(more) == nullptr);
}

TEST_CASE("eval of CIFAR-10's files on a model of 1000 classes uses the built-in map") {
    const Workplace place(1000);
    const Json json = place.eval_json({"--per-class"});
    const std::vector<std::size_t> labels = {404, 817, 15, 281, 352, 207, 30, 339, 510, 867};
    CHECK(json.find("top5")->number() == expected_share(place, labels, 5));
    const Json::Array& classes = json.find("classes")->array();
    REQUIRE(classes.size() == 10);
    for (std::size_t i = 0; i < 10; ++i) {
        CHECK(classes[i].find("class")->size() == labels[i]);
        CHECK(classes[i].find("images")->size() == (i < 2 ? 2 : 1));
    }
    const std::vector<std::string> names = {"airliner",       "sports car",       "robin",    "tabby",
                                            "impala",         "golden retriever", "bullfrog", "sorrel",
                                            "container ship", "trailer truck"};
    for (std::size_t i = 0; i < 10; ++i) CHECK(classes[i].find("label")->string() == names[i]);
    CHECK(classes[3].find("name")->string() == "cat");
    CHECK(classes[3].find("synset")->string() == "n02123045");
}

TEST_CASE("eval gives the same result for every batch size and number of threads") {
    const Workplace place;
    const Arguments with_all = {"--per-class", "--confusion", "--json", "--reference",
                                place.folder / "model"};
    Arguments one = with_all;
    one.insert(one.end(), {"--threads", "1", "--batch", "1"});
    const Outcome outcome = place.eval(one);
    REQUIRE(outcome.code == 0);
    for (const char* batch : {"5", "1000"}) {
        Arguments other = with_all;
        other.insert(other.end(), {"--threads", "3", "--batch", batch});
        CHECK(place.eval(other).output == outcome.output);
    }
}

TEST_CASE("eval -n spreads the images over the whole set") {
    const Workplace place;
    const Json json = place.eval_json({"-n", "4", "--per-class"});  // records 0, 3, 6, 9
    CHECK(json.find("images")->size() == 4);
    const Json::Array& classes = json.find("classes")->array();
    for (std::size_t i = 0; i < 10; ++i) {
        CHECK(classes[i].find("images")->size() == (i % 3 == 0 ? 1 : 0));
        CHECK(classes[i].find("top1")->is_null() == (i % 3 != 0));
    }
}

TEST_CASE("eval --label-map maps every class as specified") {
    const Workplace place;
    std::string map = "# all to one\n";
    for (int label = 0; label < 10; ++label) map += std::to_string(label) + "\t7\n";
    write_file(place.folder / "map.txt", map);
    const Json json = place.eval_json({"--label-map", place.folder / "map.txt", "--confusion"});
    CHECK(json.find("top1")->number() == expected_share(place, std::vector<std::size_t>(10, 7), 1));
    std::size_t counted = 0;
    for (const Json& entry : json.find("confusion")->array()) counted += entry.find("images")->size();
    CHECK(counted == records);
}

TEST_CASE("eval --reference compares both models") {
    const Workplace place;
    REQUIRE(run_tool({"quantize", place.folder / "model", "-o", place.folder / "int8"}).code == 0);
    const Json json = place.eval_json({"--reference", place.folder / "int8"});
    const Json* reference = json.find("reference");
    REQUIRE(reference != nullptr);
    CHECK(reference->find("model")->string() == place.folder / "int8");
    CHECK(reference->find("mean_cosine")->number() > 0.99);
    CHECK(reference->find("smallest_cosine")->number() <= reference->find("mean_cosine")->number());
    CHECK(contains(reference->find("smallest_cosine_image")->string(), "batch.bin record "));
    // The difference between two models' correct answers equals the difference of what only one of them gets
    // right.
    const double difference = json.find("top1")->number() - reference->find("top1")->number();
    const auto only_model = static_cast<double>(reference->find("only_model_right")->size());
    const auto only_reference = static_cast<double>(reference->find("only_reference_right")->size());
    CHECK(difference == doctest::Approx((only_model - only_reference) / records));
    CHECK(reference->find("same_top1_interval")->array().size() == 2);
}

TEST_CASE("eval prints tables") {
    const Workplace place;
    const Outcome outcome = place.eval({"--per-class", "--confusion", "--reference", place.folder / "model"});
    INFO(outcome.errors);
    CHECK(outcome.code == 0);
    for (const char* text :
         {"12 of 12 images, 10 classes", "32×32", "top-1", "top-3", "top-5", "95 % interval",
          "reference's top-1", "same top-1", "100.00", "only the model right", "only the reference right",
          "mean 1.000000", "automobile", "class, taken for:", "others"}) {
        INFO(text);
        CHECK(contains(outcome.output, text));
    }
    CHECK_FALSE(contains(place.eval({}).output, "automobile"));
}

TEST_CASE("eval of many classes lists the most frequent mistakes") {
    const Workplace place(1000);
    std::vector<std::string> names;
    for (int index = 0; index < 21; ++index) names.push_back(std::to_string(index));
    place.add_photos(names);
    const Outcome outcome = place.eval({"--confusion"}, "photos");
    INFO(outcome.errors);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.output, "% of the class"));
}

TEST_CASE("eval of class folders uses their names as classes, or their positions") {
    {
        const Workplace place(1000);
        place.add_photos({"n02123045", "7"});
        const Json json = place.eval_json({"--per-class"}, "photos");
        const Json::Array& classes = json.find("classes")->array();
        REQUIRE(classes.size() == 2);
        CHECK(classes[0].find("class")->size() == 7);
        CHECK(classes[1].find("class")->size() == 281);
        place.add_photos({"background"});
        place.check_refused({}, 5, "found 3, of which 'background' is no such name: give --label-map FILE",
                            "photos");
    }
    const Workplace place(2);
    place.add_photos({"cat", "bee"});
    const Json json = place.eval_json({"--per-class"}, "photos");
    CHECK(json.find("classes")->array()[1].find("name")->string() == "cat");
    CHECK(json.find("classes")->array()[1].find("class")->size() == 1);
    CHECK(json.find("top3")->number() == 1);
}

TEST_CASE("eval refuses invalid data, maps and options") {
    const Workplace place;
    write_file(place.folder / "cut.bin", cifar_records(records).substr(0, 5000));
    place.check_refused({}, 5, "cut.bin: expected CIFAR-10's records", "cut.bin");
    place.check_refused({}, 5, "found nothing of that name", "missing");
    write_file(place.folder / "map.txt", "cat 281\n");
    place.check_refused({"--label-map", place.folder / "map.txt"}, 5, "map.txt: line 1: expected a class");
    write_file(place.folder / "map.txt", "cat 1\n");
    place.check_refused({"--label-map", place.folder / "map.txt"}, 5, "none for class 0, 'airplane'");
    place.check_refused({"--label-map", place.folder / "no-map"}, 5, "no-map");
    place.check_refused({"--reference", place.folder / "batch.bin"}, 5, "batch.bin");
    place.check_refused({"--batch", "0"}, 2, "--batch: expected");
    place.check_refused({"-n", "0"}, 2, "--images: expected");
    place.check_refused({"--conv", "fast"}, 2, "fast");
    place.check_refused({"--isa", "quantum"}, 2, "quantum");
    convert_state_dict(place.folder / "other", 11);
    place.check_refused({"--reference", place.folder / "other"}, 2, "expected the model's 10 classes");

    place.add_photos({"a", "b"});
    place.check_refused({}, 5, "photos: expected 10 classes as in the model", "photos");
    std::filesystem::create_directory(place.folder / "photos" / "c");
    place.check_refused({}, 5, "found none in 'c'", "photos");
    place.check_refused({}, 5, "without a label", "photos/a");
}

TEST_CASE("eval names the image that cannot be read") {
    const Workplace place(2);
    place.add_photos({"a", "b"});
    write_file(place.folder / "photos" / "b" / "broken.png", "no image at all");
    place.check_refused({}, 5, "broken.png", "photos");
}
