#include "tools/pipeline/plan.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "bench/variants.h"
#include "engine/model/map_size.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

using std::filesystem::path;
using Words = std::vector<std::string>;

/// How a variant's file comes from another's.
struct Recipe {
    std::string id;
    std::string file;
    std::string source;
    MapSize input_size{};  ///< empty: as the options say
};

std::vector<Recipe> all_recipes(const PipelineOptions& options) {
    std::vector<Recipe> recipes;
    for (const bench::Recipe& recipe : bench::recipes()) {
        recipes.push_back({recipe.id, recipe.file, recipe.source, recipe.input_size});
    }
    if (!options.rank.empty() || !options.energy.empty()) {
        recipes.push_back({"pruned-factored", "pruned-factored", "pruned"});
        recipes.push_back({"pruned-factored-int8-full", "pruned-factored-int8-full", "pruned-factored"});
    }
    return recipes;
}

/// A variant at a smaller size is none when all run at that size, or at less.
bool is_smaller(const Recipe& recipe, const PipelineOptions& options) {
    const std::optional<MapSize> size = model::parse_map_size(options.size);
    return recipe.input_size.empty() || !size || recipe.input_size.pixels() < size->pixels();
}

class Planner {
  public:
    Planner(const PipelineOptions& options, bool weights_are_model)
        : options_(options), recipes_(all_recipes(options)), weights_are_model_(weights_are_model) {}

    PipelinePlan plan() {
        const std::vector<Recipe> chosen = chosen_recipes();
        make(recipe("baseline"));
        if (options_.scan) scan();
        for (const Recipe& each : chosen) make(each);
        for (const Recipe& each : chosen) evaluate(each);
        time(chosen);
        return std::move(plan_);
    }

  private:
    path file_of(const std::string& stem) const { return options_.folder / (stem + ".safetensors"); }

    const Recipe& recipe(const std::string& id) const {
        const auto found = std::find_if(recipes_.begin(), recipes_.end(),
                                        [&id](const Recipe& each) { return each.id == id; });
        if (found != recipes_.end()) return *found;
        std::string known;
        for (const Recipe& each : recipes_) known += (known.empty() ? "" : ", ") + each.id;
        throw Error(ErrorKind::usage, "--variants: expected some of " + known + ", found '" + id + "'");
    }

    /// In the list's order, the baseline always among them: everything is compared with it.
    std::vector<Recipe> chosen_recipes() const {
        for (const std::string& id : options_.variants) static_cast<void>(recipe(id));
        std::vector<Recipe> chosen;
        for (const Recipe& each : recipes_) {
            const auto& ids = options_.variants;
            const bool wanted = ids.empty() ? is_smaller(each, options_)
                                            : std::find(ids.begin(), ids.end(), each.id) != ids.end();
            if (wanted || each.id == "baseline") chosen.push_back(each);
        }
        return chosen;
    }

    Step& add(const std::string& id, Words words, std::vector<path> inputs, const path& output) {
        return plan_.steps.emplace_back(Step{id, std::move(words), std::move(inputs), output});
    }

    static void pass(Words& words, const std::string& option, const std::string& value) {
        if (!value.empty()) words.insert(words.end(), {option, value});
    }

    void pass_image_options(Words& words) const {
        if (!options_.exif) words.emplace_back("--no-exif");
        pass(words, "--max-megapixels", options_.max_megapixels);
    }

    /// Options of steps that run a model on the training data.
    void pass_calibration(Words& words) const {
        pass_image_options(words);
        pass(words, "--calib", options_.data.string());
        pass(words, "-n", options_.calibration_images);
        pass(words, "--size", options_.size);
        pass(words, "--threads", options_.threads);
    }

    void make(const Recipe& recipe_of) {
        if (!made_.insert(recipe_of.file).second) return;
        const path output = file_of(recipe_of.file);
        if (recipe_of.id == "baseline") {
            if (weights_are_model_) return;
            add("convert", {"convert", options_.weights.string(), "-o", output.string()}, {options_.weights},
                output);
            return;
        }
        make(recipe(recipe_of.source));
        const path source = file_of(recipe(recipe_of.source).file);
        if (recipe_of.id == "pruned") {
            prune(source, output);
        } else if (recipe_of.id.ends_with("int8-full")) {
            Words words = {"quantize", source.string(), "-o", output.string(), "--scope", "all"};
            pass_calibration(words);
            add("quantize " + recipe_of.id, words, {source, options_.data}, output);
        } else if (recipe_of.id.ends_with("int8")) {
            add("quantize " + recipe_of.id,
                {"quantize", source.string(), "-o", output.string(), "--scope", "dense"}, {source}, output);
        } else if (recipe_of.id.ends_with("factored")) {
            Words words = {"factorize", source.string(), "-o", output.string()};
            pass(words, "--rank", options_.rank);
            pass(words, "--energy", options_.energy);
            add("factorize", words, {source}, output);
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
        // A target is spread by what the images show, and a criterion may ask them, also without a refit.
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
        Words words = {"finetune", source.string(), "-o", output.string(), "--data", options_.data.string()};
        std::vector<path> inputs = {source, options_.data};
        pass_label_map(words, inputs);
        pass(words, "--subset", options_.subset);
        pass(words, "--epochs", options_.epochs);
        pass(words, "--batch", options_.batch);
        pass(words, "--lr", options_.learning_rate);
        pass(words, "--keep", kept_share());
        pass(words, "--seed", options_.seed);
        pass(words, "--size", options_.size);
        pass(words, "--threads", options_.threads);
        words.insert(words.end(), {"--checkpoint", checkpoint.string(), "--resume"});
        add("finetune", words, inputs, output).checkpoint = checkpoint;
    }

    /// What a refit has brought back is worth keeping, what a plain cut has left is not.
    std::string kept_share() const {
        if (!options_.keep.empty()) return options_.keep;
        return options_.refit ? "0.5" : "";
    }

    void pass_label_map(Words& words, std::vector<path>& inputs) const {
        pass_image_options(words);
        pass(words, "--label-map", options_.label_map);
        pass(words, "--class-order", options_.class_order);
        if (!options_.label_map.empty()) inputs.emplace_back(options_.label_map);
    }

    void scan() {
        const path source = file_of("baseline");
        plan_.sensitivity = options_.folder / "sensitivity.csv";
        Words words = {"prune", source.string(), "--scan", "--csv", plan_.sensitivity->string()};
        pass_calibration(words);
        add("scan", words, {source, options_.data}, *plan_.sensitivity);
    }

    void evaluate(const Recipe& each) {
        const std::string size = each.input_size.empty() ? options_.size : to_string(each.input_size);
        const PipelineVariant variant{each.id, file_of(each.file), size,
                                      options_.folder / "eval" / (each.id + ".json")};
        const path baseline = file_of("baseline");
        Words words = {"eval", "-m", variant.file.string(), "--data", options_.test.string(), "--json"};
        std::vector<path> inputs = {variant.file, options_.test};
        // At another size the baseline would be another reference: its own answers are compared in the bench.
        if (each.id != "baseline" && each.input_size.empty()) {
            words.insert(words.end(), {"--reference", baseline.string()});
            inputs.push_back(baseline);
        }
        pass_label_map(words, inputs);
        pass(words, "-n", options_.test_images);
        pass(words, "--size", size);
        pass(words, "--threads", options_.threads);
        add("eval " + each.id, words, inputs, variant.evaluation).prints_output = true;
        plan_.variants.push_back(variant);
    }

    void time(const std::vector<Recipe>& chosen) {
        plan_.bench = options_.folder / "bench.json";
        std::string ids;
        std::vector<path> inputs;
        for (const Recipe& each : chosen) {
            ids += (ids.empty() ? "" : ",") + each.id;
            const path file = file_of(each.file);
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
    std::vector<Recipe> recipes_;
    bool weights_are_model_;
    std::set<std::string> made_;
    PipelinePlan plan_;
};

}  // namespace

PipelinePlan plan_pipeline(const PipelineOptions& options, bool weights_are_model) {
    return Planner(options, weights_are_model).plan();
}

}  // namespace vgg19::tools
