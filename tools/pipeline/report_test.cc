#include "tools/pipeline/report.h"

#include <doctest/doctest.h>

#include <string>

#include "engine/testing/error_of.h"

using namespace vgg19;
using namespace vgg19::tools;
using model::Json;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

namespace {

Json report() {
    return Json::parse(R"({
        "schema_version": 1, "bench_schema_version": 2,
        "machine": {"cpu": "Test <CPU>", "isa": "avx2"}, "build": {"version": "0.1.0"},
        "settings": {"threads": 2},
        "data": {"weights": "vgg19.pth", "train": "train & more", "test": "test"},
        "variants": [
            {"id": "baseline", "input_size": 224, "bytes": 574670937, "active_parameters": 143667240,
             "gmac": 19.63, "median_ms": 200.5, "p90_ms": 210, "speedup": 1, "peak_rss_bytes": 661000000,
             "accuracy": {"size": 32, "images": 2000, "top1": 0.823, "top1_interval": [0.806, 0.839],
                          "top3": 0.95},
             "test_agreement": null, "file": "out/baseline.safetensors", "lineage": ["convert vgg19.pth"]},
            {"id": "pruned-int8", "input_size": 224, "bytes": 180000000, "active_parameters": 130000000,
             "gmac": 17.9, "median_ms": 5.25, "p90_ms": 6, "speedup": null, "peak_rss_bytes": 300000000,
             "accuracy": {"size": 32, "images": 2000, "top1": 0.82, "top1_interval": [0.8, 0.84], "top3": 0.9},
             "test_agreement": {"same_top1": 0.97, "mean_cosine": 0.99}, "file": "out/pruned-int8.safetensors",
             "lineage": ["convert vgg19.pth", "prune --ratio 0.1"]}],
        "steps": [{"id": "convert", "command": "vgg19 convert 'a <b>' -o out/baseline.safetensors", "seconds": 1.5}],
        "sensitivity": [{"layer": "features.16", "points": [{"ratio": 0.1, "relative_l2": 0.01}, {"ratio": 0.5, "relative_l2": 0.2}]}],
        "notes": ["A note."]})",
                       "report");
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

}  // namespace

TEST_CASE("The page holds the table, the charts, the commands and the machine") {
    const std::string page = pipeline_page(report());
    for (const char* part : {"<td>pruned-int8</td>",
                             "180.0 MB",
                             "143.67 M",
                             "200.5 ms",
                             "5.25 ms",
                             "82.30 % <small>(80.6–83.9)</small>",
                             "97.00 %",
                             "Size of the file",
                             "Latency, median",
                             "Accuracy against latency",
                             "Accuracy against size",
                             "Sensitivity to pruning",
                             ">features.16</text>",
                             "convert vgg19.pth → prune --ratio 0.1",
                             "2,000 images",
                             "32×32",
                             "224×224",
                             "vgg19 convert &#39;a &lt;b&gt;&#39; -o",
                             "Test &lt;CPU&gt;",
                             "train &amp; more",
                             "<li>A note.</li>"}) {
        CAPTURE(part);
        CHECK(count(page, part) > 0);
    }
    CHECK(count(page, "<svg ") == 5);
    CHECK(count(page, "{{") == 0);
}

TEST_CASE("The page is self-contained, and adapts to the reader's screen") {
    const std::string page = pipeline_page(report());
    for (const char* outside : {"http:", "https:", "src=", "href", "url(", "<script", "@import", "<link"}) {
        CAPTURE(outside);
        CHECK(count(page, outside) == 0);
    }
    CHECK(count(page, "name=\"viewport\"") == 1);
    CHECK(count(page, "prefers-color-scheme: dark") == 1);
    CHECK(count(page, "@media print") == 1);
}

TEST_CASE("Without a scan there is no chart of it") {
    Json json = report();
    Json without{Json::Object{}};
    for (const auto& [key, value] : json.object()) {
        without.set(key, key == "sensitivity" ? Json(Json::Array{}) : value);
    }
    CHECK(count(pipeline_page(without), "<svg ") == 4);
}

TEST_CASE("A report without the required members is an error") {
    CHECK(error_of(ErrorKind::bad_input, [] { pipeline_page(Json::parse("{}", "report")); }) ==
          "report: expected a member \"variants\", found none");
}

TEST_CASE("A sensitivity table is read by the names of its columns") {
    const Json curves = read_sensitivity(
        "ratio,layer,more,relative_l2\n0.1,features.0,x,0.5\n0.2,features.0,x,0.75\n\n0.1,features.2,x,1e-"
        "3\n",
        "scan.csv");
    REQUIRE(curves.array().size() == 2);
    CHECK(curves.array()[0].find("layer")->string() == "features.0");
    CHECK(curves.array()[0].find("points")->array().size() == 2);
    CHECK(curves.array()[0].find("points")->array()[1].find("relative_l2")->number() == 0.75);
    CHECK(curves.array()[1].find("points")->array()[0].find("ratio")->number() == 0.1);

    const auto problem = [](const std::string& text) {
        return error_of(ErrorKind::bad_input, [&text] { read_sensitivity(text, "scan.csv"); });
    };
    CHECK(problem("") == Containing("scan.csv: line 1: expected a column \"layer\""));
    CHECK(problem("layer,ratio\n") == Containing("expected a column \"relative_l2\""));
    CHECK(problem("layer,ratio,relative_l2\na,0.1\n") == Containing("line 2: expected 3 columns, found 2"));
    CHECK(problem("layer,ratio,relative_l2\na,0.1,nan\n") ==
          Containing("expected a finite number, found \"nan\""));
}

namespace {

/// What a search adds to a report: the second variant keeps the promise.
Json searched_report() {
    Json json = report();
    json.set("compression", Json::parse(R"({
        "promise": {"max_drop": 0.01, "max_ms": 6, "max_mb": null, "kept": true, "model": "pruned-int8",
                    "verdict": "the promise is kept by pruned-int8"},
        "order": ["pruned-int8"],
        "models": [{"id": "pruned-int8", "trial": 2, "recipe": "prune | quantize",
            "command": "vgg19 compress 'a b' --recipe 'prune | quantize'", "claim": "kept",
            "held_out": {"images": 1000, "drop": -0.001, "interval": [-0.006, 0.004], "upper_bound": 0.003},
            "test": {"images": 2000, "drop": 0.003, "interval": [-0.004, 0.0095], "upper_bound": 0.0085},
            "images_needed": 1500, "expected_ms": 5.5, "median_ms": 5.25, "mb": 180}],
        "trials": [{"number": 1, "purpose": "INT8 alone", "recipe": "quantize", "size": "", "reduction": 0,
            "predicted_drop": 0.0005, "expected_ms": 11, "mb": 143.8, "seconds": 20,
            "held_out": {"images": 1000, "drop": 0.001, "interval": [-0.003, 0.005], "upper_bound": 0.0046}}]})",
                                        "report"));
    return json;
}

}  // namespace

TEST_CASE("A search's page says what is promised, how sure it is, and what it took") {
    const std::string page = pipeline_page(searched_report());
    for (const char* part : {"VGG-19: the smallest within a promise", "the promise is kept by pruned-int8",
                             "0.30 <small>(-0.40 to 0.95)</small>", "<td>0.85</td>", "<td><b>kept</b></td>",
                             "<td>1,500</td>", "--recipe &#39;prune | quantize&#39;", "<td>INT8 alone</td>",
                             ">promise</text>", ">limit, ms</text>", "of the difference from the baseline"}) {
        CAPTURE(part);
        CHECK(count(page, part) > 0);
    }
    CHECK(count(page, "r=\"10.0\"") == 2);  // a ring in each picture of the front
    CHECK(count(page, "{{") == 0);
    CHECK(count(pipeline_page(report()), "promise is kept") == 0);
}

TEST_CASE("The whiskers of the front are those of the difference from the baseline") {
    // Of 82.3 % the baseline has, −0.4 to 0.95 points are lost: 81.35 % to 82.7 %, less than the model's own
    // interval, from 80 % to 84 %.
    const std::string page = pipeline_page(searched_report());
    const std::string alone = pipeline_page(report());
    CHECK(count(page, ">81.") > 0);
    CHECK(count(page, ">84") == 0);
    CHECK(count(alone, ">84") > 0);
}
