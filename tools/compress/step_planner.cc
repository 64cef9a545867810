#include "tools/compress/step_planner.h"

#include <utility>

namespace vgg19::tools {

namespace {

using std::filesystem::path;

}  // namespace

Step StepPlanner::convert() const {
    Step step{"convert",
              {"convert", options_.weights.string(), "-o", baseline().string()},
              {options_.weights},
              baseline()};
    pass(step.words, "--size", options_.sizes.front());  // models are judged at it, and have it from here
    return step;
}

Step StepPlanner::stage(const Stage& stage, const path& source, const std::string& name) const {
    Step step;
    step.id = stage.command + " " + name;
    step.output = options_.folder / "work" / (name + "-" + stage.command + ".safetensors");
    step.words = {stage.command, source.string(), "-o", step.output.string()};
    step.inputs = {source};
    step.words.insert(step.words.end(), stage.options.begin(), stage.options.end());
    if (stage.command == "prune" || (stage.command == "quantize" && stage.has("all"))) {
        step.inputs.push_back(options_.data);
        pass_image_options(step.words, options_.reading);
        pass(step.words, "--calib", options_.data.string());
        pass(step.words, "--hold-out", std::to_string(options_.hold_out));
        pass_run_options(step.words, options_.sizes.front());
    }
    if (stage.command == "finetune") {
        step.inputs.insert(step.inputs.end(), {options_.data, baseline()});
        pass_label_options(step);
        pass(step.words, "--data", options_.data.string());
        pass(step.words, "--teacher", baseline().string());
        pass(step.words, "--hold-out", std::to_string(options_.hold_out));
        pass_run_options(step.words, options_.sizes.front());
        step.checkpoint = options_.folder / "work" / ("finetune-" + name + ".checkpoint");
        step.words.insert(step.words.end(), {"--checkpoint", step.checkpoint.string(), "--resume"});
    }
    return step;
}

void StepPlanner::pass_label_options(Step& step) const {
    pass_image_options(step.words, options_.reading);
    tools::pass_label_options(step.words, options_.reading);
    if (!options_.reading.label_map.empty()) step.inputs.emplace_back(options_.reading.label_map);
}

void StepPlanner::pass_run_options(Words& words, const std::string& size) const {
    pass(words, "--size", size);
    pass(words, "--threads", options_.threads);
}

Step StepPlanner::evaluate(const std::string& id, const path& model, const std::string& size,
                           const path& data) const {
    Step step{id,
              {"eval", "-m", model.string(), "--data", data.string(), "--json"},
              {model, data},
              options_.folder / "eval" / (id + ".json")};
    step.prints_output = true;
    if (model != baseline()) {
        step.words.insert(step.words.end(), {"--reference", baseline().string()});
        step.inputs.push_back(baseline());
        if (!size.empty()) pass(step.words, "--reference-size", options_.sizes.front());
    }
    pass_label_options(step);
    pass_run_options(step.words, input_size(size));
    return step;
}

Step StepPlanner::judge_on_held_out(const path& model, const std::string& name,
                                    const std::string& size) const {
    Step step = evaluate("judge " + name, model, size, options_.data);
    pass(step.words, "--hold-out", std::to_string(options_.hold_out));
    return step;
}

Step StepPlanner::judge_on_test(const path& model, const std::string& name, const std::string& size) const {
    Step step = evaluate("test " + name, model, size, options_.test);
    pass(step.words, "-n", options_.test_images);
    return step;
}

Step StepPlanner::time(const std::vector<std::string>& ids, const std::vector<path>& files) const {
    std::string list;
    for (const std::string& id : ids) list.append(list.empty() ? "" : ",").append(id);
    Step step{"bench",
              {"bench", "--models", options_.folder.string(), "--variants", list},
              files,
              options_.folder / "bench.json"};
    // With several sizes, each model has its own.
    std::string size = options_.bench_size;
    if (size.empty() && options_.sizes.size() == 1) size = options_.sizes.front();
    pass_run_options(step.words, size);
    pass(step.words, "--min-time", options_.min_time);
    step.words.insert(step.words.end(), {"--format", "json", "--out", step.output.string()});
    return step;
}

}  // namespace vgg19::tools
