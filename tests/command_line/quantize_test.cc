// quantize --scope all: options, results and errors.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "engine/model/model_file.h"
#include "tests/command_line/tool.h"

using namespace vgg19;
using namespace vgg19::testing;

namespace {

/// A model, and images to calibrate it with.
struct Workplace {
    TemporaryFolder folder;

    Workplace() {
        convert_state_dict(folder / "model");
        write_file(folder / "pictures.bin", cifar_records(6));
        std::filesystem::create_directory(folder / "photos");
        for (int i = 0; i < 3; ++i) {
            write_image(folder / "photos" / (std::to_string(i) + ".bmp"), 50 + 3U * static_cast<unsigned>(i),
                        40);
        }
    }

    Outcome quantize(const Arguments& more, const std::string& calibration = "pictures.bin") const {
        Arguments arguments = {"quantize", folder / "model",     "--scope", "all",
                               "--calib",  folder / calibration, "--size",  "32"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_tool(arguments);
    }

    /// Expects exit code `code`, `message` on standard error, and no output file.
    void check_refused(const Arguments& more, int code, const std::string& message,
                       const std::string& calibration = "pictures.bin") const {
        Arguments arguments = {"-o", folder / "out"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Outcome outcome = quantize(arguments, calibration);
        INFO(outcome.errors);
        CHECK(outcome.code == code);
        CHECK(contains(outcome.errors, message));
        CHECK_FALSE(std::filesystem::exists(folder / "out"));
    }
};

std::size_t lines_of(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("quantize --scope all writes INT8 layers, and the options into the lineage") {
    const Workplace place;
    const Outcome outcome =
        place.quantize({"-o", place.folder / "full", "-n", "4", "--range", "max", "--keep-fp32",
                        "features.2,classifier.6", "--no-winograd", "features.5"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome.output, "int8-full"));
    CHECK(outcome.errors ==
          "calib: " + (place.folder / "pictures.bin").string() + ": 6 images in 1 file (pictures.bin)\n");

    const auto full = model::ModelFile::open(place.folder / "full");
    CHECK(full.description().variant == "int8-full");
    CHECK(full.description().lineage.back() ==
          "quantize --scope all --calib pictures.bin -n 4 --size 32 --range max --keep-fp32 "
          "features.2,classifier.6 --no-winograd features.5");
    CHECK_FALSE(full.is_int8("features.0"));
    CHECK_FALSE(full.is_int8("features.2"));
    CHECK(full.is_int8("features.5"));
    CHECK(full.is_int8("classifier.0"));
    CHECK_FALSE(full.is_int8("classifier.6"));
    CHECK(full.find("features.5.winograd_input_scale") == nullptr);
    CHECK(full.find("features.5.winograd_f4x4_input_scale") == nullptr);
    full.verify_checksums();
    CHECK(files_in(place.folder.path()) == 4);
}

TEST_CASE("quantize --rounding error and --target-mb choose roundings and bits, which the lineage names") {
    const Workplace place;
    write_file(place.folder / "more.bin", cifar_records(9));
    const Outcome rounded = place.quantize(
        {"-o", place.folder / "rounded", "--rounding", "error", "--weight-bits", "5,features.2=4"},
        "more.bin");
    INFO(rounded.errors);
    REQUIRE(rounded.code == 0);
    CHECK(model::ModelFile::open(place.folder / "rounded").description().lineage.back() ==
          "quantize --scope all --calib more.bin -n 9 --size 32 --range mse --rounding error "
          "--weight-bits 5,features.2=4");

    const Outcome table = place.quantize({"--dry-run", "--rounding", "error"}, "more.bin");
    CHECK(contains(table.output, "nearest error %"));
    place.check_refused({"--rounding", "error"}, 2, "--rounding error: expected at least 8 images");
    place.check_refused({"--target-mb", "0.001"}, 2, "--target-mb: expected at least 0.");
    place.check_refused({"--rounding", "up"}, 2, "--rounding: expected nearest or error, found 'up'");
    place.check_refused({"--weight-bits", "9"}, 2, "--weight-bits: expected bits from 2 to 8");
    place.check_refused({"--weight-bits", "features.0=4"}, 2, "which stays FP32");
}

TEST_CASE("quantize --dense int4 gives dense layers INT4 weights, by either scope") {
    const Workplace place;
    REQUIRE(
        run_tool({"quantize", place.folder / "model", "-o", place.folder / "int4", "--dense", "int4"}).code ==
        0);
    const Outcome outcome = place.quantize({"-o", place.folder / "full", "-n", "2", "--dense", "int4"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    const auto dense = model::ModelFile::open(place.folder / "int4");
    const auto full = model::ModelFile::open(place.folder / "full");
    CHECK(dense.description().variant == "int8");
    CHECK(full.description().variant == "int8-full");
    CHECK(contains(full.description().lineage.back(), " --dense int4"));
    CHECK(full.is_int8("features.2"));
    for (const char* layer : {"classifier.0", "classifier.3", "classifier.6"}) {
        CHECK(dense.is_int4(layer));
        CHECK(full.is_int4(layer));
    }
    const Outcome shown = run_tool({"inspect", place.folder / "int4", "--verify"});
    CHECK(shown.code == 0);
    CHECK(contains(shown.output, "INT4"));
    CHECK(contains(shown.output, "input-major weights"));
    place.check_refused({"--dense", "int2"}, 2, "--dense: expected int8 or int4, found 'int2'");
}

TEST_CASE("the same images give the same model, whatever the number of threads") {
    const Workplace place;
    REQUIRE(place.quantize({"-o", place.folder / "one", "--threads", "1"}).code == 0);
    REQUIRE(place.quantize({"-o", place.folder / "three", "--threads", "3"}).code == 0);
    CHECK(read_file(place.folder / "one") == read_file(place.folder / "three"));
}

TEST_CASE("quantize calibrates on a folder of images, and uses no more than there are") {
    const Workplace place;
    const Outcome outcome = place.quantize({"-o", place.folder / "full", "-n", "1000"}, "photos");
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(contains(model::ModelFile::open(place.folder / "full").description().lineage.back(),
                   "--calib photos -n 3"));
}

TEST_CASE("quantize --dry-run prints every layer and writes nothing") {
    const Workplace place;
    const std::size_t before = files_in(place.folder.path());
    const Outcome outcome = place.quantize({"--dry-run", "--no-winograd", "all"});
    INFO(outcome.errors);
    CHECK(outcome.code == 0);
    const model::Network network = narrow_network();
    for (const model::ConvolutionLayer& layer : network.convolutions()) {
        CHECK(contains(outcome.output, layer.name + " ") == (layer.name != "features.0"));
    }
    for (const char* text : {"classifier.0", "input scale", "clipped %", "winograd error %"}) {
        CHECK(contains(outcome.output, text));
    }
    CHECK_FALSE(contains(outcome.output, "winograd or direct"));
    CHECK(files_in(place.folder.path()) == before);
}

TEST_CASE("quantize --sensitivity ranks every layer") {
    const Workplace place;
    const Outcome outcome =
        place.quantize({"--dry-run", "-n", "2", "--sensitivity", place.folder / "layers.tsv"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    const std::string table = read_file(place.folder / "layers.tsv");
    CHECK(table.starts_with("rank\tlayer\tway\tkernel\trelative_l2\tcosine\tsame_prediction\n1\t"));
    const std::size_t convolutions = narrow_network().convolutions().size();
    constexpr std::size_t ways = 3;
    CHECK(lines_of(table) == 1 + ways * (convolutions - 1) + 3);
    for (const char* text : {"features.2\tdirect", "features.34\twinograd\t", "features.34\twinograd_f4x4\t",
                             "classifier.6\tdense"}) {
        CHECK(contains(table, text));
    }
}

TEST_CASE("quantize refuses invalid options") {
    const Workplace place;
    place.check_refused({"--range", "median"}, 2, "--range: expected max, percentile or mse, found 'median'");
    place.check_refused({"--keep-fp32", "features.3"}, 2, "--keep-fp32: expected layers of the model");
    place.check_refused({"--keep-fp32", "features.2,"}, 2, "found ''");
    place.check_refused({"--no-winograd", "classifier.0"}, 2, "--no-winograd: expected layers of the model");
    place.check_refused({"-n", "0"}, 2, "--images: expected a whole number");
    place.check_refused({"--size", "31"}, 2, "--size");
    place.check_refused({"--isa", "quantum"}, 2, "quantum");
    place.check_refused({"--sensitivity", place.folder / "out"}, 2, "the same file");
    place.check_refused({"--sensitivity", place.folder / "model"}, 2, "expected another file");
    place.check_refused({"--sensitivity", place.folder / "pictures.bin"}, 2, "expected another file");
    place.check_refused({"--sensitivity", place.folder / "photos"}, 2, "found a directory");

    const std::string model = place.folder / "model";
    CHECK(contains(run_tool({"quantize", model, "-o", place.folder / "out", "--scope", "all"}).errors,
                   "--calib is required"));
    for (const Arguments& option : {Arguments{"--calib", "x"}, Arguments{"-n", "3"}, Arguments{"--dry-run"},
                                    Arguments{"--range", "max"}, Arguments{"--hold-out", "3"}}) {
        Arguments arguments = {"quantize", model, "-o", place.folder / "out"};
        arguments.insert(arguments.end(), option.begin(), option.end());
        const Outcome outcome = run_tool(arguments);
        INFO(outcome.errors);
        CHECK(outcome.code == 2);
        CHECK(contains(outcome.errors, " is only for --scope all"));
    }
    CHECK(files_in(place.folder.path()) == 3);
}

TEST_CASE("quantize refuses invalid data by name") {
    const Workplace place;
    place.check_refused({}, 5, "found nothing of that name", "missing");
    std::filesystem::create_directory(place.folder / "empty");
    place.check_refused({}, 5, (place.folder / "empty").string() + ": expected images", "empty");
    write_file(place.folder / "short.bin", cifar_records(2).substr(1));
    place.check_refused({}, 5, "short.bin: expected CIFAR-10's records of 3073 bytes", "short.bin");
    write_file(place.folder / "label.bin", std::string(3073, '\x0A'));
    place.check_refused({}, 5, "label.bin: record 0: expected a label from 0 to 9, found 10", "label.bin");
    write_file(place.folder / "photos" / "1.bmp", "BM and no more");
    place.check_refused({}, 5, (place.folder / "photos" / "1.bmp").string(), "photos");
    write_file(place.folder / "photos" / "4.jpg", "");
    place.check_refused({"-n", "1"}, 5, "4.jpg", "photos/4.jpg");
}

TEST_CASE("an already quantised model is refused with either scope") {
    const Workplace place;
    REQUIRE(place.quantize({"-o", place.folder / "full", "-n", "1"}).code == 0);
    REQUIRE(run_tool({"quantize", place.folder / "model", "-o", place.folder / "int8"}).code == 0);
    REQUIRE(
        run_tool({"quantize", place.folder / "model", "-o", place.folder / "int4", "--dense", "int4"}).code ==
        0);
    for (const char* model : {"full", "int8", "int4"}) {
        for (const Arguments& scope :
             {Arguments{"--scope", "all", "--calib", place.folder / "pictures.bin", "--size", "32"},
              Arguments{"--scope", "dense"}}) {
            Arguments arguments = {"quantize", place.folder / model, "-o", place.folder / "again"};
            arguments.insert(arguments.end(), scope.begin(), scope.end());
            const Outcome outcome = run_tool(arguments);
            INFO(outcome.errors);
            CHECK(outcome.code == 5);
            CHECK(contains(outcome.errors, (place.folder / model).string()));
            CHECK(contains(outcome.errors, "quantised already"));
            CHECK_FALSE(std::filesystem::exists(place.folder / "again"));
        }
    }
}
