#include "converter/finetune/finetune.h"

#include <algorithm>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "converter/finetune/checkpoint.h"
#include "converter/finetune/micro_batch.h"
#include "converter/finetune/new_head.h"
#include "converter/finetune/rate_search.h"
#include "converter/finetune/training.h"
#include "converter/finetune/training_data.h"
#include "converter/lineage.h"
#include "converter/quantize/weights.h"
#include "engine/model/model_access.h"
#include "engine/model/sha256.h"
#include "engine/model/tensor_scan.h"
#include "kernels/common/parallel.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

/// A hash of the items in order and of the model's classes for them.
std::string digest_of(const EvaluationImages& images) {
    model::Sha256 sha256;
    for (const std::size_t item : images.items) {
        std::string line =
            std::to_string(item) + ' ' + std::filesystem::path(images.data->name(item)).filename().string();
        for (const std::size_t label : labels_of(images, std::span(&item, 1))) {
            line.append(1, ' ').append(std::to_string(label));
        }
        line += '\n';
        sha256.update(std::as_bytes(std::span(line)));
    }
    return sha256.hex_digest();
}

/// A hash of a model file's metadata, which have a checksum for each tensor.
std::string digest_of(const model::Metadata& metadata) {
    model::Sha256 sha256;
    for (const auto& [key, value] : metadata) {
        std::string line = key;
        line.append(1, ' ').append(value).append(1, '\n');
        sha256.update(std::as_bytes(std::span(line)));
    }
    return sha256.hex_digest();
}

/// The settings that two runs must share to give the same result.
model::Json::Object settings_of(const model::ModelFile& model, const TrainingImages& images,
                                const FinetuneOptions& options) {
    model::Json::Object settings = images.origin;
    settings.emplace_back("model_sha256", model::sha256_hex(model.file().mapping().bytes()));
    settings.emplace_back("images", std::uint64_t{images.images.items.size()});
    settings.emplace_back("images_sha256", digest_of(images.images));
    if (images.held_out) settings.emplace_back("held_out_sha256", digest_of(*images.held_out));
    if (options.distillation) {
        const model::ModelFile& teacher = model::file_of(options.distillation->teacher);
        settings.emplace_back("teacher_sha256", digest_of(teacher.file().metadata()));
    }
    for (model::Json::Member& option : options_json(options)) settings.push_back(std::move(option));
    if (options.head) {
        settings.emplace_back("class_names",
                              model::Json::Array(options.head->names.begin(), options.head->names.end()));
    }
    return settings;
}

bool is_there(const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

/// The checkpoint from which to resume.
std::optional<Checkpoint> open_checkpoint(const FinetuneFiles& files, const model::Json::Object& settings) {
    if (!is_there(files.checkpoint)) return std::nullopt;
    Checkpoint checkpoint = Checkpoint::open(files.checkpoint);
    checkpoint.require_settings(settings);
    return checkpoint;
}

TrainingResources resources_of(const model::ModelFile& model, FinetuneOptions& options,
                               const std::optional<Checkpoint>& checkpoint) {
    if (!checkpoint) {
        if (options.threads == 0) options.threads = kernels::available_cpus();
        return {.micro_batch = choose_micro_batch(model, options), .threads = options.threads};
    }
    const TrainingResources resources = checkpoint->resources();
    if (options.threads != 0 && options.threads != resources.threads) {
        throw Error(ErrorKind::usage, "--threads: expected " + std::to_string(resources.threads) +
                                          ", as the checkpoint was made with, found " +
                                          std::to_string(options.threads));
    }
    options.threads = resources.threads;
    if (resources.micro_batch > options.batch) {
        throw Error(ErrorKind::bad_input, "the checkpoint: expected a micro-batch of at most " +
                                              std::to_string(options.batch) + ", found " +
                                              std::to_string(resources.micro_batch));
    }
    require_fit(model, options, resources.micro_batch);
    return resources;
}

void restore_all(const model::ModelFile& model, std::span<const Parameter> parameters) {
    for (const Parameter& parameter : parameters) {
        const std::span<const float> before = model.tensor(parameter.name).as<float>();
        std::copy(before.begin(), before.end(), parameter.values.begin());
    }
}

void keep_share(const model::ModelFile& model, std::span<const Parameter> parameters, double share) {
    const auto kept = static_cast<float>(share);
    for (const Parameter& parameter : parameters) {
        const std::span<const float> before = model.tensor(parameter.name).as<float>();
        std::transform(before.begin(), before.end(), parameter.values.begin(), parameter.values.begin(),
                       [kept](float old, float trained) { return trained + kept * (old - trained); });
    }
}

void require_finite(std::span<const Parameter> parameters, const std::filesystem::path& output) {
    for (const Parameter& parameter : parameters) {
        const auto index = model::first_not_finite(parameter.values);
        if (!index) continue;
        throw Error(ErrorKind::failed, output.string() + ": not written: after training, element " +
                                           std::to_string(*index) + " of " + parameter.name +
                                           " is not finite; try a smaller --lr");
    }
}

/// The model's tensors in order, with the trained values.
void write_trained(const model::ModelFile& model, std::span<const Parameter> parameters,
                   const std::string& step, const std::filesystem::path& output,
                   const model::Progress& progress) {
    std::vector<model::Tensor> tensors;
    for (const Parameter& parameter : parameters) {
        tensors.push_back({parameter.name, model::DType::f32, parameter.shape,
                           std::as_bytes(std::span<const float>(parameter.values))});
    }
    model::Description description = model.description();
    description.lineage.push_back(step);
    model::write_model(output, description, tensors, progress, model.file().mapping());
}

/// Runs all phases of a training run.
class Run {
  public:
    Run(const TrainingImages& images, FinetuneOptions options, const FinetuneFiles& files,
        const TrainingObserver& observer, model::Json::Object settings)
        : images_(images),
          options_(std::move(options)),
          files_(files),
          observer_(observer),
          settings_(std::move(settings)),
          checkpoint_(open_checkpoint(files, settings_)) {}

    /// `headed` is null unless `model` is its file.
    FinetuneResult train(const model::ModelFile& model, NewHeadModel* headed) {
        start_judging(model);
        resources_ = resources_of(model, options_, checkpoint_);
        if (teacher_ && teacher_->pools() > 0) {
            match_ = match_features(model, images_.images, options_, resources_.micro_batch, *teacher_);
        }
        if (options_.finds_rate) find_rate(model);
        const std::vector<Phase> phases = phases_of(options_);
        for (const Phase& phase : phases) {
            const bool is_last = &phase == &phases.back();
            if (!is_last && is_behind(phase)) continue;
            // The parameters at the start of the last phase; only the checkpoint holds them.
            const std::span<const Parameter> kept =
                is_last && headed != nullptr ? headed->parameters() : std::span<const Parameter>();
            if (checkpoint_) checkpoint_->restore_kept(kept);
            // A new head has no score before training.
            if (is_last && judge_ && headed == nullptr) result_.before.emplace();
            run_phase(model, phase, kept, is_last ? nullptr : headed);
        }
        return result_;
    }

  private:
    void start_judging(const model::ModelFile& model) {
        if (options_.distillation) {
            teacher_.emplace(options_.distillation->teacher, options_.input_size, options_.batch,
                             ModelClasses{model.network().classes(), model.description().class_names},
                             options_.distillation->feature_weight > 0, options_.threads);
        }
        if (images_.held_out) {
            judge_.emplace(*images_.held_out, objective_of(options_), teacher_ ? &*teacher_ : nullptr);
        }
    }

    Lesson lesson() { return {teacher_ ? &*teacher_ : nullptr, match_ ? &*match_ : nullptr}; }

    /// Only the first time: the checkpoint knows the rate.
    void find_rate(const model::ModelFile& model) {
        if (!checkpoint_) {
            const std::vector<TriedRate> tried =
                try_rates(model, images_, options_, resources_.micro_batch, lesson(), observer_);
            if (observer_.rates_tried) observer_.rates_tried(tried);
            resources_.learning_rate = best_rate(tried);
        } else if (resources_.learning_rate == 0) {
            throw Error(ErrorKind::bad_input,
                        "the checkpoint: expected the learning rate that was found, found none");
        }
        options_.schedule.learning_rate = resources_.learning_rate;
        options_.finds_rate = false;  // the lineage tells the rate
    }

    /// Whether the checkpoint belongs to a later phase. A checkpoint at the end of a phase belongs to that
    /// phase.
    bool is_behind(const Phase& phase) const {
        return checkpoint_ &&
               checkpoint_->position().steps > steps_an_epoch() * (phase.first_epoch + phase.epochs);
    }

    std::uint64_t steps_an_epoch() const {
        return (images_.images.items.size() + options_.batch - 1) / options_.batch;
    }

    void run_phase(const model::ModelFile& model, const Phase& phase, std::span<const Parameter> kept,
                   NewHeadModel* headed) {
        Training training(model, images_.images, options_, phase, resources_.micro_batch, position_,
                          lesson());
        model.file().mapping().release(model.file().mapping().bytes());
        if (result_.before) result_.before = training.judge(*judge_, observer_.judging);
        if (checkpoint_) training.restore(*checkpoint_, kept);
        checkpoint_.reset();
        announce(model, training);
        training.run(CheckpointKeeper(files_, {settings_, {}, resources_}, kept), observer_);
        position_ = training.position();
        if (headed != nullptr) {
            headed->take(training.parameters());
        } else {
            finish(model, training);
        }
    }

    void announce(const model::ModelFile& model, const Training& training) {
        if (!observer_.starting || announced_) return;
        announced_ = true;
        TrainingPlan plan = training.plan();
        plan.bytes = training_bytes(model, options_, resources_.micro_batch);
        observer_.starting(plan);
    }

    void finish(const model::ModelFile& model, Training& training) {
        if (options_.keep > 0) keep_share(model, training.parameters(), options_.keep);
        require_finite(training.parameters(), files_.output);
        if (judge_) result_.after = training.judge(*judge_, observer_.judging);
        result_.undone = result_.before && !is_better(*result_.after, *result_.before);
        if (result_.undone) restore_all(model, training.parameters());
        write_trained(model, training.parameters(), lineage_step(), files_.output, observer_.writing);
    }

    std::string lineage_step() const {
        model::Json::Object all = images_.origin;
        for (model::Json::Member& option : options_json(options_)) all.push_back(std::move(option));
        std::string step = command_text(surgery_name(Surgery::finetune), all);
        if (result_.undone) {
            step.append(" (undone: not better on ")
                .append(std::to_string(result_.after->images))
                .append(" held-out images)");
        }
        return step;
    }

    const TrainingImages& images_;
    FinetuneOptions options_;
    const FinetuneFiles& files_;
    const TrainingObserver& observer_;
    model::Json::Object settings_;
    std::optional<Checkpoint> checkpoint_;
    TrainingResources resources_;
    TrainingPosition position_;
    bool announced_ = false;
    std::optional<Teacher> teacher_;
    std::optional<FeatureMatch> match_;
    std::optional<HeldOutJudge> judge_;
    FinetuneResult result_;
};

void check_files(const model::ModelFile& model, const FinetuneFiles& files) {
    model::require_other_file(model.path(), files.output);
    model::require_other_file(model.path(), files.checkpoint);
    if (files.output.lexically_normal() != files.checkpoint.lexically_normal()) return;
    throw Error(ErrorKind::usage,
                "fine-tuning: expected different files for the model and the checkpoint, "
                "found " +
                    files.output.string() + " for both");
}

}  // namespace

void check_finetune(const model::ModelFile& model, const FinetuneOptions& options,
                    const FinetuneFiles& files) {
    check_options(options);
    check_files(model, files);
    require_fp32(model);
    if (files.resume || !is_there(files.checkpoint)) return;
    throw Error(ErrorKind::usage,
                files.checkpoint.string() +
                    ": expected no checkpoint yet, found one: continue from it with --resume, or remove it");
}

FinetuneResult finetune(const model::ModelFile& model, const TrainingImages& images,
                        const FinetuneOptions& options, const FinetuneFiles& files,
                        const TrainingObserver& observer) {
    check_finetune(model, options, files);
    if (images.images.items.empty()) {
        throw Error(ErrorKind::usage, "fine-tuning: expected images, found none");
    }
    if (images.images.labels.empty() && !options.distillation) {
        throw Error(ErrorKind::usage, "fine-tuning: expected labels or a teacher, found neither");
    }
    if (images.held_out && images.held_out->items.empty()) {
        throw Error(ErrorKind::usage, "fine-tuning: expected held-out images, found none");
    }
    FinetuneOptions resolved = options;
    if (resolved.input_size.empty()) resolved.input_size = model.description().preprocessing.input_size;
    resolved.batch = std::min(resolved.batch, images.images.items.size());

    model.file().mapping().release(model.file().mapping().bytes());
    FinetuneResult result;
    if (!resolved.head) {
        result = Run(images, resolved, files, observer, settings_of(model, images, resolved))
                     .train(model, nullptr);
    } else {
        NewHeadModel headed(model, *resolved.head, resolved.seed);
        result = Run(images, resolved, files, observer, settings_of(model, images, resolved))
                     .train(headed.file(), &headed);
    }
    std::error_code ignored;  // failing to remove it does no harm
    std::filesystem::remove(files.checkpoint, ignored);
    return result;
}

}  // namespace vgg19::converter
