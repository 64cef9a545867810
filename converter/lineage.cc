#include "converter/lineage.h"

#include <algorithm>
#include <array>
#include <utility>

namespace vgg19::converter {

namespace {

constexpr std::array<std::pair<Surgery, const char*>, 6> names{{{Surgery::convert, "convert"},
                                                                {Surgery::prune, "prune"},
                                                                {Surgery::finetune, "finetune"},
                                                                {Surgery::quantize, "quantize"},
                                                                {Surgery::factorize, "factorize"},
                                                                {Surgery::export_model, "export"}}};

}  // namespace

const char* surgery_name(Surgery surgery) {
    return std::find_if(names.begin(), names.end(), [&](const auto& entry) { return entry.first == surgery; })
        ->second;
}

std::optional<Surgery> surgery_of(std::string_view step) {
    const std::string_view subcommand = step.substr(0, step.find(' '));
    for (const auto& [surgery, name] : names) {
        if (subcommand == name) return surgery;
    }
    return std::nullopt;
}

bool has_surgery(const std::vector<std::string>& lineage, Surgery surgery) {
    return std::any_of(lineage.begin(), lineage.end(),
                       [&](const std::string& step) { return surgery_of(step) == surgery; });
}

}  // namespace vgg19::converter
