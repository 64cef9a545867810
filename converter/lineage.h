// A model's lineage: each step is a subcommand's name and its options.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vgg19::converter {

/// The kinds of steps.
enum class Surgery : unsigned char { convert, prune, finetune, quantize, factorize, export_model };

/// The subcommand's name, with which a step begins.
const char* surgery_name(Surgery surgery);

/// The kind of a lineage step; none if no subcommand wrote it, as for seeded weights.
std::optional<Surgery> surgery_of(std::string_view step);

bool has_surgery(const std::vector<std::string>& lineage, Surgery surgery);

}  // namespace vgg19::converter
