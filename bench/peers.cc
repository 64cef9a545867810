#include "bench/peers.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>

#include "converter/variants/recipes.h"
#include "engine/model/foreign_text.h"
#include "engine/model/json_file.h"
#include "engine/model/network.h"
#include "engine/model/number_text.h"
#include "vgg19/error.h"

namespace vgg19::bench {

namespace {

using model::Json;

/// What an engine computes.
enum class PeerWork : unsigned char {
    fp32,
    int8_dense,  ///< dense layers in INT8, convolutions in FP32
    int8,        ///< all layers
    bf16,
    feature_maps,  ///< no classification
};

struct KnownEngine {
    const char* name;  ///< without its size: "ncnn-fp32-160" is "ncnn-fp32" at 160, "ncnn-fp32" at 224
    PeerWork work;
};
constexpr KnownEngine known_engines[] = {
    {"torch-fp32", PeerWork::fp32},
    {"torch-channels-last", PeerWork::fp32},
    {"torch-compile", PeerWork::fp32},
    {"ort-fp32", PeerWork::fp32},
    {"openvino-fp32", PeerWork::fp32},
    {"ncnn-fp32", PeerWork::fp32},
    {"torch-linear-int8", PeerWork::int8_dense},
    {"ort-int8", PeerWork::int8},
    {"openvino-int8", PeerWork::int8},
    {"ncnn-int8", PeerWork::int8},
    {"torch-bf16", PeerWork::bf16},
    {"openvino-bf16", PeerWork::bf16},
    {"ncnn-bf16", PeerWork::bf16},
    {"torch-features", PeerWork::feature_maps},
    {"torch-features-compile", PeerWork::feature_maps},
    {"torch-features-grad", PeerWork::feature_maps},
    {"torch-features-grad-compile", PeerWork::feature_maps},
};

/// Variants with the same work as peers have; pruned ones do less.
struct ComparedVariant {
    const char* id;
    PeerWork work;
};
constexpr ComparedVariant compared_variants[] = {{"baseline", PeerWork::fp32},
                                                 {"res160", PeerWork::fp32},
                                                 {"int8", PeerWork::int8_dense},
                                                 {"int8-full", PeerWork::int8}};

constexpr std::size_t size_without_suffix = 224;

const char* work_text(PeerWork work) {
    switch (work) {
        case PeerWork::fp32:
            return "FP32";
        case PeerWork::int8_dense:
            return "INT8 dense layers and FP32 convolutions";
        case PeerWork::int8:
            return "INT8";
        case PeerWork::bf16:
            return "BF16";
        case PeerWork::feature_maps:
            break;
    }
    return "feature maps";
}

/// "ncnn-fp32-160" → "ncnn-fp32" and 160.
struct NameAndSize {
    std::string name;
    std::size_t size;
};
std::optional<NameAndSize> split_name(const std::string& name) {
    const std::size_t dash = name.rfind('-');
    if (dash == std::string::npos) return std::nullopt;
    std::size_t size = 0;
    const char* const end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(name.data() + dash + 1, end, size);
    if (error != std::errc() || rest != end) return std::nullopt;
    return NameAndSize{name.substr(0, dash), size};
}

const PeerWork* known_work(const std::string& name) {
    const auto* const found = std::find_if(std::begin(known_engines), std::end(known_engines),
                                           [&](const KnownEngine& known) { return name == known.name; });
    return found == std::end(known_engines) ? nullptr : &found->work;
}

/// What an engine of a file is: a peer, one of our variants, or neither.
struct Identity {
    const PeerWork* work = nullptr;  ///< of a peer
    const converter::Recipe* own = nullptr;
    MapSize size{};
};
Identity identify(const std::string& name) {
    if (const PeerWork* work = known_work(name)) return {.work = work, .size = size_without_suffix};
    if (const converter::Recipe* own = converter::find_recipe(name)) {
        return {.own = own, .size = own->input_size.empty() ? MapSize(size_without_suffix) : own->input_size};
    }
    const std::optional<NameAndSize> parts = split_name(name);
    if (!parts) return {};
    return {.work = known_work(parts->name), .own = converter::find_recipe(parts->name), .size = parts->size};
}

// ---- reading ----

std::string found_text(const Json& json) {
    if (json.is_object()) return "an object";
    return json.is_array() ? "a list" : model::printable(json.dump());
}

[[noreturn]] void reject(const std::string& place, const std::string& expected, const std::string& found) {
    throw Error(ErrorKind::bad_input, place + ": expected " + expected + ", found " + found);
}

/// What `read` makes of a member of an engine; errors name its place.
template <class Read>
auto read_member(const Json& engine, const char* key, const std::string& place, const Read& read) {
    const Json& value = model::member(engine, key, place);
    try {
        return read(value);
    } catch (const model::JsonTypeError& error) {
        throw Error(ErrorKind::bad_input, place + ": " + key + ": " + error.what());
    }
}

double number_above(double least, const Json& engine, const char* key, const std::string& place) {
    const double value = read_member(engine, key, place, [](const Json& json) { return json.number(); });
    constexpr double most = 1e9;
    if (value > least && value < most) return value;
    reject(place + ": " + key, "a number above " + shortest_text(least) + " and below 1e+09",
           shortest_text(value));
}

PeerEngine read_engine(const Json& json, const std::string& file, std::size_t index) {
    constexpr double mebibyte = 1024 * 1024;
    std::string place = file + ": engine " + std::to_string(index + 1);
    if (!json.is_object()) reject(place, "an object", found_text(json));
    PeerEngine engine;
    const auto text = [](const Json& value) { return value.string(); };
    engine.name = read_member(json, "engine", place, text);
    if (engine.name.empty()) reject(place + ": engine", "a name", "none");
    place += " (" + engine.name + ')';
    engine.min_ms = number_above(0, json, "min_ms", place);
    engine.median_ms = number_above(0, json, "median_ms", place);
    engine.ready_seconds = number_above(0, json, "ready_s", place);
    engine.peak_rss_bytes =
        static_cast<std::uint64_t>(std::llround(number_above(0, json, "peak_rss_mib", place) * mebibyte));
    // Its input is not ours, so its classes are not compared.
    read_member(json, "top3", place, text);
    if (engine.min_ms > engine.median_ms) {
        reject(place + ": min_ms", "at most the median, " + shortest_text(engine.median_ms),
               shortest_text(engine.min_ms));
    }
    return engine;
}

std::string time_written(const std::filesystem::path& path) {
    struct stat status {};
    std::tm time{};
    std::array<char, 32> text{};
    if (stat(path.c_str(), &status) != 0 || gmtime_r(&status.st_mtime, &time) == nullptr) return "unknown";
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &time)};
}

// ---- comparing ----

PeerRatio ratio_of(double min_ms, double median_ms, const PeerEngine& peer) {
    return {.min = min_ms / peer.min_ms, .median = median_ms / peer.median_ms};
}

/// The peers run VGG-19 with all its channels. Another number of classes makes little difference.
bool is_whole_vgg19(const VariantReport& variant) {
    static const model::Network vgg19 = model::Network::vgg(19);
    constexpr double tolerance = 0.02;
    const double expected = static_cast<double>(vgg19.macs(variant.input_size)) * 1e-9;
    return std::abs(variant.gmac - expected) <= tolerance * expected;
}

const PeerWork* work_of(const VariantReport& variant) {
    const auto* const found =
        std::find_if(std::begin(compared_variants), std::end(compared_variants),
                     [&](const ComparedVariant& compared) { return variant.id == compared.id; });
    return found == std::end(compared_variants) || !is_whole_vgg19(variant) ? nullptr : &found->work;
}

bool is_peer_of(const PeerEngine& engine, const VariantReport& variant) {
    const Identity identity = identify(engine.name);
    const PeerWork* const work = work_of(variant);
    return identity.work != nullptr && work != nullptr && *identity.work == *work &&
           identity.size == variant.input_size;
}

/// res160 is the baseline's file at another size.
bool is_row_of(const PeerEngine& engine, const VariantReport& variant) {
    const Identity identity = identify(engine.name);
    const converter::Recipe* const recipe = converter::find_recipe(variant.id);
    return identity.own != nullptr && recipe != nullptr && identity.size == variant.input_size &&
           &converter::file_recipe(*identity.own) == &converter::file_recipe(*recipe);
}

std::optional<PeerComparison> comparison_of(const VariantReport& variant, const PeersFile& file) {
    PeerComparison comparison{
        .variant = variant.id, .input_size = variant.input_size, .own_row = {}, .peers = {}};
    const auto own_row = std::find_if(file.engines.begin(), file.engines.end(),
                                      [&](const PeerEngine& engine) { return is_row_of(engine, variant); });
    const bool has_own_row = own_row != file.engines.end();
    if (has_own_row) comparison.own_row = own_row->name;
    for (const PeerEngine& engine : file.engines) {
        if (!is_peer_of(engine, variant)) continue;
        ComparedPeer peer{.engine = engine,
                          .ratio = ratio_of(variant.latency.min_ms, variant.latency.median_ms, engine),
                          .same_run_ratio = std::nullopt};
        if (has_own_row) peer.same_run_ratio = ratio_of(own_row->min_ms, own_row->median_ms, engine);
        comparison.peers.push_back(std::move(peer));
    }
    if (comparison.peers.empty()) return std::nullopt;
    std::stable_sort(
        comparison.peers.begin(), comparison.peers.end(),
        [](const ComparedPeer& a, const ComparedPeer& b) { return a.engine.min_ms < b.engine.min_ms; });
    return comparison;
}

/// Why an engine is in no comparison; "" if it is in one.
std::string reason_to_leave_out(const PeerEngine& engine, std::span<const VariantReport> variants,
                                const std::vector<PeerComparison>& comparisons) {
    const Identity identity = identify(engine.name);
    if (identity.own != nullptr) {
        const auto is_shown = [&](const PeerComparison& each) { return each.own_row == engine.name; };
        if (std::any_of(comparisons.begin(), comparisons.end(), is_shown)) return "";
        return "a variant of ours that this report does not compare with a peer";
    }
    if (identity.work == nullptr) return "not a known engine, nor a variant of ours";
    const auto is_peer = [&](const VariantReport& variant) { return is_peer_of(engine, variant); };
    if (std::any_of(variants.begin(), variants.end(), is_peer)) return "";
    if (*identity.work == PeerWork::feature_maps) return "computes feature maps, and does not classify";
    return std::string("no variant here does the same work: ") + work_text(*identity.work) + " at " +
           to_string(identity.size);
}

}  // namespace

PeersFile read_peers(const std::filesystem::path& path) {
    PeersFile file{.path = path, .written = time_written(path), .engines = {}};
    const Json json = model::read_json(path);
    const std::string name = path.string();
    if (!json.is_array()) reject(name, "a list of engines", found_text(json));
    for (const Json& each : json.array()) {
        PeerEngine engine = read_engine(each, name, file.engines.size());
        for (const PeerEngine& other : file.engines) {
            if (other.name != engine.name) continue;
            reject(name + ": engine " + std::to_string(file.engines.size() + 1), "another name than before",
                   model::printable(engine.name) + " again");
        }
        file.engines.push_back(std::move(engine));
    }
    if (file.engines.empty()) reject(name, "a list of engines", "an empty one");
    return file;
}

Peers compare_with_peers(const PeersFile& file, std::span<const VariantReport> variants) {
    Peers peers{.file = file, .comparisons = {}, .others = {}};
    for (const VariantReport& variant : variants) {
        if (auto comparison = comparison_of(variant, file)) peers.comparisons.push_back(*comparison);
    }
    for (const PeerEngine& engine : file.engines) {
        std::string reason = reason_to_leave_out(engine, variants, peers.comparisons);
        if (!reason.empty()) peers.others.push_back({engine, std::move(reason)});
    }
    return peers;
}

std::vector<std::string> notes_on_peers(const Peers& peers) {
    std::vector<std::string> notes = {
        "The peers' figures are those of " + peers.file.path.string() + ", written " + peers.file.written +
        ": another run, of which the machine, its load and the number of threads are unknown. Ratios are our "
        "time over the peer's, so that below 1 we are faster; believe those of the same run, where there are "
        "any."};
    const auto has_own_row = [](const PeerComparison& each) { return !each.own_row.empty(); };
    if (std::none_of(peers.comparisons.begin(), peers.comparisons.end(), has_own_row)) {
        notes.emplace_back(
            "That file has none of our variants: measure them in its run for ratios of the same run.");
    }
    return notes;
}

}  // namespace vgg19::bench
