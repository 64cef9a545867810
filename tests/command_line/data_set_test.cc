// Data sets on the command line: what is read or left out, and how classes map to the model's.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/model/json.h"
#include "engine/model/model_file.h"
#include "tests/command_line/tool.h"

using namespace vgg19;
using namespace vgg19::testing;
using model::Json;

namespace {

struct Workplace {
    TemporaryFolder folder;

    explicit Workplace(std::size_t classes = 10, const std::vector<std::string>& names = {}) {
        convert_state_dict(folder / "model", classes);
        if (names.empty()) return;
        const model::ModelFile plain = model::ModelFile::open(folder / "model");
        model::Description description = plain.description();
        description.class_names = names;
        model::write_model(folder / "named", description, plain.tensors());
        std::filesystem::rename(folder / "named", folder / "model");
    }

    void add_photo(const std::string& path, std::size_t width = 40) const {
        const std::filesystem::path file = folder / "photos" / path;
        std::filesystem::create_directories(file.parent_path());
        write_image(file, width, 40);
    }
    void add_classes(const std::vector<std::string>& names) const {
        for (const std::string& name : names) add_photo(name + "/a.bmp", 40 + name.size());
    }

    Outcome eval(const Arguments& more = {}, const std::string& data = "photos") const {
        Arguments arguments = {"eval", "-m", folder / "model", "--data", folder / data, "--size", "32"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_tool(arguments);
    }

    void check_refused(const Outcome& outcome, const std::vector<std::string>& messages, int code = 5) const {
        INFO(outcome.errors);
        CHECK(outcome.code == code);
        CHECK(outcome.output.empty());
        for (const std::string& message : messages) {
            INFO(message);
            CHECK(contains(outcome.errors, message));
        }
    }
};

/// For each class of the data, in order, the model's class.
std::vector<std::size_t> classes_of(const Outcome& outcome) {
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    const Json json = Json::parse(outcome.output, "eval");
    std::vector<std::size_t> classes;
    for (const Json& entry : json.find("classes")->array()) classes.push_back(entry.find("class")->size());
    return classes;
}

std::vector<std::string> numbers(std::size_t count) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
    return names;
}

}  // namespace

TEST_CASE("eval asks which reading of numeric folder names is meant, and applies it") {
    const Workplace place(12);
    place.add_classes(numbers(12));
    place.check_refused(place.eval(),
                        {"--class-order index", "10 → 10", "--class-order alphabetical", "10 → 2"});
    CHECK(classes_of(place.eval({"--json", "--per-class", "--class-order", "alphabetical"})) ==
          std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
    const Outcome by_index = place.eval({"--json", "--per-class", "--class-order", "index"});
    CHECK(classes_of(by_index) == std::vector<std::size_t>{0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9});
    CHECK(
        contains(by_index.errors, "data: classes by index, which is the class folder's name: 0 → 0, 1 → 1"));
    place.check_refused(place.eval({"--class-order", "size"}), {"--class-order: expected name, index"}, 2);
    place.check_refused(place.eval({"--class-order", "index", "--label-map", place.folder / "map"}),
                        {"--label-map and --class-order exclude each other"}, 2);
}

TEST_CASE("eval uses a model's class names") {
    const Workplace place(3, {"newt", "ant", "10"});
    place.add_classes({"10", "ant"});
    const Outcome outcome = place.eval({"--json", "--per-class"});
    CHECK(classes_of(outcome) == std::vector<std::size_t>{2, 1});
    CHECK(contains(outcome.errors, "classes by name: 10 → 2, ant → 1"));
    CHECK(Json::parse(outcome.output, "eval").find("class_order")->string() == "by name: 10 → 2, ant → 1");
    place.add_classes({"bee"});
    place.check_refused(place.eval(), {"found 1 that are not: 'bee'", "'newt', 'ant', '10'"});
    write_file(place.folder / "map.txt", "10 10\n");
    write_file(place.folder / "map.txt", "10 2\nant ant\nbee newt\n");
    CHECK(classes_of(place.eval({"--json", "--per-class", "--label-map", place.folder / "map.txt"})) ==
          std::vector<std::size_t>{2, 1, 0});
}

TEST_CASE("eval finds images deep in class folders, and names what it leaves out") {
    const Workplace place(2);
    for (const char* file : {"a/images/1.bmp", "a/images/more/2.BMP", "b/3.bmp", "b/4.bmp"})
        place.add_photo(file);
    write_file(place.folder / "photos/a/boxes.txt", "1 2 3 4");
    write_file(place.folder / "photos/a/images/5.heic", "no");
    const Outcome outcome = place.eval({"--json"});
    INFO(outcome.errors);
    CHECK(contains(outcome.errors,
                   "4 images in 2 class folders; left out: 1 .heic (pictures that this build "
                   "does not read), 1 .txt\n"));
    const Json json = Json::parse(outcome.output, "eval");
    CHECK(json.find("images")->size() == 4);
    REQUIRE(json.find("left_out")->array().size() == 2);
    CHECK(json.find("left_out")->array()[0].find("kind")->string() == ".heic");
    CHECK(json.find("left_out")->array()[0].find("files")->size() == 1);
    CHECK(json.find("broken")->array().empty());
}

TEST_CASE("eval leaves out and reports broken images, unless there are too many") {
    const Workplace place(2);
    for (int i = 0; i < 4; ++i) {
        for (const char* name : {"a/", "b/"}) place.add_photo(name + std::to_string(i) + ".bmp");
    }
    write_file(place.folder / "photos/a/2.bmp", "BM");
    const Outcome outcome = place.eval({"--json", "--batch", "3"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome.errors, "data: left out: 1 of 8 pictures cannot be read: "));
    const Json json = Json::parse(outcome.output, "eval");
    CHECK(json.find("images")->size() == 7);
    REQUIRE(json.find("broken")->array().size() == 1);
    CHECK(json.find("broken")->array()[0].string() == (place.folder / "photos/a/2.bmp"));
    CHECK(contains(place.eval().output, "broken:    1 image is left out"));
    for (const char* name : {"a/0.bmp", "b/0.bmp"}) write_file(place.folder / "photos" / name, "BM");
    place.check_refused(place.eval(), {"at most a quarter", "3 of 8 pictures cannot be read", "a/0.bmp"});
}

TEST_CASE("eval refuses parts of data sets and pictures without labels, with advice") {
    const Workplace place(2);
    place.add_photo("train/a/1.bmp");
    place.add_photo("val/a/1.bmp");
    place.check_refused(place.eval(), {"parts of a data set, train, val: name one of them"});
    const Workplace flat(1000);
    flat.add_photo("ILSVRC2012_val_00000001.bmp");
    flat.check_refused(flat.eval(), {"without a label", "ImageNet's validation pictures", "WordNet's id"});
}

TEST_CASE("eval of a folder around the class folders suggests the inner one") {
    const Workplace place(2);
    place.add_classes({"flower_photos/daisy", "flower_photos/rose"});
    place.check_refused(place.eval(), {"expected 2 classes as in the model, found 1 such as 'flower_photos'",
                                       "did you mean " + std::string(place.folder / "photos/flower_photos")});
    const Workplace flat(2);
    flat.add_classes({"daisy"});
    CHECK_FALSE(contains(flat.eval().errors, "did you mean"));
    const Workplace one(2, {"daisy", "rose"});
    one.add_classes({"Daisy"});
    const Outcome outcome = one.eval();
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.errors, "data: all images are of one class\n"));
}

TEST_CASE("eval of a folder of CIFAR-10's files uses the test batch") {
    const Workplace place;
    std::filesystem::create_directory(place.folder / "cifar");
    write_file(place.folder / "cifar/data_batch_1.bin", cifar_records(5));
    write_file(place.folder / "cifar/test_batch.bin", cifar_records(3, 5));
    const Outcome outcome = place.eval({}, "cifar");
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.errors, "3 images in 1 file (test_batch.bin); left out: data_batch_1.bin\n"));
    CHECK(contains(outcome.output, "3 of 3 images"));
    write_file(place.folder / "data_batch_1", "\x80\x02}");
    place.check_refused(place.eval({}, "data_batch_1"), {"CIFAR-10's version for Python", "binary version"});
}

TEST_CASE("quantize and prune report their calibration images, and if there are fewer than requested") {
    const Workplace place;
    for (int i = 0; i < 9; ++i) place.add_photo("deep/er/" + std::to_string(i) + ".bmp");
    write_file(place.folder / "photos/deep/4.webm", "a film");
    write_file(place.folder / "photos/deep/broken.bmp", "BM");
    for (const Arguments& command : {Arguments{"quantize", "--scope", "all"}, Arguments{"prune"}}) {
        Arguments arguments = command;
        const std::string output = place.folder / command[0];
        arguments.insert(arguments.end(), {place.folder / "model", "-o", output, "--calib",
                                           place.folder / "photos", "-n", "20", "--size", "32"});
        const Outcome outcome = run_tool(arguments);
        INFO(outcome.errors);
        CHECK(outcome.code == 0);
        CHECK(contains(outcome.errors, "10 images in 1 class folder; left out: 1 .webm\n"));
        CHECK(contains(outcome.errors, "calib: left out: 1 of 10 pictures cannot be read: "));
        CHECK(contains(outcome.errors, "broken.bmp"));
        CHECK(contains(outcome.errors, "calibrating with 9 images, not with the 20 of -n"));
        const model::ModelFile model = model::ModelFile::open(output);
        CHECK(contains(model.description().lineage.back(), "-n 9 "));
    }
}
