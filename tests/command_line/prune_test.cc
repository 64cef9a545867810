// prune with calibration images: refit, scan, criteria, targets, and errors.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "converter/quantize/expected_size.h"
#include "engine/model/model_file.h"
#include "engine/program/expected_network.h"
#include "tests/command_line/tool.h"

using namespace vgg19;
using namespace vgg19::testing;

namespace {

/// A model, and images to refit it with.
struct Workplace {
    TemporaryFolder folder;

    Workplace() {
        convert_state_dict(folder / "model");
        write_file(folder / "pictures.bin", cifar_records(12));
    }

    Outcome prune(const Arguments& more, const std::string& model = "model") const {
        Arguments arguments = {"prune", folder / model};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_tool(arguments);
    }
    Outcome prune_calibrated(const Arguments& more) const {
        Arguments arguments = {"--calib", folder / "pictures.bin", "--size", "32"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return prune(arguments);
    }

    /// Expects exit code `code`, `message` on standard error, and no output file.
    void check_refused(const Arguments& more, int code, const std::string& message) const {
        const std::size_t before = files_in(folder.path());
        const Outcome outcome = prune(more);
        INFO(outcome.errors);
        CHECK(outcome.code == code);
        CHECK(contains(outcome.errors, message));
        CHECK(outcome.output.empty());
        CHECK(files_in(folder.path()) == before);
    }
};

std::string lineage_of(const std::filesystem::path& path) {
    return model::ModelFile::open(path).description().lineage.back();
}

}  // namespace

TEST_CASE(
    "prune --calib refits the remaining layers, reports it, and does not depend on the number of threads") {
    const Workplace place;
    const Outcome outcome = place.prune_calibrated(
        {"-o", place.folder / "pruned", "--ratio", "0.25", "--layers", "25,34", "-n", "10"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(outcome.errors ==
          "calib: " + (place.folder / "pictures.bin").string() + ": 12 images in 1 file (pictures.bin)\n");
    CHECK(contains(outcome.output, "features.28"));
    CHECK(contains(outcome.output, "classifier.0"));
    CHECK_FALSE(contains(outcome.output, "features.23 "));
    CHECK(lineage_of(place.folder / "pruned") ==
          "prune --ratio 0.25 --layers 25,34 --calib pictures.bin -n 10 --size 32 (refitted)");

    const auto pruned = model::ModelFile::open(place.folder / "pruned");
    pruned.verify_checksums();
    CHECK(pruned.description().variant == "pruned");
    CHECK(pruned.network().convolutions()[11].output_channels == 13);  // of 17
    CHECK(pruned.network().dense_layers().front().inputs == std::size_t{9} * 49);

    REQUIRE(place
                .prune_calibrated({"-o", place.folder / "again", "--ratio", "0.25", "--layers", "25,34", "-n",
                                   "10", "--threads", "3"})
                .code == 0);
    CHECK(read_file(place.folder / "again") == read_file(place.folder / "pruned"));
}

TEST_CASE("a plan is written without a refit, and replayed with one") {
    const Workplace place;
    REQUIRE(
        place.prune_calibrated({"--write-plan", place.folder / "plan", "--criterion", "activation"}).code ==
        0);
    REQUIRE(place.prune_calibrated({"--plan", place.folder / "plan", "-o", place.folder / "replayed"}).code ==
            0);
    REQUIRE(place.prune_calibrated({"--criterion", "activation", "-o", place.folder / "direct"}).code == 0);
    const auto replayed = model::ModelFile::open(place.folder / "replayed");
    const auto direct = model::ModelFile::open(place.folder / "direct");
    for (const model::Tensor& tensor : direct.tensors()) {
        CHECK(std::ranges::equal(tensor.bytes, replayed.tensor(tensor.name).bytes));
    }
    CHECK(contains(lineage_of(place.folder / "direct"), "--criterion activation --calib pictures.bin -n 12"));
    CHECK(
        contains(lineage_of(place.folder / "replayed"), "--criterion activation --calib pictures.bin -n 12"));
}

TEST_CASE("prune --criterion chooses other filters, also at random, and --no-refit does not change weights") {
    const Workplace place;
    for (const Arguments& criterion :
         {Arguments{"--criterion", "l1"}, Arguments{"--criterion", "random", "--seed", "5"}}) {
        Arguments arguments = {"-o", place.folder / "pruned", "--ratio", "0.4"};
        arguments.insert(arguments.end(), criterion.begin(), criterion.end());
        const Outcome outcome = place.prune(arguments);
        INFO(outcome.errors);
        REQUIRE(outcome.code == 0);
        CHECK(contains(lineage_of(place.folder / "pruned"), criterion[0] + " " + criterion[1]));
    }
    CHECK(contains(lineage_of(place.folder / "pruned"), "--seed 5"));
    const Outcome chosen =
        place.prune_calibrated({"-o", place.folder / "chosen", "--criterion", "activation", "--no-refit"});
    REQUIRE(chosen.code == 0);
    CHECK_FALSE(contains(chosen.output, "refitted"));
    CHECK_FALSE(contains(lineage_of(place.folder / "chosen"), "refitted"));
}

TEST_CASE("prune --scan prints one row per layer, and writes a table and a chart") {
    const Workplace place;
    const Outcome outcome = place.prune_calibrated(
        {"--scan", "-n", "4", "--csv", place.folder / "scan.csv", "--svg", place.folder / "scan.svg"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    const model::Network network = narrow_network();
    for (const auto& layer : network.convolutions()) CHECK(contains(outcome.output, layer.name));
    CHECK(read_file(place.folder / "scan.csv").starts_with("layer,ratio,removed,relative_l2,changed_top1\n"));
    const std::string picture = read_file(place.folder / "scan.svg");
    CHECK(contains(picture, "<svg"));
    CHECK(contains(picture, "features.34"));
    CHECK(files_in(place.folder.path()) == 4);
}

TEST_CASE("prune --target-macs keeps at most the target, with widths that are multiples") {
    const Workplace place;
    const Outcome outcome = place.prune_calibrated({"-o", place.folder / "half", "--target-macs", "0.5",
                                                    "--round-to", "2", "--criterion", "activation"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    const auto half = model::ModelFile::open(place.folder / "half");
    const model::Network before = narrow_network();
    CHECK(half.network().macs(32) <= before.macs(32) / 2);
    CHECK(half.network().macs(32) > before.macs(32) / 3);
    for (std::size_t i = 0; i < before.convolutions().size(); ++i) {
        const std::size_t width = half.network().convolutions()[i].output_channels;
        CHECK((width % 2 == 0 || width == before.convolutions()[i].output_channels));
    }
    CHECK(contains(lineage_of(place.folder / "half"), "prune --target-macs 0.5 --layers 0,2,5"));
}

TEST_CASE("prune --target-ms and --target-mb keep both, and --dense narrows the hidden layers") {
    const Workplace place;
    const model::Network before = narrow_network();
    SessionOptions options = {.threads = 2};
    options.set_input_size(64);
    ExpectedNetworkTime time(options, Arithmetic::int8);
    const double most_ms = 0.9 * 1e3 * time.seconds(before);
    const double most_mb = 0.8 * 1e-6 * converter::expected_int8_bytes(before);
    const Outcome outcome =
        place.prune_calibrated({"-o", place.folder / "small", "--target-ms", std::to_string(most_ms),
                                "--target-mb", std::to_string(most_mb), "--cost-size", "64", "--round-to",
                                "2", "--dense", "--threads", "2", "--criterion", "activation"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome.output, "milliseconds"));
    CHECK(contains(outcome.output, "MB"));
    const model::Network small = model::ModelFile::open(place.folder / "small").network();
    CHECK(1e3 * time.seconds(small) <= most_ms * (1 + 1e-5));
    CHECK(1e-6 * converter::expected_int8_bytes(small) <= most_mb * (1 + 1e-5));
    CHECK(small.classifier_text() != before.classifier_text());
    CHECK(contains(lineage_of(place.folder / "small"), " --cost-size 64 --layers 0,2,5"));
    CHECK(contains(lineage_of(place.folder / "small"), " --dense --round-to 2 --criterion activation"));
}

TEST_CASE("prune --dense with a ratio also removes outputs of hidden layers, with and without a refit") {
    const Workplace place;
    const std::vector<std::size_t> before = narrow_network().classifier_widths();
    REQUIRE(place.prune({"-o", place.folder / "plain", "--ratio", "0.5", "--dense"}).code == 0);
    const Outcome outcome =
        place.prune_calibrated({"-o", place.folder / "refitted", "--ratio", "0.5", "--dense"});
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome.output, "classifier.3"));
    for (const char* name : {"plain", "refitted"}) {
        const auto widths = model::ModelFile::open(place.folder / name).network().classifier_widths();
        CHECK(widths[0] == before[0] / 2);
        CHECK(widths[1] == before[1] / 2);
        CHECK(widths[2] == before[2]);
    }
}

TEST_CASE("prune refuses invalid options") {
    const Workplace place;
    const std::string out = place.folder / "out";
    const std::string pictures = place.folder / "pictures.bin";
    place.check_refused({"--scan"}, 2, "--scan needs --calib");
    place.check_refused({"-o", out, "--target-macs", "0.5"}, 2, "--target-macs needs --calib");
    place.check_refused({"-o", out, "-n", "5"}, 2, "--images needs --calib");
    place.check_refused({"-o", out, "--criterion", "activation"}, 2, "--criterion activation needs --calib");
    place.check_refused({"-o", out, "--criterion", "size"}, 2, "expected l2, l1, activation or random");
    place.check_refused({"-o", out, "--seed", "1"}, 2, "--seed is only for --criterion random");
    place.check_refused({"-o", out, "--hold-out", "3"}, 2, "--hold-out is only for --calib");
    place.check_refused({"-o", out, "--csv", "x"}, 2, "--csv needs --scan or --target-macs");
    place.check_refused({"--scan", "--calib", pictures, "-o", out}, 2, "it cannot go with --output");
    place.check_refused({"--calib", pictures, "-o", out, "--target-macs", "0.5", "--ratio", "0.5"}, 2,
                        "it cannot go with --ratio");
    place.check_refused({"--calib", pictures, "--size", "32", "-o", out, "--target-macs", "1.5"}, 2,
                        "--target-macs");
    place.check_refused({"--calib", pictures, "--size", "32", "-o", out, "--target-macs", "0.01"}, 2,
                        "share of the work to keep");
    place.check_refused({"-o", out, "--target-ms", "5"}, 2, "--target-ms needs --calib");
    place.check_refused({"--calib", pictures, "-o", out, "--target-ms", "0"}, 2, "--target-ms");
    place.check_refused({"--calib", pictures, "-o", out, "--target-mb", "5", "--ratio", "0.5"}, 2,
                        "it cannot go with --ratio");
    place.check_refused({"--calib", pictures, "-o", out, "--target-mb", "5", "--cost-size", "64"}, 2,
                        "--cost-size needs --target-ms");
    place.check_refused({"--calib", pictures, "-o", out, "--target-macs", "0.5", "--cost-type", "fp32"}, 2,
                        "--cost-type needs --target-ms or --target-mb");
    place.check_refused({"--calib", pictures, "-o", out, "--target-mb", "5", "--cost-type", "int4"}, 2,
                        "--cost-type: expected int8 or fp32, found 'int4'");
    place.check_refused({"--calib", pictures, "--size", "32", "-o", out, "--target-mb", "0.01"}, 2,
                        "MB: expected at least");
    place.check_refused({"--calib", pictures, "--scan", "--csv", pictures}, 2, "expected another file");
    place.check_refused({"--calib", pictures, "--scan", "--csv", out, "--svg", out}, 2, "the same file");
    place.check_refused({"--calib", place.folder / "none", "-o", out}, 5, "found nothing of that name");

    REQUIRE(run_tool({"quantize", place.folder / "model", "-o", place.folder / "int8"}).code == 0);
    const Outcome quantized =
        place.prune({"--calib", pictures, "--size", "32", "-o", out, "--layers", "16"}, "int8");
    CHECK(quantized.code == 2);
    CHECK(contains(quantized.errors, "expected FP32 weights throughout"));
    CHECK_FALSE(std::filesystem::exists(out));
}
