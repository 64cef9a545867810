#include "tools/pipeline/plan.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "converter/variants/recipes.h"
#include "engine/model/map_size.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

using std::filesystem::path;
using Words = std::vector<std::string>;

using converter::Derivation;
using converter::Recipe;

const std::vector<Recipe>& recipes_for(const PipelineOptions& options) {
    const bool has_ranks = !options.rank.empty() || !options.energy.empty();
    return has_ranks ? converter::all_recipes() : converter::recipes_without_ranks();
}

/// A variant with a reduced input size is pointless if all run at that size, or a smaller one.
bool is_smaller(const Recipe& recipe, const PipelineOptions& options) {
    const std::optional<MapSize> size = model::parse_map_size(options.size);
    return recipe.input_size.empty() || !size || recipe.input_size.pixels() < size->pixels();
}

bool is_baseline(const Recipe& recipe) {
    return recipe.derivation == Derivation::imported;
}

class Planner {
  public:
    Planner(const PipelineOptions& options, bool weights_are_model)
        : options_(options), recipes_(recipes_for(options)), weights_are_model_(weights_are_model) {}

    PipelinePlan plan() {
        const std::vector<Recipe> chosen = chosen_recipes();
        make(baseline_);
        if (options_.scan) scan();
        for (const Recipe& each : chosen) make(each);
        for (const Recipe& each : chosen) evaluate(each);
        time(chosen);
        return std::move(plan_);
    }

  private:
    path file_of(const Recipe& recipe) const {
        return options_.folder / (std::string(converter::file_recipe(recipe).id) + ".safetensors");
    }

    void require_known(const std::string& id) const {
        const bool known = std::any_of(recipes_.begin(), recipes_.end(),
                                       [&id](const Recipe& each) { return each.id == id; });
        if (known) return;
        throw Error(ErrorKind::usage, "--variants: expected some of " + converter::recipe_ids(recipes_) +
                                          ", found '" + id + "'");
    }

    /// In the list's order; always includes the baseline, because everything is compared with it.
    std::vector<Recipe> chosen_recipes() const {
        for (const std::string& id : options_.variants) require_known(id);
        std::vector<Recipe> chosen;
        for (const Recipe& each : recipes_) {
            const auto& ids = options_.variants;
            const bool wanted = ids.empty() ? is_smaller(each, options_)
                                            : std::find(ids.begin(), ids.end(), each.id) != ids.end();
            if (wanted || is_baseline(each)) chosen.push_back(each);
        }
        return chosen;
    }

    Step& add(const std::string& id, Words words, std::vector<path> inputs, const path& output) {
        return plan_.steps.emplace_back(Step{id, std::move(words), std::move(inputs), output});
    }

    /// Options of steps that run a model on the training data.
    void pass_calibration(Words& words) const {
        pass_image_options(words, options_.reading);
        pass(words, "--calib", options_.data.string());
        pass(words, "-n", options_.calibration_images);
        pass(words, "--size", options_.size);
        pass(words, "--threads", options_.threads);
    }

    /// The steps that make a variant's file, after those for its source.
    void make(const Recipe& recipe) {
        const path output = file_of(recipe);
        if (!made_.insert(output).second) return;
        const Recipe* const source_recipe = converter::source_of(converter::file_recipe(recipe));
        if (source_recipe == nullptr) {
            import_weights(output);
            return;
        }
        make(*source_recipe);
        derive(recipe, file_of(*source_recipe), output);
    }

    void import_weights(const path& output) {
        if (weights_are_model_) return;
        add("convert", {"convert", options_.weights.string(), "-o", output.string()}, {options_.weights},
            output);
    }

    void derive(const Recipe& recipe, const path& source, const path& output) {
        const std::string id = recipe.id;
        switch (recipe.derivation) {
            case Derivation::imported:
            case Derivation::other_size:
                return;
            case Derivation::pruned:
                return prune(source, output);
            case Derivation::int8_dense:
                add("quantize " + id,
                    {"quantize", source.string(), "-o", output.string(), "--scope", "dense"}, {source},
                    output);
                return;
            case Derivation::int8_full: {
                Words words = {"quantize", source.string(), "-o", output.string(), "--scope", "all"};
                pass_calibration(words);
                add("quantize " + id, words, {source, options_.data}, output);
                return;
            }
            case Derivation::factored: {
                Words words = {"factorize", source.string(), "-o", output.string()};
                pass(words, "--rank", options_.rank);
                pass(words, "--energy", options_.energy);
                add("factorize", words, {source}, output);
                return;
            }
        }
    }

    void prune(const path& source, const path& output) {
        const path before = options_.finetune ? options_.folder / "work" / "pruned.safetensors" : output;
        Words words = {"prune", source.string(), "-o", before.string()};
        std::vector<path> inputs = {source};
        pass(words, "--ratio", options_.ratio);
        pass(words, "--target-macs", options_.target_macs);
        pass(words, "--criterion", options_.criterion);
        pass(words, "--round-to", options_.round_to);
        // A target needs images for its scan, and a criterion may need them, even without a refit.
        if (options_.refit || !options_.target_macs.empty() || options_.criterion == "activation") {
            pass_calibration(words);
            inputs.push_back(options_.data);
            if (!options_.refit) words.emplace_back("--no-refit");
        }
        add("prune", words, inputs, before);
        if (options_.finetune) finetune(before, output);
    }

    void finetune(const path& source, const path& output) {
        const path checkpoint = options_.folder / "work" / "finetune.checkpoint";
        const path teacher = file_of(baseline_);
        Words words = {"finetune", source.string(),        "-o",        output.string(),
                       "--data",   options_.data.string(), "--teacher", teacher.string()};
        std::vector<path> inputs = {source, options_.data, teacher};
        pass_label_map(words, inputs);
        pass(words, "--subset", options_.subset);
        pass(words, "--epochs", options_.epochs);
        pass(words, "--batch", options_.batch);
        pass(words, "--lr", options_.learning_rate);
        pass(words, "--keep", options_.keep);
        pass(words, "--seed", options_.seed);
        pass(words, "--size", options_.size);
        pass(words, "--threads", options_.threads);
        words.insert(words.end(), {"--checkpoint", checkpoint.string(), "--resume"});
        add("finetune", words, inputs, output).checkpoint = checkpoint;
    }

    void pass_label_map(Words& words, std::vector<path>& inputs) const {
        pass_image_options(words, options_.reading);
        pass_label_options(words, options_.reading);
        if (!options_.reading.label_map.empty()) inputs.emplace_back(options_.reading.label_map);
    }

    void scan() {
        const path source = file_of(baseline_);
        plan_.sensitivity = options_.folder / "sensitivity.csv";
        Words words = {"prune", source.string(), "--scan", "--csv", plan_.sensitivity->string()};
        pass_calibration(words);
        add("scan", words, {source, options_.data}, *plan_.sensitivity);
    }

    void evaluate(const Recipe& each) {
        const std::string size = each.input_size.empty() ? options_.size : to_string(each.input_size);
        const std::string id = each.id;
        const PipelineVariant variant{id, file_of(each), size, options_.folder / "eval" / (id + ".json")};
        const path baseline = file_of(baseline_);
        Words words = {"eval", "-m", variant.file.string(), "--data", options_.test.string(), "--json"};
        std::vector<path> inputs = {variant.file, options_.test};
        // At another size the baseline would be a different reference; the bench compares its own answers.
        if (!is_baseline(each) && each.input_size.empty()) {
            words.insert(words.end(), {"--reference", baseline.string()});
            inputs.push_back(baseline);
        }
        pass_label_map(words, inputs);
        pass(words, "-n", options_.test_images);
        pass(words, "--size", size);
        pass(words, "--threads", options_.threads);
        add("eval " + id, words, inputs, variant.evaluation).prints_output = true;
        plan_.variants.push_back(variant);
    }

    void time(const std::vector<Recipe>& chosen) {
        plan_.bench = options_.folder / "bench.json";
        std::string ids;
        std::vector<path> inputs;
        for (const Recipe& each : chosen) {
            ids.append(ids.empty() ? "" : ",").append(each.id);
            const path file = file_of(each);
            if (std::find(inputs.begin(), inputs.end(), file) == inputs.end()) inputs.push_back(file);
        }
        Words words = {"bench", "--models", options_.folder.string(), "--variants", ids};
        pass(words, "--size", options_.bench_size.empty() ? options_.size : options_.bench_size);
        pass(words, "--threads", options_.threads);
        pass(words, "--min-time", options_.min_time);
        words.insert(words.end(), {"--format", "json", "--out", plan_.bench.string()});
        add("bench", words, inputs, plan_.bench);
    }

    const PipelineOptions& options_;
    const std::vector<Recipe>& recipes_;
    const Recipe& baseline_ = converter::baseline_recipe();
    bool weights_are_model_;
    std::set<path> made_;
    PipelinePlan plan_;
};

}  // namespace

PipelinePlan plan_pipeline(const PipelineOptions& options, bool weights_are_model) {
    return Planner(options, weights_are_model).plan();
}

}  // namespace vgg19::tools
