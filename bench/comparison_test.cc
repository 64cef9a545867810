#include "bench/comparison.h"

#include <doctest/doctest.h>

#include <string>

#include "bench/testing/reports.h"
#include "converter/variants/testing/narrow_models.h"
#include "engine/model/safetensors.h"
#include "vgg19/error.h"

namespace vgg19::bench {

namespace {

/// `report`, saved as by an earlier run.
EarlierReport kept(const Report& report) {
    const vgg19::testing::TemporaryFolder folder;
    model::write_text_file(folder.path() / "earlier.json", to_json_text(report));
    return read_report(folder.path() / "earlier.json");
}

std::string rejection(const std::string& text) {
    const vgg19::testing::TemporaryFolder folder;
    model::write_text_file(folder.path() / "earlier.json", text);
    try {
        read_report(folder.path() / "earlier.json");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::bad_input);
        return error.what();
    }
    return "read without complaint";
}

}  // namespace

TEST_CASE("a report is not slower than itself") {
    const Report report = testing::fixed_report();
    CHECK(slower_variants(kept(report), report, 0).empty());
}

TEST_CASE("a variant counts as slower if it has lost more than the tolerance relative to the baseline") {
    const EarlierReport then = kept(testing::fixed_report());
    Report now = testing::fixed_report();
    now.variants[1].speedup = 1.75;  // from 2
    CHECK(slower_variants(then, now, 0.15).empty());
    const auto lines = slower_variants(then, now, 0.1);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0] == "int8 is slower by 14.3 % than before, relative to the baseline (tolerance 10.0 %)");
}

TEST_CASE("a slower machine does not make a variant slower") {
    const EarlierReport then = kept(testing::fixed_report());
    Report now = testing::fixed_report();
    now.machine.cpu = "Another CPU";
    for (VariantReport& variant : now.variants) variant.latency.median_ms *= 3;
    CHECK(slower_variants(then, now, 0.1).empty());
}

TEST_CASE("the baseline's own median counts on the same machine") {
    const EarlierReport then = kept(testing::fixed_report());
    Report now = testing::fixed_report();
    now.variants[0].latency.median_ms *= 1.5;
    const auto lines = slower_variants(then, now, 0.1);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0] == "baseline is slower by 50.0 % than before (tolerance 10.0 %)");
    now.settings.threads = 1;
    CHECK(slower_variants(then, now, 0.1).empty());
}

TEST_CASE("a report with another batch size is refused") {
    Report report = testing::fixed_report();
    report.settings.batch = 8;
    const EarlierReport then = kept(report);
    CHECK_NOTHROW(require_batch(then, 8));
    CHECK_THROWS_WITH_AS(require_batch(then, 1),
                         "--baseline: expected a report of batch 1, found one of batch 8", Error);
}

TEST_CASE("variants that only one report has are left out") {
    Report then = testing::fixed_report();
    then.variants.pop_back();
    Report now = testing::fixed_report();
    now.variants[1].speedup = 0.1;
    CHECK(slower_variants(kept(then), now, 0.1).empty());
}

TEST_CASE("a file that is not a report is rejected, and the error names it") {
    CHECK(rejection("{}").find("earlier.json: expected a bench report with \"schema_version\"") !=
          std::string::npos);
    CHECK(rejection("{\"schema_version\": 99}").find("expected 2, found 99") != std::string::npos);
    CHECK(rejection("not json").find("earlier.json") != std::string::npos);
    CHECK(rejection("{\"schema_version\": \"one\"}").find("earlier.json") != std::string::npos);
}

}  // namespace vgg19::bench
