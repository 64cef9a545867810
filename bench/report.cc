#include "bench/report.h"

#include <algorithm>

namespace vgg19::bench {

bool has_scaling(const Report& report) {
    return std::any_of(report.variants.begin(), report.variants.end(),
                       [](const VariantReport& variant) { return !variant.scaling.empty(); });
}

std::optional<Format> format_from_name(std::string_view name) {
    if (name == "table") return Format::table;
    if (name == "markdown") return Format::markdown;
    if (name == "json") return Format::json;
    if (name == "csv") return Format::csv;
    return std::nullopt;
}

std::string to_text(const Report& report, Format format) {
    switch (format) {
        case Format::table:
            return to_table(report);
        case Format::markdown:
            return to_markdown(report);
        case Format::json:
            return to_json_text(report);
        case Format::csv:
            return to_csv(report);
    }
    return {};
}

}  // namespace vgg19::bench
