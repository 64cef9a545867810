#include "bench/report.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bench/table.h"
#include "bench/testing/reports.h"
#include "engine/model/json.h"

namespace vgg19::bench {

namespace {

using model::Json;

Report profiled_report() {
    Report report = testing::fixed_report();
    report.peaks =
        Peaks{.read_gb_per_second = 50,
              .fp32_gflops = 240,
              .int8_gops = std::nullopt,
              .gigahertz = 3.25,
              .reads = {{.level = ReadLevel::l2, .one_core_gb_per_second = 100, .gb_per_second = 200},
                        {.level = ReadLevel::memory, .one_core_gb_per_second = 30, .gb_per_second = 50}}};
    report.variants.front().profile = {
        .layers = {{.layer = "features.0",
                    .kernel = "winograd_avx2",
                    .median_ms = 2.5,
                    .gflops = 280,
                    .executed_gflops = 70,
                    .gb_per_second = 12,
                    .share_of_peak = 0.29,
                    .arithmetic_share = 0.28,
                    .level_share = {0.4, std::nullopt, 0.25},
                    .level_bytes = {1000, 2000, 3000},
                    .limit = "L2",
                    .parts = LayerTime::Parts{.input_transform_ms = 0.5,
                                              .products_ms = 1.25,
                                              .output_transform_ms = 0.25,
                                              .products_share = 0.61}},
                   {.layer = "classifier.0", .kernel = "dense_avx2", .median_ms = 1, .limit = "memory"}},
        .layers_ms = 2.5,
        .end_to_end_ms = 2.625};
    return report;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the JSON report can be read back, with every documented field") {
    const Json json = Json::parse(to_text(testing::fixed_report(), Format::json), "report");
    CHECK(json.find("schema_version")->size() == 2);
    CHECK(json.find("machine")->find("cpu")->string() == "Test CPU");
    CHECK(json.find("machine")->find("caches")->array().front().find("bytes")->size() == 32768);
    CHECK(json.find("build")->find("version")->string() == "0.1.0");
    CHECK(json.find("settings")->find("threads")->size() == 2);
    CHECK(json.find("settings")->find("batch")->size() == 1);
    CHECK(json.find("settings")->find("convolution")->string() == "winograd");
    CHECK(json.find("peaks") == nullptr);
    CHECK(json.find("notes")->array().size() == 1);

    const Json::Array& variants = json.find("variants")->array();
    REQUIRE(variants.size() == 2);
    const Json& baseline = variants[0];
    for (const char* field :
         {"id", "bytes", "active_parameters", "gmac", "median_ms", "min_ms", "p90_ms", "p99_ms", "runs",
          "images_per_second", "speedup", "peak_rss_bytes", "top3", "agreement"}) {
        INFO(field);
        CHECK(baseline.find(field) != nullptr);
    }
    CHECK(baseline.find("active_parameters")->size() == 143'667'240);
    CHECK(baseline.find("median_ms")->number() == 200.5);
    CHECK(baseline.find("images_per_second")->number() == 4.9875);
    const Json& second = baseline.find("top3")->array().at(1);
    CHECK(second.find("class")->size() == 975);
    CHECK(second.find("synset")->string() == "n09332890");
    CHECK(second.find("label")->string() == "lakeside, \"shore\"");
    CHECK(second.find("probability")->number() == 0.25);
    CHECK(baseline.find("agreement")->find("top1")->boolean());
    CHECK(variants[1].find("agreement")->is_null());
    CHECK(variants[1].find("profile") == nullptr);
}

TEST_CASE("the JSON report contains layers and peaks if requested") {
    const Json json = Json::parse(to_text(profiled_report(), Format::json), "report");
    CHECK(json.find("peaks")->find("fp32_gflops")->number() == 240);
    CHECK(json.find("peaks")->find("int8_gops")->is_null());
    const Json& variant = json.find("variants")->array()[0];
    CHECK(variant.find("profile_layers_ms")->number() == 2.5);
    CHECK(variant.find("profile_end_to_end_ms")->number() == 2.625);
    const Json& layer = variant.find("profile")->array().at(0);
    CHECK(layer.find("layer")->string() == "features.0");
    CHECK(layer.find("gflops")->number() == 280);
    CHECK(layer.find("executed_gflops")->number() == 70);
    CHECK(layer.find("share_of_peak")->number() == 0.29);
    CHECK(layer.find("arithmetic_share")->number() == 0.28);
    CHECK(layer.find("l2_share")->number() == 0.4);
    CHECK(layer.find("l3_share")->is_null());
    CHECK(layer.find("memory_bytes")->size() == 3000);
    CHECK(layer.find("limit")->string() == "L2");
    CHECK(layer.find("products_ms")->number() == 1.25);
    CHECK(layer.find("products_share")->number() == 0.61);
    CHECK(variant.find("profile")->array().at(1).find("products_ms") == nullptr);
}

TEST_CASE("the table aligns its columns, and marks missing values") {
    const std::vector<std::string> lines = lines_of(to_text(testing::fixed_report(), Format::table));
    const auto head = std::find_if(lines.begin(), lines.end(),
                                   [](const std::string& line) { return line.starts_with("variant"); });
    REQUIRE(lines.end() - head > 2);
    CHECK(contains(head[1], "574.7"));
    CHECK(contains(head[1], "143.67"));
    CHECK(head[1].size() == head->size());
    CHECK(head[2].size() == head->size());
    CHECK(head[2].ends_with(" -"));
    CHECK(head->find("images/s") + 8 == head[1].find("4.99") + 4);
    CHECK(head->find("median ms") + 9 == head[1].find("200.50") + 6);
    CHECK(contains(to_text(testing::fixed_report(), Format::table),
                   "baseline: alp 50.0 %, lakeside, \"shore\" 25.0 %, class 5 12.5 %"));
    CHECK(contains(to_text(testing::fixed_report(), Format::table), "A note, with a comma."));
}

TEST_CASE("the table shows each layer if requested") {
    const std::string text = to_text(profiled_report(), Format::table);
    CHECK(contains(text, "Layers of baseline"));
    CHECK(contains(text,
                   "FP32 240 GFLOP/s; reads, all threads (one): L2 200 (100) GB/s, memory 50 (30) GB/s; "
                   "3.25 GHz"));
    const std::string markdown = to_text(profiled_report(), Format::markdown);
    for (const char* line :
         {"| features.0 | 2.500 | 0.750 | 1.250 | 280.0 | 70.0 | 61 | 28 | 40 | - | 25 | L2 | winograd_avx2 "
          "|",
          "| classifier.0 | 1.000 | - | - | 0.0 | 0.0 | - | 0 | - | - | - | memory | dense_avx2 |",
          "| sum of the layers | 2.500 | - |", "| end to end | 2.625 | - |"}) {
        CHECK(contains(markdown, line));
    }
    CHECK(!contains(text, "Layers of int8"));
}

TEST_CASE("the Markdown report has one table row per variant") {
    const std::vector<std::string> lines = lines_of(to_text(testing::fixed_report(), Format::markdown));
    const auto head = std::find_if(lines.begin(), lines.end(),
                                   [](const std::string& line) { return line.starts_with("| variant |"); });
    REQUIRE(lines.end() - head > 3);
    const auto bars = [](const std::string& line) { return std::count(line.begin(), line.end(), '|'); };
    CHECK(head[1].starts_with("|---|---:|"));
    for (const int row : {1, 2, 3}) CHECK(bars(head[row]) == bars(*head));
    CHECK(head[2].starts_with("| baseline | 224 | 574.7 |"));
    CHECK(Table({"a|b"}).markdown().starts_with("| a\\|b |"));
}

TEST_CASE("the CSV report quotes where needed, and all lines have the same number of cells") {
    const std::string text = to_text(testing::fixed_report(), Format::csv);
    const std::vector<std::string> lines = lines_of(text);
    REQUIRE(lines.size() == 3);
    CHECK(lines[0].starts_with("id,input_size,bytes,"));
    CHECK(contains(lines[0], ",runs,images_per_second,speedup,"));
    CHECK(contains(lines[1], ",15,4.987500,1.000000,"));
    CHECK(contains(lines[1], "975,n09332890,\"lakeside, \"\"shore\"\"\",0.250000"));
    const auto commas = [](const std::string& line) { return std::count(line.begin(), line.end(), ','); };
    CHECK(commas(lines[1]) == commas(lines[0]) + 1);  // the label contains one
    CHECK(commas(lines[2]) == commas(lines[0]));
    CHECK(lines[2].ends_with(",,,\r"));
}

TEST_CASE("every format shows the scaling, if several settings were measured") {
    Report report = testing::fixed_report();
    report.variants[0].scaling = {{.threads = 1,
                                   .batch = 1,
                                   .latency = {.median_ms = 200.5, .min_ms = 190},
                                   .images_per_second = 4.9875,
                                   .speedup = 1,
                                   .gain = 1,
                                   .efficiency = 1,
                                   .peak_rss_bytes = 661'000'000},
                                  {.threads = 2,
                                   .schedule_threads = 64,
                                   .batch = 8,
                                   .latency = {.median_ms = 891, .min_ms = 880},
                                   .images_per_second = 8.97875,
                                   .gain = 1.8,
                                   .efficiency = 0.9,
                                   .peak_rss_bytes = 700'000'000,
                                   .same_bits = false}};
    const std::string markdown = to_text(report, Format::markdown);
    CHECK(contains(markdown, "### Scaling"));
    CHECK(contains(markdown,
                   "| baseline | 1 | 1 | 1 | 200.50 | 190.00 | 4.99 | 1.00 | 1.00 | 100 | 661.0 | yes |"));
    CHECK(contains(markdown,
                   "| baseline | 2 | 64 | 8 | 891.00 | 880.00 | 8.98 | - | 1.80 | 90 | 700.0 | no |"));
    CHECK(contains(to_text(report, Format::table), "Scaling\n\nvariant"));

    const Json json = Json::parse(to_text(report, Format::json), "report");
    const Json& entry = json.find("variants")->array()[0].find("scaling")->array().at(1);
    CHECK(entry.find("threads")->size() == 2);
    CHECK(entry.find("schedule_threads")->size() == 64);
    CHECK(!entry.find("same_bits")->boolean());
    CHECK(entry.find("batch")->size() == 8);
    CHECK(entry.find("gain")->number() == 1.8);
    CHECK(entry.find("efficiency")->number() == 0.9);
    CHECK(entry.find("speedup")->is_null());
    CHECK(json.find("variants")->array()[1].find("scaling") == nullptr);

    const std::vector<std::string> lines = lines_of(to_text(report, Format::csv));
    REQUIRE(lines.size() == 4);
    CHECK(lines[0].ends_with(",threads,schedule_threads,batch,gain,efficiency,same_bits\r"));
    CHECK(lines[1].ends_with(",1,1,1,1.000000,1.000000,1\r"));
    CHECK(lines[2].ends_with(",2,64,8,1.800000,0.900000,0\r"));
    CHECK(contains(lines[2], ",891.000000,880.000000,"));
    CHECK(lines[3].ends_with(",,,,,,\r"));
}

TEST_CASE("formats have names") {
    CHECK(format_from_name("markdown") == Format::markdown);
    CHECK(!format_from_name("yaml"));
}

}  // namespace vgg19::bench
