#include "converter/variants/variants.h"

#include <algorithm>
#include <optional>

#include "converter/import/import.h"
#include "converter/variants/cache_folder.h"
#include "converter/variants/derive.h"
#include "converter/variants/published_weights.h"
#include "converter/variants/recipes.h"
#include "converter/variants/seeded_weights.h"
#include "engine/model/foreign_text.h"
#include "engine/model/number_text.h"
#include "engine/model/sha256.h"
#include "engine/model/users_cache.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

using model::ModelFile;
using std::filesystem::path;

/// Part of the cache folders' names: increase it if the converter makes different files from the same
/// weights.
constexpr int recipes_version = 5;

bool contains(const std::vector<std::string>& ids, const std::string& id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
}

path file_in(const path& folder, const std::string& stem) {
    return folder / (stem + ".safetensors");
}

/// Makes variants of one baseline in a cache folder.
class Maker {
  public:
    Maker(const path& folder, const MakingProgress& progress) : folder_(folder), progress_(progress) {}

    /// The model in `file` if it is this variant of the weights described by `ancestor`; none if it is
    /// missing, damaged or made from other weights.
    std::optional<ModelFile> up_to_date(const path& file, const std::string& variant,
                                        const model::Description& ancestor) const {
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

    /// The variants with those ids, from an existing baseline.
    std::vector<Variant> ensure_all(const path& baseline, const std::vector<std::string>& ids) const {
        std::vector<Variant> variants;
        for (const Recipe& recipe : recipes_without_ranks()) {
            if (!ids.empty() && !contains(ids, recipe.id)) continue;
            const ModelFile model = ensure(file_recipe(recipe), baseline);
            variants.push_back({.id = recipe.id, .file = model.path(), .input_size = recipe.input_size});
        }
        return variants;
    }

    void say(const std::string& line) const {
        if (progress_.say) progress_.say(line);
    }

    model::Progress shown(const std::string& variant) const {
        return progress_.shown ? progress_.shown(variant) : model::Progress();
    }

  private:
    /// Opens the file of a recipe; derives it first if necessary.
    ModelFile ensure(const Recipe& recipe, const path& baseline) const {
        const Recipe* const source_recipe = source_of(recipe);
        if (source_recipe == nullptr) return ModelFile::open(baseline);
        const ModelFile source = ensure(file_recipe(*source_recipe), baseline);
        const path file = file_in(folder_, recipe.id);
        std::optional<ModelFile> model = up_to_date(file, recipe.id, source.description());
        if (model) return std::move(*model);
        say("making " + file.string());
        derive(recipe, source, file, shown(recipe.id));
        return ModelFile::open(file);
    }

    const path& folder_;
    const MakingProgress& progress_;
};

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

std::string digest_of(const path& file) {
    return model::sha256_hex(model::MappedFile(file).bytes());
}

constexpr const char* weights_prefix = "weights-";

/// The cache folder of variants of weights with this SHA-256.
std::string weights_folder(const std::string& digest) {
    return folder_name(weights_prefix + digest);
}

path baseline_in(const path& folder) {
    return file_in(folder, baseline_recipe().id);
}

bool is_baseline(const path& file) {
    const std::optional<ModelFile> model = as_model(file);
    return model && model->description().variant == baseline_recipe().id;
}

/// The variants of a file of weights that is no model; it need not exist any more if they have been made.
std::vector<Variant> imported_variants(const path& weights, const std::string& digest,
                                       const std::vector<std::string>& ids, const MakingProgress& progress) {
    const CacheFolder folder(weights_folder(digest), progress.say);
    const Maker maker(folder.path(), progress);
    const path baseline = baseline_in(folder.path());
    if (!is_baseline(baseline)) {
        maker.say("importing " + weights.string() + " to " + baseline.string());
        import_model(weights, baseline, {}, maker.shown(baseline_recipe().id));
    }
    return maker.ensure_all(baseline, ids);
}

/// The SHA-256 of published weights whose baseline is in the cache folder.
std::optional<std::string> imported_digest(const PublishedWeights& weights) {
    constexpr std::size_t digits = 64;
    std::error_code none;  // without a cache folder, there is no baseline
    for (const auto& entry : std::filesystem::directory_iterator(model::users_cache(), none)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(weights_prefix + weights.digits)) continue;
        const std::string digest = name.substr(std::string(weights_prefix).size(), digits);
        if (name == weights_folder(digest) && is_baseline(baseline_in(entry.path()))) return digest;
    }
    return std::nullopt;
}

/// The SHA-256 of the file of published weights.
std::string checked_digest(const PublishedWeights& weights) {
    if (!std::filesystem::exists(weights.file)) throw Error(ErrorKind::usage, how_to_get(weights));
    std::string digest = digest_of(weights.file);
    if (digest.starts_with(weights.digits)) return digest;
    throw Error(ErrorKind::bad_input, weights.file.string() + ": expected a SHA-256 that begins with " +
                                          weights.digits + ", found " + digest +
                                          "; remove the file and download it again");
}

/// The recipe with that id, unless it needs ranks.
const Recipe* find_listed(const std::string& id) {
    const Recipe* const recipe = find_recipe(id);
    return recipe == nullptr || is_derived_by(*recipe, Derivation::factored) ? nullptr : recipe;
}

void require_in_list(const std::vector<std::string>& ids) {
    for (const std::string& id : ids) {
        if (find_listed(id) == nullptr) {
            throw Error(ErrorKind::usage, "--variants: expected some of " +
                                              recipe_ids(recipes_without_ranks()) + ", found \"" + id + "\"");
        }
    }
}

}  // namespace

std::vector<Variant> seeded_variants(const std::vector<std::string>& ids, int threads,
                                     const MakingProgress& progress) {
    require_in_list(ids);
    const CacheFolder folder(folder_name("seeded-" + std::to_string(seeded_weights_version)), progress.say);
    const Maker maker(folder.path(), progress);
    const std::string id = baseline_recipe().id;
    const path baseline = file_in(folder.path(), id);
    const model::Network network = model::Network::vgg(19);
    if (!maker.up_to_date(baseline, id, seeded_description(network))) {
        maker.say("making seeded weights of " + megabytes(network.parameters() * sizeof(float)) +
                  ", once: " + baseline.string());
        write_seeded_model(baseline, network, threads, maker.shown(id));
    }
    return maker.ensure_all(baseline, ids);
}

std::vector<Variant> variants_of(const path& weights, const std::vector<std::string>& ids,
                                 const MakingProgress& progress) {
    require_in_list(ids);
    const std::string id = baseline_recipe().id;
    const std::optional<ModelFile> given = as_model(weights);
    if (given && given->description().variant != id) {
        throw Error(ErrorKind::usage,
                    "--weights: " + weights.string() +
                        ": expected a baseline that variants can be derived from, found a " +
                        given->description().variant + " model; --models DIR measures variants that exist");
    }
    const std::string digest = digest_of(weights);
    if (given) {
        const CacheFolder folder(weights_folder(digest), progress.say);
        return Maker(folder.path(), progress).ensure_all(std::filesystem::absolute(weights), ids);
    }
    return imported_variants(weights, digest, ids, progress);
}

std::vector<Variant> published_variants(const std::vector<std::string>& ids, const MakingProgress& progress) {
    require_in_list(ids);
    const PublishedWeights weights = published_weights();
    const std::optional<std::string> digest = imported_digest(weights);
    return imported_variants(weights.file, digest ? *digest : checked_digest(weights), ids, progress);
}

path published_baseline(const MakingProgress& progress) {
    const std::string id = baseline_recipe().id;
    if (const std::optional<std::string> digest = imported_digest(published_weights())) {
        return baseline_in(model::users_cache() / weights_folder(*digest));
    }
    return published_variants({id}, progress).front().file;
}

namespace {

void add_other_models(const path& folder, std::vector<Variant>& variants) {
    std::vector<std::string> stems;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string stem = entry.path().stem().string();
        if (entry.path().extension() == ".safetensors" && find_listed(stem) == nullptr) stems.push_back(stem);
    }
    std::sort(stems.begin(), stems.end());
    for (const std::string& stem : stems) variants.push_back({.id = stem, .file = file_in(folder, stem)});
}

void add_listed_models(const path& folder, std::vector<Variant>& variants) {
    for (const Recipe& recipe : recipes_without_ranks()) {
        const std::string wanted = file_recipe(recipe).id;
        const path file = file_in(folder, wanted);
        if (!std::filesystem::exists(file)) continue;
        const std::string found = ModelFile::open(file).description().variant;
        if (found != wanted) {
            throw Error(ErrorKind::bad_input, file.string() + ": expected the variant of its name, found " +
                                                  (found.empty() ? "none" : model::printable(found)));
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

}  // namespace vgg19::converter
