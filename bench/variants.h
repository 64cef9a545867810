// The one list of variants that the bench compares, and the files that they run.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/model/model_file.h"

namespace vgg19::bench {

/// How a variant comes about.
struct Recipe {
    /// Writes the variant's model file, made from the model file of `source`.
    using Derive = void(const model::ModelFile& source, const std::filesystem::path& output,
                        const model::Progress& progress);

    const char* id;
    const char* file;    ///< FILE.safetensors: the id, or that of the variant whose file this one shares
    const char* source;  ///< the id of the variant it is derived from; "" for the baseline
    Derive* derive;      ///< nullptr where there is nothing to derive
    MapSize input_size;  ///< empty: the model's own
};

/// The baseline first; sources before what is derived from them.
std::span<const Recipe> recipes();

/// A variant that is ready to be measured.
struct Variant {
    std::string id;
    std::filesystem::path file;
    MapSize input_size{};  ///< empty: the model's own
};

/// "baseline, pruned, …"
std::string recipe_ids();

/// The variants of those ids (all where there are none), in the list's order, made from seeded full-size
/// weights. Files live in the user's cache folder and are made where they are missing, stale or damaged: each
/// is announced on standard error. Throws Error: usage for an id that is not in the list.
std::vector<Variant> seeded_variants(const std::vector<std::string>& ids, int threads);

/// The same from a file of weights: a baseline model, used where it is, or anything that `vgg19 convert`
/// takes. What is made of it is kept in the cache folder under the SHA-256 of the file.
std::vector<Variant> variants_of(const std::filesystem::path& weights, const std::vector<std::string>& ids);

/// The same from a folder that has them already, nothing is made: VARIANT.safetensors for variants of the
/// list, and any other model file under its own name. Without ids, all that is there. Throws Error: usage
/// when an id is not there, bad_input when a file holds another variant than its name says.
std::vector<Variant> variants_in(const std::filesystem::path& folder, const std::vector<std::string>& ids);

}  // namespace vgg19::bench
