// Variants as model files: derived if missing, or found in a folder.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "engine/model/model_file.h"

namespace vgg19::converter {

/// A variant that can be measured.
struct Variant {
    std::string id;
    std::filesystem::path file;
    MapSize input_size{};  ///< empty: the model's own
};

/// Callbacks while files are made. Either may be empty.
struct MakingProgress {
    std::function<void(const std::string& line)> say;  ///< called with what is made, and why
    std::function<model::Progress(const std::string& variant)>
        shown;  ///< returns a progress callback for a variant
};

/// The variants with these ids (all if `ids` is empty), in the list's order, with seeded full-size weights.
/// Files are in the user's cache folder; missing, stale and damaged ones are made again, and each is
/// announced. Throws Error: usage for an unknown id.
std::vector<Variant> seeded_variants(const std::vector<std::string>& ids, int threads,
                                     const MakingProgress& progress = {});

/// The same from a file of weights: a baseline model, used in place, or anything that `vgg19 convert`
/// accepts. Derived files are kept in the cache folder under the SHA-256 of the file.
std::vector<Variant> variants_of(const std::filesystem::path& weights, const std::vector<std::string>& ids,
                                 const MakingProgress& progress = {});

/// The same from the weights that torchvision publishes (published_weights.h). Throws Error: usage that says
/// how to get them if they are not in the cache folder, bad_input if the file there is another.
std::vector<Variant> published_variants(const std::vector<std::string>& ids,
                                        const MakingProgress& progress = {});

/// The file of the baseline among these. Does not wait for other processes if it has been made.
std::filesystem::path published_baseline(const MakingProgress& progress = {});

/// The same from a folder with finished files; nothing is made: VARIANT.safetensors for variants in the list,
/// and any other model file under its own name. Without ids, all files in the folder. Throws Error: usage if
/// an id is not there, bad_input if a file holds a variant other than its name says.
std::vector<Variant> variants_in(const std::filesystem::path& folder, const std::vector<std::string>& ids);

}  // namespace vgg19::converter
