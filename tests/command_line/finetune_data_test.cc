// vgg19 finetune: keeps training and held-out data apart, and learns new classes.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/model/json.h"
#include "engine/model/model_file.h"
#include "tests/command_line/tool.h"

using namespace vgg19;
using namespace vgg19::testing;

namespace {

struct Workplace {
    TemporaryFolder folder;

    Workplace() { convert_state_dict(folder / "model"); }

    Outcome finetune(const std::string& data, const Arguments& more = {}) const {
        Arguments arguments = {
            "finetune", folder / "model", "-o", folder / "tuned", "--data", folder / data, "--size",
            "32",       "--batch",        "4",  "--threads",      "2"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_tool(arguments);
    }

    void check_refused(const Outcome& outcome, const std::string& message, int code = 5) const {
        INFO(outcome.errors);
        CHECK(outcome.code == code);
        CHECK(contains(outcome.errors, message));
        CHECK_FALSE(std::filesystem::exists(folder / "tuned"));
        CHECK_FALSE(std::filesystem::exists(folder / "tuned.checkpoint"));
    }

    /// A uniformly grey PPM, 32 × 32.
    void add_grey(const std::string& path, int grey) const {
        std::filesystem::create_directories((std::filesystem::path(folder.path()) / path).parent_path());
        write_file(folder / path, "P6\n32 32\n255\n" + std::string(3072, static_cast<char>(grey)));
    }

    /// Eight pictures per class: dark and light ones.
    void add_dark_and_light(const std::string& data, int shift, const std::string& dark = "dark",
                            const std::string& light = "light") const {
        for (int i = 0; i < 8; ++i) {
            add_grey(data + "/" + dark + "/" + std::to_string(i) + ".ppm", 4 * i + shift);
            add_grey(data + "/" + light + "/" + std::to_string(i) + ".ppm", 250 - 4 * i - shift);
        }
    }

    model::Description tuned() const { return model::ModelFile::open(folder / "tuned").description(); }
};

const Arguments quick = {"--epochs", "20",   "--head-epochs", "10",   "--dropout",         "0",
                         "--train",  "head", "--lr",          "1e-2", "--no-augmentation", "--schedule",
                         "constant"};

Arguments with(Arguments arguments, const Arguments& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

}  // namespace

TEST_CASE(
    "finetune of a folder of CIFAR-10's files leaves out the test batch, which can be used to validate") {
    const Workplace place;
    std::filesystem::create_directory(place.folder / "cifar");
    write_file(place.folder / "cifar/data_batch_1.bin", cifar_records(8));
    write_file(place.folder / "cifar/test_batch.bin", cifar_records(6, 8));
    const Outcome outcome = place.finetune("cifar", {"--validate", place.folder / "cifar/test_batch.bin"});
    INFO(outcome.errors);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.errors, "8 images in 1 file (data_batch_1.bin); left out: test_batch.bin\n"));
    CHECK(contains(outcome.errors, "6 images in 1 file (test_batch.bin)\n"));
    CHECK(contains(outcome.errors, "training: 2 steps of 4 images"));
    CHECK(contains(outcome.output, "top-1 of 6 images: "));
}

TEST_CASE("finetune refuses pictures that are in the training and in the held-out data") {
    const Workplace place;
    write_file(place.folder / "train.bin", cifar_records(12));
    write_file(place.folder / "test.bin", cifar_records(5, 20) + cifar_records(2, 3));
    const auto validated = [&](const std::string& data, const std::string& validate) {
        return place.finetune(data, {"--validate", place.folder / validate});
    };
    const std::string test = place.folder / "test.bin";
    const std::string train = place.folder / "train.bin";
    place.check_refused(validated("train.bin", "test.bin"),
                        "--data and --validate: expected different pictures, found 2 of 7 of --validate in "
                        "--data too, the first of them " +
                            test + " record 5, which is the same as " + train + " record 3");
    place.check_refused(validated("train.bin", "train.bin"), "found 12 of 12 of --validate");
    std::filesystem::create_hard_link(place.folder / "train.bin", place.folder / "link.bin");
    place.check_refused(validated("train.bin", "link.bin"), "found 12 of 12 of --validate");

    for (int i = 0; i < 10; ++i) {
        const std::string number = std::to_string(i);
        place.add_grey("photos/" + number + "/a.ppm", 10 + i);
        place.add_grey("others/" + number + "/a.ppm", 100 + i);
    }
    std::filesystem::create_symlink(place.folder / "photos/4/a.ppm", place.folder / "others/7/b.ppm");
    place.check_refused(validated("photos", "others"), "found 1 of 11 of --validate in --data too");
    std::filesystem::remove(place.folder / "others/7/b.ppm");
    const Outcome outcome = validated("photos", "others");
    INFO(outcome.errors);
    CHECK(outcome.code == 0);
}

TEST_CASE("finetune leaves out broken pictures, and counts duplicates") {
    const Workplace place;
    for (int i = 0; i < 20; ++i) {
        place.add_grey("photos/" + std::to_string(i % 10) + "/" + std::to_string(i) + ".ppm", 10 + i);
    }
    place.add_grey("photos/3/again.ppm", 10);
    write_file(place.folder / "photos/5/broken.ppm", "P6");
    const Outcome outcome = place.finetune("photos");
    INFO(outcome.errors);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.errors, "data: left out: 1 of 22 pictures cannot be read: "));
    CHECK(contains(outcome.errors, "broken.ppm"));
    CHECK(contains(outcome.errors, "data: 1 picture is the same as another"));
    CHECK(contains(outcome.errors, "training: 6 steps of 4 images"));

    std::filesystem::remove(place.folder / "tuned");
    for (const char* name : {"photos/6/6.ppm", "photos/6/16.ppm"}) write_file(place.folder / name, "P6");
    place.check_refused(place.finetune("photos"),
                        "expected a picture of class 6 that can be read, found none");
}

TEST_CASE("finetune reports pictures that are in two classes") {
    const Workplace place;
    place.add_dark_and_light("photos", 0);
    place.add_grey("photos/light/dark.ppm", 4);
    const Outcome outcome = place.finetune("photos", {"--classes", "2"});
    INFO(outcome.errors);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.errors, "data: 2 pictures are in more than one class, such as " +
                                       (place.folder / "photos/dark/1.ppm").string() + " and " +
                                       (place.folder / "photos/light/dark.ppm").string() + "\n"));
    std::filesystem::remove(place.folder / "tuned");
    place.add_grey("around/flowers/daisy/1.ppm", 1);
    place.check_refused(place.finetune("around", {"--classes", "2"}),
                        "expected 2 classes for --classes, found 1; did you mean " +
                            (place.folder / "around/flowers").string());
}

TEST_CASE("finetune --classes N learns the class folders, and stores their names in the model") {
    const Workplace place;
    place.add_dark_and_light("photos", 0);
    place.add_dark_and_light("others", 2);
    place.check_refused(place.finetune("photos"), "use --classes N or FILE, which adds a new last layer");
    const Outcome outcome =
        place.finetune("photos", with(quick, {"--classes", "2", "--validate", place.folder / "others"}));
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome.output, "top-1 of 16 images: 100.00 % after\n"));
    CHECK(contains(outcome.errors, "; in the first 10 epochs the new layer learns alone"));
    CHECK(contains(outcome.errors, "validate: classes by name: dark → 0, light → 1"));
    CHECK(place.tuned().class_names == std::vector<std::string>{"dark", "light"});
    CHECK(
        contains(place.tuned().lineage.back(), "--data photos --classes 2 --head-epochs 10 --head-lr 0.1 "));
    const Outcome eval =
        run_tool({"eval", "-m", place.folder / "tuned", "--data", place.folder / "others", "--size", "32"});
    CHECK(contains(eval.output, "100.00"));
}

TEST_CASE("finetune --classes FILE gives the classes its names and its order") {
    const Workplace place;
    place.add_dark_and_light("photos", 0);
    write_file(place.folder / "names.txt", "light\ngrey\ndark\n");
    const Outcome outcome = place.finetune("photos", with(quick, {"--classes", place.folder / "names.txt"}));
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome.errors, "data: classes by name: dark → 2, light → 0"));
    CHECK(place.tuned().class_names == std::vector<std::string>{"light", "grey", "dark"});

    std::filesystem::remove(place.folder / "tuned");
    write_file(place.folder / "names.txt", "light\ngrey\n");
    place.check_refused(place.finetune("photos", {"--classes", place.folder / "names.txt"}),
                        "found 1 that are not: 'dark'");
    write_file(place.folder / "names.txt", "light\nlight\n");
    place.check_refused(place.finetune("photos", {"--classes", place.folder / "names.txt"}),
                        "names.txt: line 2: expected each class once");
    place.check_refused(place.finetune("photos", {"--classes", place.folder / "missing.txt"}), "missing.txt");
}

TEST_CASE("finetune --classes numbers folders by position or by option, and stores the order") {
    const Workplace place;
    for (int i = 0; i < 12; ++i) place.add_grey("photos/" + std::to_string(i) + "/a.ppm", 10 * i);
    REQUIRE(place.finetune("photos", {"--classes", "12"}).code == 0);
    CHECK(place.tuned().class_names ==
          std::vector<std::string>{"0", "1", "10", "11", "2", "3", "4", "5", "6", "7", "8", "9"});
    for (const char* order : {"natural", "index"}) {
        REQUIRE(place.finetune("photos", {"--classes", "12", "--class-order", order}).code == 0);
        CHECK(place.tuned().class_names[10] == "10");
        CHECK(contains(place.tuned().lineage.back(), std::string("--class-order ") + order));
    }
    // The names take precedence over other readings of numbers.
    std::filesystem::rename(place.folder / "tuned", place.folder / "model");
    CHECK(place.finetune("photos").code == 0);
}

TEST_CASE("finetune --classes refuses invalid options") {
    const Workplace place;
    place.add_dark_and_light("photos", 0);
    place.check_refused(place.finetune("photos", {"--classes", "3"}),
                        "photos: expected 3 classes for --classes, found 2");
    place.check_refused(place.finetune("photos", {"--classes", "0"}), "--classes: expected a whole number",
                        2);
    place.check_refused(place.finetune("photos", {"--classes", "2", "--class-order", "name"}),
                        "--class-order name: expected class names", 2);
    place.check_refused(place.finetune("photos", {"--head-epochs", "2"}),
                        "--head-epochs is only for --classes", 2);
    place.check_refused(place.finetune("photos", {"--head-lr", "2"}), "--head-lr is only for --classes", 2);
    place.check_refused(place.finetune("photos", {"--classes", "2", "--head-lr", "0"}), "--head-lr: expected",
                        2);
}

TEST_CASE("finetune --classes continues after a kill, to the same file") {
    const Workplace place;
    place.add_dark_and_light("photos", 0);
    const Arguments more = {"--classes",          "2", "--epochs", "3", "--head-epochs", "2",
                            "--checkpoint-steps", "1", "--resume"};
    REQUIRE(place.finetune("photos", more).code == 0);
    const std::string expected = read_file(place.folder / "tuned");
    std::filesystem::remove(place.folder / "tuned");
    Arguments arguments = {"finetune",  place.folder / "model",
                           "-o",        place.folder / "tuned",
                           "--data",    place.folder / "photos",
                           "--size",    "32",
                           "--batch",   "4",
                           "--threads", "2"};
    Outcome outcome;
    for (double seconds = 0.05; outcome.code != 0; seconds *= 1.3) {
        outcome = run_tool_with_signal(with(arguments, more), "KILL", seconds);
        CHECK_FALSE((outcome.code != 0 && outcome.code != 137));
    }
    CHECK(read_file(place.folder / "tuned") == expected);
}

TEST_CASE("finetune --classes takes a pruned and factored model") {
    const Workplace place;
    place.add_dark_and_light("photos", 0);
    const std::string pruned = place.folder / "pruned";
    REQUIRE(run_tool({"prune", place.folder / "model", "-o", pruned, "--ratio", "0.2"}).code == 0);
    const std::string factored = place.folder / "factored";
    REQUIRE(run_tool({"factorize", pruned, "-o", factored, "--rank", "3"}).code == 0);
    std::filesystem::rename(factored, place.folder / "model");
    const Outcome outcome = place.finetune("photos", {"--classes", "2"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(contains(place.tuned().variant, "pruned"));
    CHECK(place.tuned().network.classes() == 2);
    CHECK(run_tool({"inspect", place.folder / "tuned", "--verify"}).code == 0);
}
