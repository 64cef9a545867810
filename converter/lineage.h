// What a model's lineage says: a step is the name of the subcommand that did it, and its options.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vgg19::converter {

/// What a step did to the weights.
enum class Surgery : unsigned char { convert, prune, finetune, quantize, factorize };

/// The subcommand, which a step begins with.
const char* surgery_name(Surgery surgery);

/// What a step of a lineage did; nothing for one that no subcommand wrote, such as that of seeded weights.
std::optional<Surgery> surgery_of(std::string_view step);

bool has_surgery(const std::vector<std::string>& lineage, Surgery surgery);

}  // namespace vgg19::converter
