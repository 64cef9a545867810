#include "bench/comparison.h"

#include "bench/text.h"
#include "converter/variants/recipes.h"
#include "engine/model/json.h"
#include "engine/model/mapped_file.h"
#include "vgg19/error.h"

namespace vgg19::bench {

namespace {

using model::Json;

const Json& member(const Json& json, const std::string& key, const std::string& name) {
    const Json* found = json.find(key);
    if (found == nullptr) {
        throw Error(ErrorKind::bad_input,
                    name + ": expected a bench report with \"" + key + "\", found none");
    }
    return *found;
}

double positive(const Json& json, const std::string& key, const std::string& name) {
    const double value = member(json, key, name).number();
    if (value > 0) return value;
    throw Error(ErrorKind::bad_input,
                name + ": " + key + ": expected a positive number, found " + fixed(value, 3));
}

EarlierReport from_json(const Json& json, const std::string& name) {
    const std::uint64_t version = member(json, "schema_version", name).size();
    if (version != report_schema_version) {
        throw Error(ErrorKind::bad_input, name + ": schema_version: expected " +
                                              std::to_string(report_schema_version) + ", found " +
                                              std::to_string(version));
    }
    EarlierReport report;
    report.cpu = member(member(json, "machine", name), "cpu", name).string();
    report.isa = member(member(json, "machine", name), "isa", name).string();
    report.threads = static_cast<int>(member(member(json, "settings", name), "threads", name).size());
    report.batch = member(member(json, "settings", name), "batch", name).size();
    for (const Json& variant : member(json, "variants", name).array()) {
        EarlierReport::Variant& kept = report.variants[member(variant, "id", name).string()];
        kept.median_ms = positive(variant, "median_ms", name);
        if (!member(variant, "speedup", name).is_null()) kept.speedup = positive(variant, "speedup", name);
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
    const model::MappedFile file(path);
    const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
    try {
        return from_json(Json::parse(text, path.string()), path.string());
    } catch (const Error& error) {
        const std::string message = error.what();
        if (message.starts_with(path.string())) throw;
        throw Error(error.kind(), path.string() + ": " + message);  // a value has an unexpected type
    }
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
