#include "bench/variants.h"

#include <algorithm>
#include <optional>
#include <system_error>

#include "bench/cache_folder.h"
#include "bench/progress.h"
#include "bench/quantize_full.h"
#include "bench/seeded_weights.h"
#include "bench/text.h"
#include "converter/import/import.h"
#include "converter/prune/prune.h"
#include "converter/quantize/quantize.h"
#include "engine/model/sha256.h"
#include "vgg19/error.h"

namespace vgg19::bench {

namespace {

using model::ModelFile;
using std::filesystem::path;

/// Part of the cache folders' names: increase it if the converter makes different files from the same
/// weights.
constexpr int recipes_version = 3;

void prune(const ModelFile& source, const path& output, const model::Progress& progress) {
    converter::prune_model(source, converter::plan_pruning(source, {}), output, progress);
}

constexpr Recipe recipe_list[] = {
    {.id = "baseline", .file = "baseline", .source = "", .derive = nullptr, .input_size = 0},
    {.id = "pruned", .file = "pruned", .source = "baseline", .derive = prune, .input_size = 0},
    {.id = "int8",
     .file = "int8",
     .source = "baseline",
     .derive = converter::quantize_dense,
     .input_size = 0},
    {.id = "pruned-int8",
     .file = "pruned-int8",
     .source = "pruned",
     .derive = converter::quantize_dense,
     .input_size = 0},
    {.id = "res160", .file = "baseline", .source = "baseline", .derive = nullptr, .input_size = 160},
    {.id = "int8-full", .file = "int8-full", .source = "baseline", .derive = quantize_full, .input_size = 0},
    {.id = "pruned-int8-full",
     .file = "pruned-int8-full",
     .source = "pruned",
     .derive = quantize_full,
     .input_size = 0},
};

const Recipe* find_recipe(const std::string& id) {
    const auto* const found = std::find_if(std::begin(recipe_list), std::end(recipe_list),
                                           [&](const Recipe& recipe) { return recipe.id == id; });
    return found == std::end(recipe_list) ? nullptr : found;
}

bool contains(const std::vector<std::string>& ids, const std::string& id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
}

path file_in(const path& folder, const std::string& stem) {
    return folder / (stem + ".safetensors");
}

/// The model in `file` if it is this variant of the weights described by `ancestor`; none if it is missing,
/// damaged or made from other weights.
std::optional<ModelFile> up_to_date(const path& file, const std::string& variant,
                                    const model::Description& ancestor) {
    if (!std::filesystem::exists(file)) return std::nullopt;
    try {
        ModelFile model = ModelFile::open(file);
        const model::Description& found = model.description();
        const bool same_lineage =
            found.lineage.size() >= ancestor.lineage.size() &&
            std::equal(ancestor.lineage.begin(), ancestor.lineage.end(), found.lineage.begin());
        if (found.variant == variant && found.source_sha256 == ancestor.source_sha256 && same_lineage) {
            return model;
        }
        say(file.string() + " is of other weights: it is made again");
    } catch (const Error& error) {
        say(std::string(error.what()) + ": it is made again");
    }
    return std::nullopt;
}

/// Opens the file of a recipe; derives it first if necessary. The baseline must exist.
ModelFile ensure(const path& folder, const path& baseline, const std::string& id) {
    const Recipe& recipe = *find_recipe(id);
    if (recipe.derive == nullptr) return ModelFile::open(baseline);
    const ModelFile source = ensure(folder, baseline, recipe.source);
    const path file = file_in(folder, recipe.file);
    std::optional<ModelFile> model = up_to_date(file, recipe.id, source.description());
    if (model) return std::move(*model);
    say("making " + file.string());
    recipe.derive(source, file, percent_shown(recipe.id));
    return ModelFile::open(file);
}

std::vector<Variant> ensure_all(const path& folder, const path& baseline,
                                const std::vector<std::string>& ids) {
    std::vector<Variant> variants;
    for (const Recipe& recipe : recipe_list) {
        if (!ids.empty() && !contains(ids, recipe.id)) continue;
        const ModelFile model = ensure(folder, baseline, recipe.id);
        variants.push_back({.id = recipe.id, .file = model.path(), .input_size = recipe.input_size});
    }
    return variants;
}

std::string folder_name(const std::string& weights) {
    return weights + "-" + std::to_string(recipes_version);
}

/// The model if the file is a vgg19 model.
std::optional<ModelFile> as_model(const path& file) {
    try {
        return ModelFile::open(file);
    } catch (const Error&) {
        return std::nullopt;  // import_model() will report any error
    }
}

void require_in_list(const std::vector<std::string>& ids) {
    for (const std::string& id : ids) {
        if (find_recipe(id) == nullptr) {
            throw Error(ErrorKind::usage,
                        "--variants: expected some of " + recipe_ids() + ", found \"" + id + "\"");
        }
    }
}

}  // namespace

std::span<const Recipe> recipes() {
    return recipe_list;
}

std::string recipe_ids() {
    std::string ids;
    for (const Recipe& recipe : recipe_list) ids += (ids.empty() ? "" : ", ") + std::string(recipe.id);
    return ids;
}

std::vector<Variant> seeded_variants(const std::vector<std::string>& ids, int threads) {
    require_in_list(ids);
    const CacheFolder folder(folder_name("seeded-" + std::to_string(seeded_weights_version)));
    const path baseline = file_in(folder.path(), "baseline");
    const model::Network network = model::Network::vgg(19);
    if (!up_to_date(baseline, "baseline", seeded_description(network))) {
        say("making seeded weights of " + megabytes_text(network.parameters() * sizeof(float)) +
            ", once: " + baseline.string());
        write_seeded_model(baseline, network, threads, percent_shown("baseline"));
    }
    return ensure_all(folder.path(), baseline, ids);
}

std::vector<Variant> variants_of(const path& weights, const std::vector<std::string>& ids) {
    require_in_list(ids);
    const std::optional<ModelFile> given = as_model(weights);
    if (given && given->description().variant != "baseline") {
        throw Error(ErrorKind::usage,
                    "--weights: " + weights.string() +
                        ": expected a baseline that variants can be derived from, found a " +
                        given->description().variant + " model; --models DIR measures variants that exist");
    }
    const std::string digest = model::sha256_hex(model::MappedFile(weights).bytes());
    const CacheFolder folder(folder_name("weights-" + digest));
    if (given) return ensure_all(folder.path(), std::filesystem::absolute(weights), ids);

    const path baseline = file_in(folder.path(), "baseline");
    const std::optional<ModelFile> cached = as_model(baseline);
    if (!cached || cached->description().variant != "baseline") {
        say("importing " + weights.string() + " to " + baseline.string());
        converter::import_model(weights, baseline, {}, percent_shown("baseline"));
    }
    return ensure_all(folder.path(), baseline, ids);
}

namespace {

void add_other_models(const path& folder, std::vector<Variant>& variants) {
    std::vector<std::string> stems;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string stem = entry.path().stem().string();
        if (entry.path().extension() == ".safetensors" && find_recipe(stem) == nullptr) stems.push_back(stem);
    }
    std::sort(stems.begin(), stems.end());
    for (const std::string& stem : stems) variants.push_back({.id = stem, .file = file_in(folder, stem)});
}

void add_listed_models(const path& folder, std::vector<Variant>& variants) {
    for (const Recipe& recipe : recipe_list) {
        const path file = file_in(folder, recipe.file);
        if (!std::filesystem::exists(file)) continue;
        const std::string found = ModelFile::open(file).description().variant;
        if (found != recipe.file) {
            throw Error(ErrorKind::bad_input, file.string() + ": expected the variant of its name, found " +
                                                  (found.empty() ? "none" : found));
        }
        variants.push_back({.id = recipe.id, .file = file, .input_size = recipe.input_size});
    }
}

}  // namespace

std::vector<Variant> variants_in(const path& folder, const std::vector<std::string>& ids) {
    if (!std::filesystem::is_directory(folder)) {
        throw Error(ErrorKind::usage, "--models: " + folder.string() + " is not a folder");
    }
    std::vector<Variant> variants;
    add_listed_models(folder, variants);
    add_other_models(folder, variants);
    for (const std::string& id : ids) {
        if (std::none_of(variants.begin(), variants.end(), [&](const Variant& v) { return v.id == id; })) {
            throw Error(ErrorKind::usage, "--variants: " + folder.string() + " has no model for " + id);
        }
    }
    if (!ids.empty()) std::erase_if(variants, [&](const Variant& v) { return !contains(ids, v.id); });
    if (variants.empty()) {
        throw Error(ErrorKind::usage, "--models: " + folder.string() + " has no VARIANT.safetensors");
    }
    return variants;
}

}  // namespace vgg19::bench
