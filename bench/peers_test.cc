#include "bench/peers.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "bench/testing/reports.h"
#include "engine/model/json.h"
#include "engine/testing/temporary_folder.h"
#include "vgg19/error.h"

namespace vgg19::bench {

namespace {

std::string row(const std::string& engine, double min_ms, double median_ms) {
    return "{\"engine\": \"" + engine + "\", \"min_ms\": " + std::to_string(min_ms) +
           ", \"median_ms\": " + std::to_string(median_ms) +
           R"(, "ready_s": 2.5, "peak_rss_mib": 1000, "top3": "970 975 5"})";
}

std::filesystem::path written(const vgg19::testing::TemporaryFolder& folder, const std::string& text) {
    const auto path = folder.path() / "measure.json";
    std::ofstream(path) << text;
    return path;
}

PeersFile file_of(const std::string& text) {
    const vgg19::testing::TemporaryFolder folder;
    return read_peers(written(folder, text));
}

std::string rejection(const std::string& text) {
    const vgg19::testing::TemporaryFolder folder;
    try {
        read_peers(written(folder, text));
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::bad_input);
        return error.what();
    }
    return "read without complaint";
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

/// A variant of VGG-19 itself at 224, or of another size.
VariantReport variant(const std::string& id, MapSize size = 224) {
    const double gmac = size == MapSize(224) ? 19.632062464 : 10.08;
    return {.id = id,
            .input_size = size,
            .gmac = gmac,
            .latency = {.median_ms = 60, .min_ms = 50},
            .peak_rss_bytes = 500'000'000,
            .ready_seconds = 0.5};
}

const PeerComparison* find(const Peers& peers, const std::string& id) {
    const auto found = std::find_if(peers.comparisons.begin(), peers.comparisons.end(),
                                    [&](const PeerComparison& each) { return each.variant == id; });
    return found == peers.comparisons.end() ? nullptr : &*found;
}

std::string reason(const Peers& peers, const std::string& engine) {
    for (const UncomparedPeer& other : peers.others) {
        if (other.engine.name == engine) return other.reason;
    }
    return "";
}

std::vector<std::string> peer_names(const PeerComparison& comparison) {
    std::vector<std::string> names;
    for (const ComparedPeer& peer : comparison.peers) names.push_back(peer.engine.name);
    return names;
}

const std::string whole_file = "[" + row("ort-fp32", 120, 130) + "," + row("ncnn-fp32", 100, 110) + "," +
                               row("ncnn-fp32-160", 80, 90) + "," + row("torch-linear-int8", 200, 210) + "," +
                               row("ort-int8", 45, 48) + "," + row("openvino-int8", 40, 50) + "," +
                               row("ort-int8-160", 20, 24) + "," + row("ncnn-bf16", 90, 95) + "," +
                               row("torch-features-512", 900, 950) + "," + row("mnn-fp32", 107, 108) + "]";

}  // namespace

TEST_CASE("each variant is compared with the engines that do the same work, the fastest first") {
    const std::vector<VariantReport> variants = {variant("baseline"), variant("pruned"), variant("int8"),
                                                 variant("res160", 160), variant("int8-full")};
    const Peers peers = compare_with_peers(file_of(whole_file), variants);
    REQUIRE(peers.comparisons.size() == 4);
    CHECK(peer_names(*find(peers, "baseline")) == std::vector<std::string>{"ncnn-fp32", "ort-fp32"});
    CHECK(peer_names(*find(peers, "int8")) == std::vector<std::string>{"torch-linear-int8"});
    CHECK(peer_names(*find(peers, "res160")) == std::vector<std::string>{"ncnn-fp32-160"});
    CHECK(peer_names(*find(peers, "int8-full")) == std::vector<std::string>{"openvino-int8", "ort-int8"});
    const ComparedPeer& fastest = find(peers, "baseline")->peers.front();
    CHECK(fastest.ratio.min == doctest::Approx(0.5));
    CHECK(fastest.ratio.median == doctest::Approx(60.0 / 110));
    CHECK(fastest.engine.ready_seconds == 2.5);
    CHECK(fastest.engine.peak_rss_bytes == 1'048'576'000);
    CHECK(!fastest.same_run_ratio);
    CHECK(find(peers, "pruned") == nullptr);
}

TEST_CASE("engines that are not compared are listed with the reason") {
    const std::vector<VariantReport> variants = {variant("baseline"), variant("int8-full", 160)};
    const Peers peers = compare_with_peers(file_of(whole_file), variants);
    CHECK(peer_names(*find(peers, "int8-full")) == std::vector<std::string>{"ort-int8-160"});
    CHECK(reason(peers, "mnn-fp32") == "not a known engine, nor a variant of ours");
    CHECK(reason(peers, "ncnn-bf16") == "no variant here does the same work: BF16 at 224");
    CHECK(reason(peers, "ncnn-fp32-160") == "no variant here does the same work: FP32 at 160");
    CHECK(contains(reason(peers, "torch-features-512"), "feature maps"));
    CHECK(reason(peers, "ncnn-fp32").empty());
    CHECK(peers.comparisons.size() == 2);
    CHECK(peers.others.size() == 7);
}

TEST_CASE("a network that is not the whole VGG-19 is compared with nothing") {
    std::vector<VariantReport> variants = {variant("baseline")};
    variants.front().gmac = 0.5;
    const Peers peers = compare_with_peers(file_of(whole_file), variants);
    CHECK(peers.comparisons.empty());
    CHECK(peers.others.size() == peers.file.engines.size());
}

TEST_CASE("our own rows in the peers' file give the ratios of one run") {
    const std::string text = "[" + row("ncnn-fp32", 100, 110) + "," + row("baseline", 70, 88) + "," +
                             row("ncnn-fp32-160", 80, 100) + "," + row("baseline-160", 40, 60) + "," +
                             row("int8-full", 20, 21) + "]";
    const std::vector<VariantReport> variants = {variant("baseline"), variant("res160", 160)};
    const Peers peers = compare_with_peers(file_of(text), variants);
    const PeerComparison& baseline = *find(peers, "baseline");
    CHECK(baseline.own_row == "baseline");
    CHECK(baseline.peers.front().ratio.min == doctest::Approx(0.5));
    REQUIRE(baseline.peers.front().same_run_ratio);
    CHECK(baseline.peers.front().same_run_ratio->min == doctest::Approx(0.7));
    CHECK(baseline.peers.front().same_run_ratio->median == doctest::Approx(0.8));
    // res160 is the baseline at 160.
    CHECK(find(peers, "res160")->own_row == "baseline-160");
    CHECK(find(peers, "res160")->peers.front().same_run_ratio->min == doctest::Approx(0.5));
    CHECK(contains(reason(peers, "int8-full"), "a variant of ours"));
    CHECK(peers.others.size() == 1);
}

TEST_CASE("the notes say where the figures are from") {
    const std::vector<VariantReport> variants = {variant("baseline")};
    const auto all = [](const Peers& peers) {
        std::string text;
        for (const std::string& note : notes_on_peers(peers)) text += note + '\n';
        return text;
    };
    const Peers without = compare_with_peers(file_of(whole_file), variants);
    CHECK(contains(all(without), "measure.json"));
    CHECK(contains(all(without), "the machine, its load and the number of threads are unknown"));
    CHECK(contains(all(without), "has none of our variants"));
    CHECK(without.file.written.size() == std::string("2026-11-29T06:40:01Z").size());
    const Peers with = compare_with_peers(
        file_of("[" + row("ncnn-fp32", 100, 110) + "," + row("baseline", 70, 88) + "]"), variants);
    CHECK(!contains(all(with), "has none of our variants"));
}

TEST_CASE("every format shows the peers") {
    Report report = testing::fixed_report();
    report.peers =
        compare_with_peers(file_of("[" + row("ncnn-fp32", 401, 802) + "," + row("baseline", 200.5, 401) +
                                   "," + row("mnn-fp32", 107, 108) + "]"),
                           report.variants);
    report.variants[0].ready_seconds = 0.75;
    report.notes = notes_on_peers(*report.peers);

    const std::string table = to_text(report, Format::table);
    CHECK(contains(table, "Beside the peers of "));
    CHECK(contains(table, "mnn-fp32, min 107.00 ms, median 108.00 ms: not a known engine"));
    CHECK(contains(to_text(report, Format::markdown), "### Beside the peers of "));
    CHECK(
        contains(to_text(report, Format::markdown),
                 "|   ncnn-fp32 | 224 | 401.00 | 802.00 | 2.50 | 1048.6 | 0.474 | 0.250 | 0.500 | 0.500 |"));

    const auto json = model::Json::parse(to_text(report, Format::json), "report");
    const model::Json& peers = *json.find("peers");
    CHECK(contains(peers.find("file")->string(), "measure.json"));
    CHECK(peers.find("not_compared")->array().at(0).find("engine")->string() == "mnn-fp32");
    const model::Json& comparison = peers.find("comparisons")->array().at(0);
    CHECK(comparison.find("variant")->string() == "baseline");
    CHECK(comparison.find("own_row")->string() == "baseline");
    const model::Json& peer = comparison.find("peers")->array().at(0);
    CHECK(peer.find("engine")->string() == "ncnn-fp32");
    CHECK(peer.find("ratio")->find("median")->number() == 0.25);
    CHECK(peer.find("same_run_ratio")->find("min")->number() == 0.5);

    const std::string csv = to_text(report, Format::csv);
    CHECK(contains(csv, ",ready_s,peer,peer_min_ms,"));
    CHECK(contains(csv,
                   ",0.750000,ncnn-fp32,401.000000,802.000000,2.500000,1048576000,0.473815,0.250000,"
                   "0.500000,0.500000\r\n"));
    CHECK(csv.ends_with(",0.000000,,,,,,,,,\r\n"));
}

TEST_CASE("a file that is not a list of engines is rejected, and the error names file, engine and member") {
    const auto with = [](const std::string& member, const std::string& value) {
        std::string text = row("ort-fp32", 120, 130);
        const std::size_t begin = text.find("\"" + member + "\": ") + member.size() + 4;
        const std::size_t end = text.find_first_of(member == "top3" ? "}" : ",", begin);
        return rejection("[" + row("ncnn-fp32", 1, 2) + "," + text.replace(begin, end - begin, value) + "]");
    };
    CHECK(contains(rejection("not json"), "measure.json: byte "));
    CHECK(contains(rejection("[" + row("a", 1, 2)), "measure.json: byte "));
    CHECK(contains(rejection("{}"), "measure.json: expected a list of engines, found an object"));
    CHECK(contains(rejection("[]"), "expected a list of engines, found an empty one"));
    CHECK(contains(rejection("[1]"), "measure.json: engine 1: expected an object, found 1"));
    CHECK(contains(rejection("[{}]"), "engine 1: expected a member \"engine\", found none"));
    CHECK(contains(rejection(R"([{"engine": "ncnn-fp32"}])"),
                   "engine 1 (ncnn-fp32): expected a member \"min_ms\", found none"));
    CHECK(contains(with("engine", "7"), "engine 2: engine: expected a string, found a number"));
    CHECK(contains(with("engine", "\"\""), "engine 2: engine: expected a name, found none"));
    CHECK(contains(with("engine", "\"ncnn-fp32\""),
                   "engine 2: expected another name than before, found ncnn-fp32 again"));
    CHECK(contains(with("min_ms", "null"), "engine 2 (ort-fp32): min_ms: expected a number, found null"));
    CHECK(contains(with("min_ms", "\"1\""), "min_ms: expected a number, found a string"));
    CHECK(contains(with("min_ms", "-1"), "min_ms: expected a number above 0 and below 1e+09, found -1"));
    CHECK(contains(with("min_ms", "NaN"), "measure.json: byte "));
    CHECK(contains(with("min_ms", "131"), "min_ms: expected at most the median, 130, found 131"));
    CHECK(contains(with("median_ms", "0"), "median_ms: expected a number above 0"));
    CHECK(contains(with("median_ms", "1e300"), "median_ms: expected a number above 0 and below 1e+09"));
    CHECK(contains(with("ready_s", "[]"), "ready_s: expected a number, found an array"));
    CHECK(contains(with("peak_rss_mib", "0"), "peak_rss_mib: expected a number above 0"));
    CHECK(contains(with("top3", "5"), "top3: expected a string, found a number"));
    const vgg19::testing::TemporaryFolder folder;
    CHECK_THROWS_AS(read_peers(folder.path() / "none.json"), Error);
    CHECK_THROWS_AS(read_peers(folder.path()), Error);
}

}  // namespace vgg19::bench
