// Runs the real vgg19-bench in a child process.
#include "bench/worker.h"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "converter/prune/prune.h"
#include "converter/quantize/quantize.h"
#include "converter/variants/testing/narrow_models.h"
#include "engine/model/json.h"
#include "engine/model/safetensors.h"

namespace vgg19::bench {

namespace {

std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

struct Outcome {
    int exit_code = -1;
    std::string output;
    std::string errors;
};

/// Runs through the shell, so arguments must not contain special characters, except in quotes.
Outcome run_bench(const testing::TemporaryFolder& folder, const std::string& arguments,
                  const std::string& input = "") {
    const auto in = folder.path() / "stdin";
    const auto out = folder.path() / "stdout";
    const auto err = folder.path() / "stderr";
    std::ofstream(in) << input;
    const std::string command = std::string("\"") + VGG19_BENCH + "\" " + arguments + " <\"" + in.string() +
                                "\" >\"" + out.string() + "\" 2>\"" + err.string() + '"';
    const int status = std::system(command.c_str());
    return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
            .output = text_of(out),
            .errors = text_of(err)};
}

std::string quoted(const std::filesystem::path& path) {
    return '"' + path.string() + '"';
}

void write_narrow_variants(const std::filesystem::path& folder) {
    const auto baseline =
        model::ModelFile::open(converter::testing::write_narrow_model(folder / "baseline.safetensors"));
    converter::prune_model(baseline, converter::plan_pruning(baseline, {}), folder / "pruned.safetensors");
    converter::quantize_dense(baseline, folder / "int8.safetensors");
    converter::quantize_dense(model::ModelFile::open(folder / "pruned.safetensors"),
                              folder / "pruned-int8.safetensors");
}

/// Images that differ: the first is 0.5 everywhere, the others less.
void write_input(const std::filesystem::path& path, MapSize size, std::size_t images = 1) {
    std::vector<float> values;
    for (std::size_t image = 0; image < images; ++image) {
        values.resize(values.size() + 3 * size.pixels(), 0.5F - static_cast<float>(image));
    }
    const model::Tensor tensor{.name = "input",
                               .dtype = model::DType::f32,
                               .shape = {images, 3, size.height, size.width},
                               .bytes = std::as_bytes(std::span(values))};
    model::write_safetensors(path, {}, {&tensor, 1});
}

}  // namespace

TEST_CASE("a bench of narrow models reports every variant, and the interleaved medians' speed-ups") {
    const testing::TemporaryFolder folder;
    write_narrow_variants(folder.path());
    const auto report_file = folder.path() / "report.json";
    const Outcome outcome =
        run_bench(folder, "--models " + quoted(folder.path()) +
                              " --min-time 0.05 --threads 1 --format json --out " + quoted(report_file));
    INFO(outcome.errors);
    REQUIRE(outcome.exit_code == 0);
    CHECK(outcome.output.find("pruned-int8") != std::string::npos);
    CHECK(outcome.output.find("Pruned weights were not fine-tuned.") != std::string::npos);

    const auto report = model::Json::parse(text_of(report_file), "report");
    const auto& variants = report.find("variants")->array();
    std::vector<std::string> ids;
    for (const model::Json& variant : variants) {
        ids.push_back(variant.find("id")->string());
        INFO(ids.back());
        CHECK(variant.find("runs")->size() >= 5);
        CHECK(variant.find("min_ms")->number() > 0);
        CHECK(variant.find("min_ms")->number() <= variant.find("median_ms")->number());
        CHECK(variant.find("p90_ms")->number() <= variant.find("p99_ms")->number());
        CHECK(variant.find("speedup")->number() ==
              doctest::Approx(variants[0].find("median_ms")->number() / variant.find("median_ms")->number()));
        CHECK(variant.find("peak_rss_bytes")->size() > 1'000'000);
        CHECK(variant.find("top3")->array().size() == 3);
        CHECK(variant.find("agreement")->find("cosine")->number() <= 1.000001);
    }
    CHECK(ids == std::vector<std::string>{"baseline", "pruned", "int8", "pruned-int8", "res160"});
    CHECK(variants[0].find("agreement")->find("cosine")->number() == doctest::Approx(1));
    CHECK(variants[4].find("input_size")->size() == 160);
    CHECK(variants[0].find("bytes")->size() ==
          std::filesystem::file_size(folder.path() / "baseline.safetensors"));
}

TEST_CASE("a profile has a time for each layer, and the machine's peaks") {
    const testing::TemporaryFolder folder;
    converter::testing::write_narrow_model(folder.path() / "narrow.safetensors");
    const Outcome outcome = run_bench(folder, "--models " + quoted(folder.path()) +
                                                  " --min-time 0.001 --threads 1 --profile --conv winograd "
                                                  "--batch 3 --format json");
    INFO(outcome.errors);
    REQUIRE(outcome.exit_code == 0);
    const auto report = model::Json::parse(outcome.output, "report");
    CHECK(report.find("settings")->find("convolution")->string() == "winograd");
    CHECK(report.find("peaks")->find("read_gb_per_second")->number() > 0);
    const model::Json& variant = report.find("variants")->array().front();
    CHECK(variant.find("speedup")->is_null());
    CHECK(variant.find("agreement")->is_null());
    const auto& layers = variant.find("profile")->array();
    CHECK(layers.size() >= 19);
    double sum = 0;
    double direct_operations = 0;
    int with_products = 0;
    for (const model::Json& layer : layers) {
        INFO(layer.find("layer")->string());
        const double milliseconds = layer.find("median_ms")->number();
        CHECK(milliseconds > 0);
        sum += milliseconds;
        direct_operations += layer.find("gflops")->number() * milliseconds * 1e6;
        const bool multiplies = !layer.find("kernel")->string().starts_with("max_pool") &&
                                !layer.find("kernel")->string().starts_with("average_pool");
        CHECK((layer.find("executed_gflops")->number() > 0) == multiplies);
        CHECK(layer.find("share_of_peak")->number() > 0);
        CHECK((layer.find("arithmetic_share")->number() > 0) == multiplies);
        CHECK(layer.find("memory_share")->number() >= 0);
        CHECK(!layer.find("limit")->string().empty());
        const model::Json* const products = layer.find("products_ms");
        if (products == nullptr) continue;
        ++with_products;
        // On one thread a part cannot take longer than the whole, in any run.
        for (const char* part : {"input_transform_ms", "products_ms", "output_transform_ms"}) {
            CHECK(layer.find(part)->number() > 0);
            CHECK(layer.find(part)->number() < milliseconds);
        }
        CHECK(layer.find("products_share")->number() > layer.find("arithmetic_share")->number());
    }
    CHECK(with_products == 15);  // all but the first, which needs no products apart
    CHECK(variant.find("profile_layers_ms")->number() == doctest::Approx(sum));
    CHECK(variant.find("profile_end_to_end_ms")->number() > 0);
    // A layer's counts are for the whole batch.
    CHECK(direct_operations == doctest::Approx(3 * 2e9 * variant.find("gmac")->number()));
}

TEST_CASE("a bench exits with 3 when a variant is slower than in an earlier report") {
    const testing::TemporaryFolder folder;
    write_narrow_variants(folder.path());
    const auto earlier = folder.path() / "earlier.json";
    const std::string measured = "--models " + quoted(folder.path()) +
                                 " --variants baseline,res160 --min-time 0.02 --threads 1 --format json ";
    REQUIRE(run_bench(folder, measured + "--out " + quoted(earlier)).exit_code == 0);
    const std::string compared = measured + "--baseline " + quoted(earlier);
    CHECK(run_bench(folder, compared + " --tolerance 90").exit_code == 0);

    const Outcome another_batch = run_bench(folder, compared + " --batch 2");
    CHECK(another_batch.exit_code == 2);
    CHECK(another_batch.errors.find("expected a report of batch 2, found one of batch 1") !=
          std::string::npos);

    // The same report, but with a res160 that is a thousand times as fast.
    std::string text = text_of(earlier);
    const std::string field = "\"speedup\": ";
    text.insert(text.rfind(field) + field.size(), "1000");
    std::ofstream(earlier, std::ios::trunc) << text;
    const Outcome slower = run_bench(folder, compared + " --tolerance 90");
    CHECK(slower.exit_code == 3);
    CHECK(slower.errors.find("res160 is slower") != std::string::npos);
}

TEST_CASE("a worker is ready after two inferences, and answers each line with its times") {
    const testing::TemporaryFolder folder;
    const auto model = converter::testing::write_narrow_model(folder.path() / "model.safetensors");
    const auto input = folder.path() / "input.safetensors";
    write_input(input, 64);
    const Outcome outcome = run_bench(
        folder, "--worker " + quoted(model) + " --size 64 --threads 1 --input " + quoted(input), "1\n3\n");
    INFO(outcome.errors);
    REQUIRE(outcome.exit_code == 0);
    std::istringstream lines(outcome.output);
    std::string ready;
    std::string one;
    std::string three;
    std::getline(lines, ready);
    std::getline(lines, one);
    std::getline(lines, three);
    std::istringstream words(ready);
    std::string word;
    std::size_t mebibytes = 0;
    std::size_t top1 = 0;
    std::size_t top2 = 0;
    std::size_t top3 = 0;
    words >> word >> mebibytes >> top1 >> top2 >> top3;
    CHECK(!words.fail());
    CHECK(word == "ready");
    CHECK(top1 < 10);
    CHECK(top1 != top2);
    CHECK(top2 != top3);
    CHECK(std::stod(one) > 0);
    std::istringstream times(three);
    std::vector<double> seconds;
    for (double time = 0; times >> time;) seconds.push_back(time);
    CHECK(seconds.size() == 3);
}

TEST_CASE("a rectangle is measured as --size says it, height before width") {
    const testing::TemporaryFolder folder;
    const auto model = converter::testing::write_narrow_model(folder.path() / "baseline.safetensors");
    const Outcome report = run_bench(folder, "--models " + quoted(folder.path()) +
                                                 " --size 40x64 --min-time 0.01 --threads 1 --format json");
    INFO(report.errors);
    REQUIRE(report.exit_code == 0);
    const auto json = model::Json::parse(report.output, "report");
    CHECK(json.find("variants")->array()[0].find("input_size")->string() == "40x64");

    const std::filesystem::path input = folder.path() / "input.safetensors";
    write_input(input, {40, 64});
    const std::string worker = "--worker " + quoted(model) + " --input " + quoted(input);
    CHECK(run_bench(folder, worker + " --size 40x64", "1\n").exit_code == 0);
    const Outcome turned = run_bench(folder, worker + " --size 64x40");
    CHECK(turned.exit_code == 5);
    CHECK(turned.errors.find("expected size 64x40, found 40x64") != std::string::npos);
}

TEST_CASE("a batch consists of copies of one image, which have the same classes and all count") {
    const testing::TemporaryFolder folder;
    write_narrow_variants(folder.path());
    const std::string measured = "--models " + quoted(folder.path()) +
                                 " --variants baseline,int8 --min-time 0.01 --threads 2 --format json";
    const auto one = model::Json::parse(run_bench(folder, measured).output, "report");
    const auto three = model::Json::parse(run_bench(folder, measured + " --batch 3").output, "report");
    CHECK(one.find("settings")->find("batch")->size() == 1);
    CHECK(three.find("settings")->find("batch")->size() == 3);
    for (std::size_t i = 0; i < 2; ++i) {
        const model::Json& single = one.find("variants")->array()[i];
        const model::Json& batch = three.find("variants")->array()[i];
        for (const auto& [variant, images] : {std::pair{&single, 1.0}, {&batch, 3.0}}) {
            CHECK(variant->find("images_per_second")->number() ==
                  doctest::Approx(images * 1e3 / variant->find("median_ms")->number()));
        }
        CHECK(batch.find("top3")->array()[0].find("class")->size() ==
              single.find("top3")->array()[0].find("class")->size());
        CHECK(batch.find("agreement")->find("cosine")->number() ==
              doctest::Approx(single.find("agreement")->find("cosine")->number()));
    }
}

TEST_CASE("lists of threads and batch sizes give a table of scaling, in the same rounds") {
    const testing::TemporaryFolder folder;
    write_narrow_variants(folder.path());
    const Outcome outcome = run_bench(folder, "--models " + quoted(folder.path()) +
                                                  " --variants baseline,int8 --min-time 0.01 --threads 1,2 "
                                                  "--batch 2,1 --format json");
    INFO(outcome.errors);
    REQUIRE(outcome.exit_code == 0);
    const auto json = model::Json::parse(outcome.output, "report");
    CHECK(json.find("settings")->find("threads")->size() == 1);
    CHECK(json.find("settings")->find("batch")->size() == 2);
    const auto& variants = json.find("variants")->array();
    REQUIRE(variants.size() == 2);
    for (const model::Json& variant : variants) {
        const auto& entries = variant.find("scaling")->array();
        REQUIRE(entries.size() == 4);
        for (std::size_t i = 0; i < entries.size(); ++i) {
            const model::Json& entry = entries[i];
            const auto number = [&](const char* key) { return entry.find(key)->number(); };
            CHECK(entry.find("threads")->size() == 1 + i / 2);
            CHECK(entry.find("batch")->size() == 2 - i % 2);
            CHECK(entry.find("runs")->size() >= 5);
            CHECK(number("min_ms") <= number("median_ms"));
            CHECK(number("images_per_second") ==
                  doctest::Approx(number("batch") * 1e3 / number("median_ms")));
            const model::Json& first = entries[0];
            CHECK(number("gain") ==
                  doctest::Approx(number("images_per_second") / first.find("images_per_second")->number()));
            CHECK(number("efficiency") == doctest::Approx(number("gain") / number("threads")));
            CHECK(number("speedup") ==
                  doctest::Approx(variants[0].find("scaling")->array()[i].find("median_ms")->number() /
                                  number("median_ms")));
            CHECK(entry.find("peak_rss_bytes")->size() > 1'000'000);
            CHECK(entry.find("schedule_threads")->size() == entry.find("threads")->size());
            CHECK(entry.find("same_bits")->boolean());
        }
        CHECK(variant.find("median_ms")->number() == entries[0].find("median_ms")->number());
        CHECK(variant.find("peak_rss_bytes")->size() == entries[0].find("peak_rss_bytes")->size());
        CHECK(variant.find("ready_s")->number() > 0);
    }
}

TEST_CASE("the schedule for many threads runs on fewer, with the same bits") {
    const testing::TemporaryFolder folder;
    const auto model = converter::testing::write_narrow_model(folder.path() / "baseline.safetensors");
    const Outcome outcome =
        run_bench(folder, "--models " + quoted(folder.path()) +
                              " --min-time 0.01 --threads 2 --schedule-threads 2,64 --json");
    INFO(outcome.errors);
    REQUIRE(outcome.exit_code == 0);
    const auto json = model::Json::parse(outcome.output, "report");
    const auto& entries = json.find("variants")->array()[0].find("scaling")->array();
    REQUIRE(entries.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(entries[i].find("threads")->size() == 2);
        CHECK(entries[i].find("schedule_threads")->size() == (i == 0 ? 2 : 64));
        CHECK(entries[i].find("same_bits")->boolean());
    }
    const std::string worker = "--worker " + quoted(model) + " --size 64 --threads 1";
    const auto hash = [&](const std::string& more) {
        const Outcome hashed = run_bench(folder, worker + more, "hash\n1\nhash\n");
        CHECK(hashed.exit_code == 0);
        std::istringstream lines(hashed.output);
        std::string ready;
        std::string first;
        std::string times;
        std::string second;
        std::getline(lines, ready);
        std::getline(lines, first);
        std::getline(lines, times);
        std::getline(lines, second);
        CHECK(first == second);
        CHECK(first.size() > 10);
        return first;
    };
    CHECK(hash("") == hash(" --schedule-threads 64"));
    CHECK(hash("") != hash(" --isa portable --conv direct"));
}

TEST_CASE(
    "a worker repeats one image to fill its batch, or accepts a whole batch, and shows the first image's "
    "classes") {
    const testing::TemporaryFolder folder;
    const auto model = converter::testing::write_narrow_model(folder.path() / "model.safetensors");
    const auto input = folder.path() / "input.safetensors";
    const std::string worker = "--worker " + quoted(model) + " --threads 1 --input " + quoted(input);
    const auto classes = [&](const std::string& more) {
        const Outcome outcome = run_bench(folder, worker + more, "2\n");
        INFO(outcome.errors);
        CHECK(outcome.exit_code == 0);
        const std::size_t end = outcome.output.find('\n');
        const std::size_t memory = outcome.output.find(' ', std::string("ready ").size());
        return outcome.output.substr(memory, end - memory);
    };
    write_input(input, 32);
    const std::string expected = classes("");
    CHECK(classes(" --batch 3") == expected);
    write_input(input, 32, 3);
    CHECK(classes(" --batch 3") == expected);
    CHECK(run_bench(folder, worker + " --batch 2").exit_code == 5);
    const Outcome whole_without_batch = run_bench(folder, worker);
    CHECK(whole_without_batch.exit_code == 5);
    CHECK(whole_without_batch.errors.find("expected F32 (1,3,H,W), found F32 (3,3,32,32)") !=
          std::string::npos);
}

TEST_CASE("a worker without an input uses the bundled image") {
    const testing::TemporaryFolder folder;
    const auto model = converter::testing::write_narrow_model(folder.path() / "model.safetensors");
    const Outcome outcome = run_bench(folder, "--worker " + quoted(model) + " --size 32");
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.output.starts_with("ready "));
}

TEST_CASE("a worker measures outputs by name, and the gradient of their loss") {
    const testing::TemporaryFolder folder;
    const auto model = converter::testing::write_narrow_model(folder.path() / "model.safetensors");
    const auto input = folder.path() / "input.safetensors";
    write_input(input, 48);
    const std::string worker = "--worker " + quoted(model) + " --input " + quoted(input);
    const auto hash = [&](const std::string& options) {
        const Outcome outcome = run_bench(folder, worker + options, "2\nhash\n");
        INFO(outcome.errors);
        REQUIRE(outcome.exit_code == 0);
        std::istringstream lines(outcome.output);
        std::string ready;
        std::string times;
        std::string found;
        std::getline(lines, ready);
        std::getline(lines, times);
        std::getline(lines, found);
        CHECK(std::count(ready.begin(), ready.end(), ' ') == 4);
        CHECK(std::count(times.begin(), times.end(), ' ') == 1);
        return found;
    };
    const std::string maps = hash(" --outputs relu1_1,relu3_1,fc7");
    CHECK(maps == hash(" --outputs relu1_1,relu3_1,fc7 --threads 1"));
    CHECK(maps != hash(" --outputs relu1_1,relu3_1"));
    CHECK(hash(" --outputs logits") == hash(""));
    const std::string gradient = hash(" --outputs relu1_1,relu3_1 --backward");
    CHECK(gradient == hash(" --outputs relu1_1,relu3_1 --backward --threads 1"));
    CHECK(gradient != hash(" --outputs relu3_1 --backward"));
    CHECK(run_bench(folder, worker + " --outputs relu9_1").exit_code == 2);
    CHECK(run_bench(folder, "--outputs relu1_1").exit_code == 2);
    CHECK(run_bench(folder, "--backward").exit_code == 2);
}

TEST_CASE("a worker rejects what it cannot run") {
    const testing::TemporaryFolder folder;
    const auto model = converter::testing::write_narrow_model(folder.path() / "model.safetensors");
    const auto input = folder.path() / "input.safetensors";
    write_input(input, 64);
    const std::string worker = "--worker " + quoted(model);
    CHECK(run_bench(folder, worker + " --size 96 --input " + quoted(input)).exit_code == 5);
    CHECK(run_bench(folder, worker + " --input " + quoted(model)).exit_code == 5);
    CHECK(run_bench(folder, worker + " --size 32", "0\n").exit_code == 2);
    CHECK(run_bench(folder, worker + " --size 32", "three\n").exit_code == 2);
    CHECK(run_bench(folder, worker + " --size 31").exit_code == 2);
    CHECK(run_bench(folder, worker + " --size 32 --conv fft").exit_code == 2);
    CHECK(run_bench(folder, "--worker " + quoted(input)).exit_code == 5);
}

TEST_CASE("wrong usage and bad files give the documented exit codes, and a reason") {
    struct Case {
        std::string arguments;
        int exit_code;
        std::string reason;
    };
    const testing::TemporaryFolder folder;
    const auto text = folder.path() / "text.jpg";
    std::ofstream(text) << "no photograph";
    const std::vector<Case> cases = {
        {"--no-such-option", 2, "no-such-option"},
        {"stray", 2, "stray"},
        {"--threads 0", 2, "--threads"},
        {"--threads two", 2, "--threads: expected a whole number from 1 to 1024, found 'two'"},
        {"--min-time 0", 2, "--min-time"},
        {"--min-time nan", 2, "--min-time"},
        {"--tolerance -1", 2, "--tolerance"},
        {"--format yaml", 2, "yaml"},
        {"--isa avx9000", 2, "avx9000"},
        {"--conv fft", 2, "fft"},
        {"--batch 0", 2, "--batch"},
        {"--batch 1025", 2, "--batch"},
        {"--batch two", 2, "--batch: expected a whole number from 1 to 1024, found 'two'"},
        {"--batch 1,0", 2,
         "--batch: expected whole numbers separated by commas, each from 1 to 1024, found '0'"},
        {"--batch 1,8,1", 2, "--batch: expected numbers that differ, found 1 twice"},
        {"--batch 1,1025", 2, "--batch: expected whole numbers separated by commas"},
        {"--threads 1,two", 2,
         "--threads: expected whole numbers separated by commas, each from 1 to 1024, found 'two'"},
        {"--threads 1,", 2, "found ''"},
        {"--threads ,", 2, "found ''"},
        {"--threads 2,2", 2, "--threads: expected numbers that differ, found 2 twice"},
        {"--worker m --threads 1,2", 2, "--worker takes one number of --threads, found several"},
        {"--worker m --batch 1,2", 2, "--worker takes one --batch, found several"},
        {"--threads 2 --schedule-threads 1", 2,
         "--schedule-threads: expected at least the number of --threads, 2, found 1"},
        {"--threads 1,3 --schedule-threads 2,4", 2, "--schedule-threads: expected at least"},
        {"--schedule-threads 0", 2, "--schedule-threads: expected a whole number from 1 to 1024, found '0'"},
        {"--schedule-threads 64,64", 2, "--schedule-threads: expected numbers that differ"},
        {"--worker m --threads 1 --schedule-threads 1,2", 2, "takes one number of --schedule-threads"},
        {"--tune --schedule-threads 64", 2, "--schedule-threads and --tune exclude each other"},
        {"--json --format csv", 2, "--json and --format csv exclude each other"},
        {"--plan " + quoted(folder.path() / "none.json"), 5, "none.json"},
        {"--tune --threads 1,2", 2, "--tune takes one number of --threads, found several"},
        {"--peers " + quoted(text) + " --batch 8,1", 2, "--peers compares runs of one image"},
        {"--peers " + quoted(text) + " --tune", 2, "--peers and --tune exclude each other"},
        {"--peers " + quoted(text), 5, "text.jpg"},
        {"--peers " + quoted(folder.path() / "none"), 5, "none"},
        {"--peers ''", 2, "--peers: expected a path, found nothing"},
        {"--variants int9", 2, "int9"},
        {"--weights a --models b", 2, "exclude"},
        {"--size 31", 2,
         "--size: expected a whole number from 32 to 8192, or two as HEIGHTxWIDTH, found '31'"},
        {"--size two", 2,
         "--size: expected a whole number from 32 to 8192, or two as HEIGHTxWIDTH, found 'two'"},
        {"--models " + quoted(folder.path() / "none"), 2, "not a folder"},
        {"--models " + quoted(folder.path()), 2, "VARIANT.safetensors"},
        {"--out " + quoted(folder.path()), 2, "is a folder"},
        {"--out " + quoted(folder.path() / "none" / "report"), 2, "no folder"},
        {"--image " + quoted(text), 5, "text.jpg"},
        {"--weights " + quoted(folder.path() / "none.pth"), 5, "none.pth"},
        {"--weights " + quoted(text), 5, "text.jpg"},
        {"--baseline " + quoted(text), 5, "text.jpg"},
    };
    for (const Case& wrong : cases) {
        const Outcome outcome = run_bench(folder, wrong.arguments);
        INFO(wrong.arguments << ": " << outcome.errors);
        CHECK(outcome.exit_code == wrong.exit_code);
        CHECK(outcome.errors.find(wrong.reason) != std::string::npos);
        CHECK(outcome.output.empty());
    }
}

TEST_CASE("--help names every option and the exit codes") {
    const testing::TemporaryFolder folder;
    const Outcome outcome = run_bench(folder, "--help");
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.errors.empty());
    for (const char* part : {"vgg19-bench", "--weights",          "--models",    "--variants", "--image",
                             "--threads",   "--schedule-threads", "--isa",       "--conv",     "--plan",
                             "--batch",     "--min-time",         "--profile",   "--format",   "--json",
                             "--out",       "--baseline",         "--tolerance", "--peers",    "--worker",
                             "Exit codes"}) {
        INFO(part);
        CHECK(outcome.output.find(part) != std::string::npos);
    }
}

}  // namespace vgg19::bench
