// The description that `vgg19 export` writes beside a model's weights.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "converter/import/checkpoint_facts.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// The file in PyTorch's zip format that holds it, beside data.pkl: a JSON object of texts.
inline constexpr const char* exported_file = "vgg19.json";

/// Reads such an object. Throws Error (bad_input) for other content; `name` begins its message.
model::Metadata read_exported(std::string_view json, std::string_view name);

/// The description in the facts, for the network that was found in the file; none if there is none, or it
/// belongs to another network, which a note then says. With `features_only` the exported one may have a
/// classifier. Of features alone, it tells whether a pool is behind them.
std::optional<model::Description> exported_description(const CheckpointFacts& facts,
                                                       const model::Network& network, bool features_only,
                                                       std::vector<std::string>& notes);

}  // namespace vgg19::converter
