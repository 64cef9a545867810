#include "bench/tune.h"

#include <doctest/doctest.h>

namespace vgg19::bench {

namespace {

const model::Network narrow({4, 4, 0, 8, 8, 0, 8, 8, 0, 8, 0, 8, 0}, {16, 16, 10});

Plan narrow_plan(Arithmetic arithmetic) {
    return make_plan(narrow, Preprocessing{}, {.threads = 2, .input_height = 32, .input_width = 32},
                     arithmetic);
}

}  // namespace

TEST_CASE("tune measures every way to compute each distinct shape once, in FP32 and in INT8") {
    for (const Arithmetic arithmetic : {Arithmetic::fp32, Arithmetic::int8}) {
        const std::vector<TunedShape> shapes = tune(narrow_plan(arithmetic), 0);
        // 3→4 and 4→4 at 32, 4→8 and 8→8 at 16, 8→8 at 8, 4 and 2.
        REQUIRE(shapes.size() == 7);
        for (const TunedShape& tuned : shapes) {
            CHECK(tuned.excess() >= 1);
            CHECK(tuned.results.front().chosen);
            CHECK((tuned.shape.type == layers::ConvolutionType::fp32) ==
                  (arithmetic == Arithmetic::fp32 || tuned.shape.plain_input));
            if (!tuned.shape.plain_input) CHECK(tuned.results.size() >= 2);
            for (const TuneResult& result : tuned.results) {
                CHECK(result.expected.seconds > 0);
                CHECK(result.min_ms > 0);
                CHECK(result.min_ms <= result.median_ms);
            }
        }
    }
}

TEST_CASE("the report of tune has each time, in every format") {
    TuneReport report;
    report.machine.cpu = "Test CPU";
    report.machine.isa = "avx2";
    report.cost_model = "zen4";
    report.threads = 2;
    const layers::ConvolutionShape shape = {
        .input_channels = 64, .output_channels = 128, .size = {28, 30}, .pool_follows = true};
    using enum layers::ConvolutionAlgorithm;
    report.shapes = {
        {.shape = shape,
         .results = {
             {.algorithm = winograd_f4x4,
              .chosen = true,
              .expected = {.seconds = 2e-3,
                           .arithmetic_seconds = 1e-3,
                           .level_seconds = {1e-4, 2e-4, 3e-4},
                           .barrier_seconds = 4e-4},
              .median_ms = 2.5,
              .min_ms = 2},
             {.algorithm = winograd_f2x2, .expected = {.seconds = 1e-3}, .median_ms = 2, .min_ms = 1.9}}}};

    const std::string table = tune_text(report, Format::table);
    for (const char* part :
         {"64 → 128, 28×30", "FP32", "winograd_f4x4", "chosen", "fastest", "arithmetic",
          "(zen4) take at most 1.25 times the fastest. Of 2 expected times 1 are within"}) {
        INFO(part);
        CHECK(table.find(part) != std::string::npos);
    }
    CHECK(tune_text(report, Format::markdown).find("| winograd_f2x2 | 1.00 |") != std::string::npos);
    CHECK(tune_text(report, Format::csv).find("\"64 → 128, 28×30\",FP32,winograd_f2x2,1.000000,") !=
          std::string::npos);

    const auto json = model::Json::parse(tune_text(report, Format::json), "tune");
    CHECK(json.find("schema_version")->size() == 1);
    CHECK(json.find("machine")->find("name")->string() == "zen4");
    CHECK(json.find("machine")->find("isa")->string() == "avx2");
    CHECK(json.find("machine")->find("threads")->size() == 2);
    CHECK(json.find("machine")->find("cpu")->string() == "Test CPU");
    CHECK(json.find("peaks")->find("reads") != nullptr);
    const model::Json& first = json.find("shapes")->array().at(0);
    CHECK(first.find("input_channels")->size() == 64);
    CHECK(first.find("output_channels")->size() == 128);
    CHECK(first.find("height")->size() == 28);
    CHECK(first.find("width")->size() == 30);
    CHECK(first.find("type")->string() == "FP32");
    CHECK(first.find("pool_follows")->boolean());
    CHECK(!first.find("int8_follows")->boolean());
    const model::Json& result = first.find("results")->array().at(0);
    CHECK(result.find("algorithm")->string() == "winograd_f4x4");
    CHECK(result.find("chosen")->boolean());
    CHECK(result.find("limit")->string() == "arithmetic");
    for (const auto& [key, value] : {std::pair{"expected_ms", 2.0},
                                     {"median_ms", 2.5},
                                     {"min_ms", 2.0},
                                     {"arithmetic_ms", 1.0},
                                     {"l2_ms", 0.1},
                                     {"l3_ms", 0.2},
                                     {"memory_ms", 0.3},
                                     {"barrier_ms", 0.4}}) {
        INFO(key);
        CHECK(result.find(key)->number() == doctest::Approx(value));
    }
}

}  // namespace vgg19::bench
