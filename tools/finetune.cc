// vgg19 finetune
#include "converter/finetune/finetune.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "converter/evaluate/evaluate.h"
#include "engine/model/model_access.h"
#include "engine/model/model_file.h"
#include "tools/command.h"
#include "tools/finetune/options.h"
#include "tools/finetune/training_sets.h"
#include "tools/interrupt.h"
#include "tools/progress_bar.h"
#include "tools/subcommands.h"
#include "tools/text.h"
#include "tools/training_report.h"
#include "vgg19/session.h"

namespace vgg19::tools {

namespace {

constexpr std::size_t validation_batch = 8;

/// Evaluates a model on the images of --validate, where held-out images of --data decide.
class Validation {
  public:
    Validation(const CommandLine& line, LabelledData labelled) : labelled_(std::move(labelled)) {
        options_.set_input_size(size_option(line));
        options_.threads = threads_option(line);
        options_.batch = std::min(validation_batch, labelled_.scan.items.size());
    }

    converter::Accuracy run(const std::filesystem::path& model) const {
        ProgressBar bar("validating", ProgressUnit::items);
        Session session(model::map_model(model), options_);
        return converter::evaluate(session, labelled_.images(), nullptr, bar.callback()).total;
    }

  private:
    LabelledData labelled_;
    SessionOptions options_;
};

std::string percent(std::uint64_t part, std::uint64_t whole) {
    return fixed(100 * converter::share(part, whole), 2) + " %";
}

std::string top1_text(const converter::Accuracy& accuracy) {
    return percent(accuracy.top1, accuracy.images);
}

/// "86.10 % before, 87.30 % after".
std::string before_and_after(const std::string& before, const std::string& after) {
    return (before.empty() ? "" : before + " before, ") + after + " after";
}

/// `data` is "" for the images of --validate.
void print_result(const converter::FinetuneResult& result, const std::filesystem::path& output) {
    if (!result.after) return;
    const converter::HeldOutScore& after = *result.after;
    const auto line = [&](const std::string& what, const auto& text) {
        std::cout << what << ": "
                  << before_and_after(result.before ? text(*result.before) : std::string(), text(after))
                  << '\n';
    };
    const std::string images = " of " + grouped(after.images) + (after.images == 1 ? " image" : " images");
    if (after.top1) {
        line("top-1" + images,
             [](const converter::HeldOutScore& score) { return percent(*score.top1, score.images); });
    }
    if (after.same_as_teacher) {
        line("same top-1 as the teacher" + images, [](const converter::HeldOutScore& score) {
            return percent(*score.same_as_teacher, score.images);
        });
    }
    line("loss" + images, [](const converter::HeldOutScore& score) { return fixed(score.loss, 4); });
    if (!result.undone) return;
    std::cout << "undone: training did not make the model better on these images, so " << output.string()
              << " has the weights from before\n";
}

converter::FinetuneResult train(const model::ModelFile& model, const converter::TrainingImages& images,
                                const converter::FinetuneOptions& options,
                                const converter::FinetuneFiles& files, const std::filesystem::path& log) {
    TrainingReport report(log);
    converter::TrainingObserver observer = report.observer();
    const InterruptGuard guard("\nvgg19 finetune: finishing this step, then writing the checkpoint\n");
    observer.should_stop = [] { return InterruptGuard::interrupted(); };
    const converter::FinetuneResult result = converter::finetune(model, images, options, files, observer);
    if (const auto& last = report.last_step()) {
        std::cout << "last epoch: " << loss_text(last->epoch_loss, last->epoch_accuracy) << ", in training\n";
    }
    return result;
}

}  // namespace

int finetune(int argc, char** argv) {
    CommandLine line = finetune_command_line();
    if (!line.parse(argc, argv)) return exit_done;
    const std::filesystem::path input = line.argument("MODEL");
    line.required("data");
    converter::FinetuneOptions options = finetune_options(line);
    const converter::FinetuneFiles files = finetune_files(line, input);

    std::optional<Validation> validation;
    std::optional<converter::Accuracy> before;
    {
        const model::ModelFile model = model::ModelFile::open(input);
        model.require_classifier();
        TrainingSets sets = open_training_sets(line, model, options);
        converter::check_finetune(model, options, files);
        const converter::TrainingImages images = scan_training_sets(line, sets, options);
        const bool validation_decides =
            sets.validation && images.held_out->data == sets.validation->named.data.get();
        if (sets.validation && !validation_decides) {
            validation.emplace(line, std::move(*sets.validation));
            if (!options.head) before = validation->run(input);
        }
        print_result(train(model, images, options, files, line.text("log")), files.output);
    }
    if (validation) {
        const converter::Accuracy after = validation->run(files.output);
        std::cout << "top-1 of " << after.images << " images of --validate: "
                  << before_and_after(before ? top1_text(*before) : "", top1_text(after)) << '\n';
    }
    print_written(files.output);
    return exit_done;
}

}  // namespace vgg19::tools
