#include "tools/serve/metrics.h"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace vgg19::server;

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("requests are counted by route and status, and their times by bucket") {
    Metrics metrics;
    metrics.count_request("/healthz", 200, 0.001);
    metrics.count_request("/healthz", 200, 0.002);
    metrics.count_request("/healthz", 403, 100);
    metrics.count_request("", 400, 0);
    metrics.count_inference("int8", 0.02);
    const std::string text = metrics.text({.queue_length = 3, .in_flight = 1});
    CHECK(has_line(text, "vgg19_requests_total{route=\"/healthz\",status=\"200\"} 2"));
    CHECK(has_line(text, "vgg19_requests_total{route=\"/healthz\",status=\"403\"} 1"));
    CHECK(has_line(text, "vgg19_requests_total{route=\"other\",status=\"400\"} 1"));
    // Buckets are cumulative; a bound belongs to its own bucket.
    const std::string series = "vgg19_request_duration_seconds";
    CHECK(has_line(text, series + "_bucket{route=\"/healthz\",le=\"0.001\"} 1"));
    CHECK(has_line(text, series + "_bucket{route=\"/healthz\",le=\"0.0025\"} 2"));
    CHECK(has_line(text, series + "_bucket{route=\"/healthz\",le=\"10\"} 2"));
    CHECK(has_line(text, series + "_bucket{route=\"/healthz\",le=\"+Inf\"} 3"));
    CHECK(has_line(text, series + "_sum{route=\"/healthz\"} 100.003"));
    CHECK(has_line(text, series + "_count{route=\"/healthz\"} 3"));
    CHECK(has_line(text, "vgg19_inference_duration_seconds_count{variant=\"int8\"} 1"));
    CHECK(has_line(text, "vgg19_queue_length 3"));
    CHECK(has_line(text, "vgg19_in_flight 1"));
    CHECK(has_line(text, "# TYPE vgg19_requests_total counter"));
    CHECK(has_line(text, "# TYPE vgg19_request_duration_seconds histogram"));
}

TEST_CASE("labels are escaped so that no value ends them") {
    CHECK(label_text("key", "a\"b\\c\nd") == R"(key="a\"b\\c\nd")");
}

TEST_CASE("the memory of this process is known") {
    CHECK(resident_bytes() > 1'000'000);
}
