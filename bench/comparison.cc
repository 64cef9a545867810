#include "bench/comparison.h"

#include "converter/variants/recipes.h"
#include "engine/model/json_file.h"
#include "engine/model/number_text.h"
#include "vgg19/error.h"

namespace vgg19::bench {

namespace {

using model::Json;

const Json& report_member(const Json& json, const std::string& key, const std::string& name) {
    const Json* found = json.find(key);
    if (found == nullptr) {
        throw Error(ErrorKind::bad_input,
                    name + ": expected a bench report with \"" + key + "\", found none");
    }
    return *found;
}

double positive(const Json& json, const std::string& key, const std::string& name) {
    const double value = report_member(json, key, name).number();
    if (value > 0) return value;
    throw Error(ErrorKind::bad_input,
                name + ": " + key + ": expected a positive number, found " + fixed(value, 3));
}

EarlierReport from_json(const Json& json, const std::string& name) {
    const std::uint64_t version = report_member(json, "schema_version", name).size();
    if (version != report_schema_version) {
        throw Error(ErrorKind::bad_input, name + ": schema_version: expected " +
                                              std::to_string(report_schema_version) + ", found " +
                                              std::to_string(version));
    }
    EarlierReport report;
    report.cpu = report_member(report_member(json, "machine", name), "cpu", name).string();
    report.isa = report_member(report_member(json, "machine", name), "isa", name).string();
    report.threads =
        static_cast<int>(report_member(report_member(json, "settings", name), "threads", name).size());
    report.batch = report_member(report_member(json, "settings", name), "batch", name).size();
    for (const Json& variant : report_member(json, "variants", name).array()) {
        EarlierReport::Variant& kept = report.variants[report_member(variant, "id", name).string()];
        kept.median_ms = positive(variant, "median_ms", name);
        const bool is_there = !report_member(variant, "speedup", name).is_null();
        if (is_there) kept.speedup = positive(variant, "speedup", name);
    }
    return report;
}

/// How many times longer than before; none if it cannot be determined.
std::optional<double> growth(const EarlierReport& then, const EarlierReport::Variant& before,
                             const Report& now, const VariantReport& variant) {
    if (variant.id != converter::baseline_recipe().id) {
        if (!before.speedup || !variant.speedup) return std::nullopt;
        return *before.speedup / *variant.speedup;
    }
    const bool same_machine =
        then.cpu == now.machine.cpu && then.isa == now.machine.isa && then.threads == now.settings.threads;
    if (!same_machine) return std::nullopt;
    return variant.latency.median_ms / before.median_ms;
}

}  // namespace

EarlierReport read_report(const std::filesystem::path& path) {
    return model::read_json_as(path, [&](const Json& json) { return from_json(json, path.string()); });
}

void require_batch(const EarlierReport& report, std::size_t batch) {
    if (report.batch == batch) return;
    throw Error(ErrorKind::usage, "--baseline: expected a report of batch " + std::to_string(batch) +
                                      ", found one of batch " + std::to_string(report.batch));
}

std::vector<std::string> slower_variants(const EarlierReport& then, const Report& now, double tolerance) {
    std::vector<std::string> lines;
    for (const VariantReport& variant : now.variants) {
        const auto before = then.variants.find(variant.id);
        if (before == then.variants.end()) continue;
        const std::optional<double> ratio = growth(then, before->second, now, variant);
        if (!ratio || *ratio <= 1 + tolerance) continue;
        lines.push_back(variant.id + " is slower by " + fixed((*ratio - 1) * 100, 1) + " % than before" +
                        (variant.speedup && variant.id != converter::baseline_recipe().id
                             ? ", relative to the baseline"
                             : "") +
                        " (tolerance " + fixed(tolerance * 100, 1) + " %)");
    }
    return lines;
}

}  // namespace vgg19::bench
